"""Find the texts of a result's examples on this computer."""

from collections.abc import Iterator, Sequence

from core.errors import PrunescopeError
from core.inputs.sample_cache import remembered_samples
from core.inputs.sampling import Texts
from core.inputs.written_examples import read_written
from core.request.catalog import TASKS
from core.results.schema import TaskRecord, digest

Candidate = tuple[Sequence[int], Texts]  # row numbers, and the texts of each


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if this computer does not have them.

    Texts belong to a result if they have its record's fingerprint.
    """
    kept = ((sample.rows, sample.texts) for sample in remembered_samples())
    for rows, texts in _written(task) if task.source == "written" else kept:
        known = dict(zip(rows, texts, strict=True))
        if not known.keys() >= set(task.examples):
            continue
        found = tuple(known[row] for row in task.examples)
        if digest({"task": task.name, "texts": found, "gold": task.gold}) == task.fingerprint:
            return found
    return None


def _written(task: TaskRecord) -> Iterator[Candidate]:
    try:
        table = read_written(TASKS[task.name], task.split)
    except (PrunescopeError, KeyError):
        return
    yield table.rows, tuple(zip(*(table.column(name) for name in TASKS[task.name].text_columns), strict=True))
