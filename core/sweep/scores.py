"""Scores along the last axis, of many resamples at once; scikit-learn's would be too slow to call for each of them.

Accuracy; Matthews correlation for any number of labels (Gorodkin 2004); F1 of label 1; macro-F1, the mean F1 of the
labels that occur in the gold labels. Tests hold them to `sklearn.metrics`.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


def accuracy(gold: Labels, predicted: Labels) -> Array:
    """Compute the share of correct predictions, (…, n), (…, n) -> (…)."""
    return np.asarray((gold == predicted).mean(-1))


def matthews_correlation(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute the Matthews correlation from counts -> (…); 0 where only one label occurs on either side."""
    n = golds.sum(-1)  # (…) examples
    covariance = both.sum(-1) * n - (golds * predictions).sum(-1)  # (…)
    product = (n**2 - (golds**2).sum(-1)) * (n**2 - (predictions**2).sum(-1))  # (…)
    return np.asarray(
        np.divide(covariance, np.sqrt(product), out=np.zeros(covariance.shape), where=product > 0)
    )


def f1(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute F1 of label 1 from counts -> (…); 0 where it occurs on neither side."""
    return np.asarray(_f1_of_each(both, golds, predictions)[..., 1])


def macro_f1(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute the mean F1 of the labels that occur in the gold labels, from counts -> (…)."""
    occurs = golds > 0  # (…, labels)
    return np.asarray((_f1_of_each(both, golds, predictions) * occurs).sum(-1) / occurs.sum(-1))


def _f1_of_each(both: Array, golds: Array, predictions: Array) -> Array:
    """Compute F1 of every label, from counts -> (…, labels)."""
    total = golds + predictions  # (…, labels)
    return np.asarray(np.divide(2.0 * both, total, out=np.zeros(both.shape), where=total > 0))


def score_from_counts(name: str) -> Callable[[Array, Array, Array], Array]:
    """Return a score as a function of what `counts` returns."""
    if name == "accuracy":
        return lambda both, golds, predictions: np.asarray(both.sum(-1) / golds.sum(-1))
    return FROM_COUNTS[name]


FROM_COUNTS = {score.__name__: score for score in (matthews_correlation, f1, macro_f1)}


def _score(name: str, gold: Labels, predicted: Labels) -> Array:
    return FROM_COUNTS[name](*counts(gold, predicted))


SCORES: Mapping[str, Callable[[Labels, Labels], Array]] = {
    "accuracy": accuracy,
    **{name: partial(_score, name) for name in FROM_COUNTS},
}


def counts(gold: Labels, predicted: Labels) -> tuple[Array, Array, Array]:
    """Count labels, (…, n), (…, n) -> (…, labels); labels above the largest that occurs are left out.

    Returns:
        For each label, of at least two, the number of examples where both sides have it, gold has it, predicted has it.
    """
    labels = max(int(gold.max()), int(predicted.max()), 1) + 1
    shape = np.broadcast_shapes(gold.shape, predicted.shape)  # (…, n)
    rows = math.prod(shape[:-1])
    first = (
        np.arange(rows).reshape(*shape[:-1], 1) * labels
    )  # (…, 1) the cell of each row's label 0

    def count(cells: Labels) -> Array:
        return (
            np.bincount(cells.ravel(), minlength=rows * labels)
            .reshape(*shape[:-1], labels)
            .astype(np.float64)
        )

    return count((first + gold)[gold == predicted]), count(first + gold), count(first + predicted)
