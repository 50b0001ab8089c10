"""Uploaded tables are kept for their visit, found again only whole, never reached by a path; the disk is bounded."""

import os

import pytest
from huggingface_hub import constants, scan_cache_dir
from platformdirs import user_cache_path

from core.inputs import texts, uploads
from core.inputs.hub import Repository, snapshot
from core.inputs.uploads import belongs, find, keep
from core.request import limits
from core.request.limits import HOSTED_LIMITS, kind_of_data
from core.results import store
from core.wall.turns import Visitor
from tests.refusals import refusal

ROWS = b"text,label\nfine,1\n"


def test_a_table_comes_back_by_name_and_content_or_not_at_all():
    data = keep("reviews.csv", ROWS)
    assert kind_of_data(data) == "own"
    assert keep("reviews.csv", ROWS) == data
    assert len({data, keep("reviews.csv", ROWS + b"bad,0\n"), keep("other.csv", ROWS)}) == 3
    file = find(data)
    assert (file.name, file.path.read_bytes()) == ("reviews.csv", ROWS)
    file.path.write_bytes(ROWS + b"x")
    for name in (data, f"own:{'0' * 64}"):
        assert "choose it again" in refusal(find, name)
    assert find(keep("reviews.csv", ROWS)).path.read_bytes() == ROWS, "it is chosen again"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\my reviews.CSV", "my-reviews.csv"),
        ("x" * 300 + ".jsonl", "x" * 80 + ".jsonl"),
    ],
)
def test_a_name_is_made_fit_for_a_path(name, kept):
    path = find(keep(name, ROWS)).path
    assert path.name == kept
    assert path.resolve().is_relative_to(user_cache_path("prunescope").resolve() / "own")


def test_what_is_no_table_or_too_large_is_refused(monkeypatch):
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    for name, content in (("a.exe", ROWS), (".csv", ROWS), ("a.csv", b"x" * (5 * 2**20 + 1))):
        assert " MiB: give a file of at most 5 MiB that ends in .csv" in refusal(
            keep, name, content
        )


def test_hosted_a_name_is_its_visits_secret(monkeypatch):
    mine, again, theirs = (keep("same.csv", ROWS, Visitor(visit)) for visit in ("me", "me", "they"))
    assert mine == again != theirs
    assert belongs(theirs, Visitor("me")), "on one's own computer every visit is one's own"
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert belongs(mine, Visitor("me"))
    assert not belongs(theirs, Visitor("me"))
    mixed = mine[: len("own:") + 32] + theirs[len("own:") + 32 :]
    assert belongs(mixed, Visitor("me"))
    assert "choose it again" in refusal(find, mixed)


# ---------------------------------------------------------------- room


@pytest.fixture
def small_shop(monkeypatch, tmp_path):
    """Make a server that keeps the bytes of four tables."""
    monkeypatch.setattr(uploads, "user_cache_path", lambda name: tmp_path)
    monkeypatch.setattr(
        uploads, "limits", lambda: HOSTED_LIMITS._replace(uploads_bytes=4 * len(ROWS))
    )
    return tmp_path / "own"


def ages(*names):
    """Give tables different ages, the oldest first."""
    for second, data in enumerate(names):
        os.utime(find(data).path.parents[1], (second, second))


def names_in(folder):
    return {path.name for path in folder.glob("*/*/*")}


def test_the_oldest_of_whoever_holds_most_make_room_unless_used_again(small_shop):
    greedy = Visitor("greedy")
    ages(
        keep("other.csv", ROWS, Visitor("honest")),
        *(keep(f"{k}.csv", ROWS, greedy) for k in range(3)),
    )
    keep("3.csv", ROWS, greedy)
    assert names_in(small_shop) == {"other.csv", "1.csv", "2.csv", "3.csv"}
    keep("1.csv", ROWS, greedy)
    keep("4.csv", ROWS, greedy)
    assert names_in(small_shop) == {"other.csv", "1.csv", "3.csv", "4.csv"}


def test_all_visits_together_are_bounded(small_shop):
    ages(*(keep(f"{visit}.csv", ROWS, Visitor(visit)) for visit in "abcd"))
    keep("e.csv", ROWS, Visitor("e"))
    assert names_in(small_shop) == {"b.csv", "c.csv", "d.csv", "e.csv"}
    for k in (1, 2, 3):
        keep(f"{k}.csv", ROWS, Visitor(f"greedy {k}", "8.8.8.8"))
    assert names_in(small_shop) == {"c.csv", "d.csv", "e.csv", "3.csv"}, "an address counts as one"


# ---------------------------------------------------------------- the disk of a hosted server


@pytest.fixture
def hosted(monkeypatch, tmp_path):
    """Make five results of 100 bytes on a hosted server with room for 250 bytes."""
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr(
        limits, "HOSTED_LIMITS", limits.HOSTED_LIMITS._replace(results_bytes=250, hub_cache_bytes=0)
    )
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "results").mkdir()
    for age, number in enumerate((4, 3, 1, 0, 2)):
        path = tmp_path / "results" / f"{number}.json"
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    return tmp_path / "results"


@pytest.mark.parametrize("kind", ["results", "texts", "at home"])
def test_the_oldest_go_first_on_a_hosted_server(hosted, kind, monkeypatch):
    if kind == "at home":
        monkeypatch.delenv("PRUNESCOPE_HOSTED")
    elif kind == "texts":
        monkeypatch.setattr(texts, "folder", lambda: hosted)
        monkeypatch.setattr(store, "user_folder", lambda: hosted / "none")
    uploads.make_room()
    kept = range(5) if kind == "at home" else (4, 3)
    assert {path.name for path in hosted.iterdir()} == {f"{number}.json" for number in kept}


def test_downloads_go_wholly(hosted, hub, tiny_bert, monkeypatch):
    size = 0.0
    for name in ("old", "new"):
        hub.models[f"someone/{name}"] = tiny_bert
        folder, _ = snapshot(Repository(f"someone/{name}"))
        size = sum(path.stat().st_size for path in folder.iterdir())
        for path in folder.iterdir():
            os.utime(path, (1e9 if name == "old" else 2e9, 1e9))
    monkeypatch.setattr(
        limits, "HOSTED_LIMITS", limits.HOSTED_LIMITS._replace(hub_cache_bytes=1.5 * size)
    )
    uploads.make_room()
    assert [repository.repo_id for repository in scan_cache_dir(constants.HF_HUB_CACHE).repos] == [
        "someone/new"
    ]
    assert snapshot(Repository("someone/old")), "it can be fetched again"
