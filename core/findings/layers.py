"""Say which layer of a result falls first, and when the chosen layer does (`words/layers.jinja`)."""

from collections.abc import Iterable

from core.findings.comparable import refusal_of
from core.findings.overview import OTHER_THRESHOLDS, extremes, floor_of, layer_survivals
from core.findings.words import render
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, point_names
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation

THRESHOLDS = (SURVIVAL_THRESHOLD, *OTHER_THRESHOLDS)


def order_finding(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say which layer falls first, which lasts longest, and how well depth orders them.

    The result may be a whole sweep or the first frames of one; a layer survives while its similarity by the measure is
    at least `threshold`.
    """
    layers, symbol = layer_survivals(result, reduction, threshold, measure), MEASURES[measure].symbol
    if len({layer.rank for layer in layers}) == 1:
        return render("layers", "no_order", symbol=symbol, threshold=threshold, layer=layers[0])
    tau = depth_correlation([layer.value for layer in layers])
    return render("layers", "order", symbol=symbol, threshold=threshold, extremes=extremes(layers), tau=tau)


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
    return render(
        "layers",
        "layer",
        symbol=MEASURES[measure].symbol,
        layer=chosen_layer,
        threshold=threshold,
        largest=result.amounts[-1],
        earlier=sum(layer.rank < chosen_layer.rank for layer in layers),
        others=len(layers) - 1,
    )
