"""Metrics against scikit-learn, intervals against known values and coverage."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from core.sweep.metrics import changed_share, evaluate, mean_divergence
from core.sweep.scores import SCORES


def test_accuracy_and_its_wilson_interval() -> None:
    gold = [1] * 50 + [0] * 50
    values, intervals = evaluate(["accuracy"], gold, [1] * 90 + [0] * 10)
    assert values["accuracy"] == 0.6
    assert intervals["accuracy"] == pytest.approx((0.5020, 0.6906), abs=5e-5)  # Wilson (1927) for 60 of 100


def test_the_intervals_of_many_labels_hold_the_value() -> None:
    random = np.random.RandomState(1)
    gold = random.randint(6, size=120)
    predicted = np.where(random.rand(120) < 0.6, gold, random.randint(7, size=120))  # label 6 is only predicted
    values, intervals = evaluate(["matthews_correlation", "macro_f1"], gold, predicted)
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


def test_the_mean_lies_in_its_interval() -> None:
    values = np.random.default_rng(0).uniform(0, 0.2, 200)
    mean, interval = mean_divergence(values)
    assert interval[0] < mean < interval[1]
    # The normal approximation of a mean of 200, which has little skew: half-width 1.96 · sd / sqrt(200).
    assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * values.std() / np.sqrt(200), rel=0.05)
    assert mean_divergence(np.zeros(10)) == (0.0, None)


def test_changed_share_with_wilsons_interval() -> None:
    share, interval = changed_share([0] * 10, [0] * 8 + [1] * 2)
    assert share == 0.2
    assert interval == pytest.approx((0.0567, 0.5098), abs=1e-4)  # Wilson 1927, 2 of 10
