"""A method against its control's seeds: states, and error rates under the null.

tests/independent checks p-values.
"""

import numpy as np
import pytest

from core.sweep.control_contrast import (
    DIFFERENT,
    MARGIN,
    SMALLEST_P,
    Contrast,
    contrast,
)

K = 5
N = 256


def replicated(value: float, error: float, random: np.random.Generator) -> np.ndarray:
    """Return delete-one replicates of an estimate with the jackknife standard error `error`."""
    noise = random.normal(size=N)
    return value + (noise - noise.mean()) / noise.std() * error / np.sqrt(N - 1)  # (n,)


def test_without_a_spread_or_a_difference_the_p_value_is_at_its_bound() -> None:
    assert Contrast(0.05, 0.0, 0.0, K, N).p_value == SMALLEST_P, "without any spread"
    assert {Contrast(value, 0.01, 0.01, K, N).p_value for value in (0.0, 1e-17, -1e-17)} == {1}, (
        "but rounding"
    )


@pytest.mark.parametrize(
    ("difference", "deviation", "error", "state"),
    [
        (0.25, 0.025, 0.025, "steeper"),
        (-0.25, 0.025, 0.025, "flatter"),
        (0.025, 0.01, 0.015, "equivalent"),
        (0.075, 0.005, 0.005, "equivalent"),  # certain, but too small to matter
        (
            0.05,
            0.04,
            0.01,
            "equivalent",
        ),  # the mean is within the margin, one more draw might not be
        (0.25, 0.2, 0.025, "inconclusive"),  # the seeds vary too much
        (
            0.095,
            0.01,
            0.01,
            "inconclusive",
        ),  # neither clear of the margin nor within it
        (0.09, 0.0, 0.0, "equivalent"),
        (0.11, 0.0, 0.0, "steeper"),
    ],
)
def test_intervals_decide_the_state(
    difference: float, deviation: float, error: float, state: str
) -> None:
    assert Contrast(difference, deviation, error, K, N).state == state


def simulated(deviation: float, error: float, shift: float = 0.0) -> list[str]:
    """Return the states of one more seed of a control in the method's place, moved by a shift."""
    random = np.random.default_rng(0)
    states = []
    for _ in range(500):
        spread = np.hypot(deviation, error)  # between seeds, and of other examples
        shares = random.normal(0.7, spread, K + 1)
        shares[0] += shift
        replicates = np.stack([replicated(share, error, random) for share in shares])
        judged = contrast(shares[0] - shares[1:], replicates[0] - replicates[1:])
        states.append(judged.state)
    return states


def test_one_more_seed_is_rarely_different_and_a_true_difference_is_found() -> None:
    for deviation in (0.025, 0.05, 0.2):
        assert sum(state in DIFFERENT for state in simulated(deviation, 0.04)) <= 0.05 * 500
    assert simulated(0.015, 0.01).count("equivalent") >= 0.95 * 500, (
        "at the deviations of weight-wise controls"
    )
    assert simulated(0.025, 0.025, shift=0.3).count("steeper") >= 0.95 * 500


@pytest.mark.parametrize(("deviation", "error"), [(0.015, 0.01), (0.06, 0.01), (0.01, 0.03)])
def test_a_difference_of_the_margin_is_rarely_equivalent(deviation: float, error: float) -> None:
    """The method has one value: equivalence concerns the mean of random removal."""
    random = np.random.default_rng(0)
    states = []
    for _ in range(1_000):
        shares = random.normal(0.7, deviation, K)
        own = 0.7 + MARGIN + random.normal(0, error)
        states.append(
            contrast(own - shares, replicated(own, error, random) - shares[:, None]).state
        )
    assert states.count("equivalent") <= 0.065 * len(states)
