"""Read an uploaded result file, and check that every page can show it."""

import json

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, MEASURES, METHODS, METRICS, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, is_hosted
from core.request.sweep_request import check_scope, choose
from core.request.tasks import MAX_LABELS, TASK_NAMES
from core.results.schema import SweepResult
from core.results.store import parse

MAX_POINTS = 192  # two each of 96 layers
EMBEDDED_IDS = {known.id for known in EMBEDDED.values()}


def max_megabytes() -> int:
    """Return the size limit of an upload; reading a file holds up every visitor."""
    return 5 if is_hosted() else 20


def read_upload(content: bytes, name: str) -> SweepResult:
    """Read a result file of unknown origin.

    The checks of the file format find damage and accidents. A file can pass them and still name methods, tasks or
    labels that do not exist here.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, not a result, or a result that no page can show.
    """
    if len(content) > max_megabytes() * 1024**2:
        raise PrunescopeError(
            f"{name} is {len(content) / 1024**2:.1f} MB, more than the {max_megabytes()} MB that can be opened here: "
            "choose a smaller result"
        )
    try:
        result = parse(json.loads(content), name)
    except (ValueError, RecursionError) as error:
        raise PrunescopeError(f"{name} is not readable as JSON: choose a result file of Prunescope") from error
    check_showable(result, name)
    for checkpoint in (result.checkpoint, result.against):  # a question about it would ask the Hub for another id
        if checkpoint and checkpoint.source == "embedded" and checkpoint.id not in EMBEDDED_IDS:
            raise PrunescopeError(
                f"{name} cannot be opened: no checkpoint {checkpoint.id} comes with this program; choose a result file "
                "that Prunescope wrote"
            )
    return result


def check_showable(result: SweepResult, name: str) -> None:
    """Refuse a result that no page could show, such as one of a later version with a method that is new there.

    Raises:
        PrunescopeError: It names something that does not exist here, or lacks something.
    """
    problem = _problem(result)
    if problem:
        raise PrunescopeError(f"{name} cannot be shown: {problem}; choose a result file that Prunescope wrote")


def _problem(result: SweepResult) -> str:
    """Name the first thing that no page can show; empty if there is none."""
    task, pruning, frames = result.task, result.pruning, result.frames
    labels = len(task.label_names)
    for name, count, most in (
        ("amounts", len(frames), LOCAL_LIMITS.amounts),
        ("examples", len(task.examples), LOCAL_LIMITS.examples),
        ("points", max(len(result.points), len(result.baseline_points)), MAX_POINTS),
    ):
        if count > most:
            return f"it has {count:,} {name}, at most {most:,} can be drawn"
    try:
        choose(task.name, TASK_NAMES, "task")
        choose(pruning.method, METHODS, "method")
        check_scope(pruning.scope, pruning.method, result.checkpoint.num_layers)
    except PrunescopeError as error:
        return str(error)
    if pruning.granularity != METHODS[pruning.method].granularity:
        return f"{pruning.method} does not prune by {pruning.granularity}"
    preset = TASKS.get(task.name)
    if preset is None and task.source not in ("file", "hub"):
        return f"a task that is made from a checkpoint has no examples of source {task.source}"
    most = len(preset.label_names) if preset else MAX_LABELS
    if not (labels == most or (preset is None and 1 < labels < most)) or len(task.examples) < MIN_EXAMPLES:
        return f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *(f.predictions for f in frames)) for label in row):
        return f"a label lies outside 0 to {labels - 1}"
    if unknown := set(result.measures) - set(MEASURES):
        return f"it has an unknown measure {sorted(unknown)[0]}"
    if any(
        set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions)
        for frame in frames
        for measure, by_reduction in frame.similarity.items()
    ):
        return "a frame lacks a reduction"
    if "cka" not in result.measures or any(not frame.similarity["cka"]["mean"] for frame in frames):
        return "a frame lacks its CKA"
    if task.main_metric not in METRICS:
        return f"its metric {task.main_metric[:40]} is unknown"
    if result.working_range and result.working_range.metric not in METRICS:
        return f"the metric {result.working_range.metric[:40]} of its working range is unknown"
    if not _range_amounts(result) <= set(result.amounts):
        return "its working range ends at an amount that was not measured"
    if any(frame.metrics.get("accuracy") is None for frame in frames):
        return "a frame lacks its accuracy"
    for measure, by_reduction in (result.statistics or {}).items():
        if measure not in result.measures or not set(by_reduction) <= set(MEASURES[measure].reductions):
            return "it has statistics of an unknown measure or reduction"
    return ""


def _range_amounts(result: SweepResult) -> set[float]:
    known = result.working_range
    return {amount for amount in (known.to, known.shown_broken_from) if amount is not None} if known else set()
