"""Find the texts of a result's examples on this computer."""

from collections.abc import Hashable, Iterator, Sequence
from threading import Lock

from core.errors import PrunescopeError
from core.inputs.sample_cache import files, remembered_samples
from core.inputs.sampling import Texts
from core.inputs.written_examples import read_written
from core.request.catalog import TASKS
from core.results.digest import fingerprint_of
from core.results.file_cache import FileState
from core.results.schema import TaskRecord

Candidate = tuple[Sequence[int], Texts]  # row numbers, and the texts of each
MOST_KEPT = 16  # results whose texts are not looked for again

_lock = Lock()
_FOUND: dict[Hashable, tuple[frozenset[FileState], Texts | None]] = {}  # the latest last, each with the samples then


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if this computer does not have them.

    Texts belong to a result if they have its record's fingerprint. They are looked for again once samples have changed.
    """
    among, key = files(), (task.name, task.source, task.split, task.examples, task.gold, task.fingerprint)
    with _lock:
        known = _FOUND.pop(key, None)
    if known is None or known[0] != among:
        known = among, _search(task)
    with _lock:
        _FOUND[key] = known
        while len(_FOUND) > MOST_KEPT:
            del _FOUND[next(iter(_FOUND))]
    return known[1]


def _search(task: TaskRecord) -> Texts | None:
    kept = ((sample.rows, sample.texts) for sample in remembered_samples())
    for rows, texts in _written(task) if task.source == "written" else kept:
        known = dict(zip(rows, texts, strict=True))
        if not known.keys() >= set(task.examples):
            continue
        found = tuple(known[row] for row in task.examples)
        if fingerprint_of(task.name, found, task.gold) == task.fingerprint:
            return found
    return None


def _written(task: TaskRecord) -> Iterator[Candidate]:
    try:
        table = read_written(TASKS[task.name], task.split)
    except (PrunescopeError, KeyError):
        return
    yield table.rows, tuple(zip(*(table.column(name) for name in TASKS[task.name].text_columns), strict=True))
