"""Metrics against scikit-learn, intervals against known values and coverage."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from core.sweep.metrics import _FROM_COUNTS, evaluate, paired_tests


def test_accuracy_and_its_wilson_interval() -> None:
    gold = [1] * 50 + [0] * 50
    values, intervals = evaluate(["accuracy"], gold, [1] * 90 + [0] * 10)
    assert values["accuracy"] == 0.6
    assert intervals["accuracy"] == pytest.approx((0.5020, 0.6906), abs=5e-5)  # Wilson (1927) for 60 of 100


@pytest.mark.parametrize("seed", range(20))
def test_counted_scores_are_scikit_learns(seed: int) -> None:
    random = np.random.RandomState(seed)
    gold, predicted = random.randint(2, size=30), random.randint(2, size=30)
    fp, tp = (float(((predicted == 1) & (gold == label)).sum()) for label in (0, 1))
    sizes = int((gold == 0).sum()), int((gold == 1).sum())
    f1, matthews = (_FROM_COUNTS[name](np.array(fp), np.array(tp), *sizes) for name in ("f1", "matthews_correlation"))
    assert float(f1) == pytest.approx(f1_score(gold, predicted))
    assert float(matthews) == pytest.approx(matthews_corrcoef(gold, predicted))


def test_a_constant_prediction_scores_zero_correlation() -> None:
    values, intervals = evaluate(["matthews_correlation", "f1"], [0, 1] * 20, [0] * 40)
    assert values == {"matthews_correlation": 0.0, "f1": 0.0}
    assert intervals == {"matthews_correlation": (0.0, 0.0), "f1": (0.0, 0.0)}


def test_bootstrap_interval_is_seeded_and_contains_the_value() -> None:
    random = np.random.RandomState(0)
    gold = random.randint(2, size=200)
    predicted = np.where(random.rand(200) < 0.8, gold, 1 - gold)
    names = ["matthews_correlation", "f1"]
    values, intervals = evaluate(names, gold, predicted)
    assert evaluate(names, gold, predicted) == (values, intervals)
    for name in names:
        low, high = intervals[name]
        assert low < values[name] < high
        assert 0.05 < high - low < 0.3


def test_one_class_alone_has_no_bootstrap() -> None:
    _, intervals = evaluate(["accuracy", "f1"], [1] * 10, [1] * 10)
    assert intervals["f1"] is None
    assert intervals["accuracy"] is not None


# ---------------------------------------------------------------- two methods on the same examples


def answers(*counts: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two models' answers to a gold label of 1: both right, only the one, only the other, both wrong."""
    pairs = [pair for pair, count in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True) for _ in range(count)]
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def test_mcnemar_is_exact_and_two_sided() -> None:
    one, other = answers(50, 8, 1, 41)
    (test,) = paired_tests((1,) * 100, (one,), (other,))
    assert (test.only_first, test.only_second) == (8, 1)
    assert test.p_value == pytest.approx(2 * (1 + 9) / 2**9)  # at most 1 of 9 coins, on either side
    assert test.adjusted == test.p_value
    (swapped,) = paired_tests((1,) * 100, (other,), (one,))
    assert (swapped.only_first, swapped.only_second, swapped.p_value) == (1, 8, test.p_value)


def test_holm_steps_down_over_the_amounts() -> None:
    cases = [answers(10, 6, 0, 4), answers(10, 5, 5, 0), answers(11, 9, 0, 0)]
    tests = paired_tests((1,) * 20, tuple(one for one, _ in cases), tuple(other for _, other in cases))
    assert [test.p_value for test in tests] == pytest.approx([2 / 2**6, 1.0, 2 / 2**9])
    assert [test.adjusted for test in tests] == pytest.approx([2 * 2 / 2**6, 1.0, 3 * 2 / 2**9])


def test_models_that_agree_do_not_differ() -> None:
    one, other = answers(7, 0, 0, 3)
    assert paired_tests((1,) * 10, (one,), (other,))[0].p_value == 1
    assert paired_tests((1,) * 10, (), ()) == ()
