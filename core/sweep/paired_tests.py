"""Whether two pruned models differ in accuracy on the same examples: McNemar's exact test, Holm's correction.

statsmodels computes both. Pages ask for this, and need not import what metrics are computed by.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

Predicted = tuple[int, ...]


@dataclass(frozen=True)
class PairedTest:
    """Whether one of two models is correct more often on the same examples.

    Attributes:
        only_first: Examples on which only the first model is correct.
        only_second: Examples on which only the second model is correct.
        p_value: Two-sided, of McNemar's exact test (1947).
        adjusted: The p-value after Holm's correction (1979) over all tests of the family.
    """

    only_first: int
    only_second: int
    p_value: float
    adjusted: float


@lru_cache(maxsize=128)
def paired_tests(
    gold: Predicted, first: tuple[Predicted, ...], second: tuple[Predicted, ...]
) -> tuple[PairedTest, ...]:
    """Test at each of several pruning amounts whether two pruned models differ in accuracy.

    Args:
        gold: (examples,) label indices.
        first: (amounts, examples), predictions of the first model.
        second: (amounts, examples), predictions of the second model.

    Returns:
        One test per amount; the amounts are the family of Holm's correction.
    """
    tables = [_agreement(np.asarray(gold) == a, np.asarray(gold) == b) for a, b in zip(first, second, strict=True)]
    p_values = [float(mcnemar(table, exact=True).pvalue) for table in tables]
    return tuple(
        PairedTest(int(table[0, 1]), int(table[1, 0]), p_value, adjusted)
        for table, p_value, adjusted in zip(tables, p_values, holm(tuple(p_values)), strict=True)
    )


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    They are cached: statsmodels collects garbage each time, which stops the whole server for 0.1 s.
    """
    return tuple(multipletests(p_values, method="holm")[1].tolist()) if p_values else ()


def _agreement(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count examples by whether the first model (rows: correct, incorrect) and the second (columns) is correct."""
    return np.array([[(a & b).sum() for b in (second, ~second)] for a in (first, ~first)])
