"""What is shipped: every result listed, whole and by the command that made it; frames computed again."""

import shlex
from pathlib import Path

import pytest

from core.grid import requests
from core.request.catalog import EMBEDDED, SHIPPED
from core.results import library, store
from core.results.provenance import command_line
from core.results.store import SHIPPED_RESULTS, load
from core.sweep.recompute import ENGINE_TOLERANCE, verify_frame

MOST_BYTES = 135e6  # all checkpoints together


def test_the_manifest_lists_the_whole_grid_and_nothing_else() -> None:
    commands = [entry.command for entry in library.shipped()]
    assert commands == [command_line(request) for task in EMBEDDED for request in requests(task)]
    assert {f"{entry.key}.json" for entry in library.shipped()} == {path.name for path in SHIPPED_RESULTS.iterdir()}


@pytest.mark.parametrize("entry", library.shipped(), ids=lambda entry: entry.command.removeprefix("python -m "))
def test_every_shipped_result_is_what_its_entry_says(entry: library.Entry) -> None:
    path = store.find(entry.key)
    assert path is not None
    result = load(path)  # checks schema and checksum
    assert result.key == entry.key
    assert library.entry_of(result, entry.command) == entry
    words = shlex.split(entry.command)
    assert words[words.index("--checkpoint") + 1] == result.checkpoint.id
    assert result.statistics is not None
    assert result.task.source == "written" or len(result.task.examples) == 256


@pytest.mark.parametrize("task", list(EMBEDDED))
@pytest.mark.parametrize("method", ["magnitude", "attribution", "random"])
def test_a_frame_of_a_written_result_is_computed_again(task: str, method: str) -> None:
    entry = next(one for one in library.shipped() if (one.task, one.method, one.source) == (task, method, "written"))
    path = store.find(entry.key)
    assert path is not None
    found = verify_frame(load(path), 0.5)
    assert max(found.engine.values()) <= ENGINE_TOLERANCE
    assert found.within_tolerance


def test_all_checkpoints_together_stay_small() -> None:
    files = [path for path in (SHIPPED / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


@pytest.mark.parametrize("name", list(EMBEDDED))
def test_a_checkpoint_says_where_it_comes_from(name: str) -> None:
    folder = EMBEDDED[name].folder
    assert isinstance(folder, Path)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "| accuracy |" in card
    if name == "qqp":
        assert "Quora" in card
