"""Paired tests against all exchanges of few examples.

findings/test_compare.py computes those of accuracy by hand.
"""

from itertools import product

import numpy as np
import pytest

from core.sweep.paired_tests import paired_tests
from core.sweep.scores import SCORES


def p_value_of_all_exchanges(
    metric: str, gold: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Compute the two-sided p-value over all exchanges of the two predictions of an example."""
    exchanges = product([False, True], repeat=len(gold))  # the first without any
    swaps = np.array(list(exchanges))  # (exchanges, examples)
    golds = np.broadcast_to(gold, swaps.shape)
    score = SCORES[metric]
    first_scores = score(golds, np.where(swaps, second, first))  # (exchanges,)
    second_scores = score(golds, np.where(swaps, first, second))  # (exchanges,)
    drawn = first_scores - second_scores  # (exchanges,)
    as_low = np.mean(drawn <= drawn[0] + 1e-12)
    as_high = np.mean(drawn >= drawn[0] - 1e-12)
    return min(1.0, 2 * min(as_low, as_high))


@pytest.mark.parametrize(
    ("metric", "labels"),
    [("matthews_correlation", 2), ("f1", 2), ("macro_f1", 3)],
)
def test_other_metrics_are_tested_by_exchanging_predictions(metric: str, labels: int) -> None:
    random = np.random.default_rng(3)
    gold, *rows = random.integers(0, labels, (7, 11))  # SciPy makes all 2048 exchanges
    first, second = ([tuple(row.tolist()) for row in half] for half in (rows[:3], rows[3:]))
    tests = paired_tests(metric, tuple(gold.tolist()), tuple(first), tuple(second))
    expected = [
        p_value_of_all_exchanges(metric, gold, *pair)
        for pair in zip(rows[:3], rows[3:], strict=True)
    ]
    assert [test.p_value for test in tests] == pytest.approx(expected)
    assert tests[0].values == tuple(SCORES[metric](gold, side) for side in (rows[0], rows[3]))
    back = paired_tests(metric, tuple(gold.tolist()), tuple(second), tuple(first))
    assert [test.p_value for test in back] == pytest.approx(expected)
