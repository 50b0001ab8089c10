"""Label names of real checkpoints, matched with GLUE's."""

import pytest

from core.inputs.labels import label_names, label_of, label_order, meanings
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
        ({"id2label": {"0": 0, "1": 1}}, ("0", "1")),
    ],
)
def test_names_are_read_in_the_order_of_the_rows(
    config: dict[str, object], names: tuple[str, ...]
) -> None:
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
        ({str(k): f"l{k}" for k in range(51)}, "has 51 labels, l0, l1, l2, l3, l4, l5, …: choose"),
        ({"0": "joy", "1": "Joy"}, "has 2 labels, joy, Joy: choose"),
    ],
)
def test_labels_that_make_no_task_are_refused(names: dict[str, str], words: str) -> None:
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
        ("mnli", ("contradiction", "entailment", "neutral"), (1, 2, 0)),  # the cross-encoders
        *((task, names, None) for task, names in (
            ("sst2", ("entailment", "not_entailment")),
            ("sst2", ("negative", "neutral", "positive")),
            ("sst2", ("LABEL_1", "LABEL_2")),
            ("qnli", ("yes\n", "x" * 500)),
        )),
    ],
)  # fmt: skip
def test_rows_are_found_by_name_or_refused(
    task: str, names: tuple[str, ...], order: tuple[int, ...] | None
) -> None:
    if order is None:
        message = refusal(label_order, names, TASKS[task], "someone/bert")
        assert message.endswith("correct id2label in its config.json")
        assert (
            f"'someone/bert' has {len(names)} labels, {names[0].strip()}, {names[1][:40]}, "
            in message
        )
        assert ", ".join(TASKS[task].label_names) in message
    else:
        assert label_order(names, TASKS[task], "someone/bert") == order
        assert [label_of(names[row], TASKS[task]) for row in order] == [*range(len(order))]


def test_an_entry_of_a_label_map_holds_for_all_spellings_without_one_of_their_own() -> None:
    label_map = (
        ("yes", "duplicate"),
        ("No", "not duplicate"),
        ("Y E S", None),
        ("of another split", None),
    )
    labels = meanings(("Yes", "YES", "yes ", "no", "Y E S"), TASKS["qqp"], label_map, "same")
    assert labels == {"Yes": 1, "YES": 1, "yes ": 1, "no": 0, "Y E S": None}
    widths = ("ＹＥＳ", "yes\u00a0", "\u3000yes", "y\u200bes", "ye\u00ads")
    assert {*meanings(widths, TASKS["qqp"], label_map, "same").values()} == {1}
    assert label_of("Ｎｏｔ\u00a0Duplicate", TASKS["qqp"]) == 0
    message = refusal(meanings, ("YES", "Yes", "ＹＥＳ", "no"), TASKS["qqp"], (), "same")
    assert "same says ＹＥＳ, no, which" in message, "each is named once"
