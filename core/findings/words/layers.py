"""The Layers page's sentences; its heading stands over the Lab's results, too."""

from collections.abc import Sequence

from core.findings.comparable import controls_of
from core.findings.layers import LayerSurvival, floor_of, layers_of
from core.findings.rounding import hundredths
from core.findings.words import (
    Finding,
    Table,
    layers_named,
    numbered,
    works_words,
)
from core.findings.words import numbers as num
from core.request.catalog import METHODS, SURVIVAL_THRESHOLD
from core.request.scope import run_of
from core.results import names as n
from core.results.fields import Bounds
from core.results.schema import SweepResult

READING = """
Each strip is one layer, coloured by how similar it is to the same layer of the unpruned model. The
bar below ends where that similarity first falls below 0.9. The line on it is the 95 % interval,
which is not known for *all tokens*. Where they are known, these are drawn as well. **Dotted**:
everything prunable is gone. **Grey**: random removal of as much, the mean of its seeds and their
range. **Shaded**: beyond the working range, where the model has lost 10 % of its advantage over
always guessing the commonest label.
"""
FIRST_TO_CHANGE = "The first to change"  # of layers to select


def layers_finding(
    result: SweepResult,
    chosen: n.PointLabel,
    companions: Sequence[SweepResult],
    reduction: n.ReductionKey,
) -> Finding:
    """Say which layer changes first, how far the chosen one stays intact, and what chance does.

    Args:
        result: A whole sweep.
        chosen: The label of the chosen layer.
        companions: What the result is judged beside.
        reduction: A key of REDUCTIONS.
    """
    heading = layers_heading(result, reduction)
    order = layers_of(result, reduction)
    if not order.last:
        return Finding(heading)
    (layer,) = (layer for layer in order.every if layer.label == chosen)
    sentences = (
        _layer_sentence(result, layer),
        _chance_sentence(result, companions, reduction),
    )
    return Finding(heading, tuple(filter(None, sentences)))


def layers_heading(result: SweepResult, reduction: n.ReductionKey) -> str:
    """Say which layer changes first, and at which amount; the result may be unfinished."""
    order = layers_of(result, reduction)
    labels = n.point_labels(result.points)
    if not order.last:
        return "Similarity is undefined in every layer"
    if len(result.frames) < 2:
        return "Only the unpruned model has been measured"
    fallen = order.first or order.last
    amount = n.removed_name(hundredths(fallen[0].value), result)
    if fallen[0].censored:
        return f"No layer falls below {SURVIVAL_THRESHOLD}, even with {amount}"
    below = f"below {SURVIVAL_THRESHOLD} at {amount}"
    if not order.first:
        every = "All layers" if len(order.last) == len(labels) else "All other layers"
        return f"{every} change together: they fall {below}"
    named = n.capitalised(layers_named([layer.label for layer in fallen], labels))
    changes = "changes first: it falls" if len(fallen) == 1 else "change first: they fall"
    rivals = [layer.label for layer in order.rivals]
    doubt = f"; {layers_named(rivals, labels)} may change as early" if rivals else ""
    return f"{named} {changes} {below}{doubt}"


def _layer_sentence(result: SweepResult, layer: LayerSurvival) -> str:
    """Say how far a layer stays intact, and how far the model works."""
    if not layer.is_defined:
        return f"{layer.title}: similarity is undefined, even without pruning."
    until = n.removed_name(hundredths(layer.value), result)
    if layer.censored:
        until = f"the last amount measured, {until}"
    if layer.by_construction:
        until += ", and with everything removed"
    if layer.interval:
        until += f" (95 % interval {interval_text(layer.interval, result.amounts[-1])})"
    words = works_words(result, is_brief=True)
    works = f"; the model works {words}" if words else ""
    return f"{layer.title}, stays intact (at least {SURVIVAL_THRESHOLD}) up to {until}{works}."


def _chance_sentence(
    result: SweepResult,
    companions: Sequence[SweepResult],
    reduction: n.ReductionKey,
) -> str:
    """Say whether chance changes the same layer first.

    It is empty for a control itself, and where no layer changes first.
    """
    alone = run_of(result.pruning.scope)
    if alone:
        below = ", so layers below cannot change" if alone.start else ""
        is_pruned = "is pruned" if len(alone) == 1 else "are pruned"
        return f"Only {n.pruned_layers(result.pruning)} {is_pruned}{below}."
    first = _first_of(result, reduction)
    if not first or METHODS[result.pruning.method].control is None:
        return ""
    controls = controls_of(result, companions)
    if not controls:
        return "Add a matched random control to see whether chance changes the same layer first."
    same = sum(bool({*first} & {*_first_of(control, reduction)}) for control in controls)
    named = layers_named(first, n.point_labels(result.points))
    any_of = "one of " if len(first) > 1 else ""
    draws = numbered(len(controls), "draw")
    return f"Random removal changes {any_of}{named} first in {same} of {draws}."


def _first_of(result: SweepResult, reduction: n.ReductionKey) -> list[n.PointLabel]:
    return [layer.label for layer in layers_of(result, reduction).first]


# ---------------------------------------------------------------- how far a layer stays intact


def survival_text(layer: LayerSurvival) -> str:
    """Write the amount up to which a layer stays intact."""
    if not layer.is_defined:
        return "undefined"
    return f"> {n.amount_name(layer.value)}" if layer.censored else num.percent(layer.value)


def intact_words(layer: LayerSurvival) -> str:
    """Say how far a layer is intact, as it stands beside a band."""
    if layer.by_construction:
        return "intact throughout"
    if layer.censored:
        return f"still intact at {n.amount_name(layer.value)}"
    return f"intact up to {survival_text(layer)}"


def interval_text(interval: Bounds | None, largest: float) -> str:
    """Write a survival's interval in whole percent; a bound at the largest amount is "beyond"."""
    if interval is None:
        return "unknown"
    low, high = interval
    if high < largest:
        is_narrow = num.percent(low) == num.percent(high)
        return "under 1 % wide" if is_narrow else num.percent_range(low, high)
    beyond = f"beyond {n.amount_name(largest)}"
    if low >= largest:
        return beyond
    return f"{num.percentage(low)} to {beyond}"


def survival_table(result: SweepResult, reduction: n.ReductionKey) -> Table:
    """Tabulate how far each layer stays intact, with intervals and floor where they are known."""
    layers = layers_of(result, reduction).every
    largest = result.amounts[-1]
    table = []
    for layer in layers:
        row = {
            "Layer": layer.title,
            f"Intact (similarity ≥ {SURVIVAL_THRESHOLD}) up to": survival_text(layer),
        }
        if any(each.interval for each in layers):
            row["95 % interval"] = interval_text(layer.interval, largest)
        if floor_of(result, reduction):
            row["With everything removed"] = num.two_places(layer.floor)
        row[f"Similarity at {n.amount_name(largest)} removed"] = num.two_places(layer.own[-1])
        table.append(row)
    return table
