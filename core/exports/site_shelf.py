"""The results of a static edition.

Those that have pages, and all that these are shown or judged beside.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import PrunescopeError
from core.findings.choices import counterpart, offered, published_pair, settings
from core.findings.words.choices import playlist
from core.request import catalog
from core.results import store
from core.results.library import (
    MANIFEST,
    TRAINED,
    Entry,
    OfAnyKind,
    entry_of,
    extracts,
    read_manifest,
)
from core.results.schema import SweepResult

SELECTION = catalog.SHIPPED / "site.txt"
MOST_READ = 160  # results in memory: about those of one checkpoint on the same examples
_read = lru_cache(MOST_READ)(store.load_any)


class Shelf(NamedTuple):
    """The results of a folder.

    Attributes:
        entries: The sweeps.
        trained: The studies of cuts and the recoveries of their checkpoints, by the keys of
            TRAINED.
        files: The path of each, by its key.
        chosen: The sweeps that have pages.
    """

    entries: tuple[Entry, ...]
    trained: Mapping[str, Sequence[OfAnyKind]]
    files: Mapping[str, Path]
    chosen: tuple[Entry, ...] = ()

    def read(self, entry: OfAnyKind) -> Any:
        """Read a result."""
        return _read(self.files[entry.key])

    def others(self, result: SweepResult) -> list[Entry]:
        """Return the sweeps to compare one with.

        Its control or the nearest, and the other of the published pair.
        """
        entry = entry_of(result)
        pair = published_pair(self.entries)
        nearest = counterpart(entry, offered(self.entries, [entry.key]))
        others = {
            other.key: other for other in (nearest, *(pair if entry in pair else ())) if other
        }
        return [other for key, other in others.items() if key != entry.key]

    def playlist(self, key: str) -> dict[str, str]:
        """Return the titles, by key, of the sweeps presented one after another, with this one."""
        chosen = {entry.key: entry for entry in self.chosen}
        return {
            other: title
            for other, title in playlist(self.entries, chosen[key]).items()
            if other in chosen
        }


def shelf_of(folder: Path | None, select: Path | None) -> Shelf:
    """List the results of a folder, or the shipped ones, and choose those that have pages.

    A file that no page can show is named on standard error and left out.

    Args:
        folder: The folder of result files; None for the shipped ones.
        select: A text with the keys of the sweeps to choose. None chooses those of
            cached_results/site.txt, and from a folder one sweep of every method and setting.

    Raises:
        PrunescopeError: There is no sweep, or the text cannot be read.
    """
    described = {entry.key: (entry, path) for entry, path in _described(folder)}
    sweeps = tuple(entry for entry, _ in described.values() if isinstance(entry, Entry))
    chosen = settings(sweeps)
    select = select or (None if folder else SELECTION)
    if select:
        keys = _keys_in(select)
        chosen = [entry for entry in sweeps if entry.key in keys]
        if missing := len(keys) - len(chosen):
            print(
                f"left out: {missing} keys in {select} that are none of these sweeps",
                file=sys.stderr,
            )
    if not chosen:
        where = (
            f"--select {select} names none of the sweeps"
            if select
            else f"--results {folder} holds no sweep"
        )
        raise PrunescopeError(f"{where}: make one with python -m core.precompute, and name its key")
    models = {(entry.checkpoint, entry.task) for entry in chosen}
    near = [
        entry
        for entry, _ in described.values()
        if (entry.checkpoint, entry.task) in models and not entry.is_control
    ]
    trained = {
        name: [entry for entry in near if isinstance(entry, kind)]
        for name, (kind, _) in TRAINED.items()
    }
    return Shelf(
        sweeps,
        trained,
        {key: path for key, (_, path) in described.items()},
        tuple(chosen),
    )


def _described(folder: Path | None) -> Iterator[tuple[OfAnyKind, Path]]:
    if folder is None:
        for entry in read_manifest(store.SHIPPED_RESULTS.parent / MANIFEST):
            yield entry, store.place_in(store.SHIPPED_RESULTS, entry.key)
        return
    files = map(store.state_of, store.result_files(folder))
    for file, extract in extracts(files).items():
        if isinstance(extract, PrunescopeError):
            print(f"left out: {extract}", file=sys.stderr)
        else:
            yield entry_of(extract), file.path


def _keys_in(select: Path) -> set[str]:
    try:
        if not select.is_file():  # a pipe would never end
            raise OSError
        return set(re.findall("[0-9a-f]{64}", select.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise PrunescopeError(
            f"--select {select} cannot be read as text: name a file with keys of results"
        ) from error
