"""The table of verdicts in a document: what stands between its markers is replaced, and it says what it covers."""

import pytest

from benchmarks.verdicts import BEGIN, END, NO_DIFFERENCE, table_of, written_into
from core.errors import PrunescopeError
from tests.builders import make_result


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written_into(document, r"new \1") == f"before\n{BEGIN}\nnew \\1\n{END}\nafter\n"
    with pytest.raises(PrunescopeError, match="add them where the table belongs"):
        written_into("nothing", "new")


def test_it_says_which_tasks_it_covers() -> None:
    results = [make_result(task="cola"), make_result(), make_result(method="random")]
    first, _, *table = table_of(results).splitlines()
    assert first == f"Covered: SST-2 and CoLA. Verdicts: 2 × cannot be told. {NO_DIFFERENCE}"
    assert [line.split(" | ")[0] for line in table[2:]] == ["| SST-2", "| CoLA"]
