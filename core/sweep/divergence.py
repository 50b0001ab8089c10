"""What pruning changes for the user: how many predictions differ, and how far apart the output distributions are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from statsmodels.stats.proportion import proportion_confint

from core.request.catalog import CONFIDENCE
from core.sweep.statistics import log_jackknife

Array = npt.NDArray[np.float64]
Estimate = tuple[float, tuple[float, float] | None]  # a value and its 95 % interval


def mean_divergence(values: Array) -> Estimate:
    """Average divergences, with the interval of `log_jackknife` over examples; no interval where all are 0.

    A percentile bootstrap would be too narrow where a few examples carry most of the mean: at 10 % of SST-2's weights
    pruned, it held the truth in 77 % of subsets of 128 examples.

    Args:
        values: (examples,) from `divergences`.
    """
    if not values.any():
        return 0.0, None
    mean = np.asarray(values.mean())
    without = (values.sum() - values) / (len(values) - 1)  # (examples,)
    low, high = log_jackknife(mean, without)
    return float(mean), (float(low), min(float(high), 1.0))


def changed_share(baseline: Sequence[int], pruned: Sequence[int]) -> Estimate:
    """Compute the share of predictions that differ from the unpruned model's, with Wilson's interval.

    Args:
        baseline: (examples,) predictions of the unpruned model.
        pruned: (examples,) predictions of the pruned model.
    """
    changed = sum(before != after for before, after in zip(baseline, pruned, strict=True))
    low, high = proportion_confint(changed, len(baseline), alpha=1 - CONFIDENCE, method="wilson")
    return changed / len(baseline), (float(low), float(high))
