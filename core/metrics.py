"""How well the pruned model classifies: accuracy, Matthews correlation, F1, and their intervals.

All by libraries: scikit-learn's scores, statsmodels' Wilson interval, SciPy's bootstrap.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from statsmodels.stats.proportion import proportion_confint

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
Interval = tuple[float, float]
CountsToScore = Callable[[Array, Array, int, int], Array]

CONFIDENCE = 0.95
RESAMPLES = 5_000

SCORES: Mapping[str, Callable[[Labels, Labels], float]] = {
    "accuracy": accuracy_score,
    "matthews_correlation": matthews_corrcoef,
    "f1": lambda gold, predicted: f1_score(gold, predicted, zero_division=0.0),
}


def evaluate(
    names: Sequence[str], gold: Sequence[int], predicted: Sequence[int]
) -> tuple[dict[str, float], dict[str, Interval | None]]:
    """Computes metrics and their 95 % intervals.

    Args:
        names: Names from SCORES; F1 takes label 1 as positive.
        gold: (examples,) label indices.
        predicted: (examples,) label indices.

    Returns:
        The values, and for each [low, high]: Wilson for accuracy, else a bootstrap over examples
        stratified by gold label; None where there is nothing to resample.
    """
    gold_array, predicted_array = np.asarray(gold), np.asarray(predicted)
    values = {name: float(SCORES[name](gold_array, predicted_array)) for name in names}
    return values, {name: _interval(name, gold_array, predicted_array) for name in names}


def _interval(name: str, gold: Labels, predicted: Labels) -> Interval | None:
    if name == "accuracy":
        correct = int((gold == predicted).sum())
        low, high = proportion_confint(correct, len(gold), alpha=1 - CONFIDENCE, method="wilson")
        return float(low), float(high)
    return _stratified_bootstrap(_FROM_COUNTS[name], gold, predicted)


def _stratified_bootstrap(score: CountsToScore, gold: Labels, predicted: Labels) -> Interval | None:
    """Resamples the predictions within each of two gold labels; the label counts stay as they are."""
    negatives, positives = (predicted[gold == label] == 1 for label in (0, 1))
    if min(len(negatives), len(positives)) < 2:
        return None

    def statistic(false_positive: Labels, true_positive: Labels, axis: int) -> Array:
        return score(
            false_positive.mean(axis) * len(negatives),
            true_positive.mean(axis) * len(positives),
            len(negatives),
            len(positives),
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant prediction scores the same in every resample, which is the answer
        interval = bootstrap(
            (negatives, positives),
            statistic,
            vectorized=True,
            method="percentile",
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            rng=np.random.default_rng(0),
        ).confidence_interval
    return float(interval.low), float(interval.high)


def _f1(fp: Array, tp: Array, negatives: int, positives: int) -> Array:
    return 2 * tp / (tp + fp + positives)


def _matthews(fp: Array, tp: Array, negatives: int, positives: int) -> Array:
    predicted = fp + tp  # predicted as positive
    product = predicted * (negatives + positives - predicted) * negatives * positives
    covariance = tp * (negatives - fp) - fp * (positives - tp)
    return np.divide(covariance, np.sqrt(product), out=np.zeros_like(covariance), where=product > 0)


# Scores from counts of false and true positives: scikit-learn's are too slow to call for every resample.
_FROM_COUNTS: Mapping[str, CountsToScore] = {"matthews_correlation": _matthews, "f1": _f1}
