"""The working range and the range shown broken, on made-up predictions."""

import numpy as np
import pytest

from core.sweep.working_range import working_range

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)
GOLD = np.tile([0, 1], 100)  # 200 examples, balanced


def wrong_on(*shares: float) -> np.ndarray:
    """Return predictions that are wrong on the first share of the examples, one row per share."""
    counts = np.round(np.array(shares) * len(GOLD))  # (frames,)
    return np.where(np.arange(len(GOLD)) < counts[:, None], 1 - GOLD, GOLD)  # (frames, examples)


@pytest.mark.parametrize(
    ("shares", "to", "broken"),
    [
        # Accuracy .90 .89 .87 .70 .50, majority .50: leads .40 .39 .37 .20 0.
        # Nine tenths of .40 is .36.
        ((0.1, 0.11, 0.13, 0.3, 0.5), 0.4, 0.4),
        (
            (0.1, 0.3, 0.1, 0.1, 0.1),
            0.0,
            None,
        ),  # a recovery after the first fall does not count
        ((0.1, 0.1, 0.1, 0.1, 0.1), 0.8, None),  # it never falls
        (
            (0.1, 0.14, 0.14, 0.14, 0.14),
            0.8,
            0.2,
        ),  # a lead of exactly nine tenths has not fallen
        ((0.5, 0.5, 0.5, 0.5, 0.5), None, None),  # no lead
        # A drop of one example in 200 is not significant, one of 20 % is.
        # The range ends at the former.
        ((0.1, 0.3, 0.105, 0.3, 0.5), 0.0, 0.6),
    ],
)
def test_both_ranges(shares: tuple[float, ...], to: float | None, broken: float | None) -> None:
    record = working_range("accuracy", AMOUNTS, GOLD, wrong_on(*shares))
    assert (record.to, record.shown_broken_from) == (to, broken)
    assert record.lead == pytest.approx(0.5 - shares[0])
    assert (record.metric, record.examples) == ("accuracy", 200)


@pytest.mark.parametrize(("wrong", "to"), [(0.44, None), (0.3, 0.1)])
def test_a_lead_that_may_be_chance_does_not_count(wrong: float, to: float | None) -> None:
    """Of 100 answers, 56 right can come from guessing; 70 cannot."""
    record = working_range(
        "accuracy",
        (0.0, 0.1),
        GOLD[:100],
        wrong_on(wrong / 2, wrong / 2)[:, :100],
    )
    assert record.lead > 0
    assert record.to == to
