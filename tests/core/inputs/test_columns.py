"""Which columns hold text and label: as asked for, or the likeliest."""

import pytest

from core.inputs.columns import Columns, choose_columns, likely_columns
from core.inputs.tables import Table
from core.request.catalog import TASKS
from core.request.sweep_request import made_task
from tests.refusals import refusal

SST2, MRPC, QQP = TASKS["sst2"], TASKS["mrpc"], TASKS["qqp"]
NLI = made_task((), ("ENTAILMENT", "neutral", "contradiction"))
OWN = made_task((), ("Glad", "in between", "sad"))
NUMBERS = made_task((), ("LABEL_0", "LABEL_1"))


def table(*columns: str, **cells: tuple[str, ...]) -> Table:
    filled = {name: tuple(f"{name} {k}" for k in range(3)) for name in columns}
    count = max(map(len, cells.values()), default=3)
    return Table("a.csv", filled | cells, tuple(range(count)))


@pytest.mark.parametrize(
    ("columns", "task", "text", "label"),
    [
        (("id", "Text", "Emotion"), OWN, ("Text",), "Emotion"),
        (("headline", "topic"), OWN, ("headline",), "topic"),
        (("premise", "hypothesis", "gold", "label"), OWN, ("premise", "hypothesis"), "label"),
        (("sentence", "text", "label"), SST2, ("sentence",), "label"),
        (("sentence2", "sentence1", "label"), MRPC, ("sentence1", "sentence2"), "label"),
        (("review", "mood"), OWN, ("review",), "mood"),
        (("title", "body", "label"), SST2, ("title",), "label"),
        (("left", "right", "label"), MRPC, ("left", "right"), "label"),
        (("left", "right", "gold"), NLI, ("left", "right"), "gold"),
        (("headline_a", "headline_b", "gold"), OWN, ("headline_a", "headline_b"), "gold"),
        (
            ("qid1", "qid2", "question1", "question2", "is_duplicate"),
            QQP,
            ("question1", "question2"),
            "is_duplicate",
        ),
    ],
)
def test_the_likeliest_columns_are_read_and_said_to_be_guessed(columns, task, text, label) -> None:
    assert choose_columns(table(*columns), task, (), None) == Columns(
        text, label, ("text", "label")
    )


def test_what_is_asked_for_is_taken_and_only_the_rest_guessed() -> None:
    known = table("title", "body", "mood", "label")
    assert choose_columns(known, OWN, ("body", "title"), None) == Columns(
        ("body", "title"), "label", ("label",)
    )
    assert choose_columns(known, OWN, ("body",), "mood") == Columns(("body",), "mood")
    assert "1 text columns: name 2, as many as MRPC reads" in refusal(
        choose_columns, known, MRPC, ("body",), None
    )


IDS = ("7f3a-00ab", "81bc-4c1d", "9e0f-a2b3")
PAIR = {
    "a": ("It may rain.", "Snow falls.", "A storm is here."),
    "b": ("Rain may come.", "Sun shines.", "All calm."),
}
TIMES, FIRST, SECOND = ("2024-01-01 10:00",) * 3, ("train",) * 3, ("x", "y", "x")


@pytest.mark.parametrize(
    ("cells", "task", "text", "label"),
    [
        ({"at": TIMES, "id": IDS, **PAIR, "split": FIRST, "same": SECOND}, QQP, "a b", "same"),
        ({"id": IDS, "who": ("anna", "bob", "cleo"), "kind": SECOND}, OWN, "who", "kind"),
        ({"id": IDS, "zh": ("今天下雨了", "晴天", "风很大"), "mood": SECOND}, OWN, "zh", "mood"),
        ({"id": IDS, "a": PAIR["a"], "same": SECOND}, QQP, "", "same"),
        ({"mood": ("+", "o", "-", "o"), "zh": (*PAIR["a"], "It is hot."), "sex": (*SECOND, "y")}, OWN, "zh", "mood"),
        ({"one": PAIR["a"], "two": ("It rains", "Go on", "Oh no"), "same": SECOND}, NUMBERS, "", "same"),
    ],
)  # fmt: skip
def test_an_id_is_no_text_and_without_texts_a_table_is_refused(cells, task, text, label) -> None:
    assert likely_columns(table(**cells), task) == Columns(
        tuple(text.split()), label, ("text", "label")
    )
    if not text:
        said = refusal(choose_columns, table(**cells), task, (), None)
        assert f"{', '.join(cells)}, and it is unclear which holds the text: name" in said


def test_a_column_of_nothing_but_label_names_is_the_label_whatever_it_is_called() -> None:
    cells = {
        "how": ("GLAD", "in_between", "glad"),
        "number": ("0", "1", "0"),
        "label": ("1", "0", "1"),
    }
    known = table("words", **cells, predicted=("positive", "positive", "negative"))
    assert choose_columns(known, OWN, ("words",), None).label == "how"
    assert choose_columns(known, SST2, ("words",), None).label == "label", (
        "what a model predicted is no label"
    )
