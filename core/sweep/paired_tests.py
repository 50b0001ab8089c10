"""Whether two pruned models differ on the same examples: McNemar's exact test, Holm's correction.

Both are statsmodels'.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

Predicted = tuple[int, ...]


class PairedTest(NamedTuple):
    """Whether one of two models is correct more often on the same examples.

    Attributes:
        values: The accuracy of the first and of the second model.
        p_value: The two-sided p-value of McNemar's exact test (1947).
        adjusted: The p-value after Holm's correction (1979) for all tests of the family.
    """

    values: tuple[float, float]
    p_value: float
    adjusted: float


def paired_tests(
    gold: Predicted,
    first: tuple[Predicted, ...],
    second: tuple[Predicted, ...],
) -> tuple[PairedTest, ...]:
    """Test at each of several pruning amounts whether two pruned models differ.

    Args:
        gold: (examples,) label indices.
        first: (amounts, examples) predictions of the first model.
        second: (amounts, examples) predictions of the second model.

    Returns:
        One test per amount, corrected for all of them.
    """
    if not first:
        return ()
    correct = [np.array(side) == np.array(gold) for side in (first, second)]
    values = (side.mean(-1).tolist() for side in correct)
    p_values = tuple(map(mcnemar_p, *correct))
    return tuple(map(PairedTest, zip(*values, strict=True), p_values, holm(p_values)))


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


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    Cached because statsmodels collects garbage on every call, which stops the whole server for
    0.1 s.
    """
    if not p_values:
        return ()
    return tuple(multipletests(p_values, method="holm")[1].tolist())
