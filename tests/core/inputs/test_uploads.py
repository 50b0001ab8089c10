"""Uploaded tables are kept by content, found again only whole, and never reached by a path."""

import os
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.uploads import find, keep
from core.request.sweep_request import SweepRequest, checked, kind_of_data

ROWS = b"text,label\nfine,1\n"


def test_a_table_comes_back_by_name_and_content() -> None:
    data = keep("reviews.csv", ROWS)
    assert kind_of_data(data) == "own"
    assert keep("reviews.csv", ROWS) == data
    assert len({data, keep("reviews.csv", ROWS + b"bad,0\n"), keep("other.csv", ROWS)}) == 3
    file = find(data)
    assert (file.name, file.path.read_bytes()) == ("reviews.csv", ROWS)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\my reviews.CSV", "my-reviews.csv"),
        (".hidden.tsv", "hidden.tsv"),
        (".csv", None),
        ("x" * 300 + ".jsonl", "x" * 80 + ".jsonl"),
        ("Kritiken größer.parquet", "Kritiken-größer.parquet"),
    ],
)
def test_a_name_is_made_fit_for_a_path(name: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(PrunescopeError, match="unknown type"):
            keep(name, ROWS)
    else:
        path = find(keep(name, ROWS)).path
        assert path.name == kept
        assert path.resolve().is_relative_to(user_cache_path("prunescope").resolve() / "own")


def test_what_is_no_table_or_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PrunescopeError, match=r"'a\.exe' is of an unknown type: give a file that ends in \.csv"):
        keep("a.exe", ROWS)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with pytest.raises(PrunescopeError, match=r"a\.csv is larger than 4 MiB"):
        keep("a.csv", b"x" * (4 * 2**20 + 1))


def test_a_damaged_or_missing_one_is_refused() -> None:
    data = keep("damaged.csv", ROWS)
    path = find(data).path
    path.write_bytes(ROWS + b"x")
    for name in (data, f"own:{'0' * 64}"):
        with pytest.raises(PrunescopeError, match="choose it again"):
            find(name)


def test_hosted_an_upload_is_allowed_and_nothing_like_a_path_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    data = keep("reviews.csv", ROWS)
    assert checked(SweepRequest("embedded:sst2", "sst2", data=data)).data == data
    (tmp_path / "a.csv").write_bytes(ROWS)
    for name in (f"own:../{'0' * 61}", "own:", "own:/etc", str(tmp_path / "a.csv"), str(tmp_path)):
        with pytest.raises(PrunescopeError, match="hosted"):
            checked(SweepRequest("embedded:sst2", "sst2", data=name))


def test_the_oldest_make_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uploads, "user_cache_path", lambda name: tmp_path)
    monkeypatch.setattr(uploads, "MAX_KEPT", 2)
    names = [keep(f"{k}.csv", ROWS) for k in range(3)]
    left = {f"own:{path.name}" for path in (tmp_path / "own").iterdir()}
    assert len(left) == 2
    assert names[2] in left


def test_what_is_used_again_is_not_among_the_oldest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uploads, "user_cache_path", lambda name: tmp_path)
    monkeypatch.setattr(uploads, "MAX_KEPT", 2)
    for second, name in enumerate(("used.csv", "other.csv")):
        os.utime(find(keep(name, ROWS)).path.parent, (second, second))
    keep("used.csv", ROWS)
    keep("new.csv", ROWS)
    assert {path.name for path in (tmp_path / "own").glob("*/*")} == {"used.csv", "new.csv"}


def test_a_damaged_one_is_replaced_when_it_is_chosen_again() -> None:
    path = find(keep("again.csv", ROWS)).path
    path.write_bytes(b"")
    assert find(keep("again.csv", ROWS)).path.read_bytes() == ROWS
