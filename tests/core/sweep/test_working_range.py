"""The working range and the range shown broken, on predictions made up for it."""

import numpy as np
import pytest

from core.sweep.working_range import change, majority_value, working_range

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)
GOLD = np.tile([0, 1], 100)  # 200 examples, balanced


def wrong_on(*shares: float) -> np.ndarray:
    """Predictions that are wrong on the first share of the examples, one row a share."""
    rows = []
    for share in shares:
        predictions = GOLD.copy()
        count = round(share * len(GOLD))
        predictions[:count] = 1 - predictions[:count]
        rows.append(predictions)
    return np.stack(rows)  # (frames, examples)


@pytest.mark.parametrize(
    ("shares", "to", "broken"),
    [
        # Accuracy .90 .89 .87 .70 .50, majority .50: leads .40 .39 .37 .20 0; nine tenths of .40 is .36.
        ((0.1, 0.11, 0.13, 0.3, 0.5), 0.4, 0.4),
        ((0.1, 0.3, 0.1, 0.1, 0.1), 0.0, None),  # a recovery after the first fall does not count
        ((0.1, 0.1, 0.1, 0.1, 0.1), 0.8, None),  # it never falls
        ((0.1, 0.14, 0.14, 0.14, 0.14), 0.8, 0.2),  # a lead of exactly nine tenths has not fallen below them
        ((0.5, 0.5, 0.5, 0.5, 0.5), None, None),  # without a lead
        # A drop of one example in 200 is not shown; one of 20 % is. Beyond a doubtful amount nothing counts.
        ((0.1, 0.3, 0.105, 0.3, 0.5), 0.0, 0.6),
    ],
)
def test_both_ranges(shares: tuple[float, ...], to: float | None, broken: float | None) -> None:
    found = working_range("accuracy", AMOUNTS, GOLD, wrong_on(*shares))
    assert (found.to, found.shown_broken_from) == (to, broken)
    assert found.lead == pytest.approx(0.5 - shares[0])
    assert (found.metric, found.examples) == ("accuracy", 200)


def test_a_lead_that_chance_may_have_given_is_none() -> None:
    """Of 100 answers, 56 right can come from guessing; 70 cannot."""
    gold = GOLD[:100]
    guessed, learned = (np.where(np.arange(100) < right, gold, 1 - gold) for right in (56, 70))
    for predictions, to in ((guessed, None), (learned, 0.1)):
        found = working_range("accuracy", (0.0, 0.1), gold, np.stack([predictions, predictions]))
        assert found.lead > 0
        assert found.to == to


def test_the_bootstrap_is_paired_and_of_95_per_cent() -> None:
    predictions = wrong_on(0.1, 0.13)  # the same 20 wrong, and 6 more
    low, high, error = change("accuracy", GOLD, *predictions)
    lost = np.repeat([-1.0, 0.0], [6, 194])
    drawn = lost[np.random.default_rng(1).integers(0, 200, (20_000, 200))].mean(1)  # (draws,)
    assert error == pytest.approx(drawn.std(), rel=0.05)
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])), abs=0.003)
    both = working_range("accuracy", (0.0, 0.2, 0.4), GOLD, np.stack([*predictions, wrong_on(0.105)[0]]))
    assert both.smallest_drop == pytest.approx(2.8 * drawn.std(), rel=0.05)
    assert working_range("accuracy", (0.0, 0.2), GOLD, predictions).shown_broken_from == 0.2


def test_few_examples_are_called_few() -> None:
    few = wrong_on(0.1, 0.12, 0.15, 0.3, 0.5)[:, ::5]
    many = np.tile(wrong_on(0.1, 0.11, 0.12, 0.13, 0.14), 5)
    assert working_range("accuracy", AMOUNTS, GOLD[::5], few).reason == "too few examples"
    assert working_range("accuracy", AMOUNTS, np.tile(GOLD, 5), many).reason is None
    assert working_range("accuracy", AMOUNTS, GOLD, wrong_on(0.5, 0.5, 0.5, 0.5, 0.5)).reason == "no lead"


def test_matthews_correlation_sees_a_collapse_that_accuracy_does_not() -> None:
    gold = np.repeat([0, 1], [30, 70])
    good = gold.copy()
    good[:10] = 1  # ten of the rarer label missed: accuracy .9
    always = np.ones_like(gold)  # accuracy .7
    predictions = np.stack([good, always])
    assert working_range("matthews_correlation", (0.0, 0.5), gold, predictions).to == 0.0
    assert majority_value("matthews_correlation", gold) == 0.0
    assert majority_value("accuracy", gold) == pytest.approx(0.7)
