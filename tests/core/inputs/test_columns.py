"""Which columns hold text and label: as asked for, or guessed where only one guess makes sense."""

import pytest

from core.errors import PrunescopeError
from core.inputs.columns import Columns, choose_columns, likely_columns
from core.inputs.tables import Table
from core.request.catalog import TASKS

SST2, MRPC = TASKS["sst2"], TASKS["mrpc"]


def table(*columns: str, numeric: tuple[str, ...] = (), rows: int = 4) -> Table:
    cells = {name: tuple(f"{name} {k}" for k in range(rows)) for name in columns}
    return Table("a.csv", cells, tuple(range(rows)), frozenset(numeric), ())


@pytest.mark.parametrize(
    ("columns", "task", "text", "label"),
    [
        (("text", "label"), None, ("text",), "label"),
        (("id", "Text", "Emotion"), None, ("Text",), "Emotion"),
        (("review", "stars", "label"), None, ("review",), "label"),
        (("headline", "topic"), None, ("headline",), "topic"),
        (("sentence2", "sentence1", "label"), None, ("sentence1", "sentence2"), "label"),
        (("premise", "hypothesis", "gold", "label"), None, ("premise", "hypothesis"), "label"),
        (("review", "class"), SST2, ("review",), "class"),
        (("sentence", "text", "label"), SST2, ("sentence",), "label"),
        (("sentence2", "sentence1", "label"), MRPC, ("sentence1", "sentence2"), "label"),
        (("premise", "hypothesis", "label"), MRPC, ("premise", "hypothesis"), "label"),
    ],
)
def test_a_safe_guess(columns, task, text, label) -> None:
    assert choose_columns(table(*columns), task, (), None) == Columns(text, label, ("text", "label"))


@pytest.mark.parametrize(
    ("columns", "task", "unclear"),
    [
        (("review", "mood"), None, "label: name it with --label"),
        (("gold", "class", "text"), None, "label"),
        (("title", "body", "label"), None, "text: name it with --text, of a pair --text2"),
        (("text", "review", "label"), SST2, "text"),
        (("left", "right", "label"), MRPC, "text"),
    ],
)
def test_without_a_safe_guess_it_is_asked_for(columns, task, unclear) -> None:
    with pytest.raises(
        PrunescopeError, match=f"columns {', '.join(columns)}, and it is unclear which holds the {unclear}"
    ):
        choose_columns(table(*columns), task, (), None)


def test_numbers_are_never_guessed_to_be_the_text() -> None:
    assert choose_columns(table("id", "body", "label", numeric=("id",)), None, (), None).text == ("body",)
    with pytest.raises(PrunescopeError, match="column 'id' is not text"):
        choose_columns(table("id", "body", "label", numeric=("id",)), None, ("id",), None)


def test_what_is_asked_for_is_taken_and_only_the_rest_guessed() -> None:
    known = table("title", "body", "mood", "label")
    assert choose_columns(known, None, ("body", "title"), None) == Columns(("body", "title"), "label", ("label",))
    assert choose_columns(known, None, ("body",), "mood") == Columns(("body",), "mood")
    with pytest.raises(PrunescopeError, match="has no column 'text', only title, body, mood, label"):
        choose_columns(known, None, ("text",), None)
    with pytest.raises(PrunescopeError, match="1 text columns: MRPC reads 2, name as many with --text and --text2"):
        choose_columns(known, MRPC, ("body",), None)


def test_a_guess_that_can_be_changed_may_be_unsafe() -> None:
    cells = {"id": ("1", "2", "3"), "review": ("a long text", "another", "third"), "kind": ("x", "y", "x")}
    unclear = Table("a.csv", cells, (0, 1, 2), frozenset(), ())
    assert likely_columns(unclear, SST2) == Columns(("review",), "kind", ("text", "label"))
    assert likely_columns(table("left", "right", "label"), MRPC).text == ("left", "right")
