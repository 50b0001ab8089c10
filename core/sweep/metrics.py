"""How well a pruned model classifies, and how many of its answers differ from the unpruned model's.

`core.sweep.scores` computes the scores, SciPy the bootstrap, statsmodels the Wilson interval.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from core.request.catalog import CONFIDENCE
from core.sweep.scores import SCORES, Array, Labels
from core.sweep.statistics import bootstrapped

Interval = tuple[float, float]  # 95 %

RESAMPLES = 5_000


def evaluate(
    names: Sequence[str], gold: Sequence[int], predicted: Sequence[int]
) -> tuple[dict[str, float], dict[str, Interval | None]]:
    """Compute metrics and their 95 % intervals.

    Args:
        names: Names from `core.sweep.scores.SCORES`.
        gold: (examples,) label indices.
        predicted: (examples,) label indices.

    Returns:
        The values, and the interval [low, high] of each: Wilson's for accuracy, else a bootstrap
        over examples, stratified by gold label; None if there is only one gold label, or one that
        occurs only once.
    """
    golds = np.asarray(gold)
    predictions = np.asarray(predicted)
    values = {name: float(SCORES[name](golds, predictions)) for name in names}
    intervals = {name: _interval(name, golds, predictions) for name in names}
    return values, intervals


def _interval(name: str, gold: Labels, predicted: Labels) -> Interval | None:
    """Return the interval of one metric; see `evaluate`."""
    if name == "accuracy":
        correct = int((gold == predicted).sum())
        return _wilson(correct, len(gold))
    strata = [predicted[gold == label] for label in np.unique(gold)]
    fewest = min(map(len, strata))
    if len(strata) < 2 or fewest < 2:
        return None
    grouped = np.sort(gold)  # (examples,) in the order of the strata

    def statistic(*resampled: Labels, axis: int) -> Array:
        drawn = np.concatenate(resampled, axis)  # (…, examples)
        golds = np.broadcast_to(grouped, drawn.shape)  # (…, examples)
        return SCORES[name](golds, drawn)

    with warnings.catch_warnings():
        # SciPy warns about constant predictions, whose interval is a point.
        warnings.simplefilter("ignore")
        result = bootstrapped(strata, statistic, RESAMPLES)
    low, high = result.confidence_interval
    return float(low), float(high)


def changed_share(baseline: Sequence[int], pruned: Sequence[int]) -> tuple[float, Interval]:
    """Compute the share of predictions that differ from the unpruned model's, by Wilson.

    Args:
        baseline: (examples,) predictions of the unpruned model.
        pruned: (examples,) predictions of the pruned model.

    Returns:
        The share and its 95 % interval.
    """
    n = len(baseline)
    pairs = zip(baseline, pruned, strict=True)
    changed = sum(before != after for before, after in pairs)
    return changed / n, _wilson(changed, n)


def _wilson(count: int, n: int) -> Interval:
    low, high = proportion_confint(
        count,
        n,
        alpha=1 - CONFIDENCE,
        method="wilson",
    )
    return float(low), float(high)
