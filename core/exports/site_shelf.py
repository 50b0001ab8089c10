"""The results that the static edition is made of: those that have pages, and all that these are shown with."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import PrunescopeError
from core.findings.choices import counterpart, is_of_model, offered, published_pair, settings
from core.findings.words.choices import BOXES, playlist
from core.request import catalog
from core.results import store
from core.results.cut import CutStudy, Result, study_in, sweep_in
from core.results.library import CutEntry, Entry, entry_of, extracts, shipped
from core.results.schema import SweepResult

KEY = re.compile("[0-9a-f]{64}")
SELECTION = catalog.SHIPPED / "site.txt"
MOST_READ = 160  # results in memory: those of one checkpoint on the same examples


@lru_cache(MOST_READ)
def _read(path: Path) -> Result:
    return store.load_any(path)


@dataclass(frozen=True)
class Shelf:
    """The results of a folder.

    Attributes:
        entries: The sweeps.
        studies: The studies of cuts of their checkpoints.
        files: By the key of each, where it is.
        chosen: The sweeps that have pages.
    """

    entries: tuple[Entry, ...]
    studies: tuple[CutEntry, ...]
    files: Mapping[str, Path]
    chosen: tuple[Entry, ...] = ()

    def sweep(self, entry: Entry) -> SweepResult:
        """Read a sweep."""
        return sweep_in(_read(self.files[entry.key]), entry.key)

    def study(self, entry: CutEntry) -> CutStudy:
        """Read a study."""
        return study_in(_read(self.files[entry.key]), entry.key)

    def study_of(self, result: SweepResult) -> CutEntry | None:
        """Find the study of cuts of a sweep's checkpoint."""
        return next((study for study in self.studies if is_of_model(study, result)), None)

    def others(self, result: SweepResult) -> list[Entry]:
        """Return what a sweep is compared with: its control or what else is nearest; and the other published one."""
        entry, pair = entry_of(result), published_pair(self.entries)
        first = counterpart(entry, offered(self.entries, [entry.key]))
        found = [*filter(None, [first]), *(pair if entry in pair else ())]
        return [other for k, other in enumerate(found) if other != entry and other not in found[:k]]

    def playlist(self, result: SweepResult) -> dict[str, str]:
        """Return titles by the keys of the sweeps that are presented one after another, that on show among them."""
        entry, keys = entry_of(result), {other.key for other in self.chosen}
        among = offered(self.entries, [entry.key])
        alike = [other for other in among if all(of(other) == of(entry) for of in BOXES.values())]
        return {key: title for key, title in playlist(self.entries, entry, alike).items() if key in keys}


def shelf_of(folder: Path | None, select: Path | None) -> Shelf:
    """List the results of a folder, or the shipped ones, and choose those that have pages.

    A file that no page can show is named on standard error and left out.

    Args:
        folder: Of result files; None for the shipped ones.
        select: A text with the keys of the sweeps to choose; None for those of cached_results/site.txt, or of a folder
            for one of every method and its settings.

    Raises:
        PrunescopeError: There is no sweep, or the text cannot be read.
    """
    if folder is None:
        sweeps, studies = shipped(Entry), shipped(CutEntry)
        keys = [entry.key for entry in sweeps] + [entry.key for entry in studies]
        files = {key: store.place_in(store.SHIPPED_RESULTS, key) for key in keys}
    else:
        found = list(_described(folder))
        files = {entry.key: path for entry, path in found}
        sweeps = tuple(entry for entry, _ in found if isinstance(entry, Entry))
        studies = tuple(entry for entry, _ in found if isinstance(entry, CutEntry))
    chosen, select = settings(sweeps), select or (None if folder else SELECTION)
    if select:
        asked = _asked(select)
        chosen = [entry for entry in sweeps if entry.key in asked]
        if missing := len(asked) - len(chosen):
            print(f"left out: {missing} keys in {select} that are none of these sweeps", file=sys.stderr)
    if not chosen:
        where = f"--select {select} names none of the sweeps" if select else f"--results {folder} holds no sweep"
        raise PrunescopeError(f"{where}: make one with python -m core.precompute, and name its key")
    models = {(entry.checkpoint, entry.task) for entry in chosen}
    studies = tuple(study for study in studies if (study.checkpoint, study.task) in models)
    return Shelf(sweeps, studies, files, tuple(chosen))


def _described(folder: Path) -> Iterator[tuple[Entry | CutEntry, Path]]:
    known = dict[str, str]()  # the name of the file of each key
    for file, found in extracts([*map(store.state_of, store.result_files(folder))]).items():
        path = Path(file.path)
        if not isinstance(found, PrunescopeError) and found.key in known:
            found = PrunescopeError(f"{path.name} holds the same result as {known[found.key]}")
        if isinstance(found, PrunescopeError):
            print(f"left out: {found}", file=sys.stderr)
        else:
            known[found.key] = path.name
            yield entry_of(found), path


def _asked(select: Path) -> set[str]:
    if not select.is_file():  # a pipe or a device may never end
        raise PrunescopeError(f"--select {select} is not a file: name a text with keys of results")
    try:
        return set(KEY.findall(select.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise PrunescopeError(f"--select {select} cannot be read as text: name a file with keys of results") from error
