"""Say in three figures what a run has found, and what checking a frame has (`words/lab.jinja`)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.findings.layers import gaps_note
from core.findings.survival import LayerSurvival, extremes, layer_survivals, with_and_without_survival
from core.findings.words import render
from core.request.catalog import METRICS, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, point_labels, pruned_layer, small
from core.results.schema import SweepResult


@dataclass(frozen=True)
class Figure:
    """One figure of a finished run.

    Attributes:
        title: What it is.
        value: The figure, in a few words.
        note: How sure it is and what it must not be read without, in sentences; may be empty.
    """

    title: str
    value: str
    note: str


def key_figures(result: SweepResult, reduction: ReductionKey) -> tuple[Figure, ...]:
    """Return a whole result's first layer to change, its longest intact one, and how far its main metric holds.

    Empty where only the unpruned model was measured. Against another checkpoint, no layer counts as intact.
    """
    if len(result.frames) < 2:
        return ()
    if result.against:
        return (_holds(result),)
    layers, left_out = with_and_without_survival(layer_survivals(result, reduction))
    if not layers:
        undefined = Figure(render("lab", "first_title"), render("lab", "undefined"), render("lab", "undefined_note"))
        return undefined, _holds(result)
    first = _first(result, reduction, layers, left_out)
    return first, _longest(result, reduction, layers), _holds(result)


def _first(
    result: SweepResult, reduction: ReductionKey, layers: Sequence[LayerSurvival], left_out: Sequence[PointLabel]
) -> Figure:
    """Name the layers that change first; the heading, `core.findings.layers.title_finding`, says how sure that is."""
    facts = {"first": extremes(layers).first, "largest": result.amounts[-1], "points": point_labels(result.points)}
    note = render("lab", "first_note", left_out=left_out, threshold=SURVIVAL_THRESHOLD, **facts)
    return Figure(
        render("lab", "first_title"),
        render("lab", "first", of=len(layers), **facts),
        " ".join(filter(None, [note, gaps_note(result, reduction)])),
    )


def _longest(result: SweepResult, reduction: ReductionKey, layers: Sequence[LayerSurvival]) -> Figure:
    """Name the layers that stay intact longest, and those among them that would in an emptied model as well."""
    last = extremes(layers).last
    facts = {"last": last, "largest": result.amounts[-1], "points": point_labels(result.points)}
    note = render(
        "lab",
        "longest_note",
        by_construction=[layer.label for layer in last if layer.by_construction],
        alone=pruned_layer(result),
        threshold=SURVIVAL_THRESHOLD,
        **facts,
    )
    return Figure(render("lab", "longest_title"), render("lab", "longest", of=len(layers), **facts), note)


def _holds(result: SweepResult) -> Figure:
    """Say how far the main metric keeps its lead over the majority class: the working range."""
    known = result.working_range
    metric = METRICS[known.metric if known else result.task.main_metric].title
    facts = {"known": known, "largest": result.amounts[-1], "first_step": result.amounts[1]}
    return Figure(
        render("lab", "holds_title", metric=metric),
        render("lab", "holds", **facts),
        render("lab", "holds_note", metric=metric, **facts),
    )


def check_in_words(deviations: Mapping[str, Any]) -> str:
    """Say how far a frame deviates from two recomputations; takes `core.sweep.recompute.Deviations.to_json()`."""
    return render(
        "lab",
        "check",
        amount=deviations["amount"],
        confirmed=deviations["within_tolerance"],
        own_deviation=_largest(
            [*deviations["engine"].values(), *deviations["others"].values(), deviations["accuracy"]]
        ),
        torch_cka_deviation=_largest(deviations["torch_cka"].values()),
    )


def _largest(deviations: Iterable[float | None]) -> str:
    """Write the largest deviation; None stands for a value that only one computation has."""
    known = [float("inf") if deviation is None else deviation for deviation in deviations]
    return small(max(known))
