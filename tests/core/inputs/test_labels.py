"""Label names of real checkpoints, matched with GLUE's."""

import pytest

from core.errors import PrunescopeError
from core.inputs.labels import label_names, label_of, label_order, meanings
from core.request.catalog import TASKS


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ("LABEL_0", "LABEL_1")),
        ({"num_labels": 3}, ("LABEL_0", "LABEL_1", "LABEL_2")),
        ({"id2label": {"1": "POSITIVE", "0": "NEGATIVE"}, "num_labels": 5}, ("NEGATIVE", "POSITIVE")),
        ({"id2label": {"0": 0, "1": 1}}, ("0", "1")),
    ],
)
def test_names_are_read_in_the_order_of_the_rows(config: dict[str, object], names: tuple[str, ...]) -> None:
    assert label_names(config, "someone/bert") == names


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {"1": "a", "2": "b"}},
        {"id2label": {"x": "a"}},
        {"num_labels": 0},
        {"num_labels": None},
        {"id2label": {"0": "a" * 1_001}},
    ],
)
def test_labels_that_are_not_numbered_from_0_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(PrunescopeError, match=r"'someone/bert': config.json names no labels 0, 1, 2, …"):
        label_names(config, "someone/bert")


@pytest.mark.parametrize(
    ("task", "names", "order"),
    [
        ("sst2", ("NEGATIVE", "POSITIVE"), (0, 1)),
        ("sst2", ("Positive", " negative "), (1, 0)),
        ("sst2", ("pos", "neg"), (1, 0)),
        ("sst2", ("LABEL_0", "LABEL_1"), (0, 1)),
        ("sst2", ("LABEL_1", "LABEL_0"), (1, 0)),
        ("sst2", ("0", "1"), (0, 1)),
        ("cola", ("acceptable", "unacceptable"), (1, 0)),
        ("cola", ("ungrammatical", "grammatical"), (0, 1)),
        ("mrpc", ("equivalent", "non-equivalent"), (1, 0)),
        ("mrpc", ("not_paraphrase", "paraphrase"), (0, 1)),
        ("qqp", ("not duplicate", "duplicate"), (0, 1)),
        ("qqp", ("paraphrase", "no_paraphrase"), (1, 0)),
        ("qnli", ("not_entailment", "entailment"), (1, 0)),
        ("rte", ("Entailment", "Not-Entailment"), (0, 1)),
        ("mnli", ("CONTRADICTION", "NEUTRAL", "ENTAILMENT"), (2, 1, 0)),  # roberta-large-mnli
        ("mnli", ("contradiction", "entailment", "neutral"), (1, 2, 0)),  # the cross-encoders
        ("mnli", ("entailment", "neutral", "contradiction"), (0, 1, 2)),
    ],
)
def test_rows_are_found_by_name(task: str, names: tuple[str, ...], order: tuple[int, ...]) -> None:
    assert label_order(names, TASKS[task], "someone/bert") == order
    for label, row in enumerate(order):
        assert label_of(names[row], TASKS[task]) == label


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("sst2", ("entailment", "not_entailment")),
        ("sst2", ("negative", "neutral")),
        ("sst2", ("positive", "POS")),
        ("sst2", ("LABEL_1", "LABEL_2")),
        ("rte", ("contradiction", "entailment")),
        ("qnli", ("yes\n", "x" * 500)),
    ],
)
def test_names_that_do_not_fit_are_refused_with_both_lists(task: str, names: tuple[str, ...]) -> None:
    with pytest.raises(PrunescopeError, match=r"correct id2label in its config\.json") as caught:
        label_order(names, TASKS[task], "someone/bert")
    message = str(caught.value)
    assert f"'someone/bert' has the labels {names[0].strip()}, {names[1][:40]}, which" in message
    assert ", ".join(TASKS[task].label_names) in message
    assert "\n" not in message


def test_another_number_of_labels_is_refused_with_both_lists() -> None:
    with pytest.raises(PrunescopeError, match=r"has 3 labels \(negative, neutral, positive\), task sst2 has 2 \(neg"):
        label_order(("negative", "neutral", "positive"), TASKS["sst2"], "someone/bert")
    with pytest.raises(PrunescopeError, match=r"has 500 labels \(LABEL_0, .*LABEL_5, …\), task"):
        label_order(label_names({"num_labels": 500}, "x"), TASKS["sst2"], "someone/bert")


def test_a_map_may_tell_of_values_that_only_another_split_has() -> None:
    given = (("1", "negative"), ("3", None), ("5", "positive"))
    with pytest.raises(PrunescopeError, match="has no value '3'"):
        meanings(("1", "5"), TASKS["sst2"], given, "stars")
    assert meanings(("1", "5"), TASKS["sst2"], given, "stars", whole=False) == {"1": 0, "5": 1}
