"""Paired tests against values computed by hand, and against all exchanges of few examples."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from core.sweep.paired_tests import holm, paired_tests
from core.sweep.scores import SCORES


def answers(*counts: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two models' answers to a gold label of 1: both right, only the one, only the other, both wrong."""
    pairs = [pair for pair, count in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True) for _ in range(count)]
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def test_mcnemar_is_exact_and_two_sided() -> None:
    one, other = answers(50, 8, 1, 41)
    (test,) = paired_tests("accuracy", (1,) * 100, (one,), (other,))
    assert test.values == (0.58, 0.51)
    assert test.p_value == pytest.approx(2 * (1 + 9) / 2**9)  # at most 1 of 9 coins, on either side
    assert test.adjusted == test.p_value
    (swapped,) = paired_tests("accuracy", (1,) * 100, (other,), (one,))
    assert (swapped.values, swapped.p_value) == ((0.51, 0.58), test.p_value)


def test_holm_steps_down_over_the_amounts() -> None:
    cases = [answers(10, 6, 0, 4), answers(10, 5, 5, 0), answers(11, 9, 0, 0)]
    tests = paired_tests("accuracy", (1,) * 20, tuple(one for one, _ in cases), tuple(other for _, other in cases))
    assert [test.p_value for test in tests] == pytest.approx([2 / 2**6, 1.0, 2 / 2**9])
    assert [test.adjusted for test in tests] == pytest.approx([2 * 2 / 2**6, 1.0, 3 * 2 / 2**9])


def test_models_that_agree_do_not_differ() -> None:
    one, other = answers(7, 0, 0, 3)
    assert paired_tests("accuracy", (1,) * 10, (one,), (other,))[0].p_value == 1
    assert paired_tests("accuracy", (1,) * 10, (), ()) == ()
    assert holm((0.01, 0.04, 0.5)) == pytest.approx((0.03, 0.08, 0.5))


def exchanged(metric: str, gold: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """The two-sided p-value over all exchanges of both predictions of an example."""
    score, observed, drawn = SCORES[metric], 0.0, []
    for swaps in product([False, True], repeat=len(gold)):
        sides = np.where(swaps, other, one), np.where(swaps, one, other)
        drawn.append(float(score(gold, sides[0]) - score(gold, sides[1])))
        observed = drawn[0]
    return min(1.0, 2 * min(np.mean(np.array(drawn) <= observed + 1e-12), np.mean(np.array(drawn) >= observed - 1e-12)))


@pytest.mark.parametrize(("metric", "labels"), [("matthews_correlation", 2), ("f1", 2), ("macro_f1", 3)])
def test_another_metric_is_tested_by_exchanging_predictions(metric: str, labels: int) -> None:
    random = np.random.default_rng(3)
    gold, *rows = random.integers(0, labels, (7, 11))  # 2048 exchanges, which are all made
    first, second = ([tuple(row.tolist()) for row in half] for half in (rows[:3], rows[3:]))
    tests = paired_tests(metric, tuple(gold.tolist()), tuple(first), tuple(second))
    expected = [exchanged(metric, gold, *pair) for pair in zip(rows[:3], rows[3:], strict=True)]
    assert [test.p_value for test in tests] == pytest.approx(expected)
    assert tests[0].values == tuple(SCORES[metric](gold, side) for side in (rows[0], rows[3]))
    back = paired_tests(metric, tuple(gold.tolist()), tuple(second), tuple(first))
    assert [test.p_value for test in back] == pytest.approx(expected)


def test_a_metric_may_differ_where_accuracy_does_not() -> None:
    """Always answering the commoner label is as often correct as a model that tells the labels apart."""
    gold = np.repeat([0, 1], [60, 140])
    apart, always = np.where(np.arange(200) % 10 < 3, 1 - gold, gold), np.ones(200, dtype=int)
    labels, *sides = (tuple(side.tolist()) for side in (gold, apart, always))
    accuracy, correlation = (
        paired_tests(metric, labels, *((side,) for side in sides))[0] for metric in ("accuracy", "matthews_correlation")
    )
    assert (accuracy.values, accuracy.p_value) == ((0.7, 0.7), 1)
    assert correlation.values == pytest.approx((matthews_corrcoef(gold, apart), 0))
    assert correlation.p_value < 0.01
