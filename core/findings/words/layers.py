"""The Layers page's sentences; its heading stands over the Lab's results, too."""

from collections.abc import Sequence

from core.findings import layers as facts
from core.findings.comparable import controls_of
from core.findings.words import Finding, Table, layers_named, numbered
from core.findings.words import numbers as num
from core.request.catalog import METHODS, REDUCTIONS, SURVIVAL_THRESHOLD
from core.request.scope import run_of
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation

READING = """
Each strip is one layer, coloured by how similar it is to the same layer of the unpruned model. The bar below ends where
that similarity first falls below 0.9. The line on it is the 95 % interval, which is not known for *all tokens*. Where
they are known, these are drawn as well. **Dotted**: everything prunable is gone. **Thin grey lines**: random removal of
as much, one per seed. **Shaded**: beyond the working range, where the model has lost 10 % of its advantage over always
guessing the commonest label.
"""
FIRST_TO_CHANGE = "The first to change"  # of layers to select


def layers_finding(
    result: SweepResult, chosen: n.PointLabel, companions: Sequence[SweepResult], reduction: n.ReductionKey
) -> Finding:
    """Say which layer changes first, how far the chosen one stays intact, and whether chance changes the same first.

    Args:
        result: A whole sweep.
        chosen: The label of the chosen layer.
        companions: What the result is judged beside.
        reduction: A key of REDUCTIONS.
    """
    heading, found = layers_heading(result, reduction), facts.layers_of(result, reduction)
    if not found.last:
        return Finding(heading)
    (layer,) = (layer for layer in found.every if layer.label == chosen)
    sentences = _layer_sentence(result, layer), _chance_sentence(result, companions, reduction)
    return Finding(heading, tuple(filter(None, sentences)))


def layers_heading(result: SweepResult, reduction: n.ReductionKey) -> str:
    """Say which layer changes first, and at which amount, with its interval where that is known.

    The result may be unfinished.
    """
    found, labels = facts.layers_of(result, reduction), n.point_labels(result.points)
    if not found.last:
        return "Similarity is undefined in every layer"
    if len(result.frames) < 2:
        return "Only the unpruned model has been measured"
    fallen = found.first or found.last
    at = n.removed_name(num.hundredths(fallen[0].value), result)
    if fallen[0].censored:
        return f"No layer falls below {SURVIVAL_THRESHOLD}, even with {at}"
    if not found.first:
        every = "All layers" if len(found.last) == len(labels) else "All other layers"
        return f"{every} change together: they fall below {SURVIVAL_THRESHOLD} at {at}"
    said = f"change first: they fall below {SURVIVAL_THRESHOLD} at {at}"
    if len(fallen) == 1:
        interval = facts.interval_text(fallen[0].interval, result.amounts[-1])
        said = f"changes first: it falls below {SURVIVAL_THRESHOLD} at {at}"
        said += f" ({interval})" if fallen[0].interval else ""
    said = f"{n.capitalised(layers_named([layer.label for layer in fallen], labels))} {said}"
    rivals = [layer.label for layer in found.rivals]
    return f"{said}; {layers_named(rivals, labels)} may change as early" if rivals else said


def _layer_sentence(result: SweepResult, layer: facts.LayerSurvival) -> str:
    """Say how far a layer stays intact, and how far the model works."""
    if not layer.is_defined:
        return f"{layer.title}: similarity is undefined, even without pruning."
    at = n.removed_name(num.hundredths(layer.value), result)
    until = f"the last amount measured, {at}" if layer.censored else at
    until += ", and with everything removed" if layer.by_construction else ""
    interval = f" (95 % interval {facts.interval_text(layer.interval, result.amounts[-1])})" if layer.interval else ""
    working = result.working_range.to if result.working_range else None
    works = f"up to {n.amount_name(working)}" if working else "at no amount measured"
    said = f"{layer.title}, stays intact (at least {SURVIVAL_THRESHOLD}) up to {until}{interval}"
    return f"{said}." if working is None else f"{said}; the model works {works}."


def _chance_sentence(result: SweepResult, companions: Sequence[SweepResult], reduction: n.ReductionKey) -> str:
    """Say whether chance changes the same layer first; empty for a control itself, and where no layer changes first."""

    def first_of(sweep: SweepResult) -> list[n.PointLabel]:
        return [layer.label for layer in facts.layers_of(sweep, reduction).first]

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


# ---------------------------------------------------------------- tables


def survival_table(result: SweepResult, reduction: n.ReductionKey) -> Table:
    """Tabulate how far each layer stays intact, with intervals and floor where they are known."""
    layers, floor = facts.layers_of(result, reduction).every, facts.floor_of(result, reduction)
    largest, intact, rows = result.amounts[-1], f"Intact (similarity ≥ {SURVIVAL_THRESHOLD}) up to", []
    for k, layer in enumerate(layers):
        row = {"Layer": layer.title, intact: layer.text}
        if any(known.interval for known in layers):
            row["95 % interval"] = facts.interval_text(layer.interval, largest)
        if floor:
            row["With everything removed"] = num.two_places(floor[k])
        row[f"Similarity at {n.amount_name(largest)} removed"] = num.two_places(layer.own[-1])
        rows.append(row)
    tau = depth_correlation([min(layer.rank, 1.0) for layer in layers if layer.is_defined])
    if tau is not None:
        last = {"Layer": "Kendall's tau-b with depth", intact: num.decimals(tau, 2)}
        rows.append(dict.fromkeys(rows[0], "") | last)
    return rows


def reduction_explained(reduction: n.ReductionKey, result: SweepResult | None) -> str:
    """Explain how tokens become one vector, and what sentence length alone does to a result's similarity by that."""
    length = f" {length_sentence(result)}" if result and reduction == "tokens" else ""
    return f"{REDUCTIONS[reduction].explanation}{length}"


def length_sentence(result: SweepResult) -> str:
    """Say how similar sentence length alone is to the unpruned model's flattened tokens."""
    known = [num.decimals(value, 2) for value in result.similarity.length_control if value is not None]
    if not known:
        return "How much of it is sentence length alone is not known here."
    return f"Here the padding alone has a similarity (CKA) of {min(known)} to {max(known)} with the unpruned layers."
