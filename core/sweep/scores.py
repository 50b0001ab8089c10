"""Scores of many resamples at once, along the last axis; scikit-learn's are too slow to call for each of them.

They agree with `sklearn.metrics` (tests). Accuracy; Matthews correlation for any number of labels (Gorodkin 2004); F1
of label 1; macro-F1, the mean F1 of the labels that occur in the gold labels.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


def accuracy(gold: Labels, predicted: Labels) -> Array:
    """Compute the share of correct predictions, (…, n), (…, n) -> (…)."""
    return np.asarray((gold == predicted).mean(-1))


def matthews_correlation(gold: Labels, predicted: Labels) -> Array:
    """Compute the Matthews correlation, (…, n), (…, n) -> (…); 0 where only one label occurs on either side."""
    n = gold.shape[-1]
    both, golds, predictions = _counts(gold, predicted)  # each (…, labels)
    covariance = both.sum(-1) * n - (golds * predictions).sum(-1)  # (…)
    product = (n**2 - (golds**2).sum(-1)) * (n**2 - (predictions**2).sum(-1))  # (…)
    return np.asarray(np.divide(covariance, np.sqrt(product), out=np.zeros(covariance.shape), where=product > 0))


def f1(gold: Labels, predicted: Labels) -> Array:
    """Compute F1 of label 1, (…, n), (…, n) -> (…); 0 where it occurs on neither side."""
    return np.asarray(_f1_of_each(gold, predicted, least=2)[..., 1])


def macro_f1(gold: Labels, predicted: Labels) -> Array:
    """Compute the mean F1 of the labels that occur in the gold labels, (…, n), (…, n) -> (…)."""
    _, golds, _ = _counts(gold, predicted)
    occurs = golds > 0  # (…, labels)
    return np.asarray((_f1_of_each(gold, predicted) * occurs).sum(-1) / occurs.sum(-1))


SCORES: Mapping[str, Callable[[Labels, Labels], Array]] = {
    "accuracy": accuracy,
    "matthews_correlation": matthews_correlation,
    "f1": f1,
    "macro_f1": macro_f1,
}


def _f1_of_each(gold: Labels, predicted: Labels, least: int = 1) -> Array:
    """Compute F1 of every label, at least so many of them, (…, n), (…, n) -> (…, labels)."""
    both, golds, predictions = _counts(gold, predicted, least)
    total = golds + predictions  # (…, labels)
    return np.asarray(np.divide(2.0 * both, total, out=np.zeros(both.shape), where=total > 0))


def _counts(gold: Labels, predicted: Labels, least: int = 1) -> tuple[Array, Array, Array]:
    """Count for every label the examples on which both sides have it, gold has it, and predicted has it.

    Returns:
        Three arrays (…, labels), float64. Labels that occur on neither side may be missing: they add nothing.
    """
    labels = max(int(gold.max()), int(predicted.max()), least - 1) + 1
    shape = np.broadcast_shapes(gold.shape, predicted.shape)  # (…, n)
    rows = math.prod(shape[:-1])
    first = np.arange(rows).reshape(*shape[:-1], 1) * labels  # (…, 1) the cell of a row's label 0

    def count(cells: Labels) -> Array:
        return np.bincount(cells.ravel(), minlength=rows * labels).reshape(*shape[:-1], labels).astype(np.float64)

    return count((first + gold)[gold == predicted]), count(first + gold), count(first + predicted)
