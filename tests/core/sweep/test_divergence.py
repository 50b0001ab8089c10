"""Changed predictions and Jensen-Shannon divergence, against hand-computed values and properties."""

import numpy as np
import pytest

from core.sweep.divergence import changed_share, mean_divergence


def test_the_mean_lies_in_its_interval() -> None:
    values = np.random.default_rng(0).uniform(0, 0.2, 200)
    mean, interval = mean_divergence(values)
    assert interval is not None
    assert interval[0] < mean < interval[1]
    # The normal approximation of a mean of 200, which has little skew: half-width 1.96 · sd / sqrt(200).
    assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * values.std() / np.sqrt(200), rel=0.05)
    assert mean_divergence(np.zeros(10)) == (0.0, None)


def test_changed_share_with_wilsons_interval() -> None:
    share, interval = changed_share([0] * 10, [0] * 8 + [1] * 2)
    assert share == 0.2
    assert interval == pytest.approx((0.0567, 0.5098), abs=1e-4)  # Wilson 1927, 2 of 10
