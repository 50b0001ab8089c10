"""The table of verdicts in a document: what stands between its markers is replaced."""

import pytest

from benchmarks.verdicts import BEGIN, END, written_into
from core.errors import PrunescopeError


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written_into(document, r"new \1") == f"before\n{BEGIN}\nnew \\1\n{END}\nafter\n"
    with pytest.raises(PrunescopeError, match="add them where the table belongs"):
        written_into("nothing", "new")
