"""The table of verdicts in a document: what stands between its markers is replaced, and it is that of the results."""

from pathlib import Path

import pytest

from benchmarks.verdicts import BEGIN, DOCUMENT, END, NO_DIFFERENCE, table_of, written_into
from core.errors import PrunescopeError
from core.results.store import SHIPPED_RESULTS
from tests.builders import make_result, ship


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written_into(document, r"new \1") == f"before\n{BEGIN}\nnew \\1\n{END}\nafter\n"
    with pytest.raises(PrunescopeError, match="add them where the table belongs"):
        written_into("nothing", "new")


def test_it_says_which_tasks_it_covers(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    ship(folder, make_result(task="cola"), make_result(), make_result(method="random"))
    first, _, *table = table_of(folder).splitlines()
    assert first == f"Covered: SST-2 and CoLA. Verdicts: 2 × cannot be told. {NO_DIFFERENCE}"
    assert [line.split(" | ")[0] for line in table[2:]] == ["| SST-2", "| CoLA"]


@pytest.mark.long
def test_the_document_holds_the_verdicts_of_the_shipped_results() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert document == written_into(document, table_of(SHIPPED_RESULTS)), "run python -m benchmarks.verdicts"
