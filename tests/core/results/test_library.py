"""The available results: lists, extracts, caches, damaged files."""

import json
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from core.errors import BusyError
from core.findings.words.grid import grid_rows
from core.results import library, store
from core.results.library import (
    Entry,
    delete_own,
    entry_of,
    extract_of,
    extracts,
    own,
    shipped,
    unreadable,
)
from core.results.store import state_of
from tests.builders import make_result, ship, with_own_key
from tests.refusals import refusal

SMALL = {"num_layers": 2, "amounts": (0.0, 0.3, 0.6), "num_examples": 20}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(store, "SHIPPED_RESULTS", folder)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))
    return folder


def test_the_manifest_is_read_also_with_former_fields(folder: Path) -> None:
    first = make_result()
    second = make_result(num_examples=100)
    assert shipped(Entry) == ()
    ship(folder, first, second)
    assert shipped(Entry) == (entry_of(first), entry_of(second))
    manifest = folder.parent / "manifest.json"
    entries = json.loads(manifest.read_text())

    manifest.write_text(json.dumps([{**entry, "former": "field"} for entry in entries]))
    assert shipped(Entry)[0] == entry_of(first)

    manifest.write_text(json.dumps([{**entry, "model": None} for entry in entries]))
    assert "manifest.json is damaged" in refusal(shipped, Entry)


def test_strange_files_are_named_with_their_reasons_and_all_else_works(
    folder: Path,
) -> None:
    result = make_result(**SMALL)
    for made in (
        result,
        with_own_key(
            result,
            pruning=result.pruning.model_copy(update={"method": "magic"}),
        ),
    ):
        store.save(made, folder)
    os.mkfifo(folder / f"{0:064}.json")
    (folder / f"{1:064}.json").symlink_to("/nowhere")
    assert [entry.key for entry in own(Entry)] == [result.key]
    reasons = unreadable()
    assert len(reasons) == 3
    assert all(
        reason.split()[0] in os.listdir(folder) and str(folder) not in reason for reason in reasons
    )
    assert sum("unknown method 'magic'" in reason for reason in reasons) == 1


def test_only_the_users_own_results_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    shared = make_result()
    own_one = make_result(num_examples=100)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    paths = [store.save(shared, folder), store.save(own_one)]
    for nothing in ("0" * 64, f"../results/{shared.key}", ""):
        delete_own(nothing)
    places = (
        ("0", tmp_path / "own", shared),
        ("0", folder, shared),
        ("1", tmp_path / "own", own_one),
    )
    for hosted, place, result in places:
        monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
        monkeypatch.setenv("PRUNESCOPE_RESULTS", str(place))
        assert "cannot be deleted here" in refusal(delete_own, result.key)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "0")
    assert all(path.is_file() for path in paths)
    delete_own(own_one.key)
    assert [path.is_file() for path in paths] == [True, False]
    store.save(shared)
    assert own(Entry) == (), "a shipped result that was run again is not listed twice"


def test_a_file_is_read_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "load_safely", spy := Mock(wraps=store.load_safely))
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    paths = [store.save(make_result(**SMALL, method="random", seed=seed)) for seed in range(3)]
    for age, path in enumerate(paths):
        os.utime(path, (1e9 - age, 1e9 - age))
    store.save(make_result(**SMALL), tmp_path / "named-otherwise.json")
    assert [entry.key for entry in own(Entry)] == [path.stem for path in paths], "the newest first"
    assert own(Entry) == own(Entry)
    assert spy.call_count == 4
    spy.reset_mock()
    paths[0].write_text(paths[0].read_text().replace('"seconds":1.0', '"seconds":2.0'))
    for _ in range(2):
        assert [entry.key for entry in own(Entry)] == [path.stem for path in paths[1:]]
        assert "does not match its checksum" in unreadable()[0]
    spy.assert_called_once_with(paths[0])
    with monkeypatch.context() as patch:
        patch.setattr(store, "load_safely", Mock(side_effect=BusyError("too busy")))
        paths[0].touch()
        assert unreadable() == ["too busy"]
    assert "does not match its checksum" in unreadable()[0], "a busy file is read anew"


@pytest.mark.parametrize(
    "settings",
    [
        {"points": "both", "holes": ((0.3, 1, 1),)},
        {"until_damage": 0.3, "statistics": False},
    ],
)
def test_extracts_say_the_same(
    tmp_path: Path, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = make_result(**SMALL, **settings)
    path = store.save(result, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):  # from its file, and after a restart from the user's cache
        (extract,) = extracts([state_of(path)]).values()
        assert extract == extract_of(result)
        assert entry_of(extract) == entry_of(result)
        assert grid_rows([extract])[0].cells == grid_rows([result])[0].cells
        library._extract.cache.clear()
        monkeypatch.delattr(store, "load_safely", raising=False)
