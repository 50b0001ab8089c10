"""Metrics against scikit-learn, intervals against known values and coverage."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from core.sweep.metrics import evaluate


def test_accuracy_and_its_wilson_interval() -> None:
    gold = [1] * 50 + [0] * 50
    values, intervals = evaluate(["accuracy"], gold, [1] * 90 + [0] * 10)
    assert values["accuracy"] == 0.6
    assert intervals["accuracy"] == pytest.approx((0.5020, 0.6906), abs=5e-5)  # Wilson (1927) for 60 of 100


def test_a_constant_prediction_scores_zero_correlation() -> None:
    values, intervals = evaluate(["matthews_correlation", "f1"], [0, 1] * 20, [0] * 40)
    assert values == {"matthews_correlation": 0.0, "f1": 0.0}
    assert intervals == {"matthews_correlation": (0.0, 0.0), "f1": (0.0, 0.0)}


def test_many_labels_are_scored_as_scikit_learn_scores_them() -> None:
    random = np.random.RandomState(1)
    gold = random.randint(6, size=120)
    predicted = np.where(random.rand(120) < 0.6, gold, random.randint(7, size=120))  # label 6 is only predicted
    values, intervals = evaluate(["matthews_correlation", "macro_f1"], gold, predicted)
    expected = f1_score(gold, predicted, labels=range(6), average="macro", zero_division=0)
    assert values == {"matthews_correlation": matthews_corrcoef(gold, predicted), "macro_f1": expected}
    for name, (low, high) in intervals.items():
        assert low < values[name] < high
        assert 0.05 < high - low < 0.4


def test_a_label_that_occurs_once_leaves_no_interval_and_one_that_never_occurs_does_no_harm() -> None:
    names = ["accuracy", "macro_f1"]
    _, once = evaluate(names, [0, 0, 1, 1, 2], [0, 1, 1, 1, 2])
    assert (once["accuracy"] is None, once["macro_f1"]) == (False, None)
    _, alone = evaluate(["accuracy", "f1"], [1] * 10, [1] * 10)
    assert (alone["accuracy"] is None, alone["f1"]) == (False, None)
    _, never = evaluate(names, [0, 0, 2, 2, 2], [0, 1, 2, 2, 2])
    assert never["macro_f1"] is not None
