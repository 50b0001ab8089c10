"""The available results: the shipped ones, listed in their manifest, and the user's own.

Pages list hundreds of results without reading them: `cached_results/manifest.json` describes every
shipped one, and of the user's own, extracts are read. An extract is a result with fewer numbers.
Lists and the table of all results need no more; a page about one result reads its whole file.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar, overload

from cachetools import LRUCache, cached
from platformdirs import user_cache_path
from pydantic import TypeAdapter, ValidationError

from core.errors import BusyError, PrunescopeError
from core.request.catalog import DTYPE, REDUCTION
from core.request.limits import is_hosted
from core.results import store
from core.results.cut import RESULT, CutStudy, Result
from core.results.fields import Record, bytes_of
from core.results.key import digest
from core.results.names import (
    SEPARATOR,
    checkpoint_name,
    data_name,
    name_of,
    training_name,
)
from core.results.recovery import Recovery
from core.results.schema import (
    ColumnsRecord,
    Pruning,
    PruningRecord,
    Similarities,
    Statistics,
    SweepResult,
    TrainingRecord,
)
from core.results.store import (
    FileState,
    state_of,
    user_folder,
    write_atomically,
)

MANIFEST = "manifest.json"  # beside the folder of the shipped results
MOST_BYTES = 384 * 2**20  # of extracts in memory: all shipped ones, and hundreds of the user's
MOST_ENTRIES = 10_000  # of the user's results, in memory
VERSION = 4  # raise it when the content of extracts changes


class Listed(Record):
    """What a list says of any result.

    Attributes:
        key: The result's key, which names its file.
        checkpoint: The checkpoint's id.
        task: The task's name.
        model: The checkpoint's name on screen.
        data: The name of the examples on screen.
        created_at: When it was computed, in ISO format.
    """

    key: str
    checkpoint: str
    task: str
    model: str
    data: str
    created_at: str

    @property
    def is_control(self) -> bool:
        """Whether it only stands beside recoveries: the unpruned model, trained as long."""
        return False

    @property
    def pruning_name(self) -> str:
        """The last part of the name."""
        return "layers removed"

    @property
    def name(self) -> str:
        """The name on screen: the data first, because a narrow list cuts off the end."""
        return SEPARATOR.join((self.data, self.model, self.pruning_name))


class Entry(Listed, Pruning):
    """What is known about a sweep without reading its file.

    Attributes:
        source: Where the examples come from.
        fingerprint: The examples' fingerprint.
        points: The points, as the result stores them.
        columns: The columns that were read of a table.
        label_map: What values of its label column mean, see `TaskRecord`.
        until_damage: The damage at which the sweep stopped; None if it ran all amounts.
        dtype: The dtype of forward passes.
    """

    source: str
    fingerprint: str
    points: tuple[str, ...]
    columns: ColumnsRecord | None = None
    label_map: dict[str, str | None] | None = None
    until_damage: float | None = None
    dtype: str = DTYPE

    @property
    def pruning_name(self) -> str:
        """See `Listed`."""
        return name_of(self)


class CutEntry(Listed):
    """What is known about a study of cuts without reading its file.

    `revision` is that of its checkpoint, since different models may share an id, as folders of one
    name do.
    """

    kind: Literal["cut"]
    revision: str


class RecoveryEntry(Listed):
    """What is known about a recovery without reading its file.

    The amount of an unpruned model's is 0.
    """

    kind: Literal["recovery"]
    revision: str
    pruning: PruningRecord
    amount: float
    training: TrainingRecord

    @property
    def is_control(self) -> bool:
        """See `Listed`."""
        return not self.amount

    @property
    def pruning_name(self) -> str:
        """See `Listed`."""
        return training_name(self.pruning, self.amount)


AnyEntry = TypeVar("AnyEntry", bound=Listed)
Line = TypeVar("Line")  # what is read of a file
T = TypeVar("T")
OfAnyKind = Entry | CutEntry | RecoveryEntry
# The entries and the results of trained models, by the parameter that names one.
TRAINED: Mapping[str, Any] = {
    "study": (CutEntry, CutStudy),
    "recovery": (RecoveryEntry, Recovery),
}
_ENTRIES = TypeAdapter(tuple[CutEntry | RecoveryEntry | Entry, ...])


@overload
def entry_of(result: SweepResult) -> Entry: ...
@overload
def entry_of(result: CutStudy) -> CutEntry: ...
@overload
def entry_of(result: Recovery) -> RecoveryEntry: ...
def entry_of(result: Result) -> OfAnyKind:
    """Describe a whole result."""
    checkpoint = result.checkpoint
    task = result.task
    listed: dict[str, Any] = {
        "key": result.key,
        "checkpoint": checkpoint.id,
        "task": task.name,
        "model": checkpoint_name(result),
        "data": data_name(result),
        "created_at": result.created_at,
    }
    if isinstance(result, SweepResult):
        stop = result.pruning.stop
        return Entry(
            **listed,
            **result.pruning.model_dump(include=set(Pruning.model_fields)),
            **task.model_dump(include={"source", "fingerprint", "columns", "label_map"}),
            points=result.points,
            until_damage=stop.damage if stop else None,
            dtype=result.dtype,
        )
    listed |= {"kind": result.kind, "revision": checkpoint.revision}
    if isinstance(result, CutStudy):
        return CutEntry(**listed)
    return RecoveryEntry(
        **listed,
        pruning=result.pruning,
        amount=result.amount,
        training=result.rows.training,
    )


# ---------------------------------------------------------------- lists


def list_in(path: Path, entries: Iterable[OfAnyKind]) -> None:
    """Add entries to a manifest, one a line; they replace listed ones of the same keys.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    by_key = {entry.key: entry for entry in (*read_manifest(path), *entries)}
    values = (entry.model_dump(mode="json", exclude_defaults=True) for entry in by_key.values())
    lines = (json.dumps(entry, ensure_ascii=False) for entry in values)
    write_atomically(path, "[\n" + ",\n".join(lines) + "\n]\n")


def read_manifest(path: Path) -> tuple[OfAnyKind, ...]:
    """Return a manifest's entries; none if the file does not exist.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    entries: tuple[OfAnyKind, ...] = _read(_ENTRIES, state_of(path))
    return entries


@lru_cache(maxsize=8)
def _read(rows: TypeAdapter[Any], file: FileState) -> Any:
    if not file.size:
        return ()
    try:
        return rows.validate_json(file.path.read_bytes(), extra="ignore")
    except ValidationError as error:
        raise PrunescopeError(
            f"{file.path.name} is damaged: install the project again, or delete your own"
        ) from error


def shipped(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """Return the entries of a kind in the manifest of the shipped results.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    entries = read_manifest(store.SHIPPED_RESULTS.parent / MANIFEST)
    return tuple(entry for entry in entries if isinstance(entry, kind))


def own(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """Return the user's own results of a kind, newest first.

    A file is omitted if it is `unreadable`, or if `find` prefers another file of its key.
    """
    return tuple(
        entry
        for file, entry in _described().items()
        if isinstance(entry, kind) and store.find(entry.key) == file.path
    )


def unreadable() -> list[str]:
    """Return why pages cannot show some of the user's result files, newest first."""
    return [str(reason) for reason in _described().values() if isinstance(reason, PrunescopeError)]


def _described() -> dict[FileState, OfAnyKind | PrunescopeError]:
    """Describe the user's result files, newest first, or say why no page can show one."""
    files = map(state_of, store.result_files(user_folder()))
    return _of_each(
        _description,
        sorted(files, key=lambda file: file.modified, reverse=True),
    )


def _of_each(
    read: Callable[[FileState], Line], files: Iterable[FileState]
) -> dict[FileState, Line | PrunescopeError]:
    """Read something of each file, or say why that was not possible in time."""
    lines: dict[FileState, Line | PrunescopeError] = {}
    for file in files:
        try:
            lines[file] = read(file)
        except BusyError as error:  # which no cache keeps
            lines[file] = error
    return lines


@lru_cache(MOST_ENTRIES)
def _description(file: FileState) -> OfAnyKind | PrunescopeError:
    extract = _extract(file)
    return extract if isinstance(extract, PrunescopeError) else entry_of(extract)


def delete_own(key: str) -> None:
    """Delete one of the user's own results; an unknown key is ignored.

    Raises:
        PrunescopeError: The result is shipped or shared, or its file cannot be deleted.
    """
    path = store.find(key)
    if path is None:
        return
    if is_hosted() or path.parent != user_folder() or store.own_is_shipped():
        raise PrunescopeError(
            f"the result {key[:12]}… is shared with others and cannot be deleted here"
        )
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise PrunescopeError(
            f"{path.name} cannot be deleted ({error.strerror}): delete it by hand"
        ) from error


# ---------------------------------------------------------------- extracts


Extract = Result | PrunescopeError  # the error says why there is no extract


def extracts(files: Iterable[FileState]) -> dict[FileState, Extract]:
    """Return the extract of each result file, or why there is none; only sweeps are shortened."""
    return _of_each(_extract, files)


@cached(LRUCache(MOST_BYTES, bytes_of), lock=Lock())
def _extract(file: FileState) -> Extract:
    """Return a file's extract, kept in the user's cache: a whole result is slower to read.

    Raises:
        BusyError: The file was not read in time; so it is not cached that there is no extract.
    """
    name = digest([VERSION, *map(ascii, file)])
    kept = user_cache_path("prunescope") / "extracts" / f"{name}.json"
    with suppress(OSError, ValueError):
        return RESULT.validate_json(kept.read_bytes())
    try:
        extract = extract_of(store.load_safely(file.path))
    except BusyError:
        raise
    except PrunescopeError as error:
        return PrunescopeError(str(error))  # without the values that a trace holds
    # On a shared server the user's results are deleted in time.
    if file.path.parent == store.SHIPPED_RESULTS or not is_hosted():
        with suppress(OSError):
            write_atomically(kept, extract.model_dump_json())
    return extract


def extract_of(result: Result) -> Result:
    """Return a result without what only its own pages show.

    It lacks the checksum, which covers the whole file. A sweep keeps the diagonal of CKA, and the
    statistics that verdicts and tables read; other kinds are kept whole.
    """
    changes: dict[str, Any] = {"checksum": ""}
    if isinstance(result, SweepResult):
        frames = []
        for frame in result.frames:
            diagonal = Similarities(cka={REDUCTION: frame.own(REDUCTION)})
            frames.append(frame.model_copy(update={"similarity": diagonal}))
        changes["frames"] = tuple(frames)
        statistics = result.statistics_of(REDUCTION)
        if statistics:
            read = statistics.model_copy(update={"own": None})
            changes["statistics"] = Statistics(cka={REDUCTION: read})
    return result.model_copy(update=changes)


# ---------------------------------------------------------------- tables of all shipped results


def read_table(name: str, rows: TypeAdapter[T]) -> T:
    """Return a table that `benchmarks.verdicts` computes from all shipped results.

    Args:
        name: The name of its file.
        rows: The type of all its rows, a tuple; empty if there is no file.
    """
    table: T = _read(rows, state_of(store.SHIPPED_RESULTS.parent / name))
    return table
