"""The available results: the shipped ones, listed in their manifest, and the user's own.

`cached_results/manifest.json` lists every shipped result; of the user's own, extracts are read. So a page can offer
hundreds of results without reading them.

An extract is a result with fewer numbers, a fifth as large or less, so that whatever describes a result describes its
extract too: lists of results, and the table of a whole grid, know no more. A page about one result reads that itself.
"""

import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Generic, Literal, TypeVar, overload

from cachetools import LRUCache
from platformdirs import user_cache_path
from pydantic import TypeAdapter, ValidationError

from core.errors import BusyError, PrunescopeError
from core.request.catalog import REDUCTION
from core.request.limits import is_hosted
from core.results import store
from core.results.cut import ANY, CutStudy, Result
from core.results.digest import digest
from core.results.fields import Record, Row, bytes_of
from core.results.names import CUT, SEPARATOR, checkpoint_name, data_name, name_of
from core.results.schema import ColumnsRecord, Pruning, SweepResult
from core.results.statistics import LayerStatistics, ProfileAtDamage
from core.results.store import FileState, state_of, user_folder, write_atomically
from core.wall.reading import Question, read_all

MANIFEST = "manifest.json"  # beside the folder of the shipped results
MOST_SHIPPED = 1000  # extracts in memory, 200 kB each
MOST_BYTES = 64 * 2**20  # of the extracts of other files
MOST_ENTRIES = 10_000  # of other files
VERSION = 1  # of what an extract holds


class Entry(Pruning):
    """What is known about a result without reading its file.

    Attributes:
        key: The result's key, which names its file.
        model: The checkpoint's name on screen.
        data: The name of the examples on screen.
        checkpoint: The checkpoint's id.
        task: The task's name.
        source: Where the examples come from.
        fingerprint: The examples' fingerprint.
        points: The points, as the result stores them.
        columns: Of a table, those that were read.
        label_map: What values of its label column mean, see `TaskRecord`.
        until_damage: The damage at which the sweep stopped; None if it ran all amounts.
        created_at: When it was computed, in ISO format.
    """

    key: str
    model: str
    data: str
    checkpoint: str
    task: str
    source: str
    fingerprint: str
    points: tuple[str, ...]
    columns: ColumnsRecord | None = None
    label_map: dict[str, str | None] | None = None
    until_damage: float | None = None
    created_at: str

    @property
    def name(self) -> str:
        """The name on screen; see `result_name`."""
        return SEPARATOR.join((self.data, self.model, name_of(self)))


class CutEntry(Record):
    """What is known about a study of cuts without reading its file; see `Entry`, whose kind is not said.

    `revision` is that of its checkpoint, whose id two models may share, as folders of one name do; empty in a manifest
    that was written without.
    """

    kind: Literal["cut"]
    key: str
    model: str
    data: str
    checkpoint: str
    revision: str = ""
    task: str
    created_at: str

    @property
    def name(self) -> str:
        """The name on screen; see `result_name`."""
        return SEPARATOR.join((self.data, self.model, CUT))


AnyEntry = TypeVar("AnyEntry", Entry, CutEntry)
Line = TypeVar("Line")  # of a table
_ENTRIES = TypeAdapter(tuple[CutEntry | Entry, ...])


@overload
def entry_of(result: SweepResult) -> Entry: ...
@overload
def entry_of(result: CutStudy) -> CutEntry: ...
def entry_of(result: Result) -> Entry | CutEntry:
    """Describe a whole result."""
    names = {"model": checkpoint_name(result), "data": data_name(result)}
    if isinstance(result, CutStudy):
        known = result.model_dump(include={"kind", "key", "created_at"})
        model = {"checkpoint": result.checkpoint.id, "revision": result.checkpoint.revision}
        return CutEntry(**known, **model, **names, task=result.task.name)
    task, pruning = result.task, result.pruning
    return Entry(
        **pruning.model_dump(include=set(Pruning.model_fields)),
        **task.model_dump(include={"source", "fingerprint", "columns", "label_map"}),
        **result.model_dump(include={"key", "created_at"}),
        **names,
        checkpoint=result.checkpoint.id,
        task=task.name,
        points=result.points,
        until_damage=pruning.stop.damage if pruning.stop else None,
    )


def write_manifest(entries: Iterable[Entry | CutEntry], path: Path) -> None:
    """Write the manifest, one entry per line, in the order given."""
    lines = (json.dumps(entry.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) for entry in entries)
    write_atomically(path, "[\n" + ",\n".join(lines) + "\n]\n")


def list_in(path: Path, entries: Iterable[Entry | CutEntry]) -> None:
    """Add entries to a manifest; one of a key that it lists takes that one's place.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    write_manifest({entry.key: entry for entry in (*read_manifest(path), *entries)}.values(), path)


def shipped(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """Return the manifest's entries of a kind whose files exist, in its order.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    folder = store.SHIPPED_RESULTS
    entries = [entry for entry in read_manifest(folder.parent / MANIFEST) if isinstance(entry, kind)]
    present = set(os.listdir(folder)) if entries and folder.is_dir() else set()  # once, not a look for every entry
    return tuple(entry for entry in entries if present & {f"{entry.key}{ending}" for ending in store.ENDINGS})


def read_manifest(path: Path) -> tuple[Entry | CutEntry, ...]:
    """Return a manifest's entries; none if the file does not exist.

    Raises:
        PrunescopeError: The manifest is damaged.
    """
    try:
        return _read(_ENTRIES, state_of(path)) if path.is_file() else ()
    except ValidationError as error:
        raise PrunescopeError(f"{path.name} is damaged: install the project again") from error


@lru_cache(maxsize=8)
def _read(rows: TypeAdapter[Any], file: FileState) -> Any:
    return rows.validate_json(Path(file.path).read_bytes())


def own(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """Return the user's own results of a kind, newest first.

    A file is left out if it is `unreadable`, if a look-up by its key finds another file, or if it is still to be read
    (`extracts`).
    """
    entries = ((entry, Path(file.path)) for file, entry in _described(_own_files()).items() if isinstance(entry, kind))
    return tuple(entry for entry, path in entries if store.find(entry.key) == path)


def unreadable() -> list[str]:
    """Return for each file among the user's results that no page can show, newest first, why."""
    return [reason for reason in _described(_own_files()).values() if isinstance(reason, str)]


def _own_files() -> list[FileState]:
    """List the files of the user's folder, newest first."""
    return sorted(map(state_of, store.result_files(user_folder())), key=lambda file: file.modified, reverse=True)


# A reason where no page can show the file.
_entries: LRUCache[FileState, Entry | CutEntry | str] = LRUCache(MOST_ENTRIES)


def _described(files: Sequence[FileState]) -> dict[FileState, Entry | CutEntry | str]:
    """Describe result files, each once as long as it does not change; of one that no page can show, say why."""
    with _lock:
        described = {file: _entries[file] for file in files if file in _entries}
    for file, extract in extracts([file for file in files if file not in described]).items():
        described[file] = str(extract) if isinstance(extract, PrunescopeError) else entry_of(extract)
        if not isinstance(extract, BusyError):
            with _lock:
                _entries[file] = described[file]
    return {file: described[file] for file in files if file in described}


def delete_own(key: str) -> None:
    """Delete one of the user's own results by its key; a key that is not stored is ignored.

    Raises:
        PrunescopeError: The result is shipped or shared, or its file cannot be deleted.
    """
    path = store.find(key)
    if path is None:
        return
    if is_hosted() or path.parent != user_folder() or store.own_is_shipped():
        raise PrunescopeError(f"the result {key[:12]}… is shared with others and cannot be deleted here")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise PrunescopeError(f"{path.name} cannot be deleted ({error.strerror}): delete it by hand") from error


# ---------------------------------------------------------------- extracts


Extract = Result | PrunescopeError  # why there is none
_extracts: LRUCache[FileState, Extract] = LRUCache(MOST_BYTES, bytes_of)
_being_read: set[FileState] = set()
_lock = Lock()  # guards what is kept here
_reader = ThreadPoolExecutor(1, "extracts")


def extracts(files: Sequence[FileState]) -> dict[FileState, Extract]:
    """Return the extract of each result file, or why there is none; a study of cuts is its own.

    They are read in a limited child process: anybody may have put them there. A hosted server's pages do not wait for
    it: a file that is still to be read is left out. Shipped ones are this program's own, and read here, once an
    installation.
    """
    others = [file for file in files if Path(file.path).parent != store.SHIPPED_RESULTS]
    with _lock:
        read = {file: _extracts[file] for file in others if file in _extracts}
        new = [file for file in others if file not in read and file not in _being_read]
        if is_hosted():
            _being_read.update(new)
    if new and is_hosted():
        _reader.submit(_read_extracts, new)
    elif new:
        read |= _read_extracts(new)
    for file in {*files}.difference(others):
        try:
            read[file] = _shipped(file)
        except PrunescopeError as error:
            read[file] = error
    return {file: read[file] for file in files if file in read}


def _read_extracts(files: Sequence[FileState]) -> dict[FileState, Extract]:
    questions = [Question("extract", (os.path.abspath(file.path),), (Path(file.path).name,)) for file in files]
    try:
        read = {
            file: ANY.validate_json(answer) if isinstance(answer, bytes) else answer
            for file, answer in zip(files, read_all(questions), strict=True)
        }
        for file, extract in read.items():
            if not isinstance(extract, BusyError):
                with _lock, suppress(ValueError):  # it is larger than all that may be kept
                    _extracts[file] = extract
    finally:
        with _lock:
            _being_read.difference_update(files)
    return read


@lru_cache(MOST_SHIPPED)
def _shipped(file: FileState) -> Result:
    """Return a shipped result's extract from the user's cache: to read the whole result takes eight times as long."""
    kept = user_cache_path("prunescope") / "extracts" / f"{digest([VERSION, *file])}.json"
    with suppress(OSError, ValueError):
        return ANY.validate_json(kept.read_bytes())
    extract = extract_of(store.load_any(Path(file.path)))
    with suppress(OSError):
        write_atomically(kept, extract.model_dump_json())
    return extract


def extract_of(result: Result) -> Result:
    """Leave out what only a page about this result shows, and the checksum, which is that of the whole.

    What stays of a sweep are the diagonal of CKA, and the statistics that verdicts and tables look at; a study of cuts
    stays whole, but for the checksum.
    """
    if isinstance(result, CutStudy):
        return result.model_copy(update={"checksum": ""})
    frames = []
    for frame in result.frames:
        own: dict[str, dict[str, Row | None]] = {measure: {} for measure in frame.similarity}
        own["cka"] = {REDUCTION: frame.own(REDUCTION)}
        frames.append(frame.model_copy(update={"similarity": own, "changed": None, "divergence": None}))
    statistics = {
        measure: {REDUCTION: _without_details(by_reduction[REDUCTION])}
        for measure, by_reduction in (result.statistics or {}).items()
        if REDUCTION in by_reduction
    }
    left_out = {"floor": None, "checksum": ""}
    return result.model_copy(update={"frames": tuple(frames), "statistics": statistics or None, **left_out})


def _without_details(known: LayerStatistics) -> LayerStatistics:
    profiles = {
        damage: profile.model_copy(update={"replicates": None}) if isinstance(profile, ProfileAtDamage) else profile
        for damage, profile in known.profile_at_damage.items()
    }
    left_out = {"own": None, "depth_gap": None, "own_replicates": None}
    return known.model_copy(update={"profile_at_damage": profiles, **left_out})


# ---------------------------------------------------------------- tables of all shipped results


@dataclass(frozen=True)
class TableFile(Generic[Line]):
    """A table that `benchmarks.verdicts` computes from all shipped results and writes beside the manifest.

    Attributes:
        name: The name of its file.
        rows: The type of all its rows.
    """

    name: str
    rows: TypeAdapter[tuple[Line, ...]]

    @property
    def path(self) -> Path:
        """Where the file is."""
        return store.SHIPPED_RESULTS.parent / self.name

    def read(self) -> tuple[Line, ...]:
        """Return the shipped table; empty if there is none."""
        return _read(self.rows, state_of(self.path)) if self.path.is_file() else ()
