"""Whether two pruned models differ on the same examples: paired tests by SciPy and statsmodels, Holm's correction.

A permutation test exchanges the two models' predictions of an example, or leaves them (Yeh 2000). For accuracy that is
McNemar's test, which is exact; for other metrics, exchanges are drawn at random.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import permutation_test
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from core.sweep.scores import FROM_COUNTS, SCORES, Array, Labels

Predicted = tuple[int, ...]

EXCHANGES = 4_999  # the smallest p-value, 2 in 5,000, stays below 0.01 after Holm's correction for 19 amounts
BATCH = 500  # exchanges at once: limits the memory


class PairedTest(NamedTuple):
    """Whether one of two models does better on the same examples.

    Attributes:
        values: The metric of the first and of the second model.
        p_value: The two-sided p-value of McNemar's exact test (1947) or of a permutation test.
        adjusted: The p-value after Holm's correction (1979) for all tests of the family.
    """

    values: tuple[float, float]
    p_value: float
    adjusted: float


def paired_tests(
    metric: str, gold: Predicted, first: tuple[Predicted, ...], second: tuple[Predicted, ...]
) -> tuple[PairedTest, ...]:
    """Test at each of several pruning amounts whether two pruned models differ.

    Args:
        metric: A name from `core.sweep.scores.SCORES`.
        gold: (examples,) label indices.
        first: (amounts, examples) predictions of the first model.
        second: (amounts, examples) predictions of the second model.

    Returns:
        One test per amount, corrected for all of them.
    """
    if not first:
        return ()
    labels, sides = (
        np.array(gold),
        (np.array(first), np.array(second)),
    )  # (examples,), each (amounts, examples)
    values = (SCORES[metric](np.broadcast_to(labels, side.shape), side).tolist() for side in sides)
    if metric == "accuracy":
        p_values = tuple(map(mcnemar_p, *(side == labels for side in sides)))
    else:
        p_values = tuple(_permuted(metric, labels, *sides))
    return tuple(map(PairedTest, zip(*values, strict=True), p_values, holm(p_values)))


def mcnemar_p(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Compute the p-value of McNemar's exact test of whether two models are True equally often, each (examples,).

    Only examples on which they differ count.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return float(mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue)


def _permuted(metric: str, gold: Labels, first: Labels, second: Labels) -> list[float]:
    """Compute p-values by a permutation test, (examples,), (amounts, examples), (amounts, examples) -> (amounts,).

    A score depends only on counts of labels, which are sums over examples, so the counts after many exchanges at all
    amounts are one matrix product. SciPy draws the exchanges as flipped signs, which all amounts share.
    """
    one_hot = np.eye(
        1 + max(1, *(int(side.max()) for side in (gold, first, second)))
    )  # (labels, labels)
    golds = one_hot[gold]  # (examples, labels)
    predictions = [one_hot[side.T] for side in (first, second)]  # each (examples, amounts, labels)
    counts = [
        np.stack([golds[:, None] * side, side], 2) for side in predictions
    ]  # (examples, amounts, 2, labels)
    sums = [
        side.sum(0) for side in counts
    ]  # correct and predicted examples, each (amounts, 2, labels)

    def difference(signs: Array, axis: int = -1) -> Array:  # (…, examples) -> (…, amounts)
        exchanged = np.tensordot(signs < 0, counts[1] - counts[0], 1)  # (…, amounts, 2, labels)
        sides = (sums[0] + exchanged, sums[1] - exchanged)
        scores = [
            FROM_COUNTS[metric](side[..., 0, :], golds.sum(0), side[..., 1, :]) for side in sides
        ]
        return scores[0] - scores[1]

    options = {
        "permutation_type": "samples",
        "n_resamples": EXCHANGES,
        "batch": BATCH,
        "rng": np.random.default_rng(0),
    }
    test = permutation_test((np.ones(len(gold)),), difference, vectorized=True, **options)
    return [float(p_value) for p_value in test.pvalue]


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    Cached because statsmodels collects garbage on every call, which stops the whole server for 0.1 s.
    """
    return tuple(multipletests(p_values, method="holm")[1].tolist()) if p_values else ()
