"""Label names of real checkpoints, matched with GLUE's."""

import pytest

from core.inputs.labels import label_names, label_order, meanings
from core.request.catalog import TASKS
from tests.refusals import refusal


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ("LABEL_0", "LABEL_1")),
        (
            {"id2label": {"1": "POSITIVE", "0": "NEGATIVE"}, "num_labels": 5},
            ("NEGATIVE", "POSITIVE"),
        ),
    ],
)
def test_names_are_read_in_the_order_of_the_rows(config, names):
    assert label_names(config, "someone/bert") == names


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"1": "a", "2": "b"}, "names no labels 0, 1, 2, … "),
        ({"0": "a" * 1_001}, "names no labels 0, 1, 2, … "),
        (
            {"0": "score"},
            "has 1 labels, score: choose a classifier with 2 to 50 labels of different names",
        ),
        (
            {str(k): f"l{k}" for k in range(51)},
            "has 51 labels, l0, l1, l2, l3, l4, l5, …: choose",
        ),
        ({"0": "joy", "1": "Joy"}, "has 2 labels, joy, Joy: choose"),
    ],
)
def test_labels_that_make_no_task_are_refused(names, words):
    assert f"'someone/bert' {words}" in refusal(label_names, {"id2label": names}, "someone/bert")


@pytest.mark.parametrize(
    ("task", "names", "order"),
    [
        ("sst2", ("Positive", " negative "), (1, 0)),
        ("sst2", ("pos", "neg"), (1, 0)),
        ("sst2", ("LABEL_1", "LABEL_0"), (1, 0)),
        ("mrpc", ("equivalent", "non-equivalent"), (1, 0)),
        ("qqp", ("paraphrase", "no_paraphrase"), (1, 0)),
        ("qnli", ("not_entailment", "entailment"), (1, 0)),
        (
            "mnli",
            ("contradiction", "entailment", "neutral"),
            (1, 2, 0),
        ),  # the cross-encoders
    ],
)
def test_rows_are_found_by_name(task, names, order):
    assert label_order(names, TASKS[task], "someone/bert") == order


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("sst2", ("entailment", "not_entailment")),
        ("sst2", ("negative", "neutral", "positive")),
        ("sst2", ("LABEL_1", "LABEL_2")),
        ("mnli", ("entailment", "contradiction")),
        ("qnli", ("yes\n", "x" * 500)),
    ],
)
def test_other_labels_than_the_tasks_are_refused(task, names):
    line = refusal(label_order, names, TASKS[task], "someone/bert")

    first = names[0].strip()
    second = names[1][:40]
    assert f"'someone/bert' has {len(names)} labels, {first}, {second}, " in line
    assert ", ".join(TASKS[task].label_names) in line
    assert line.endswith("correct id2label in its config.json")


def test_an_entry_of_a_label_map_holds_for_all_spellings_without_one_of_their_own():
    label_map = (
        ("yes", "duplicate"),
        ("No", "not duplicate"),
        ("Y E S", None),
        ("of another split", None),
    )
    values = ("Yes", "YES", "yes ", "no", "Y E S")

    labels = meanings(values, TASKS["qqp"], label_map, "same")

    assert labels == {"Yes": 1, "YES": 1, "yes ": 1, "no": 0, "Y E S": None}


WIDE = "ＹＥＳ"


@pytest.mark.parametrize("value", [WIDE, "yes\u00a0", "\u3000yes", "y\u200bes", "ye\u00ads"])
def test_width_and_invisible_characters_do_not_matter(value):
    assert meanings([value], TASKS["qqp"], [("yes", "duplicate")], "same") == {value: 1}


def test_each_unknown_value_is_named_once():
    line = refusal(meanings, ("YES", "Yes", WIDE, "no"), TASKS["qqp"], (), "same")

    assert f"same says {WIDE}, no, which" in line
