"""A result of a classifier with labels of its own is shown on every page."""

from pathlib import Path

import pytest

from core.results.library import entry_of
from core.results.showable import check_showable
from core.results.store import load, save
from tests.builders import make_result, ship, with_own_labels
from tests.opened import open_page, told
from ui.header import PAGES

LABELS = ("Anger", "fear", "joy", "love", "sadness", "very_*surprised*")
RESULT = with_own_labels(make_result(num_examples=66), LABELS)


@pytest.fixture(autouse=True)
def _stored(shipped: Path, tmp_path: Path) -> None:
    ship(shipped, make_result(), make_result(task="cola"))
    save(RESULT)


def test_the_file_holds_what_was_read(tmp_path: Path) -> None:
    read = load(save(RESULT, tmp_path / "result.json"))
    assert read == RESULT
    check_showable(read, "result.json")
    assert entry_of(read).name.startswith("66 examples, moods.csv · moods")


@pytest.mark.parametrize("name", list(PAGES))
@pytest.mark.usefixtures("queue", "unfolded")
def test_every_page_opens_it(name: str) -> None:
    page = open_page(PAGES[name], result=RESULT.key)
    assert not page.error


@pytest.mark.usefixtures("queue", "unfolded")
def test_the_lab_says_what_was_read_and_how_to_read_it_again() -> None:
    page = open_page("pages/lab.py", result=RESULT.key)
    words = told(page)
    assert "Read from moods.csv, rows 1 to 132: the text from “review”, the label from “mood” (text guessed)" in words
    assert "“meh” is left out" in words
    assert any("--data ./moods.csv --text review --label mood --label-map meh=" in code.value for code in page.code)
    assert "./moods.csv is the file with the content 000000000000…" in words
