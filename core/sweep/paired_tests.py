"""Whether two pruned models differ on the same examples: paired tests by SciPy and statsmodels, Holm's correction.

A permutation test exchanges both models' predictions of an example or leaves them (Yeh 2000). For accuracy that is
McNemar's test, which is exact; for other metrics exchanges are drawn. Pages ask for this, and need not import what
metrics are computed by.
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

EXCHANGES = 4_999  # the smallest p-value is 2 in 5,000, which Holm's correction for 19 amounts leaves below 0.01
BATCH = 500  # exchanges at once, which bounds the memory


class PairedTest(NamedTuple):
    """Whether one of two models does better on the same examples.

    Attributes:
        values: The metric of the first and of the second model.
        p_value: Two-sided, of McNemar's exact test (1947) or a permutation test.
        adjusted: The p-value after Holm's correction (1979) over all tests of the family.
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
        first: (amounts, examples), predictions of the first model.
        second: (amounts, examples), predictions of the second model.

    Returns:
        One test per amount; the amounts are the family of Holm's correction.
    """
    if not first:
        return ()
    labels, sides = np.array(gold), (np.array(first), np.array(second))  # (examples,), each (amounts, examples)
    values = (SCORES[metric](np.broadcast_to(labels, side.shape), side).tolist() for side in sides)
    if metric == "accuracy":
        p_values = tuple(map(mcnemar_p, *(side == labels for side in sides)))
    else:
        p_values = tuple(_permuted(metric, labels, *sides))
    return tuple(map(PairedTest, zip(*values, strict=True), p_values, holm(p_values)))


def mcnemar_p(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Test whether two models do something on as many of the same examples, each (examples,); McNemar's exact test.

    Examples on which both or neither do it make no difference.
    """
    alone = int((first & ~second).sum()), int((second & ~first).sum())
    return float(mcnemar([[0, alone[0]], [alone[1], 0]], exact=True).pvalue)


def _permuted(metric: str, gold: Labels, first: Labels, second: Labels) -> list[float]:
    """Test another metric, (examples,), (amounts, examples), (amounts, examples) -> p-values.

    A score depends on counts of labels alone, to which every example adds: those after many exchanges at all amounts
    are one matrix product. SciPy draws the exchanges as flipped signs, which all amounts share.
    """
    is_label = np.eye(1 + max(1, *(int(side.max()) for side in (gold, first, second))))  # (labels, labels)
    golds = is_label[gold]  # (examples, labels)
    shown = [is_label[side.T] for side in (first, second)]  # each (examples, amounts, labels)
    added = [np.stack([golds[:, None] * side, side], 2) for side in shown]  # (examples, amounts, 2, labels)
    sums = [side.sum(0) for side in added]  # correct and predicted examples, each (amounts, 2, labels)

    def difference(signs: Array, axis: int = -1) -> Array:  # (…, examples) -> (…, amounts)
        moved = np.tensordot(signs < 0, added[1] - added[0], 1)  # (…, amounts, 2, labels)
        both = (sums[0] + moved, sums[1] - moved)
        one, other = (FROM_COUNTS[metric](side[..., 0, :], golds.sum(0), side[..., 1, :]) for side in both)
        return one - other

    drawn = {"n_resamples": EXCHANGES, "batch": BATCH, "rng": np.random.default_rng(0)}
    signs = (np.ones(len(gold)),)
    found = permutation_test(signs, difference, permutation_type="samples", vectorized=True, **drawn)
    return [float(p_value) for p_value in found.pvalue]


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    They are cached: statsmodels collects garbage each time, which stops the whole server for 0.1 s.
    """
    return tuple(multipletests(p_values, method="holm")[1].tolist()) if p_values else ()
