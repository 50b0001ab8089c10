"""Scores of many resamples at once, along the last axis; scikit-learn's are too slow to call for each of them.

They agree with `sklearn.metrics` (tests). Accuracy; Matthews correlation for any number of labels (Gorodkin 2004); F1
of label 1; macro-F1, the mean F1 of the labels that occur in the gold labels.
"""

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
    correct = (gold == predicted).sum(-1)  # (…)
    labels = range(int(max(gold.max(), predicted.max())) + 1)  # those that do not occur add nothing
    golds, predictions = (
        np.stack([(values == label).sum(-1) for label in labels]).astype(np.float64) for values in (gold, predicted)
    )  # (labels, …)
    covariance = correct * n - (golds * predictions).sum(0)  # (…)
    product = (n**2 - (golds**2).sum(0)) * (n**2 - (predictions**2).sum(0))  # (…)
    return np.asarray(np.divide(covariance, np.sqrt(product), out=np.zeros(covariance.shape), where=product > 0))


def f1(gold: Labels, predicted: Labels) -> Array:
    """Compute F1 of label 1, (…, n), (…, n) -> (…); 0 where it occurs on neither side."""
    return _f1_of(1, gold, predicted)


def macro_f1(gold: Labels, predicted: Labels) -> Array:
    """Compute the mean F1 of the labels that occur in the gold labels, (…, n), (…, n) -> (…)."""
    labels = range(int(gold.max()) + 1)
    occurs = np.stack([(gold == label).any(-1) for label in labels])  # (labels, …)
    scores = np.stack([_f1_of(label, gold, predicted) for label in labels])  # (labels, …)
    return np.asarray((scores * occurs).sum(0) / occurs.sum(0))


SCORES: Mapping[str, Callable[[Labels, Labels], Array]] = {
    "accuracy": accuracy,
    "matthews_correlation": matthews_correlation,
    "f1": f1,
    "macro_f1": macro_f1,
}


def _f1_of(label: int, gold: Labels, predicted: Labels) -> Array:
    is_gold, is_predicted = gold == label, predicted == label  # (…, n)
    both = 2.0 * (is_gold & is_predicted).sum(-1)  # (…)
    total = is_gold.sum(-1) + is_predicted.sum(-1)  # (…)
    return np.asarray(np.divide(both, total, out=np.zeros(both.shape), where=total > 0))
