"""How far the model works beside what its layers have become by then, accuracy, and what to be careful about."""

from collections.abc import Sequence

import pytest

from core.findings.accuracy import accuracy_course, metric_of, reference_of
from core.findings.cautions import label_doubt, rare_labels
from core.findings.overview import holding
from core.findings.words.overview import caution
from core.request.catalog import TASKS
from core.results.schema import SweepResult
from core.results.store import SHIPPED_RESULTS, load, result_files
from tests.builders import OwnCka, make_result, with_own_key
from tests.core.findings.test_claim import working_to

HELD = {"num_layers": 4, "amounts": (0.0, 0.2, 0.4, 0.6), "accuracy": lambda amount: 0.9 - amount / 10}


def holding_to(to: float | None, own: OwnCka | None = None, **changes: object) -> SweepResult:
    return working_to(make_result(**HELD, own_cka=own), to, **changes)


def proportional(*own: float) -> OwnCka:
    """The similarity of each layer where 40 % is removed, in proportion elsewhere."""
    return lambda amount, point, size: 1 - (1 - own[point]) * amount / 0.4


@pytest.mark.parametrize(
    ("result", "state", "amount", "kept"),
    [
        (holding_to(0.4), "works", 0.4, 0.86),
        (holding_to(0.0), "fails at once", 0.2, 0.88),
        (holding_to(None, reason="no lead"), "no lead", 0.6, 0.84),
        (make_result(**HELD), "unknown", 0.6, 0.84),
        (working_to(make_result(**{**HELD, "amounts": (0.0,)}), 0.0), "unpruned", 0.0, 0.9),
    ],
)
def test_how_far_the_model_works(result: SweepResult, state: str, amount: float, kept: float) -> None:
    found = holding(result, "mean")
    assert (found.state, found.amount) == (state, amount)
    assert (found.unpruned, found.kept) == (0.9, pytest.approx(kept))


def test_what_has_changed_by_then_counts_even_where_it_comes_back() -> None:
    assert holding(holding_to(0.4, proportional(0.99, 0.95, 0.8, 0.7)), "mean").changed == ["3", "4"]
    again = {0.0: 1.0, 0.2: 0.8, 0.4: 0.92, 0.6: 0.5}
    found = holding(holding_to(0.4, lambda a, point, size: again[a] if point == 3 else 1.0), "mean")
    assert (found.changed, found.lowest["4"]) == (["4"], pytest.approx(0.8))
    undefined = holding(holding_to(0.4, lambda a, point, size: 1.0 if point else None), "mean")
    assert (list(undefined.lowest), undefined.changed) == (["2", "3", "4"], [])


# ---------------------------------------------------------------- accuracy


@pytest.mark.parametrize(
    ("values", "otherwise", "inside_up_to", "majority_from"),
    [
        ({0.3: 0.5, 0.9: 0.5, 0.95: 0.5}, 0.9, 0.25, 0.9),  # it counts from the last descent
        ({}, 0.9, 0.95, None),
        ({0.0: 0.9}, 0.5, 0.0, 0.05),
        ({}, 0.5, 0.95, 0.0),
    ],
)
def test_the_course_of_accuracy(
    values: dict[float, float], otherwise: float, inside_up_to: float, majority_from: float | None
) -> None:
    result = make_result(num_layers=2, accuracy=lambda amount: values.get(amount, otherwise), num_examples=400)
    found = accuracy_course(result)
    assert found
    assert (found.inside_up_to, found.majority_from, found.majority) == (inside_up_to, majority_from, 0.5)
    frame = result.frames[0].model_copy(update={"intervals": {"accuracy": None}})
    assert accuracy_course(result.model_copy(update={"frames": (frame, *result.frames[1:])})) is None


def test_f1_is_held_against_always_answering_positive() -> None:
    result = make_result(num_layers=2, num_examples=8)
    assert reference_of(result, "accuracy") == ("majority class", 0.5)
    assert reference_of(result, "f1") == ("always positive", pytest.approx(2 / 3))
    assert metric_of(result, asked="f1") == "accuracy", "which it lacks"


# ---------------------------------------------------------------- what to be careful about


def result_with(task: str, gold: Sequence[int], predictions: Sequence[int]) -> SweepResult:
    """A result of a baseline that predicts `predictions`, repeated as often as `gold`."""
    made = make_result(num_examples=len(gold), amounts=(0.0, 0.5), statistics=False)
    frames = (made.frames[0].model_copy(update={"predictions": tuple(predictions)}), made.frames[1])
    changed = made.task.model_copy(update={"name": task, "label_names": TASKS[task].label_names, "gold": tuple(gold)})
    return made.model_copy(update={"task": changed, "frames": frames})


def swapped(correct: int, count: int = 100) -> SweepResult:
    gold = [0, 1] * (count // 2)
    return result_with("sst2", gold, gold[:correct] + [1 - label for label in gold[correct:]])


@pytest.mark.parametrize("correct", [60, 51, 41, 40, 10])
def test_another_order_of_the_labels_must_be_better_by_a_fifth(correct: int) -> None:
    found = label_doubt(swapped(correct))
    order = ("positive", "negative") if correct <= 40 else None
    assert (found and (found.accuracy, found.order)) == (None if correct >= 50 else (correct / 100, order))
    assert not order or (found and found.better == 1 - correct / 100)


def test_three_labels_are_put_in_the_order_that_fits_best() -> None:
    """A head with contradiction first: its 0 means the task's 2, its 1 the task's 0, its 2 the task's 1."""
    gold = [0, 1, 2] * 30
    found = label_doubt(result_with("mnli", gold, [{0: 1, 1: 2, 2: 0}[label] for label in gold]))
    assert found
    assert (found.accuracy, found.better, found.order) == (0, 1, ("contradiction", "entailment", "neutral"))


def test_few_examples_and_the_majority_class() -> None:
    few = label_doubt(swapped(0, 62))
    assert few
    assert (few.better, few.order) == (0.5, None), "too few for another order"
    gold = [0] * 70 + [1] * 30
    below = label_doubt(result_with("sst2", gold, [1] + [0] * 99))  # 69 correct, or 31 if swapped
    assert below
    assert (below.accuracy, below.better, below.order) == (0.69, 0.7, None)
    assert label_doubt(result_with("sst2", gold, [0] * 100)) is None
    assert rare_labels(result_with("sst2", [0] * 99 + [1], [0] * 100).task) == ["positive"]


@pytest.mark.parametrize("name", ["embedded:qqp", "recipe:mpnet-l12-qqp-seed-0", "recipe:minilm-l6-qqp-seed-3"])
def test_a_checkpoint_that_may_have_seen_the_examples_is_said_to(name: str) -> None:
    result = make_result()
    assert caution(result) == ""
    seen = with_own_key(result, checkpoint=result.checkpoint.model_copy(update={"id": name}))
    assert "Quora" in caution(seen)


@pytest.mark.parametrize("path", result_files(SHIPPED_RESULTS)[::10], ids=lambda path: path.stem[:8])
def test_no_shipped_result_would_be_better_in_another_order(path: object) -> None:
    found = label_doubt(load(path))  # type: ignore[arg-type]
    assert found is None or found.order is None
