"""How well the model still does: the sentences agree with the numbers."""

import re

import pytest

from core.findings.accuracy import accuracy_finding, range_remark, reference_of
from core.results.schema import SweepResult
from tests.builders import make_result, with_own_key
from tests.core.findings.test_claim import working_to


def accuracy_of(values: dict[float, float], otherwise: float) -> SweepResult:
    return make_result(num_layers=2, accuracy=lambda amount: values.get(amount, otherwise), num_examples=400)


def test_accuracy_that_holds_and_then_comes_down() -> None:
    result = make_result(num_layers=2, accuracy=lambda amount: 0.9 if amount <= 0.4 else 0.8 if amount < 0.7 else 0.5)
    sentence = accuracy_finding(result)
    low, high = result.frames[0].intervals["accuracy"] or (0, 0)
    assert (
        f"Accuracy, 0.90 without pruning, stays within the unpruned model's 95 % interval ({low:.2f} to {high:.2f})"
        in sentence
    )
    assert "up to 40 %; from 70 % on its interval no longer lies above the majority class (0.50)" in sentence


def test_a_perfect_model_leaves_its_interval_at_the_first_fall() -> None:
    """Wilson's upper bound of 512 right of 512 is a little below 1 in floating point."""
    made = make_result(num_layers=2, accuracy=lambda amount: 1.0 - amount, num_examples=512)
    result = with_own_key(
        made,
        frames=tuple(
            frame.model_copy(update={"intervals": {**frame.intervals, "accuracy": (0.99, 1 - 1e-16)}})
            if frame.amount == 0
            else frame
            for frame in made.frames
        ),
    )
    assert "leaves the unpruned model's 95 % interval (0.99 to 1.00) at the first step, 5 %;" in accuracy_finding(
        result
    )


def test_accuracy_that_recovers_counts_from_its_last_descent() -> None:
    sentence = accuracy_finding(accuracy_of({0.3: 0.5, 0.9: 0.5, 0.95: 0.5}, otherwise=0.9))
    assert "up to 25 %;" in sentence
    assert "from 90 % on" in sentence


def test_accuracy_that_never_moves() -> None:
    sentence = accuracy_finding(accuracy_of({}, otherwise=0.9))
    assert (
        "up to the last amount measured, 95 %; even at the last amount measured, 95 %, its interval lies above"
        in sentence
    )


def test_accuracy_that_falls_at_once() -> None:
    sentence = accuracy_finding(accuracy_of({0.0: 0.9}, otherwise=0.5))
    assert re.search(r"leaves the unpruned model's 95 % interval \(.*\) at the first step, 5 %;", sentence)


def test_accuracy_of_a_model_at_chance_level() -> None:
    assert "at no amount does its interval lie above the majority class (0.50)" in accuracy_finding(
        accuracy_of({}, otherwise=0.5)
    )


def test_accuracy_that_is_unknown_is_not_invented() -> None:
    whole = make_result(num_layers=2)
    frame = whole.frames[0].model_copy(update={"metrics": {"accuracy": None}, "intervals": {"accuracy": None}})
    assert accuracy_finding(whole.model_copy(update={"frames": (frame,)})) == "Accuracy is not known here."


def test_f1_is_held_against_always_answering_yes_since_no_gives_0() -> None:
    result = make_result(task="qqp", num_layers=2, num_examples=200)
    positive = sum(result.task.gold) / 200
    assert reference_of(result, "f1") == ("always positive", pytest.approx(2 * positive / (1 + positive)))
    assert reference_of(result, "accuracy") == ("majority class", max(positive, 1 - positive))
    assert reference_of(result, "matthews_correlation") == ("majority class", 0)


@pytest.mark.parametrize(
    ("broken_from", "reason", "words"),
    [
        (0.6, None, "From 60 % on, a drop is beyond sampling error (judged on 200 labelled examples)."),
        (
            0.2,
            "too few examples",
            "From 20 % on, a drop is beyond sampling error (judged on 200 labelled examples, where a drop smaller than "
            "0.10 can go unseen).",
        ),
        (None, "too few examples", "On 200 labelled examples, a drop smaller than 0.10 can go unseen."),
        (None, None, ""),
    ],
)
def test_a_drop_that_is_shown_stands_beside_the_working_range(
    broken_from: float | None, reason: str | None, words: str
) -> None:
    changes = {"smallest_drop": 0.1, "shown_broken_from": broken_from, "reason": reason}
    assert range_remark(working_to(make_result(num_layers=2), 0.4, **changes)) == words
