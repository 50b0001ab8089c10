"""Scores along the last axis, of many resamples at once.

Accuracy; Matthews correlation for any number of labels (Gorodkin 2004); F1 of label 1; macro-F1,
the mean F1 of the labels that occur in the gold labels. Tests hold them to `sklearn.metrics`, which
is too slow to call for each resample.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]

# ---------------------------------------------------------------- from counts of labels


def share_correct(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute accuracy from counts -> (…)."""
    return np.asarray(both.sum(-1) / golds.sum(-1))


def matthews_correlation(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute the Matthews correlation from counts -> (…); 0 if a side has only one label."""
    n = golds.sum(-1)  # (…) examples
    products = golds * predictions  # (…, labels)
    covariance = both.sum(-1) * n - products.sum(-1)  # (…)
    gold_variance = n**2 - (golds**2).sum(-1)  # (…)
    predicted_variance = n**2 - (predictions**2).sum(-1)  # (…)
    deviations = np.sqrt(gold_variance * predicted_variance)  # (…)
    return _ratio(covariance, deviations)


def f1(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute F1 of label 1 from counts -> (…); 0 where it occurs on neither side."""
    scores = _f1_of_each(both, golds, predictions)  # (…, labels)
    return np.asarray(scores[..., 1])


def macro_f1(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute the mean F1 of the labels that occur in the gold labels, from counts -> (…)."""
    occurs = golds > 0  # (…, labels)
    scores = _f1_of_each(both, golds, predictions)  # (…, labels)
    total = (scores * occurs).sum(-1)  # (…)
    return np.asarray(total / occurs.sum(-1))


def _f1_of_each(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute F1 of every label, from counts -> (…, labels)."""
    return _ratio(2.0 * both, golds + predictions)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Divide; 0 where the denominator is 0."""
    ratios = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=ratios, where=denominator > 0)
    return ratios


FROM_COUNTS: Mapping[str, Callable[[Array, Array, Array], Array]] = {
    "accuracy": share_correct,
    "matthews_correlation": matthews_correlation,
    "f1": f1,
    "macro_f1": macro_f1,
}
"""Each metric as a function of what `counts` returns."""


def counts(gold: Labels, predicted: Labels) -> tuple[Array, Array, Array]:
    """Count labels, (…, n), (…, n) -> (…, labels).

    Returns:
        For each label, of at least two, the number of examples where both sides have it, gold has
        it, and predicted has it.
    """
    largest = max(int(gold.max()), int(predicted.max()), 1)
    labels = largest + 1
    *rows, _ = np.broadcast_shapes(gold.shape, predicted.shape)  # (…)
    size = math.prod(rows) * labels
    cells = np.arange(0, size, labels)
    first = cells.reshape(*rows, 1)  # (…, 1) the cell of each row's label 0

    def count(cells: Labels) -> Array:
        numbers = np.bincount(cells.ravel(), minlength=size)
        return numbers.reshape(*rows, labels).astype(np.float64)

    gold_cells = first + gold  # (…, n)
    is_correct = gold == predicted  # (…, n)
    return (
        count(gold_cells[is_correct]),
        count(gold_cells),
        count(first + predicted),
    )


# ---------------------------------------------------------------- from labels


def _score(name: str, gold: Labels, predicted: Labels) -> Array:
    if name == "accuracy":
        return np.asarray((gold == predicted).mean(-1))  # faster than by counts
    return FROM_COUNTS[name](*counts(gold, predicted))


SCORES: Mapping[str, Callable[[Labels, Labels], Array]] = {
    name: partial(_score, name) for name in FROM_COUNTS
}
