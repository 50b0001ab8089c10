"""Say which layer of a result changes first, and how far the selected one stays intact (`words/layers.jinja`).

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which layer falls below it
first is an estimate from examples: layers whose intervals reach down as far are named beside it. Random removal may
change the same layer first, so that the seeds of a matched control stand beside it as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings import against
from core.findings.comparable import refusal_of
from core.findings.survival import (
    OTHER_THRESHOLDS,
    LayerSurvival,
    extremes,
    floor_of,
    interval_text,
    layer_survivals,
    lost_labels,
    own_similarity,
    with_and_without_survival,
)
from core.findings.words import render
from core.request.catalog import CONTROL_SEEDS, MEASURES, METHODS, SURVIVAL_THRESHOLD
from core.results.names import (
    PointLabel,
    ReductionKey,
    decimals,
    hundredths,
    point_labels,
    pruned_layer,
    reduction_name,
    removed_name,
    units_name,
)
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation

THRESHOLDS = (SURVIVAL_THRESHOLD, *OTHER_THRESHOLDS)


# ---------------------------------------------------------------- which layer changes first


@dataclass(frozen=True)
class FirstToChange:
    """The layers that fall below the threshold first.

    Attributes:
        first: Those with the smallest amount as shown, in depth order.
        rivals: Others whose interval reaches down to the amounts where these may fall; none where it is unknown.
    """

    first: tuple[LayerSurvival, ...]
    rivals: tuple[LayerSurvival, ...]

    @property
    def first_labels(self) -> tuple[PointLabel, ...]:
        """The first layers' names on an axis."""
        return tuple(layer.label for layer in self.first)


def first_to_change(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> FirstToChange | None:
    """Find the layers that fall first; None if no layer falls, or all that are defined fall together."""
    layers, _ = with_and_without_survival(layer_survivals(result, reduction, threshold, measure))
    if not layers or all(layer.censored for layer in layers):
        return None
    first = extremes(layers).first
    if len(first) == len(layers) > 1:
        return None
    latest = max(layer.interval[1] if layer.interval else layer.value for layer in first)
    rivals = [layer for layer in layers if layer not in first and layer.interval and layer.interval[0] <= latest]
    return FirstToChange(first, tuple(rivals))


def first_layer(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> PointLabel:
    """Return the layer to select at first: the one that changes first, or else has changed most at the last amount."""
    found = first_to_change(result, reduction, threshold, measure)
    labels = point_labels(result.points)
    if found:
        return found.first[0].label
    last = own_similarity(result, reduction, measure)[-1]  # (points,)
    return labels[0] if np.isnan(last).all() else labels[int(np.nanargmin(last))]


def title_finding(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say in a heading which layer changes first, and at which amount, with its interval where that is known.

    Against another checkpoint, it says which layer is most similar to that one.
    """
    if result.against:
        return against.title(result, reduction)
    layers, _ = with_and_without_survival(layer_survivals(result, reduction, threshold, measure))
    facts = {"measure": MEASURES[measure], "threshold": threshold}
    if not layers:
        return render("layers", "title_undefined", measure=MEASURES[measure])
    if len(result.frames) < 2:
        return render("layers", "title_unpruned")
    found = first_to_change(result, reduction, threshold, measure)
    if found is None:
        everyone = len(layers) == len(result.points)
        amount = _amount(layers[0].value, result)
        return render("layers", "title_together", layer=layers[0], at=amount, everyone=everyone, **facts)
    return render(
        "layers",
        "title",
        first=found.first,
        at=_amount(found.first[0].value, result),
        interval=_interval_of(found.first[0], result) if len(found.first) == 1 else "",
        rivals=found.rivals,
        alone=len(layers) == 1,
        points=point_labels(result.points),
        **facts,
    )


def control_finding(
    result: SweepResult,
    reduction: ReductionKey,
    controls: Sequence[SweepResult],
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> str:
    """Say with how many seeds of the random control the same layer changes first.

    Empty for a control itself, and for one layer pruned alone, which says nothing about an order.

    Args:
        result: A whole sweep.
        reduction: A key of REDUCTIONS.
        controls: Its seeds, see `core.findings.comparable.controls_of`; those in which no layer falls do not count.
        threshold: The similarity that a layer must keep.
        measure: What similarity is measured by.
    """
    found = first_to_change(result, reduction, threshold, measure)
    if found is None or METHODS[result.pruning.method].control is None or pruned_layer(result):
        return ""
    firsts = [seed for control in controls if (seed := first_to_change(control, reduction, threshold, measure))]
    if not firsts:
        return "" if controls else render("layers", "no_control")
    labels, of_seeds = set(found.first_labels), [set(seed.first_labels) for seed in firsts]
    same = sum(bool(labels & first) for first in of_seeds)
    return render(
        "layers",
        "control",
        first=found.first,
        same=same,
        seeds=len(firsts),
        enough=len(firsts) >= CONTROL_SEEDS[result.pruning.granularity] and all(labels == first for first in of_seeds),
        units=units_name(result),
        points=point_labels(result.points),
    )


def range_finding(
    result: SweepResult,
    reduction: ReductionKey,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> str:
    """Say whether the model still works where the first layer falls; empty where one of them is unknown."""
    found, known = first_to_change(result, reduction, threshold, measure), result.working_range
    if found is None or known is None or known.to is None:
        return ""
    works = known.to > 0 and found.first[0].rank <= known.to  # both as they are shown
    whole = known.to >= result.amounts[-1]
    return render("layers", "range", works=works, to=_amount(known.to, result), whole=whole, at_all=known.to > 0)


def order_finding(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say how well depth orders the layers, which stay intact longest, and which are left out; at least one is defined.

    The result may be a whole sweep or the first frames of one.
    """
    layers, left_out = with_and_without_survival(layer_survivals(result, reduction, threshold, measure))
    last = extremes(layers).last
    facts = {
        "last": last,
        "at": _amount(last[0].value, result),
        "left_out": left_out,
        "points": point_labels(result.points),
    }
    if len(last) == len(layers):
        return render("layers", "no_order", **facts)
    tau = depth_correlation([min(layer.rank, 1.0) for layer in layers])  # as shown: what reads alike is a tie
    return render("layers", "order", tau=tau, **facts)


# ---------------------------------------------------------------- one layer


def layer_finding(
    result: SweepResult,
    reduction: ReductionKey,
    chosen: PointLabel,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> str:
    """Say how far the chosen point stays intact, with its interval, and how many points fall before it.

    The result may be a whole sweep or the first frames of one.
    """
    layers = layer_survivals(result, reduction, threshold, measure)
    chosen_layer = next(layer for layer in layers if layer.label == chosen)
    if not chosen_layer.is_defined:
        return render("layers", "undefined_layer", layer=chosen_layer)
    return render(
        "layers",
        "layer",
        layer=chosen_layer,
        at=_amount(chosen_layer.value, result),
        interval=_interval_of(chosen_layer, result),
        earlier=sum(layer.rank < chosen_layer.rank for layer in layers),
        others=sum(layer.is_defined for layer in layers) - 1,
        measure=MEASURES[measure],
        threshold=threshold,
    )


def layer_table(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> list[dict[str, str]]:
    """Tabulate how far each layer stays intact, with its interval and floor where they are known, in depth order."""
    floor = floor_of(result, reduction, measure)
    return [
        {
            "Layer": layer.title,
            "Stays intact up to": layer.text,
            "95 % interval": interval_text(layer.interval, result.amounts[-1]),
            **({"Similarity with everything removed": _known(floor[k])} if floor else {}),
        }
        for k, layer in enumerate(layer_survivals(result, reduction, threshold, measure))
    ]


def _interval_of(layer: LayerSurvival, result: SweepResult) -> str:
    """Write a layer's interval; empty where it is unknown."""
    return interval_text(layer.interval, result.amounts[-1]) if layer.interval else ""


def _known(value: float | None) -> str:
    return "undefined" if value is None else decimals(value, 2)


# ---------------------------------------------------------------- what to read it with


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
    """Say which layers lie above the threshold even with everything removed; empty if none does, or it is unknown."""
    layers = layer_survivals(result, reduction, threshold, measure)
    above = [layer.label for layer in layers if layer.by_construction]
    return (
        render("layers", "floor", threshold=threshold, above=above, points=point_labels(result.points)) if above else ""
    )


def gaps_note(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say which layers become undefined under pruning, where they count as fallen; empty if none does."""
    labels = lost_labels(result, reduction, measure)
    return render("layers", "gaps", labels=labels, points=point_labels(result.points)) if labels else ""


def alone_note(result: SweepResult) -> str:
    """Say which layers cannot change where a single one is pruned; empty where all are, or where it is the first."""
    layer = pruned_layer(result)
    return render("layers", "alone", layer=layer) if layer and layer > 1 else ""


def control_note(result: SweepResult, companions: Iterable[SweepResult]) -> str:
    """Say why an available random control is not drawn beside the layers; else empty."""
    refusal = refusal_of(result, companions)
    return render("layers", "control_not_drawn", refusal=refusal) if refusal else ""


def _amount(value: float, result: SweepResult) -> str:
    """Write an amount in whole percent with what it is a share of."""
    return removed_name(hundredths(value), result)
