"""The manifest and the results at hand: what is listed, what belongs together, what is damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import compress, make_result

from core.errors import PrunescopeError
from core.results import store
from core.results.key import key_of
from core.results.library import delete_own, entry_of, own, shipped, stored, unreadable, write_manifest
from core.results.provenance import Recipe


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(store, "SHIPPED_RESULTS", folder)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))
    return folder


def test_the_manifest_returns_the_entries_whose_files_exist(folder: Path) -> None:
    first, second = make_result(), make_result(num_examples=100)
    store.save(first, folder)
    entries = [entry_of(first, Recipe("one command")), entry_of(second, Recipe("another", "Replace x."))]
    assert shipped() == ()
    write_manifest(entries, folder.parent / "manifest.json")
    assert shipped() == (entries[0],), "the second has no file"
    compress(store.save(second, folder))
    assert shipped() == tuple(entries)


def test_a_damaged_manifest_is_refused_in_one_line(folder: Path) -> None:
    (folder.parent / "manifest.json").write_text('[{"key": 1}]')
    with pytest.raises(PrunescopeError, match=r"manifest\.json is damaged"):
        shipped()


@pytest.mark.parametrize(
    ("part", "values"),
    [("pruning", {"method": "magic"}), ("task", {"name": "own", "source": "folder", "fingerprint": "0" * 64})],
)
def test_a_result_that_no_page_can_show_is_left_out(folder: Path, part: str, values: dict[str, str]) -> None:
    """Such as one of a later version, with a method or a task that this one does not know."""
    result = make_result()
    edited = result.model_copy(update={part: getattr(result, part).model_copy(update=values)})
    store.save(edited.model_copy(update={"key": key_of(edited)}), folder)
    store.save(result, folder)
    assert [entry.key for entry in own()] == [result.key]
    (left_out,) = unreadable()
    assert left_out.name == f"{key_of(edited)}.json"
    assert next(iter(values.values())) in left_out.reason


STRANGE: dict[str, Callable[[Path], object]] = {
    "deep": lambda path: path.write_text("[" * 100_000),
    "a list": lambda path: path.write_text("[1]"),
    "not text": lambda path: path.write_bytes(b"\xff\xfe"),
    "infinite": lambda path: path.write_text('{"schema_version": 1e999}'),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link that leads nowhere": lambda path: path.symlink_to("/nowhere"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("stem", ["strange", "0" * 64])
def test_a_strange_file_is_named_with_its_reason_and_all_else_works(folder: Path, name: str, stem: str) -> None:
    result = make_result()
    store.save(result, folder)
    STRANGE[name](folder / f"{stem}.json")
    assert [entry.key for entry in own()] == [result.key]
    (found,) = unreadable()
    assert found.name == f"{stem}.json"
    assert found.reason.startswith(found.name)
    assert str(folder) not in found.reason
    assert stored("0" * 64) is None


def test_own_results_are_listed_newest_first_and_others_left_out(folder: Path) -> None:
    older, newer = make_result(), make_result(num_examples=100)
    for age, result in ((200, older), (100, newer)):
        path = store.save(result, folder)
        os.utime(path, (1e9 - age, 1e9 - age))
    (folder / "note.json").write_text("{}")
    store.save(make_result(num_examples=80), folder / "named-otherwise.json")
    assert [entry.key for entry in own()] == [newer.key, older.key]
    assert own()[0].command.startswith("python -m core.precompute --checkpoint embedded:sst2")


def test_only_the_users_own_results_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    shared, own_one = make_result(), make_result(num_examples=100)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    paths = [store.save(shared, folder), store.save(own_one)]
    with pytest.raises(PrunescopeError, match="cannot be deleted here"):
        delete_own(shared.key)
    for nothing in ("0" * 64, f"../results/{shared.key}", ""):
        delete_own(nothing)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with pytest.raises(PrunescopeError, match="cannot be deleted here"):
        delete_own(own_one.key)
    monkeypatch.delenv("PRUNESCOPE_HOSTED")
    assert all(path.is_file() for path in paths)
    delete_own(own_one.key)
    assert [path.is_file() for path in paths] == [True, False]
    store.save(shared)
    assert own() == (), "a shipped result that was run again is not listed twice"
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))  # it serves for both
    with pytest.raises(PrunescopeError, match="cannot be deleted here"):
        delete_own(shared.key)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "gone"))
    assert (own(), unreadable()) == ((), ())
