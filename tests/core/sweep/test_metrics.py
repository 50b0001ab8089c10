"""Metrics against scikit-learn, intervals against known values and coverage."""

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from core.sweep.metrics import changed_share, evaluate
from core.sweep.scores import SCORES


def test_shares_have_wilsons_intervals() -> None:
    gold = [1] * 50 + [0] * 50
    values, intervals = evaluate(["accuracy"], gold, [1] * 90 + [0] * 10)
    assert values["accuracy"] == 0.6
    assert intervals["accuracy"] == pytest.approx(
        (0.5020, 0.6906), abs=5e-5
    )  # Wilson (1927) for 60 of 100
    share, interval = changed_share([0] * 10, [0] * 8 + [1] * 2)
    assert (share, interval) == (
        0.2,
        pytest.approx((0.0567, 0.5098), abs=1e-4),
    )  # 2 of 10


@pytest.mark.parametrize(
    ("gold", "predicted", "has_interval"),
    [
        ([0, 0, 1, 1, 2], [0, 1, 1, 1, 2], False),  # a label that occurs once
        ([1] * 10, [1] * 10, False),  # only one label
        ([0, 0, 2, 2, 2], [0, 1, 2, 2, 2], True),  # a label that never occurs
    ],
)
def test_macro_f1_needs_every_label_twice(
    gold: list[int], predicted: list[int], has_interval: bool
) -> None:
    _, intervals = evaluate(["accuracy", "macro_f1"], gold, predicted)
    assert (intervals["accuracy"] is None, intervals["macro_f1"] is None) == (
        False,
        not has_interval,
    )


mean_f1 = partial(f1_score, average="macro", zero_division=0.0)
REFERENCES = {
    "accuracy": accuracy_score,
    "matthews_correlation": matthews_corrcoef,
    "f1": lambda gold, predicted: mean_f1(gold, predicted, labels=[1]),
    "macro_f1": lambda gold, predicted: mean_f1(gold, predicted, labels=np.unique(gold)),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores_agree_with_scikit_learn(name: str) -> None:
    random = np.random.default_rng(0)
    cases = [
        random.integers(0, labels, (2, 30, 25)) for labels in (2, 3, 6)
    ]  # gold, predicted: (resamples, examples)
    cases += [
        (np.array([[0, 1, 1, 2], [0, 0, 1, 1]]), np.full((2, 4), label)) for label in range(3)
    ]
    for gold, predicted in cases:
        expected = [REFERENCES[name](g, p) for g, p in zip(gold, predicted, strict=True)]
        assert SCORES[name](gold, predicted) == pytest.approx(expected, abs=1e-12)
