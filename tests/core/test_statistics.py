"""Survival and the depth gap on cases computed by hand."""

import numpy as np
import pytest

from core.statistics import Survival, depth_gap, survival

AMOUNTS = (0.0, 0.2, 0.4, 0.8)


def test_survival_is_interpolated_censored_or_undefined() -> None:
    own = np.array(
        [
            [1.0, 1.0, 1.0, 1.0, 1.0],
            [0.95, 1.0, 0.5, np.nan, 0.9],
            [0.85, 0.95, 0.99, 0.1, 0.9],
            [0.1, 0.91, 0.99, 0.1, 0.8],
        ]
    )  # (frames, layers)
    fallen, kept, dipped, dead, touching = survival(AMOUNTS, own)
    assert fallen == Survival(pytest.approx(0.3), censored=False)
    assert kept == Survival(0.8, censored=True)
    assert dipped == Survival(pytest.approx(0.04), censored=False), "the first fall counts, recovery does not"
    assert dead == Survival(0.2, censored=False)
    assert touching == Survival(pytest.approx(0.4), censored=False), "exactly the threshold has not fallen"
    assert survival(AMOUNTS, own, threshold=0.8)[0].value == pytest.approx(0.4 + 0.4 * 0.05 / 0.75)


def test_depth_gap_is_the_difference_of_areas() -> None:
    own = np.array([[1, 1, 1], [1, 0.7, 0.5], [1, 0.3, 0.5], [1, 0.1, 0.5]], dtype=float)
    upper = (0.2 * 0.75 + 0.2 * 0.5 + 0.4 * 0.5) / 0.8
    assert depth_gap(AMOUNTS, own) == pytest.approx(1 - upper)
    assert depth_gap(AMOUNTS, own[:, ::-1]) == pytest.approx(upper - 1)


def test_depth_gap_needs_two_layers_and_defined_values() -> None:
    assert np.isnan(depth_gap(AMOUNTS, np.ones((4, 1))))
    assert np.isnan(depth_gap((0.0,), np.ones((1, 4))))
    own = np.ones((4, 4))
    own[2, 3] = np.nan
    assert np.isnan(depth_gap(AMOUNTS, own))
