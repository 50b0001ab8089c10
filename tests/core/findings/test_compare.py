"""Two results are compared where they can be, and the words follow the numbers."""

from collections.abc import Mapping

import pytest

from core.errors import PrunescopeError
from core.findings.compare import accuracy_comparisons, comparison_findings
from core.results.schema import SweepResult
from tests.builders import make_result, with_depth_gap

AMOUNTS = (0.0, 0.3, 0.6, 0.9)
NONE_RIGHT = dict.fromkeys(AMOUNTS, range(0))


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, "num_examples": 40, **settings})


def answering(whole: SweepResult, right: Mapping[float, range]) -> SweepResult:
    """The same result with other answers: right on the given examples only."""
    frames = tuple(
        frame.model_copy(
            update={
                "predictions": tuple(
                    label if k in right[frame.amount] else 1 - label for k, label in enumerate(whole.task.gold)
                )
            }
        )
        for frame in whole.frames
    )
    return whole.model_copy(update={"frames": frames})


# ---------------------------------------------------------------- depth gaps


def test_depth_gaps_that_differ() -> None:
    one = with_depth_gap(result(), 0.2, 0.05)
    other = with_depth_gap(result(method="random", seed=1), 0.5, 0.02)
    sentence, _ = comparison_findings(one, other, "mean")
    assert sentence == (
        "The depth gap is smaller under magnitude pruning of the encoder (0.200) than under random pruning of the "
        "encoder (seed 1) (0.500): the difference is −0.300 (95 % interval −0.330 to −0.270, paired by example) "
        "(MiniLM-L6, fine-tuned on SST-2; 40 examples of SST-2 validation, GLUE; mean over tokens)."
    )
    assert comparison_findings(other, one, "cls")[0].startswith("The depth gap is larger under random pruning")


def test_depth_gaps_without_a_shown_difference() -> None:
    one = with_depth_gap(result(), 0.2, 0.05, pattern=0)
    other = with_depth_gap(result(method="wanda"), 0.25, 0.05, pattern=1)
    sentence, _ = comparison_findings(one, other, "mean")
    assert sentence.startswith("No difference in depth gap is shown between magnitude pruning of the encoder (0.200) ")
    assert "the difference is −0.050 (95 % interval −0.150 to 0.050, paired by example)" in sentence


def test_two_checkpoints_are_distinguished_by_name() -> None:
    one = with_depth_gap(result(), 0.2, 0.05)
    elsewhere = one.checkpoint.model_copy(update={"id": "owner/name", "revision": "1" * 64})
    sentence, _ = comparison_findings(one, one.model_copy(update={"checkpoint": elsewhere}), "mean")
    assert "magnitude pruning of the encoder (MiniLM-L6, fine-tuned on SST-2) (0.200)" in sentence
    assert "magnitude pruning of the encoder (owner/name) (0.200)" in sentence
    assert sentence.endswith("(40 examples of SST-2 validation, GLUE; mean over tokens).")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (result(statistics=False), "an interval is not known for both results"),
        (result(points="layer"), "at different points"),
        (result(amounts=(0.0, 0.3, 0.6)), "over different amounts"),
        (result(scope="layer:1"), "a single layer's pruning says nothing"),
        (
            result(method="attribution", scope=None, prunable_sparsity=lambda amount: amount * 5 / 6),
            "such as 0.90 and 0.75 of layer 1's weights at amount 0.90",
        ),
    ],
)
def test_depth_gaps_that_do_not_measure_the_same_are_not_compared(other: SweepResult, reason: str) -> None:
    sentence, _ = comparison_findings(result(), other, "mean")
    assert sentence.startswith("Depth gaps are not compared: ")
    assert reason in sentence


def test_flattened_tokens_have_no_depth_gap_to_compare() -> None:
    assert "depth gaps are not compared" in comparison_findings(result(), result(seed=1), "tokens")[0]


@pytest.mark.parametrize("change", [{"fingerprint": "0" * 64}, {"examples": tuple(range(40))[::-1]}])
def test_other_examples_are_refused_in_one_line(change: dict[str, object]) -> None:
    one = result()
    other = one.model_copy(update={"task": one.task.model_copy(update=change)})
    for compare in (lambda: comparison_findings(one, other, "mean"), lambda: accuracy_comparisons(one, other)):
        with pytest.raises(PrunescopeError, match="not the same examples in the same order") as caught:
            compare()
        assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- accuracy


def test_accuracy_is_tested_at_every_amount_but_the_baseline() -> None:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 10), 0.6: range(0, 20), 0.9: range(0, 6)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.3: range(8, 30), 0.6: range(0, 20), 0.9: range(0)})
    first, second, third = accuracy_comparisons(one, other)
    assert [c.amounts[0] for c in (first, second, third)] == [0.3, 0.6, 0.9]
    assert (first.only_first, first.only_second) == (8, 20)
    assert (second.only_first, second.only_second, second.p_value) == (0, 0, 1.0)
    assert (third.only_first, third.only_second) == (6, 0)
    assert third.p_value == pytest.approx(2 / 2**6)
    assert third.adjusted == pytest.approx(3 * 2 / 2**6), "the smallest of three"
    assert not third.is_significant


def test_who_is_right_more_often_is_said_with_the_amounts() -> None:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 30), 0.6: range(0, 30), 0.9: range(0, 2)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.3: range(0, 10), 0.6: range(0, 10), 0.9: range(0, 20)})
    assert comparison_findings(one, other, "mean")[1] == (
        "In accuracy, magnitude pruning of the encoder is right more often at amounts 0.30 and 0.60; wanda pruning of "
        "the encoder is right more often at amount 0.90 (exact McNemar test, Holm's correction over 3 amounts at which "
        "both remove equally much: p < 0.05)."
    )


def test_amounts_in_a_row_are_said_as_one() -> None:
    amounts = tuple(k / 10 for k in range(8))
    right = {amount: range(0, 30 if amount not in (0.0, 0.4) else 0) for amount in amounts}
    one = answering(result(amounts=amounts), right)
    other = answering(result(method="wanda", amounts=amounts), dict.fromkeys(amounts, range(0)))
    assert (
        "is right more often at amounts 0.10 to 0.30 and 0.50 to 0.70 (" in comparison_findings(one, other, "mean")[1]
    )


def test_an_accuracy_difference_that_is_not_shown_is_stated() -> None:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 6), 0.6: range(0, 30)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.6: range(0, 10)})
    assert comparison_findings(one, other, "mean")[1].endswith("; at the other 2, no difference is shown.")
    weak = answering(result(method="wanda"), {**NONE_RIGHT, 0.6: range(0, 30)})
    assert comparison_findings(one, weak, "mean")[1] == (
        "No difference in accuracy is shown at any amount (exact McNemar test, Holm's correction over 3 amounts at "
        "which both remove equally much: p ≥ 0.09)."  # 3 · 2 / 2⁶ = 0.09375
    )


def test_methods_of_two_granularities_are_compared_where_they_remove_equally_much() -> None:
    units = result(
        method="attribution",
        scope=None,
        amounts=(0.0, 0.1, 0.36, 0.5, 0.72),
        prunable_sparsity=lambda amount: amount * 5 / 6,
    )
    pairs = accuracy_comparisons(result(), units)
    assert [c.amounts for c in pairs] == [(0.3, 0.36), (0.6, 0.72)]
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 30)})
    nothing = answering(units, dict.fromkeys(units.amounts, range(0)))
    assert "is right more often at prunable sparsity 0.30 (" in comparison_findings(one, nothing, "mean")[1]


def test_accuracy_that_can_nowhere_be_compared_is_not() -> None:
    alone = result(scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    assert accuracy_comparisons(result(), alone) == []
    assert "at no amount do the two remove equally much" in comparison_findings(result(), alone, "mean")[1]
    begun = result().model_copy(update={"frames": result().frames[:1], "statistics": None})
    assert accuracy_comparisons(result(), begun) == []
