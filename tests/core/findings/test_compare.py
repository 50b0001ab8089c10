"""Two results are compared where they can be."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import t

from core.errors import PrunescopeError
from core.findings.claim import verdict
from core.findings.compare import Depth, accuracy_comparisons, depth_of
from core.results.schema import SweepResult
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
    found = depth_of(one, other, "mean")
    assert isinstance(found, Depth)
    gaps = [(known.statistics or {})["cka"]["mean"].gap_at_damage["0.05"] for known in (one, other)]
    deviation = np.std(np.subtract(*(gap.replicates for gap in gaps)))
    half = t.ppf(0.975, 39) * np.sqrt(39) * deviation / (4 * 0.05)
    assert found.shares == pytest.approx((0.7, 0.9))
    assert (found.low, found.high) == pytest.approx((-0.2 - half, -0.2 + half))
    back = depth_of(other, one, "mean")
    assert isinstance(back, Depth)
    assert (back.shares, back.low) == (found.shares[::-1], pytest.approx(-found.high))


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (declined(0.7, statistics=False), "earlier version"),
        (declined(0.7, amounts=(0.0, 0.04, 0.3)), "coarse steps"),
        (declined(0.7, amounts=(0.0, 0.02, 0.04)), "change not reached"),
        (declined(0.7, points="layer"), "other points"),
        (declined(0.7, scope="layer:1"), "one layer alone"),
        (declined(0.7, num_examples=50), "other examples"),
    ],
)
def test_what_does_not_measure_the_same_is_not_compared(other: SweepResult, reason: str) -> None:
    assert depth_of(declined(0.7), other, "mean") == depth_of(other, declined(0.7), "mean") == reason
    assert depth_of(declined(0.7), other, "tokens") == "all tokens"


def test_the_sweeps_in_small_steps_are_read_as_the_verdict_reads_them() -> None:
    one, control = result(own_cka=declining(0.5)), result(method="random", own_cka=declining(0.5))
    fine = [declined(0.7, until_damage=0.3), declined(0.9, method="random", until_damage=0.3)]
    assert depth_of(one, control, "mean", fine[:1]) == "coarse steps", "of the control"
    assert depth_of(one, control, "mean", [declined(0.7, method="random", seed=1)]) == "coarse steps", "another seed"
    found, alone = depth_of(one, control, "mean", fine), depth_of(*fine, "mean")
    assert isinstance(found, Depth)
    assert isinstance(alone, Depth)
    assert found.shares == alone.shares == pytest.approx((0.7, 0.9))


def test_beside_its_control_a_method_gets_the_verdict_by_all_seeds() -> None:
    many = {"num_examples": 200}
    one = declined(0.9, **many)
    seeds = [declined(0.7, method="random", seed=seed, **many) for seed in range(5)]
    judged = {key: depth_of(first, second, "mean", beside) for key, (first, second, beside) in {
        "there": (one, seeds[3], seeds),
        "back": (seeds[3], one, seeds),
        "lacking": (one, seeds[3], ()),
        "seeds": (seeds[0], seeds[1], seeds),
        "of another": (one, declined(0.7, method="random", controls="wanda", **many), seeds),
    }.items()}  # fmt: skip
    found = {key: depth.verdict for key, depth in judged.items() if isinstance(depth, Depth)}
    assert found["there"] == found["back"] == verdict(one, seeds)
    assert found["lacking"]
    assert found["lacking"].reason == "few seeds"
    assert found["seeds"] is found["of another"] is None


@pytest.mark.parametrize("change", [{"fingerprint": "0" * 64}, {"examples": tuple(range(40))[::-1]}])
def test_other_examples_are_refused_in_one_line(change: dict[str, object]) -> None:
    one = result()
    other = one.model_copy(update={"task": one.task.model_copy(update=change)})
    with pytest.raises(PrunescopeError, match="not the same examples in the same order") as caught:
        accuracy_comparisons(one, other)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- accuracy


def test_accuracy_is_tested_at_every_amount_but_the_baseline() -> None:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(0, 10), 0.6: range(0, 20), 0.9: range(0, 6)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.3: range(8, 30), 0.6: range(0, 20), 0.9: range(0)})
    first, second, third = accuracy_comparisons(one, other)
    assert [c.amounts[0] for c in (first, second, third)] == [0.3, 0.6, 0.9]
    assert (first.test.only_first, first.test.only_second) == (8, 20)
    assert (second.test.only_first, second.test.only_second, second.test.p_value) == (0, 0, 1.0)
    assert (third.test.only_first, third.test.only_second) == (6, 0)
    assert third.test.p_value == pytest.approx(2 / 2**6)
    assert third.test.adjusted == pytest.approx(3 * 2 / 2**6), "the smallest of three"
    assert not third.is_significant


def test_methods_of_two_granularities_are_compared_where_they_remove_equally_much() -> None:
    units = result(
        method="attribution",
        scope=None,
        amounts=(0.0, 0.1, 0.36, 0.5, 0.72),
        prunable_sparsity=lambda amount: amount * 5 / 6,
    )
    pairs = accuracy_comparisons(result(), units)
    assert [c.amounts for c in pairs] == [(0.3, 0.36), (0.6, 0.72)]


def test_accuracy_that_can_nowhere_be_compared_is_not() -> None:
    alone = result(scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    assert accuracy_comparisons(result(), alone) == []
    begun = result().model_copy(update={"frames": result().frames[:1], "statistics": None})
    assert accuracy_comparisons(result(), begun) == []
