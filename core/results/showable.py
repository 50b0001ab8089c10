"""Results of unknown origin: what keeps pages from showing one, and reading it without taking the server's memory."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, MEASURES, MIN_EXAMPLES, TASKS
from core.request.limits import LOCAL_LIMITS, limits
from core.request.sweep_request import check_scope
from core.request.tasks import MAX_LABELS, MIN_LABELS
from core.results.fields import values_in
from core.results.schema import SweepResult
from core.wall.reading import read

MOST_SIMILARITIES = 500_000  # of 48 points and 100 amounts it has half
MOST_VALUES = 5_000_000


def open_upload(content: bytes, name: str) -> SweepResult:
    """Read an uploaded file.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, takes too much memory or time, or is no result that pages can show.
    """
    if len(content) > limits().upload_bytes:
        raise PrunescopeError(f"{name} is larger than {limits().upload_bytes // 2**20} MB: choose a smaller result")
    with TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load_confined(path, name)


def load_confined(path: Path, name: str) -> SweepResult:
    """Have `core.results.store.load` read a file in a limited child process; `name` is what messages call it.

    Raises:
        PrunescopeError: It is missing, takes too much memory or time, or is no result that pages can show.
    """
    return SweepResult.model_validate_json(read("upload", [(path, name)]))


def faults(result: SweepResult) -> Iterator[str]:
    """Say of a result whose schema fits what it names that does not exist here, and what is too much or missing.

    Raises:
        PrunescopeError: Its scope does not fit its method or its depth.
    """
    task, frames, labels = result.task, result.frames, len(result.task.label_names)
    points, baseline = len(result.points), len(result.baseline_points)
    check_scope(result.pruning.scope, result.pruning.method, result.checkpoint.num_layers)
    for known in (result.checkpoint, result.against):  # a question about it would ask the Hub for another id
        if known and known.source == "embedded" and known.id not in EMBEDDED:
            yield f"no checkpoint {known.id} comes with this program"
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
    for frame in frames:
        if frame.metrics.get("accuracy") is None:
            yield "a frame lacks its accuracy"
        for measure, by_reduction in frame.similarity.items():
            if set(by_reduction) != set(MEASURES[measure].reductions) & set(result.reductions):
                yield "a frame lacks a reduction"
        cka = frame.similarity.get("cka", {"": ()}).values()
        if not all(values and isinstance(values[0], tuple) for values in cka):
            yield "a frame lacks its CKA"
