"""Whether two pruned models differ in accuracy on the same examples: McNemar's exact test, Holm's correction.

statsmodels computes both. Pages ask for this, and need not import what metrics are computed by.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
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
    right = [np.asarray(predicted, dtype=np.int64).reshape(-1, len(gold)) == gold for predicted in (first, second)]
    alone = [(right[k] & ~right[1 - k]).sum(1).tolist() for k in range(2)]  # each (amounts,)
    # Examples on which both or neither are correct make no difference to the test.
    p_values = [float(mcnemar([[0, one], [other, 0]], exact=True).pvalue) for one, other in zip(*alone, strict=True)]
    return tuple(map(PairedTest, *alone, p_values, holm(tuple(p_values))))


@lru_cache(maxsize=512)
def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """Correct the p-values of a family of tests for their number (Holm 1979).

    They are cached: statsmodels collects garbage each time, which stops the whole server for 0.1 s.
    """
    return tuple(multipletests(p_values, method="holm")[1].tolist()) if p_values else ()
