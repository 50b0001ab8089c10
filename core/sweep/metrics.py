"""How well the pruned model classifies: accuracy, Matthews correlation, F1, their intervals, paired tests.

Libraries compute all of it: scikit-learn the scores, SciPy the bootstrap, statsmodels the Wilson interval, McNemar's
test and Holm's correction. Only the scores of resamples are `core.sweep.scores`'s, which agree with scikit-learn's.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.sweep.scores import SCORES as RESAMPLED_SCORES

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
Interval = tuple[float, float]
Predicted = tuple[int, ...]

CONFIDENCE = 0.95
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
    if name == "accuracy":
        correct = int((gold == predicted).sum())
        low, high = proportion_confint(correct, len(gold), alpha=1 - CONFIDENCE, method="wilson")
        return float(low), float(high)
    return _stratified_bootstrap(name, gold, predicted)


def _stratified_bootstrap(name: str, gold: Labels, predicted: Labels) -> Interval | None:
    """Resample the predictions within each gold label, so that the label counts stay the same."""
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


# ---------------------------------------------------------------- two methods on the same examples


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

    The tests are cached: Holm's correction in statsmodels collects garbage, which stops the whole server for 0.1 s.

    Args:
        gold: (examples,) label indices.
        first: (amounts, examples), predictions of the first model.
        second: (amounts, examples), predictions of the second model.

    Returns:
        One test per amount; the amounts are the family of Holm's correction.
    """
    tables = [_agreement(np.asarray(gold) == a, np.asarray(gold) == b) for a, b in zip(first, second, strict=True)]
    p_values = [float(mcnemar(table, exact=True).pvalue) for table in tables]
    adjusted = multipletests(p_values, method="holm")[1] if p_values else []
    return tuple(
        PairedTest(int(table[0, 1]), int(table[1, 0]), p, float(holm))
        for table, p, holm in zip(tables, p_values, adjusted, strict=True)
    )


def _agreement(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Labels:
    """Count examples by whether the first model (rows: correct, incorrect) and the second (columns) is correct."""
    return np.array([[(a & b).sum() for b in (second, ~second)] for a in (first, ~first)])
