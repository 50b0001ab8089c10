"""Uploaded tables are kept for their visit, found only whole, by no path; the disk is bounded."""

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

    file = find(data)

    assert kind_of_data(data) == "own"
    assert file.name == "reviews.csv"
    assert file.path.read_bytes() == ROWS
    assert keep("reviews.csv", ROWS) == data
    assert data not in (
        keep("reviews.csv", ROWS + b"bad,0\n"),
        keep("other.csv", ROWS),
    )
    assert "choose it again" in refusal(find, f"own:{'0' * 64}")


def test_a_damaged_table_is_not_found_until_it_is_chosen_again():
    data = keep("reviews.csv", ROWS)
    find(data).path.write_bytes(ROWS + b"x")

    assert "choose it again" in refusal(find, data)

    keep("reviews.csv", ROWS)
    assert find(data).path.read_bytes() == ROWS


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


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.exe", ROWS), (".csv", ROWS), ("a.csv", bytes(5 * 2**20 + 1))],
)
def test_other_files_and_large_tables_are_refused(monkeypatch, name, content):
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")

    line = refusal(keep, name, content)

    assert " MiB: give a file of at most 5 MiB that ends in .csv" in line


def test_hosted_a_name_is_its_visits_secret(monkeypatch):
    visitor = Visitor("me")
    mine = keep("same.csv", ROWS, visitor)
    theirs = keep("same.csv", ROWS, Visitor("they"))
    middle = len("own:") + 32
    mixed = mine[:middle] + theirs[middle:]
    assert belongs(theirs, visitor), "on one's own computer every visit is one's own"

    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")

    assert keep("same.csv", ROWS, visitor) == mine
    assert belongs(mine, visitor)
    assert not belongs(theirs, visitor)
    assert belongs(mixed, visitor)
    assert "choose it again" in refusal(find, mixed)


# ---------------------------------------------------------------- room


@pytest.fixture
def bound(monkeypatch, tmp_path):
    """Return a function that bounds a hosted server's bytes."""
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def replace_limits(**bounds):
        monkeypatch.setattr(limits, "HOSTED_LIMITS", HOSTED_LIMITS._replace(**bounds))

    return replace_limits


@pytest.fixture
def shop(bound):
    """Make a server that keeps the bytes of four tables; return their folder."""
    bound(uploads_bytes=4 * len(ROWS))
    return user_cache_path("prunescope") / "own"


def keep_old(second, name, *visitor):
    """Keep a table that is so many seconds younger than the oldest possible."""
    data = keep(f"{name}.csv", ROWS, Visitor(*visitor))
    os.utime(find(data).path.parents[1], (second, second))


def names_in(folder):
    return {path.stem for path in folder.glob("*/*/*")}


def test_the_oldest_of_whoever_holds_most_make_room_unless_used_again(shop):
    keep_old(0, "other", "honest")
    for second in (1, 2, 3):
        keep_old(second, second, "greedy")

    greedy = Visitor("greedy")
    keep("4.csv", ROWS, greedy)
    assert names_in(shop) == {"other", "2", "3", "4"}

    keep("2.csv", ROWS, greedy)
    keep("5.csv", ROWS, greedy)
    assert names_in(shop) == {"other", "2", "4", "5"}


def test_all_visits_together_are_bounded(shop):
    for second, visit in enumerate("abcd"):
        keep_old(second, visit, visit)

    keep("e.csv", ROWS, Visitor("e"))
    assert names_in(shop) == {*"bcde"}

    for number in (1, 2, 3):
        keep(f"{number}.csv", ROWS, Visitor(f"greedy {number}", "8.8.8.8"))
    assert names_in(shop) == {*"cde3"}, "an address counts as one"


# ---------------------------------------------------------------- the disk of a hosted server


@pytest.mark.parametrize("kind", ["results", "texts", "at home"])
def test_the_oldest_go_first_on_a_hosted_server(bound, tmp_path, kind, monkeypatch):
    bound(results_bytes=250, hub_cache_bytes=0)
    folder = tmp_path / "results"
    folder.mkdir()
    for second in (0, 1, 3, 4, 2):
        path = folder / f"{second}.json"
        path.write_bytes(bytes(100))
        os.utime(path, (second, second))
    if kind == "at home":
        monkeypatch.delenv("PRUNESCOPE_HOSTED")
    if kind == "texts":
        monkeypatch.setattr(texts, "folder", lambda: folder)
        monkeypatch.setattr(store, "user_folder", lambda: folder / "none")

    uploads.make_room()

    kept = {*"01234"} if kind == "at home" else {*"34"}
    assert {path.stem for path in folder.iterdir()} == kept


def test_downloads_go_wholly(bound, hub, tiny_bert):
    for second, name in enumerate(("someone/old", "someone/new")):
        hub.models[name] = tiny_bert
        paths = [*snapshot(Repository(name))[0].iterdir()]
        for path in paths:
            os.utime(path, (second, second))
    size = sum(path.stat().st_size for path in paths)
    bound(hub_cache_bytes=1.5 * size)

    uploads.make_room()

    repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    assert [repository.repo_id for repository in repositories] == ["someone/new"]
    assert snapshot(Repository("someone/old")), "it can be fetched again"
