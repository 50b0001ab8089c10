"""Two results are compared where they can be, and the words follow the numbers."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import t

from core.errors import PrunescopeError
from core.findings.claim import verdict_in_short
from core.findings.compare import accuracy_comparisons, chance_finding, comparison_findings, depth_finding, headline
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import declining, make_result

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


# ---------------------------------------------------------------- where in depth they change

STEPS = (0.0, 0.02, 0.04, 0.06, 0.3)  # the damage, for `declining`


def declined(share: float, **settings: object) -> SweepResult:
    return result(**{"amounts": STEPS, "own_cka": declining(share), **settings})


def test_shares_of_the_change_and_their_paired_difference() -> None:
    one, other = declined(0.7), declined(0.9, method="wanda")
    sentence = depth_finding(one, other, "mean")
    gaps = [(known.statistics or {})["cka"]["mean"].gap_at_damage["0.05"] for known in (one, other)]
    low, high = (
        100
        * (0.08 - 0.04 + sign * t.ppf(0.975, 39) * np.sqrt(39) * np.std(np.subtract(*(g.replicates for g in gaps))))
        / (4 * 0.05)
        for sign in (-1, 1)
    )  # of the other minus the first; the sentence has the first minus the other
    assert sentence == (
        "Of an overall change of 0.05, 70 % lies in the upper half of the layers under magnitude pruning of the "
        "encoder and 90 % under Wanda pruning of the encoder "
        f"(95 % interval −{high:.0f} to −{low:.0f} percentage points for the first minus the second, over examples; "
        "MiniLM-L6, fine-tuned on SST-2; 40 examples of SST-2 validation, GLUE; mean over tokens)."
    )


def test_a_random_draw_is_said_to_be_one() -> None:
    sentence = depth_finding(declined(0.7), declined(0.9, method="random", seed=1), "cls")
    assert "over examples alone: another random draw would differ as well; " in sentence


def test_two_checkpoints_are_distinguished_by_name() -> None:
    one = declined(0.7)
    elsewhere = one.checkpoint.model_copy(update={"id": "owner/name", "revision": "1" * 64})
    sentence = depth_finding(one, one.model_copy(update={"checkpoint": elsewhere}), "mean")
    assert "magnitude pruning of the encoder (MiniLM-L6, fine-tuned on SST-2) and" in sentence
    assert "magnitude pruning of the encoder (owner/name) (" in sentence
    assert sentence.endswith("; 40 examples of SST-2 validation, GLUE; mean over tokens).")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (declined(0.7, statistics=False), "(second result), this was measured by an earlier version."),
        (declined(0.7, amounts=(0.0, 0.04, 0.3)), "(second result), the steps of the amount are too large."),
        (declined(0.7, amounts=(0.0, 0.02, 0.04)), "(second result), the layers do not change that much at any"),
        (declined(0.7, points="layer"), "at different points"),
        (declined(0.7, scope="layer:1"), "a single layer's pruning says nothing"),
    ],
)
def test_what_does_not_measure_the_same_is_not_compared(other: SweepResult, reason: str) -> None:
    sentence, _ = comparison_findings(declined(0.7), other, "mean")
    assert sentence.startswith("Where in depth the two change is not compared")
    assert reason in sentence


def test_other_amounts_are_no_obstacle() -> None:
    assert depth_finding(declined(0.7), declined(0.7, amounts=(0.0, 0.01, 0.03, 0.2)), "mean").startswith(
        "Of an overall"
    )


def test_the_sweeps_in_small_steps_are_read_as_the_verdict_reads_them() -> None:
    one, control = result(own_cka=declining(0.5)), result(method="random", own_cka=declining(0.5))
    fine = [declined(0.7, until_damage=0.3), declined(0.9, method="random", until_damage=0.3)]
    assert "under random pruning" in depth_finding(one, control, "mean", fine[:1]), "its steps are too large"
    both = depth_finding(one, control, "mean", [declined(0.7, method="random", seed=1)])
    assert both.count("the steps of the amount are too large") == 2
    sentence = depth_finding(one, control, "mean", fine)
    assert sentence == depth_finding(*fine, "mean")
    assert "70 % lies in the upper half of the layers under magnitude" in sentence
    assert sentence.index("under magnitude") < sentence.index("90 % under random")
    assert "90 % lies in the upper half of the layers under random" in depth_finding(control, one, "mean", fine)


def test_beside_its_control_a_method_gets_the_verdict_by_all_seeds() -> None:
    many = {"num_examples": 200}
    one = declined(0.9, **many)
    seeds = [declined(0.7, method="random", seed=seed, **many) for seed in range(5)]
    verdict = verdict_in_short(one, seeds)
    assert verdict.startswith("Judged alone, steeper than chance: ")
    assert chance_finding(one, seeds[3], seeds) == chance_finding(seeds[3], one, seeds) == verdict
    assert verdict in comparison_findings(one, seeds[3], "cls", seeds)
    assert "only 1 of the 5 required seeds" in chance_finding(one, seeds[3], ())
    strangers = [seeds[1], declined(0.7, method="random", controls="wanda", **many), declined(0.7, scope="layer:1")]
    assert [chance_finding(seeds[0], other, seeds) for other in strangers] == [""] * 3
    assert chance_finding(one, declined(0.7, method="random", points="layer", **many), seeds) == ""


def test_flattened_tokens_have_no_interval_to_compare() -> None:
    assert "is not compared" in comparison_findings(declined(0.7), declined(0.7, seed=1), "tokens")[0]


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
        "In accuracy, magnitude pruning of the encoder is correct more often at 30 % and 60 %; Wanda pruning of "
        "the encoder is correct more often at 90 % (paired test, corrected for the 3 amounts at which "
        "both remove the same share: p < 0.05)."
    )


def test_amounts_in_a_row_are_said_as_one() -> None:
    amounts = tuple(k / 10 for k in range(8))
    right = {amount: range(0, 30 if amount not in (0.0, 0.4) else 0) for amount in amounts}
    one = answering(result(amounts=amounts), right)
    other = answering(result(method="wanda", amounts=amounts), dict.fromkeys(amounts, range(0)))
    assert "is correct more often at 10 to 30 % and 50 to 70 % (" in comparison_findings(one, other, "mean")[1]


def test_an_accuracy_difference_that_is_not_shown_is_stated() -> None:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 6), 0.6: range(0, 30)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.6: range(0, 10)})
    assert comparison_findings(one, other, "mean")[1].endswith("; at the other 2, no difference is shown.")
    weak = answering(result(method="wanda"), {**NONE_RIGHT, 0.6: range(0, 30)})
    assert comparison_findings(one, weak, "mean")[1] == (
        "No difference in accuracy is shown at any amount (paired test, corrected for the 3 amounts at "
        "which both remove the same share: p ≥ 0.09)."  # 3 · 2 / 2⁶ = 0.09375
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
    assert "is correct more often at 30 % of the encoder's weights (" in comparison_findings(one, nothing, "mean")[1]


def test_accuracy_that_can_nowhere_be_compared_is_not() -> None:
    alone = result(scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    assert accuracy_comparisons(result(), alone) == []
    assert "at no amount do the two remove the same share" in comparison_findings(result(), alone, "mean")[1]
    begun = result().model_copy(update={"frames": result().frames[:1], "statistics": None})
    assert accuracy_comparisons(result(), begun) == []


# ---------------------------------------------------------------- the heading


def working(to: float | None, **settings: object) -> SweepResult:
    """A result whose model works up to an amount."""
    result = make_result(num_layers=2, amounts=(0.0, 0.2, 0.55, 0.95), **settings)
    known = WorkingRangeRecord(
        to=to, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return result.model_copy(update={"working_range": known})


def test_the_heading_says_how_far_both_models_work() -> None:
    one, other = working(0.55), working(0.2, method="random")
    assert headline(one, other) == (
        "Under magnitude pruning the model works up to 55 % of weights removed; under random pruning, up to 20 %"
    )
    assert headline(other, one).startswith("Under random pruning the model works up to 20 % of weights removed")
    never, always = working(0.0, method="wanda"), working(0.95, method="attribution", scope=None)
    assert headline(never, always) == (
        "Under Wanda pruning the model works at no amount measured; under attribution pruning, up to 95 % of units "
        "removed, the last amount measured"
    )


def test_only_one_of_equal_ranges_may_end_with_the_last_amount_measured() -> None:
    one, short = working(0.55), working(0.55, method="random")
    short = short.model_copy(update={"frames": short.frames[:3]})
    assert headline(one, short) == (
        "Under magnitude pruning the model works up to 55 % of weights removed; under random pruning, up to 55 %, the "
        "last amount measured"
    )


def test_the_heading_of_equal_or_unknown_ranges() -> None:
    one, other = working(0.2), working(0.2, method="random")
    assert headline(one, other) == (
        "The model works up to 20 % of weights removed under magnitude pruning and under random pruning alike"
    )
    unknown = working(None, method="random")
    assert headline(one, unknown) == "Magnitude pruning beside random pruning"
    assert "(first result) beside" in headline(one, one)
    unpruned = other.model_copy(update={"frames": other.frames[:1]})
    assert headline(one, unpruned) == "Magnitude pruning beside random pruning", "of it, no amount was measured"
