"""Find the texts of a result's examples on this computer."""

from functools import lru_cache

from core.errors import PrunescopeError
from core.inputs.sample_cache import files, remembered_samples
from core.inputs.sampling import Texts
from core.inputs.written_examples import read_written
from core.request.catalog import TASKS
from core.results.digest import fingerprint_of
from core.results.file_cache import FileState
from core.results.schema import TaskRecord


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if this computer does not have them.

    Texts belong to a result if they have its record's fingerprint. They are looked for again once samples have changed.
    """
    return _search(files(), task.name, task.source, task.split, task.examples, task.gold, task.fingerprint)


@lru_cache(maxsize=16)
def _search(
    among: frozenset[FileState],
    name: str,
    source: str,
    split: str,
    examples: tuple[int, ...],
    gold: tuple[int, ...],
    fingerprint: str,
) -> Texts | None:
    if source == "written":
        try:
            table = read_written(TASKS[name], split)
        except (PrunescopeError, KeyError):
            return None
        columns = [table.column(column) for column in TASKS[name].text_columns]
        candidates = iter([dict(zip(table.rows, zip(*columns, strict=True), strict=True))])
    else:
        candidates = (dict(zip(sample.rows, sample.texts, strict=True)) for sample in remembered_samples())
    for known in candidates:
        found = tuple(known.get(row, ()) for row in examples)
        if all(found) and fingerprint_of(name, found, gold) == fingerprint:
            return found
    return None
