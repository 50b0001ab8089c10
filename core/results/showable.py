"""Whether every page can show a result, also a stranger's: what it names exists here, and nothing is missing."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, MEASURES, METHODS, METRICS, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, is_hosted, limits
from core.request.sweep_request import check_scope, choose
from core.request.tasks import MAX_LABELS, MIN_LABELS, TASK_NAMES
from core.results.fields import values_in
from core.results.schema import SweepResult
from core.results.store import load
from core.wall.reading import read

MOST_SIMILARITIES = 500_000  # of 48 points and 100 amounts it has half
MOST_VALUES = 5_000_000
EMBEDDED_IDS = {known.id for known in EMBEDDED.values()}


def max_megabytes() -> int:
    """Return the size limit of an upload; reading a file holds up every visitor."""
    return 5 if is_hosted() else 20


def open_upload(content: bytes, name: str) -> SweepResult:
    """Have `load_showable` read a file where it can take no memory from the server.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, takes too much memory or time, or is no result that pages can show.
    """
    if len(content) > max_megabytes() * 1024**2:
        raise PrunescopeError(f"{name} is larger than {max_megabytes()} MB: choose a smaller result")
    with TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        result = SweepResult.model_validate_json(read("upload", [(path, name)]))
    for known in (result.checkpoint, result.against):  # a question about it would ask the Hub for another id
        if known and known.source == "embedded" and known.id not in EMBEDDED_IDS:
            raise PrunescopeError(f"{name} cannot be opened: no checkpoint {known.id} comes with this program")
    return result


def load_showable(path: Path, name: str = "") -> SweepResult:
    """Read a result file of unknown origin.

    The checks of the file format find damage and accidents. A file can pass them and still name methods, tasks or
    labels that do not exist here, such as one of a later version.

    Args:
        path: The file.
        name: What messages call it; empty for its own name.

    Raises:
        PrunescopeError: It is not a result, or a result that no page can show.
    """
    result = load(path, name)
    check_showable(result, name or path.name)
    return result


def check_showable(result: SweepResult, name: str) -> None:
    """Refuse a result that no page could show.

    Args:
        result: Its file's schema, checksum and key fit.
        name: What messages call it.

    Raises:
        PrunescopeError: It names something that does not exist here, or lacks something.
    """
    task, pruning = result.task, result.pruning
    try:
        choose(task.name, TASK_NAMES, "task")
        for method in filter(None, (pruning.method, pruning.controls)):
            choose(method, METHODS, "method")
        check_scope(pruning.scope, pruning.method, result.checkpoint.num_layers)
        problem = next(_problems(result), "")
    except PrunescopeError as error:
        problem = str(error)
    if problem:
        raise PrunescopeError(f"{name} cannot be shown: {problem}; choose a result file that Prunescope wrote")


def _problems(result: SweepResult) -> Iterator[str]:
    """Say what there is too much of, what it names that does not exist here, and what is missing."""
    task, frames, labels = result.task, result.frames, len(result.task.label_names)
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
    fitting = [len(TASKS[task.name].label_names)] if task.name in TASKS else range(MIN_LABELS, MAX_LABELS + 1)
    if labels not in fitting or len(task.examples) < MIN_EXAMPLES:
        yield f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *(f.predictions for f in frames)) for label in row):
        yield f"a label lies outside 0 to {labels - 1}"

    judged = result.working_range
    if judged and not {judged.to, judged.shown_broken_from} <= {None, *result.amounts}:
        yield "its working range ends at an amount that was not measured"
    named = {task.main_metric, *([judged.metric] if judged else []), *(name for f in frames for name in f.metrics)}
    for kind, names in (("metric", named - set(METRICS)), ("measure", set(result.measures) - set(MEASURES))):
        if names:
            yield f"its {kind} {min(names)[:40]} is unknown"
    for frame in frames:
        if frame.metrics.get("accuracy") is None:
            yield "a frame lacks its accuracy"
        for measure, by_reduction in frame.similarity.items():
            if set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions):
                yield "a frame lacks a reduction"
        cka = frame.similarity.get("cka", {"": ()}).values()
        if not all(values and isinstance(values[0], tuple) for values in cka):
            yield "a frame lacks its CKA"
    for measure, statistics in (result.statistics or {}).items():
        if measure not in result.measures or not set(statistics) <= set(MEASURES[measure].reductions):
            yield "it has statistics of an unknown measure or reduction"
