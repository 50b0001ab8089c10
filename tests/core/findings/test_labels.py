"""Warnings about the order of labels, from predictions made up for the purpose."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.findings.labels import label_caution
from core.findings.overview import caution
from core.request.catalog import TASKS
from core.results.schema import SweepResult
from core.results.store import SHIPPED_RESULTS, load, result_files
from tests.builders import make_result


def result_with(task: str, gold: Sequence[int], predictions: Sequence[int]) -> SweepResult:
    """A result of a baseline that predicts `predictions`, repeated as often as `gold`."""
    made = make_result(num_examples=len(gold), amounts=(0.0, 0.5), statistics=False)
    frames = (made.frames[0].model_copy(update={"predictions": tuple(predictions)}), made.frames[1])
    changed = made.task.model_copy(update={"name": task, "label_names": TASKS[task].label_names, "gold": tuple(gold)})
    return made.model_copy(update={"task": changed, "frames": frames})


def test_swapped_labels_are_warned_about_with_the_order_that_fits() -> None:
    gold = [0, 1] * 50
    predictions = [1 - label for label in gold[:90]] + gold[90:]  # 10 of 100 correct; 90 if swapped
    words = label_caution(result_with("sst2", gold, predictions))
    assert words.startswith("The unpruned model's accuracy is 0.10; with its labels in the order positive, negative it")
    assert "it would be 0.90." in words
    assert "id2label" in words
    assert words in caution(result_with("sst2", gold, predictions)), "command line and pages print the caution"


def test_three_labels_are_put_in_the_order_that_fits_best() -> None:
    """A head with contradiction first: its 0 means the task's 2, its 1 the task's 0, its 2 the task's 1."""
    gold = [0, 1, 2] * 30
    predictions = [{0: 1, 1: 2, 2: 0}[label] for label in gold]
    words = label_caution(result_with("mnli", gold, predictions))
    assert "is 0.00; with its labels in the order contradiction, entailment, neutral it would be 1.00" in words


@pytest.mark.parametrize(
    ("correct", "warned"),
    [(60, False), (51, False), (41, False), (40, True), (10, True)],  # of 100; swapped it is 100 minus that
)
def test_the_other_order_must_be_better_by_a_fifth(correct: int, warned: bool) -> None:
    gold = [0, 1] * 50
    predictions = gold[:correct] + [1 - label for label in gold[correct:]]
    assert ("labels in the order" in label_caution(result_with("sst2", gold, predictions))) == warned


def test_below_64_examples_only_the_majority_class_is_compared() -> None:
    gold = [0, 1] * 31 + [0]
    words = label_caution(result_with("sst2", gold, [1 - label for label in gold]))
    assert words.startswith("The unpruned model's accuracy, 0.00, is below the majority class's, 0.51. ")
    gold = [*gold, 1]
    assert "labels in the order" in label_caution(result_with("sst2", gold, [1 - label for label in gold]))


def test_an_accuracy_below_the_majority_class_is_a_warning_and_one_at_it_is_none() -> None:
    gold = [0] * 70 + [1] * 30
    below = label_caution(result_with("sst2", gold, [1] + [0] * 99))  # 69 correct, or 31 if swapped
    assert below.startswith("The unpruned model's accuracy, 0.69, is below the majority class's, 0.70. ")
    assert label_caution(result_with("sst2", gold, [0] * 100)) == ""


@pytest.mark.parametrize(("source", "doubted"), [("embedded", False), ("hub", True)])
def test_an_embedded_checkpoints_labels_are_known(source: str, doubted: bool) -> None:
    result = result_with("sst2", [0] * 70 + [1] * 30, [1] + [0] * 99)
    checkpoint = result.checkpoint.model_copy(update={"source": source})
    words = label_caution(result.model_copy(update={"checkpoint": checkpoint}))
    assert "unlike those it was fine-tuned on" in words
    assert ("number its labels" in words) == doubted


@pytest.mark.parametrize("path", result_files(SHIPPED_RESULTS)[::10], ids=lambda path: path.stem[:8])
def test_no_shipped_result_would_be_better_in_another_order(path: Path) -> None:
    assert "labels in the order" not in label_caution(load(path))
