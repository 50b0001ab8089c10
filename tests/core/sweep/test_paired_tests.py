"""Paired tests against values computed by hand, and against all exchanges of few examples."""

from itertools import product

import numpy as np
import pytest

from core.sweep.paired_tests import paired_tests
from core.sweep.scores import SCORES


def answers(*counts: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return two models' answers to a gold label of 1, from how often both, the first, the second or none is right."""
    pairs = [pair for pair, count in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True) for _ in range(count)]
    first, second = zip(*pairs, strict=True)
    return first, second


def test_mcnemar_is_exact_and_two_sided_and_holm_steps_down_over_the_amounts() -> None:
    cases = [answers(5, 1, 8, 6), answers(10, 5, 5, 0), answers(11, 9, 0, 0), answers(16, 0, 0, 4)]
    tests = paired_tests("accuracy", (1,) * 20, *zip(*cases, strict=True))
    assert tests[0].values == (0.3, 0.65)
    exact = 2 * (1 + 9) / 2**9, 1.0, 2 / 2**9, 1.0  # of 9 coins, at most 1 on one side; none; no coin at all
    assert [test.p_value for test in tests] == pytest.approx(exact)
    assert [test.adjusted for test in tests] == pytest.approx([3 * exact[0], 1.0, 4 * exact[2], 1.0])


def p_value_of_all_exchanges(metric: str, gold: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Compute the two-sided p-value over all exchanges of the two predictions of an example."""
    swaps = np.array([*product([False, True], repeat=len(gold))])  # (exchanges, examples), first without any
    golds, sides = np.broadcast_to(gold, swaps.shape), ((first, second), (second, first))
    scores = [SCORES[metric](golds, np.where(swaps, swapped, own)) for own, swapped in sides]
    drawn = scores[0] - scores[1]  # (exchanges,)
    return min(1.0, 2 * min(np.mean(drawn <= drawn[0] + 1e-12), np.mean(drawn >= drawn[0] - 1e-12)))


@pytest.mark.parametrize(("metric", "labels"), [("matthews_correlation", 2), ("f1", 2), ("macro_f1", 3)])
def test_other_metrics_are_tested_by_exchanging_predictions(metric: str, labels: int) -> None:
    random = np.random.default_rng(3)
    gold, *rows = random.integers(0, labels, (7, 11))  # SciPy makes all 2048 exchanges
    first, second = ([tuple(row.tolist()) for row in half] for half in (rows[:3], rows[3:]))
    tests = paired_tests(metric, tuple(gold.tolist()), tuple(first), tuple(second))
    expected = [p_value_of_all_exchanges(metric, gold, *pair) for pair in zip(rows[:3], rows[3:], strict=True)]
    assert [test.p_value for test in tests] == pytest.approx(expected)
    assert tests[0].values == tuple(SCORES[metric](gold, side) for side in (rows[0], rows[3]))
    back = paired_tests(metric, tuple(gold.tolist()), tuple(second), tuple(first))
    assert [test.p_value for test in back] == pytest.approx(expected)
