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


@pytest.mark.parametrize("name", SCORES)
def test_it_agrees_with_scikit_learn_resample_by_resample(name: str) -> None:
    random = np.random.default_rng(0)
    cases = [random.integers(0, labels, (2, 30, 25)) for labels in (2, 3, 6)]  # gold, predicted: (resamples, examples)
    cases += [(np.array([[0, 1, 1, 2], [0, 0, 1, 1]]), np.full((2, 4), label)) for label in range(3)]
    for gold, predicted in cases:
        expected = [REFERENCES[name](g, p) for g, p in zip(gold, predicted, strict=True)]
        assert SCORES[name](gold, predicted) == pytest.approx(expected, abs=1e-12)
