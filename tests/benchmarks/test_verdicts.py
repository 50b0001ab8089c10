"""The table of verdicts in a document: what stands between its markers is replaced, and it says what it covers."""

from pathlib import Path

import pytest

from benchmarks.verdicts import BEGIN, END, NO_DIFFERENCE, table_of, written_into
from core.errors import PrunescopeError
from core.request.catalog import ROOT
from tests.builders import make_result, ship


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = written_into(document, r"new \1")
    assert written == f"before\n{BEGIN}\nnew \\1\n{END}\nafter\n"
    assert written_into(written, r"new \1") == written


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(PrunescopeError, match="add them where the table belongs"):
        written_into("nothing", "new")


def test_the_readme_has_a_place_for_it() -> None:
    assert "In the upper half" in written_into((ROOT / "README.md").read_text("utf-8"), "In the upper half")


def test_it_says_which_tasks_it_covers(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    ship(folder, make_result(task="cola"), make_result(), make_result(method="random"))
    first, _, *table = table_of(folder).splitlines()
    assert first == f"Covered: SST-2 and CoLA. Verdicts: 2 × cannot be told. {NO_DIFFERENCE}"
    assert [line.split(" | ")[0] for line in table[2:]] == ["| SST-2", "| CoLA"]
    ship(folder.with_name("none"))
    assert table_of(folder.with_name("none")) == "There is no result to judge."
