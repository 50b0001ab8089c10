"""Which columns hold text and label: those that were requested, or the likeliest."""

import pytest

from core.inputs.columns import Columns, choose_columns, likely_columns
from core.inputs.tables import Table
from core.request.catalog import TASKS
from core.request.sweep_request import made_task
from tests.refusals import refusal

SST2 = TASKS["sst2"]
MRPC = TASKS["mrpc"]
QQP = TASKS["qqp"]
NLI = made_task((), ("ENTAILMENT", "neutral", "contradiction"))
OWN = made_task((), ("Glad", "in between", "sad"))
NUMBERS = made_task((), ("LABEL_0", "LABEL_1"))
BOTH = ("text", "label")


def table(columns="", **cells):
    """Make a table of columns that are named, with three different cells each, or given."""
    filled = {name: tuple(f"{name} {row}" for row in range(3)) for name in columns.split()}
    count = max(map(len, cells.values()), default=3)
    return Table("a.csv", filled | cells, tuple(range(count)))


@pytest.mark.parametrize(
    ("columns", "task", "text", "label"),
    [
        ("id Text Emotion", OWN, "Text", "Emotion"),
        ("premise hypothesis gold label", OWN, "premise hypothesis", "label"),
        ("sentence text label", SST2, "sentence", "label"),
        ("sentence2 sentence1 label", MRPC, "sentence1 sentence2", "label"),
        ("review mood", OWN, "review", "mood"),
        ("title body label", SST2, "title", "label"),
        ("left right label", MRPC, "left right", "label"),
        ("left right gold", NLI, "left right", "gold"),
        ("headline_a headline_b gold", OWN, "headline_a headline_b", "gold"),
        (
            "qid1 qid2 question1 question2 is_duplicate",
            QQP,
            "question1 question2",
            "is_duplicate",
        ),
    ],
)
def test_the_likeliest_columns_are_read_and_said_to_be_guessed(columns, task, text, label):
    chosen = choose_columns(table(columns), task, (), None)

    assert chosen == Columns(tuple(text.split()), label, BOTH)


def test_requested_columns_are_taken_and_only_the_rest_guessed():
    given = table("title body mood label")

    pair = choose_columns(given, OWN, ("body", "title"), None)
    single = choose_columns(given, OWN, ("body",), "mood")

    assert pair == Columns(("body", "title"), "label", ("label",))
    assert single == Columns(("body",), "mood")
    line = refusal(choose_columns, given, MRPC, ("body",), None)
    assert "1 text columns: name 2, as many as MRPC reads" in line


IDS = ("7f3a-00ab", "81bc-4c1d", "9e0f-a2b3")
RAIN = ("It may rain.", "Snow falls.", "A storm is here.")
SUN = ("Rain may come.", "Sun shines.", "All calm.")
SHORT = ("It rains", "Go on", "Oh no")
CHINESE = ("今天下雨了", "晴天", "风很大")
TIME = ("2024-01-01 10:00",) * 3
SPLIT = ("train",) * 3
KIND = ("x", "y", "x")
MOOD = ("+", "o", "-", "o")


@pytest.mark.parametrize(
    ("cells", "task", "text", "label"),
    [
        (
            {
                "at": TIME,
                "id": IDS,
                "a": RAIN,
                "b": SUN,
                "split": SPLIT,
                "same": KIND,
            },
            QQP,
            "a b",
            "same",
        ),
        (
            {"id": IDS, "who": ("anna", "bob", "cleo"), "kind": KIND},
            OWN,
            "who",
            "kind",
        ),
        ({"id": IDS, "zh": CHINESE, "mood": KIND}, OWN, "zh", "mood"),
        ({"id": IDS, "a": RAIN, "same": KIND}, QQP, "", "same"),
        (
            {"mood": MOOD, "a": (*RAIN, "It is hot."), "sex": (*KIND, "y")},
            OWN,
            "a",
            "mood",
        ),
        ({"one": RAIN, "two": SHORT, "same": KIND}, NUMBERS, "", "same"),
    ],
)
def test_an_id_is_no_text_and_without_texts_a_table_is_refused(cells, task, text, label):
    given = table(**cells)

    assert likely_columns(given, task) == Columns(tuple(text.split()), label, BOTH)
    if not text:
        line = refusal(choose_columns, given, task, (), None)
        assert f"{', '.join(cells)}, and it is unclear which holds the text: name" in line


@pytest.mark.parametrize(("task", "label"), [(OWN, "how"), (SST2, "label")])
def test_a_column_of_nothing_but_label_names_is_the_label(task, label):
    """A column that a model has predicted is no label, though it holds nothing but labels."""
    given = table(
        "words",
        how=("GLAD", "in_between", "glad"),
        number=("0", "1", "0"),
        label=("1", "0", "1"),
        predicted=("positive", "positive", "negative"),
    )

    assert choose_columns(given, task, ("words",), None).label == label
