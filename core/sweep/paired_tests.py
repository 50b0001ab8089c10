"""Whether two pruned models differ on the same examples: paired tests and Holm's correction.

A permutation test exchanges the two models' predictions of an example, or leaves them (Yeh 2000).
For accuracy that is McNemar's test, which is exact; for other metrics, exchanges are drawn at
random. SciPy and statsmodels compute both.
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

# The smallest p-value, 2 in 5,000, stays below 0.01 after Holm's correction for 19 amounts.
EXCHANGES = 4_999
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
    metric: str,
    gold: Predicted,
    first: tuple[Predicted, ...],
    second: tuple[Predicted, ...],
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
    labels = np.array(gold)  # (examples,)
    sides = np.array(first), np.array(second)  # each (amounts, examples)
    if metric == "accuracy":
        correct = (side == labels for side in sides)  # each (amounts, examples)
        p_values = tuple(map(mcnemar_p, *correct))
    else:
        p_values = tuple(_permuted(metric, labels, *sides))
    values = []  # of each side, (amounts,)
    for side in sides:
        golds = np.broadcast_to(labels, side.shape)  # (amounts, examples)
        values.append(SCORES[metric](golds, side).tolist())
    pairs = zip(*values, strict=True)
    return tuple(map(PairedTest, pairs, p_values, holm(p_values)))


def mcnemar_p(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Compute the p-value of McNemar's exact test of whether two models are True equally often.

    Only examples on which they differ count.

    Args:
        first: (examples,) of one model.
        second: (examples,) of the other.
    """
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    table = [[0, only_first], [only_second, 0]]
    return float(mcnemar(table, exact=True).pvalue)


def _permuted(metric: str, gold: Labels, first: Labels, second: Labels) -> list[float]:
    """Compute p-values by a permutation test.

    A score depends only on counts of labels, which are sums over examples, so the counts after many
    exchanges at all amounts are one matrix product. SciPy draws the exchanges as flipped signs,
    which all amounts share.

    Args:
        metric: A key of FROM_COUNTS.
        gold: (examples,) label indices.
        first: (amounts, examples) predictions of the first model.
        second: (amounts, examples) predictions of the second model.

    Returns:
        (amounts,)
    """
    largest = max(1, *(int(side.max()) for side in (gold, first, second)))
    one_hot = np.eye(1 + largest)  # (labels, labels)
    golds = one_hot[gold]  # (examples, labels)
    counts = []  # of correct and of predicted labels, each (examples, amounts, 2, labels)
    for side in (first, second):
        predictions = one_hot[side.T]  # (examples, amounts, labels)
        correct = golds[:, None] * predictions  # (examples, amounts, labels)
        counts.append(np.stack([correct, predictions], 2))
    first_sum, second_sum = (side.sum(0) for side in counts)  # each (amounts, 2, labels)

    def score(sums: Array) -> Array:  # (…, amounts, 2, labels) -> (…, amounts)
        correct = sums[..., 0, :]  # (…, amounts, labels)
        predicted = sums[..., 1, :]  # (…, amounts, labels)
        return FROM_COUNTS[metric](correct, golds.sum(0), predicted)

    def difference(signs: Array, axis: int = -1) -> Array:  # (…, examples) -> (…, amounts)
        exchanged = np.tensordot(signs < 0, counts[1] - counts[0], 1)  # (…, amounts, 2, labels)
        first_scores = score(first_sum + exchanged)  # (…, amounts)
        second_scores = score(second_sum - exchanged)  # (…, amounts)
        return first_scores - second_scores

    test = permutation_test(
        (np.ones(len(gold)),),
        difference,
        vectorized=True,
        permutation_type="samples",
        n_resamples=EXCHANGES,
        batch=BATCH,
        rng=np.random.default_rng(0),
    )
    return [float(p_value) for p_value in test.pvalue]


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    Cached because statsmodels collects garbage on every call, which stops the whole server for
    0.1 s.
    """
    if not p_values:
        return ()
    return tuple(multipletests(p_values, method="holm")[1].tolist())
