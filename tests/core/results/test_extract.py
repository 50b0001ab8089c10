"""Extracts of results: what they say, and that a file is read once, also between two starts of the server."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.findings.grid import grid_rows
from core.results import extract, library, store
from core.results.extract import extract_of, extracts, keep_extract
from core.results.file_cache import FILE, FileState, keep, kept, state_of
from core.results.library import entry_of
from core.results.schema import SweepResult
from core.wall import reading
from core.wall.reading import Question
from tests.builders import against, make_result

SMALL = {"num_layers": 2, "amounts": (0.0, 0.3, 0.6), "num_examples": 20}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of the user's that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "prunescope" / FILE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty results of the user's own."""
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    for seed in range(30):
        store.save(make_result(**SMALL, method="random", seed=seed))
    return tmp_path / "results"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    names: list[str] = []

    def read_all(questions: Sequence[Question]) -> Iterator[str | PrunescopeError]:
        names.extend(name for question in questions for name in question.names)
        return reading.read_all(questions)

    monkeypatch.setattr(extract, "read_all", read_all)
    return names


def start_again() -> None:
    """As a new process begins: nothing in memory."""
    library._DESCRIBED.clear()
    library._own.cache_clear()


# ---------------------------------------------------------------- what is read


def test_a_file_is_read_once_also_by_the_next_process(folder: Path, read: list[str]) -> None:
    entries = library.own()
    assert (len(entries), len(read)) == (30, 30)
    assert library.own() == entries
    start_again()
    assert library.own() == entries
    assert len(read) == 30
    added = store.save(make_result(**SMALL))
    for _ in range(2):
        assert library.own()[0].key == added.stem
        assert read[30:] == [added.name], "it alone"
        start_again()
    stored = make_result(**SMALL, seed=9)
    keep_extract(store.save(stored), stored)
    assert library.own()[0] == entry_of(stored)
    assert len(read) == 31, "what this program has just stored need not be read"


def test_a_changed_file_is_read_again_and_a_damaged_one_is_never_kept(folder: Path, read: list[str]) -> None:
    library.own()
    path = min(folder.iterdir())
    path.write_text(path.read_text().replace('"seconds":1.0', '"seconds":2.0'))
    read.clear()
    for _ in range(2):
        start_again()
        assert path.stem not in {entry.key for entry in library.own()}
        assert "does not match its checksum" in library.unreadable()[0].reason
    assert read == [path.name] * 2


def test_what_is_kept_does_not_outlive_its_file(folder: Path) -> None:
    library.own()
    gone = state_of(min(folder.iterdir()))
    Path(gone.path).unlink()
    assert kept([gone], extract.VERSION)
    store.save(make_result(**SMALL))
    library.own()
    assert kept([gone], extract.VERSION) == {}


# ---------------------------------------------------------------- what may be wrong with the cache


def test_a_damaged_cache_is_made_again(folder: Path, cache: Path, read: list[str]) -> None:
    library.own()
    cache.write_bytes(b"no database" * 1000)
    for _ in range(2):
        start_again()
        assert len(library.own()) == 30
        assert len(read) == 60, "once more"
    files = [state_of(Path(found)) for found in os.scandir(folder)]
    keep(dict.fromkeys(files, b"no extract"), extract.VERSION)
    assert all(isinstance(found, SweepResult) for _, found in extracts(files))
    assert len(read) == 90
    ((_, found),) = extracts([state_of(folder / "gone.json")])
    assert isinstance(found, PrunescopeError)


def test_without_a_cache_everything_is_there(folder: Path, cache: Path, read: list[str]) -> None:
    cache.parent.parent.write_text("no folder")
    for reads in (30, 60):
        start_again()
        assert (len(library.own()), len(read)) == (30, reads)


def test_what_another_version_has_kept_is_thrown_away(tmp_path: Path) -> None:
    file = FileState(str(tmp_path / "a.json"), 1, 2)
    (tmp_path / "a.json").write_text("")
    keep({file: b"one"}, 1)
    assert kept([file], 1) == {file: b"one"}
    assert kept([file._replace(modified=3)], 1) == {}
    assert kept([file], 2) == {}
    assert kept([file], 1) == {}


# ---------------------------------------------------------------- what an extract says


@pytest.mark.parametrize(
    "result",
    [
        make_result(**SMALL),
        make_result(**SMALL, points="both", holes=((0.3, 1, 1),)),
        make_result(**SMALL, statistics=False),
        make_result(**SMALL, until_damage=0.3),
        *(against(make_result(**SMALL), layers=layers) for layers in (2, 3)),
    ],
)
def test_an_extract_is_described_as_its_result(tmp_path: Path, result: SweepResult) -> None:
    path = store.save(result, tmp_path)
    for _ in range(2):  # read, and kept
        ((_, found),) = extracts([state_of(path)])
        assert isinstance(found, SweepResult)
        assert found == extract_of(result)
        assert entry_of(found) == entry_of(result)
        assert [frame.own("mean") for frame in found.frames] == [frame.own("mean") for frame in result.frames]
        assert grid_rows([found])[0].cells == grid_rows([result])[0].cells
