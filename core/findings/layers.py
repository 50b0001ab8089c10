"""Say which layer of a result falls first, and when the chosen layer does (`words/layers.jinja`)."""

from collections.abc import Iterable

from core.findings.comparable import refusal_of
from core.findings.overview import (
    OTHER_THRESHOLDS,
    extremes,
    floor_of,
    layer_survivals,
    with_and_without_survival,
)
from core.findings.words import render
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, in_sentence, point_names, reduction_name
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation

THRESHOLDS = (SURVIVAL_THRESHOLD, *OTHER_THRESHOLDS)


def order_finding(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say which layer falls first, which lasts longest, and how well depth orders them; at least one is defined.

    The result may be a whole sweep or the first frames of one; a layer survives while its similarity by the measure is
    at least `threshold`.
    """
    layers, left_out = with_and_without_survival(layer_survivals(result, reduction, threshold, measure))
    facts = {"symbol": in_sentence(MEASURES[measure].symbol), "threshold": threshold, "left_out": left_out}
    if len({layer.rank for layer in layers}) == 1:
        return render("layers", "no_order", layer=layers[0], **facts)
    tau = depth_correlation([min(layer.rank, 1.0) for layer in layers])  # as shown: what reads alike is a tie
    return render("layers", "order", extremes=extremes(layers), tau=tau, **facts)


def undefined_finding(result: SweepResult, reduction: ReductionKey, measure: str) -> str:
    """Say why a measure says nothing about any layer; empty if it does."""
    if any(layer.is_defined for layer in layer_survivals(result, reduction, measure=measure)):
        return ""
    by_first_token = (reduction, measure) == ("cls", "partial_cka")
    words, title = reduction_name(reduction), MEASURES[measure].title
    return render("layers", "undefined", measure=title, reduction=words, by_first_token=by_first_token)


def floor_note(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say what the floor is, and which layers lie above the threshold even there; empty where it is unknown."""
    floor = floor_of(result, reduction, measure)
    if floor is None or all(value is None for value in floor):
        return ""
    names = [
        name.label
        for name, value in zip(point_names(result.points), floor, strict=True)
        if value is not None and value >= threshold
    ]
    return render("layers", "floor", threshold=threshold, above=names)


def control_note(result: SweepResult, companions: Iterable[SweepResult]) -> str:
    """Say why an available random control is not drawn beside the layers; else empty."""
    refusal = refusal_of(result, companions)
    return render("layers", "control_not_drawn", refusal=refusal) if refusal else ""


def layer_finding(
    result: SweepResult,
    reduction: ReductionKey,
    chosen: PointLabel,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> str:
    """Say how long the chosen point survives, with its interval, and how many points fall before it.

    The result may be a whole sweep or the first frames of one; a layer survives while its similarity by the measure is
    at least `threshold`.
    """
    layers = layer_survivals(result, reduction, threshold, measure)
    chosen_layer = next(layer for layer in layers if layer.label == chosen)
    if not chosen_layer.is_defined:
        return render("layers", "undefined_layer", symbol=in_sentence(MEASURES[measure].symbol), layer=chosen_layer)
    return render(
        "layers",
        "layer",
        symbol=in_sentence(MEASURES[measure].symbol),
        layer=chosen_layer,
        threshold=threshold,
        largest=result.amounts[-1],
        earlier=sum(layer.rank < chosen_layer.rank for layer in layers),
        others=sum(layer.is_defined for layer in layers) - 1,
    )
