"""Whether every page can show a result: what it names exists here, and nothing is missing."""

from collections.abc import Iterator

from core.errors import PrunescopeError
from core.request.catalog import MEASURES, METHODS, METRICS, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, limits
from core.request.sweep_request import check_scope, choose
from core.request.tasks import MAX_LABELS, MIN_LABELS, TASK_NAMES
from core.results.schema import SweepResult, values_in

MOST_SIMILARITIES = 500_000  # of 48 points and 100 amounts it has half
MOST_VALUES = 5_000_000


def check_showable(result: SweepResult, name: str) -> None:
    """Refuse a result that no page could show, such as one of a later version with a method that is new there.

    Args:
        result: Its file's schema, checksum and key fit.
        name: What messages call it.

    Raises:
        PrunescopeError: It names something that does not exist here, or lacks something.
    """
    if problem := next(_problems(result), ""):
        raise PrunescopeError(f"{name} cannot be shown: {problem}; choose a result file that Prunescope wrote")


def _problems(result: SweepResult) -> Iterator[str]:
    """Say what there is too much of, what it names that does not exist here, and what is missing."""
    task, pruning, frames, labels = result.task, result.pruning, result.frames, len(result.task.label_names)
    points, baseline = len(result.points), len(result.baseline_points)
    for name, count, most in (
        ("points", max(points, baseline), limits().points),
        ("amounts", len(frames), LOCAL_LIMITS.amounts),
        ("examples", len(task.examples), LOCAL_LIMITS.examples),
        ("similarities of one kind", len(frames) * points * baseline, MOST_SIMILARITIES),
        ("values", values_in(result), MOST_VALUES),
    ):
        if count > most:
            yield f"it has {count:,} {name}, at most {most:,} can be drawn"

    try:
        choose(task.name, TASK_NAMES, "task")
        choose(pruning.method, METHODS, "method")
        check_scope(pruning.scope, pruning.method, result.checkpoint.num_layers)
    except PrunescopeError as error:
        yield str(error)
    if pruning.granularity != METHODS[pruning.method].granularity:
        yield f"{pruning.method} does not prune by {pruning.granularity}"
    if task.name not in TASKS and task.source not in ("file", "hub"):
        yield f"a task that is made from a checkpoint has no examples of source {task.source}"

    fitting = [len(TASKS[task.name].label_names)] if task.name in TASKS else range(MIN_LABELS, MAX_LABELS + 1)
    if labels not in fitting or len(task.examples) < MIN_EXAMPLES:
        yield f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *(f.predictions for f in frames)) for label in row):
        yield f"a label lies outside 0 to {labels - 1}"

    if unknown := set(result.measures) - set(MEASURES):
        yield f"it has an unknown measure {sorted(unknown)[0]}"
    if any(
        set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions)
        for frame in frames
        for measure, by_reduction in frame.similarity.items()
    ):
        yield "a frame lacks a reduction"
    if "cka" not in result.measures or not all(
        values and isinstance(values[0], tuple) for f in frames for values in f.similarity["cka"].values()
    ):
        yield "a frame lacks its CKA"
    for measure, by_reduction in (result.statistics or {}).items():
        if measure not in result.measures or not set(by_reduction) <= set(MEASURES[measure].reductions):
            yield "it has statistics of an unknown measure or reduction"

    known = result.working_range
    if task.main_metric not in METRICS:
        yield f"its metric {task.main_metric[:40]} is unknown"
    if known and known.metric not in METRICS:
        yield f"the metric {known.metric[:40]} of its working range is unknown"
    if known and not {known.to, known.shown_broken_from} <= {None, *result.amounts}:
        yield "its working range ends at an amount that was not measured"
    if unknown := {name for frame in frames for name in frame.metrics} - set(METRICS):
        yield f"its metric {min(unknown)[:40]} is unknown"
    if any(frame.metrics.get("accuracy") is None for frame in frames):
        yield "a frame lacks its accuracy"
