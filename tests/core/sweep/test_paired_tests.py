"""Paired tests against all exchanges of few examples; findings/test_compare.py computes those of accuracy by hand."""

from itertools import product

import numpy as np
import pytest

from core.sweep.paired_tests import paired_tests
from core.sweep.scores import SCORES


def p_value_of_all_exchanges(
    metric: str, gold: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Compute the two-sided p-value over all exchanges of the two predictions of an example."""
    swaps = np.array(
        [*product([False, True], repeat=len(gold))]
    )  # (exchanges, examples), first without any
    golds = np.broadcast_to(gold, swaps.shape)
    sides = ((first, second), (second, first))
    scores = [SCORES[metric](golds, np.where(swaps, swapped, own)) for own, swapped in sides]
    drawn = scores[0] - scores[1]  # (exchanges,)
    return min(
        1.0,
        2
        * min(
            np.mean(drawn <= drawn[0] + 1e-12),
            np.mean(drawn >= drawn[0] - 1e-12),
        ),
    )


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
