"""The Layers page's sentences; its heading stands over the Lab's results, too."""

from collections.abc import Sequence
from operator import itemgetter

from core.findings.against import closest_cell, closest_layers
from core.findings.comparable import controls_of
from core.findings.survival import LayerSurvival, interval_text, layer_survivals, layers_of
from core.findings.words import Said, layers_named, numbered
from core.findings.words import numbers as num
from core.request.catalog import MEASURES, METHODS, SURVIVAL_THRESHOLD
from core.request.scope import run_of
from core.results import names as n
from core.results.schema import SweepResult


def layers_said(
    result: SweepResult,
    chosen: n.PointLabel,
    companions: Sequence[SweepResult],
    reduction: n.ReductionKey,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> Said:
    """Say which layer changes first, how far the chosen one stays intact, and whether chance changes the same first.

    Args:
        result: A whole sweep.
        chosen: The label of the chosen layer.
        companions: What the result is judged beside.
        reduction: A key of REDUCTIONS.
        threshold: The similarity that a layer must keep.
        measure: What similarity is measured by.
    """
    look = reduction, threshold, measure
    heading = layers_heading(result, *look)
    if result.against:
        return Said(heading, (_closest_sentence(result, reduction, chosen),))
    layers = {layer.label: layer for layer in layer_survivals(result, *look)}
    if not any(layer.is_defined for layer in layers.values()):
        return Said(heading)
    sentences = _layer_sentence(result, layers[chosen], threshold, measure), _chance_sentence(result, companions, look)
    return Said(heading, tuple(filter(None, sentences)))


def layers_heading(
    result: SweepResult, reduction: n.ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> str:
    """Say which layer changes first, and at which amount, with its interval where that is known.

    Against another checkpoint, it says which layer is most similar to that one. The result may be unfinished.
    """
    if result.against:
        return against_heading(result, reduction)
    found, labels = layers_of(result, reduction, threshold, measure), n.point_labels(result.points)
    if not found.defined:
        return f"{MEASURES[measure].title} is undefined in every layer"
    if len(result.frames) < 2:
        return "Only the unpruned model has been measured"
    fallen = found.first or found.last
    below, at = _below(threshold, measure), n.removed_name(num.hundredths(fallen[0].value), result)
    if fallen[0].censored:
        return f"No layer falls below {below}, even with {at}"
    if not found.first:
        every = "All layers" if len(found.defined) == len(labels) else "All other layers"
        return f"{every} change together: they fall below {below} at {at}"
    named, interval = n.capitalised(layers_named([layer.label for layer in fallen], labels)), fallen[0].interval
    if len(fallen) > 1:
        said = f"{named} change first: they fall below {below} at {at}"
    else:
        within = f" ({interval_text(interval, result.amounts[-1])})" if interval else ""
        said = f"{named} changes first: it falls below {below} at {at}{within}"
    rivals = [layer.label for layer in found.rivals]
    return f"{said}; {layers_named(rivals, labels)} may change as early" if rivals else said


def _below(threshold: float, measure: str) -> str:
    return f"{threshold}" + (f" by {n.in_sentence(MEASURES[measure].symbol)}" if measure != "cka" else "")


def _layer_sentence(result: SweepResult, layer: LayerSurvival, threshold: float, measure: str) -> str:
    """Say how far a layer stays intact, and how far the model works."""
    if not layer.is_defined:
        return f"{layer.title}: similarity is undefined, even without pruning."
    at = n.removed_name(num.hundredths(layer.value), result)
    until = f"the last amount measured, {at}" if layer.censored else at
    interval = f" (95 % interval {interval_text(layer.interval, result.amounts[-1])})" if layer.interval else ""
    working = result.working_range.to if result.working_range else None
    works = f"up to {n.amount_name(working)}" if working else "at no amount measured"
    said = f"{layer.title}, stays intact (at least {_below(threshold, measure)}) up to {until}{interval}"
    return f"{said}." if working is None else f"{said}; the model works {works}."


def _chance_sentence(
    result: SweepResult, companions: Sequence[SweepResult], look: tuple[n.ReductionKey, float, str]
) -> str:
    """Say what the heading must not be read without; empty for a control itself, and where no layer changes first."""

    def first_of(sweep: SweepResult) -> list[n.PointLabel]:
        return [layer.label for layer in layers_of(sweep, *look).first]

    if alone := run_of(result.pruning.scope):
        those, below = n.pruned_layers(result.pruning), ", so layers below cannot change" if alone.start else ""
        return f"Only {those} {'is' if len(alone) == 1 else 'are'} pruned{below}."
    first, controls = first_of(result), controls_of(result, companions)
    if not first or METHODS[result.pruning.method].control is None:
        return ""
    if not controls:
        return "Add a matched random control to see whether chance changes the same layer first."
    same = sum(not set(first).isdisjoint(first_of(control)) for control in controls)
    named = ("one of " if len(first) > 1 else "") + layers_named(first, n.point_labels(result.points))
    return f"Random removal changes {named} first in {same} of {numbered(len(controls), 'draw')}."


# ---------------------------------------------------------------- against another checkpoint


def against_heading(result: SweepResult, reduction: n.ReductionKey) -> str:
    """Say which layer is most similar to the other checkpoint without pruning, and which least."""
    other, labels = n.unpruned_name(result), n.point_labels(result.points)
    layers = zip(labels, closest_layers(result, reduction), strict=True)
    known = [(label, *ranked[0]) for label, ranked in layers if ranked]
    if not known:
        return f"Similarity to {other} is undefined"
    (most, closest, highest), (least, _, lowest) = (pick(known, key=itemgetter(2)) for pick in (max, min))
    high, low = num.decimals(highest, 2), num.decimals(lowest, 2)
    if high == low:
        return f"Unpruned, each layer is as similar to {other} as the others ({high})"
    return (
        f"Unpruned, layer {most} is most similar to {other} ({high} to its layer {closest}), "
        f"layer {least} least ({low})"
    )


def _closest_sentence(result: SweepResult, reduction: n.ReductionKey, chosen: n.PointLabel) -> str:
    k = n.point_labels(result.points).index(chosen)
    ranked, title = closest_layers(result, reduction)[k], n.point_names(result.points)[k].title
    if not ranked:
        return f"{title}: similarity to {n.unpruned_name(result)} is undefined."
    return f"{title}, is most similar to layer {closest_cell(ranked)} of {n.unpruned_name(result)}."
