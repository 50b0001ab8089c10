"""Scores along an axis agree with scikit-learn, resample by resample."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from core.sweep.scores import SCORES

REFERENCES = {
    "accuracy": accuracy_score,
    "matthews_correlation": matthews_corrcoef,
    "f1": lambda gold, predicted: f1_score(gold, predicted, labels=[1], average="macro", zero_division=0.0),
    "macro_f1": lambda gold, predicted: f1_score(
        gold, predicted, labels=np.unique(gold), average="macro", zero_division=0.0
    ),
}


@pytest.mark.parametrize("labels", [2, 3, 6])
@pytest.mark.parametrize("name", SCORES)
def test_agrees_with_scikit_learn(name: str, labels: int) -> None:
    random = np.random.default_rng(0)
    gold, predicted = random.integers(0, labels, (2, 30, 25))  # each (resamples, examples)
    expected = [REFERENCES[name](g, p) for g, p in zip(gold, predicted, strict=True)]
    assert SCORES[name](gold, predicted) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_agrees_where_one_label_is_always_predicted(name: str) -> None:
    gold = np.array([[0, 1, 1, 2], [0, 0, 1, 1]])
    for label in range(3):
        predicted = np.full_like(gold, label)
        expected = [REFERENCES[name](g, p) for g, p in zip(gold, predicted, strict=True)]
        assert SCORES[name](gold, predicted) == pytest.approx(expected, abs=1e-12)
