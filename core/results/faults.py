"""What is wrong with a result whose schema fits: what pages cannot draw, and what does not exist here."""

from collections.abc import Iterator, Sequence

from core.request.catalog import EMBEDDED, MEASURES, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, limits
from core.request.sweep_request import check_scope
from core.request.tasks import MAX_LABELS, MIN_LABELS
from core.results.fields import values_in
from core.results.kinds import Result
from core.results.schema import SweepResult

MOST_SIMILARITIES = 500_000  # of 48 points and 100 amounts it has half
MOST_VALUES = 5_000_000


def faults(result: Result) -> Iterator[str]:
    """Say of a result whose schema fits what it names that does not exist here, and what is too much or missing.

    Raises:
        PrunescopeError: A sweep's scope does not fit its method or its depth.
    """
    sweep = result if isinstance(result, SweepResult) else None
    task, labels = result.task, len(result.task.label_names)
    for known in (result.checkpoint, sweep and sweep.against):  # a question about it would ask the Hub for another id
        if known and known.source == "embedded" and known.id not in EMBEDDED:
            yield f"no checkpoint {known.id} comes with this program"
    counts = [
        *(_drawn(sweep) if sweep else ()),
        ("examples", len(task.examples), LOCAL_LIMITS.examples),
        ("values", values_in(result), MOST_VALUES),
    ]
    for name, count, most in counts:
        if count > most:
            yield f"it has {count:,} {name}, at most {most:,} can be drawn"
    fitting = [len(TASKS[task.name].label_names)] if task.name in TASKS else range(MIN_LABELS, MAX_LABELS + 1)
    if labels not in fitting or len(task.examples) < MIN_EXAMPLES:
        yield f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *_predictions(result)) for label in row):
        yield f"a label lies outside 0 to {labels - 1}"
    if isinstance(result, SweepResult):
        yield from _sweep_faults(result)
    elif result.full_worth.metrics.get("accuracy") is None:
        yield "it lacks its accuracy"


def _drawn(result: SweepResult) -> Iterator[tuple[str, int, int]]:
    """Yield what a sweep has of that which is drawn: its name, how much, and the most."""
    points, baseline, amounts = len(result.points), len(result.baseline_points), len(result.frames)
    yield "points", max(points, baseline), limits().points
    yield "amounts", amounts, LOCAL_LIMITS.amounts
    yield "similarities of one kind", amounts * points * baseline, MOST_SIMILARITIES


def _predictions(result: Result) -> Iterator[Sequence[int]]:
    if isinstance(result, SweepResult):
        yield from (frame.predictions for frame in result.frames)
    else:
        yield result.calibration.gold
        for model in result.models:
            yield from (model.calibration, model.judged or ())


def _sweep_faults(result: SweepResult) -> Iterator[str]:
    check_scope(result.pruning.scope, result.pruning.method, result.checkpoint.num_layers)
    for frame in result.frames:
        if frame.metrics.get("accuracy") is None:
            yield "a frame lacks its accuracy"
        for measure, by_reduction in frame.similarity.items():
            if set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions):
                yield "a frame lacks a reduction"
        cka = frame.similarity.get("cka", {"": ()}).values()
        if not all(values and isinstance(values[0], tuple) for values in cka):
            yield "a frame lacks its CKA"
