"""How well the pruned model classifies: accuracy, Matthews correlation, F1 and their intervals.

Libraries compute all of it: scikit-learn the scores, SciPy the bootstrap, statsmodels the Wilson interval. Only the
scores of resamples are `core.sweep.scores`'s, which agree with scikit-learn's.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from statsmodels.stats.proportion import proportion_confint

from core.request.catalog import CONFIDENCE
from core.sweep.scores import SCORES as RESAMPLED_SCORES

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
Interval = tuple[float, float]

RESAMPLES = 5_000

SCORES: Mapping[str, Callable[[Labels, Labels], float]] = {
    "accuracy": accuracy_score,
    "matthews_correlation": matthews_corrcoef,
    "f1": lambda gold, predicted: f1_score(gold, predicted, zero_division=0.0),
    "macro_f1": lambda gold, predicted: f1_score(
        gold, predicted, labels=np.unique(gold), average="macro", zero_division=0.0
    ),
}


def evaluate(
    names: Sequence[str], gold: Sequence[int], predicted: Sequence[int]
) -> tuple[dict[str, float], dict[str, Interval | None]]:
    """Compute metrics and their 95 % intervals.

    Args:
        names: Names from SCORES. F1 takes label 1 as positive; macro-F1 is over the labels among the gold ones.
        gold: (examples,) label indices.
        predicted: (examples,) label indices.

    Returns:
        The values, and the interval [low, high] of each: Wilson's for accuracy, else a bootstrap over examples,
        stratified by gold label; None if only one occurs, or one of them once.
    """
    gold_array, predicted_array = np.asarray(gold), np.asarray(predicted)
    values = {name: float(SCORES[name](gold_array, predicted_array)) for name in names}
    return values, {name: _interval(name, gold_array, predicted_array) for name in names}


def _interval(name: str, gold: Labels, predicted: Labels) -> Interval | None:
    """Resample the predictions within each gold label, so that the label counts stay the same, unless for accuracy."""
    if name == "accuracy":
        correct = int((gold == predicted).sum())
        low, high = proportion_confint(correct, len(gold), alpha=1 - CONFIDENCE, method="wilson")
        return float(low), float(high)
    strata = [predicted[gold == label] for label in np.unique(gold)]
    if len(strata) < 2 or min(map(len, strata)) < 2:
        return None
    grouped = np.sort(gold)  # (examples,) as the strata lie one after the other

    def statistic(*resampled: Labels, axis: int) -> Array:
        drawn = np.concatenate(resampled, axis)  # (…, examples)
        return RESAMPLED_SCORES[name](np.broadcast_to(grouped, drawn.shape), drawn)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns about constant predictions, whose interval is a point
        interval = bootstrap(
            strata,
            statistic,
            vectorized=True,
            method="percentile",
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            rng=np.random.default_rng(0),
        ).confidence_interval
    return float(interval.low), float(interval.high)
