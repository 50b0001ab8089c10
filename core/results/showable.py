"""Whether every page can show a result: what it names exists here, and nothing is missing."""

from core.errors import PrunescopeError
from core.request.catalog import MEASURES, METHODS, METRICS, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, limits
from core.request.sweep_request import check_scope, choose
from core.request.tasks import MAX_LABELS, TASK_NAMES
from core.results.schema import SweepResult, values_in

MOST_SIMILARITIES = 1_000_000  # of 48 points and 100 amounts it has a quarter
MOST_VALUES = 5_000_000


def check_showable(result: SweepResult, name: str) -> None:
    """Refuse a result that no page could show, such as one of a later version with a method that is new there.

    Args:
        result: Its file's schema, checksum and key fit.
        name: What messages call it.

    Raises:
        PrunescopeError: It names something that does not exist here, or lacks something.
    """
    checks = (_of_sizes, _of_names, _of_labels, _of_similarity, _of_metrics)
    problem = next(filter(None, (check(result) for check in checks)), "")
    if problem:
        raise PrunescopeError(f"{name} cannot be shown: {problem}; choose a result file that Prunescope wrote")


def _of_sizes(result: SweepResult) -> str:
    """Name what there is too much of; empty if all can be drawn."""
    points = max(len(result.points), len(result.baseline_points))
    matrix = len(result.points) * len(result.baseline_points)
    for name, count, most in (
        ("points", points, limits().points),
        ("amounts", len(result.frames), LOCAL_LIMITS.amounts),
        ("examples", len(result.task.examples), LOCAL_LIMITS.examples),
        ("similarities of one kind", len(result.frames) * matrix, MOST_SIMILARITIES),
        ("values", values_in(result), MOST_VALUES),
    ):
        if count > most:
            return f"it has {count:,} {name}, at most {most:,} can be drawn"
    return ""


def _of_names(result: SweepResult) -> str:
    """Name the first of task, method and scope that does not exist here; empty if all do."""
    task, pruning = result.task, result.pruning
    try:
        choose(task.name, TASK_NAMES, "task")
        choose(pruning.method, METHODS, "method")
        check_scope(pruning.scope, pruning.method, result.checkpoint.num_layers)
    except PrunescopeError as error:
        return str(error)
    if pruning.granularity != METHODS[pruning.method].granularity:
        return f"{pruning.method} does not prune by {pruning.granularity}"
    if task.name not in TASKS and task.source not in ("file", "hub"):
        return f"a task that is made from a checkpoint has no examples of source {task.source}"
    return ""


def _of_labels(result: SweepResult) -> str:
    """Say how labels do not fit the task; empty if they do."""
    task, labels = result.task, len(result.task.label_names)
    preset = TASKS.get(task.name)
    most = len(preset.label_names) if preset else MAX_LABELS
    if not (labels == most or (preset is None and 1 < labels < most)) or len(task.examples) < MIN_EXAMPLES:
        return f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *(f.predictions for f in result.frames)) for label in row):
        return f"a label lies outside 0 to {labels - 1}"
    return ""


def _of_similarity(result: SweepResult) -> str:
    """Name what similarities or their statistics lack; empty if nothing."""
    if unknown := set(result.measures) - set(MEASURES):
        return f"it has an unknown measure {sorted(unknown)[0]}"
    if any(
        set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions)
        for frame in result.frames
        for measure, by_reduction in frame.similarity.items()
    ):
        return "a frame lacks a reduction"
    if "cka" not in result.measures or not all(
        values and isinstance(values[0], tuple) for f in result.frames for values in f.similarity["cka"].values()
    ):
        return "a frame lacks its CKA"
    for measure, by_reduction in (result.statistics or {}).items():
        if measure not in result.measures or not set(by_reduction) <= set(MEASURES[measure].reductions):
            return "it has statistics of an unknown measure or reduction"
    return ""


def _of_metrics(result: SweepResult) -> str:
    """Name what the metrics or the working range lack; empty if nothing."""
    known = result.working_range
    if result.task.main_metric not in METRICS:
        return f"its metric {result.task.main_metric[:40]} is unknown"
    if known and known.metric not in METRICS:
        return f"the metric {known.metric[:40]} of its working range is unknown"
    if known and not {known.to, known.shown_broken_from} <= {None, *result.amounts}:
        return "its working range ends at an amount that was not measured"
    if unknown := {name for frame in result.frames for name in frame.metrics} - set(METRICS):
        return f"its metric {min(unknown)[:40]} is unknown"
    if any(frame.metrics.get("accuracy") is None for frame in result.frames):
        return "a frame lacks its accuracy"
    return ""
