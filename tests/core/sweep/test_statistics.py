"""Survival in special cases, and undefined statistics. tests/independent checks the values."""

import numpy as np
import pytest

from core.sweep.statistics import layer_statistics, survival

AMOUNTS = (0.0, 0.2, 0.4, 0.8)


def test_survival_is_interpolated_censored_or_undefined() -> None:
    columns = {
        "fallen": [1.0, 0.95, 0.85, 0.1],
        "kept": [1.0, 1.0, 0.95, 0.91],
        "dipped": [1.0, 0.5, 0.99, 0.99],
        "dead": [1.0, np.nan, 0.1, 0.1],
        "touching": [1.0, 0.9, 0.9, 0.8],
    }
    own = np.array([*columns.values()]).T  # (frames, layers)
    values, censored = survival(AMOUNTS, own)
    # The first fall counts even if it recovers; a value at the threshold has not fallen.
    assert values == pytest.approx([0.3, 0.8, 0.04, 0.2, 0.4])
    (never,) = censored.nonzero()
    assert never.tolist() == [list(columns).index("kept")]


def test_without_any_similarity_nothing_survives() -> None:
    undefined = np.full((4, 1), np.nan)
    values, censored = survival(AMOUNTS, undefined)
    assert values == [0.0]
    assert not censored.any()


def test_a_layer_undefined_without_pruning_has_no_survival() -> None:
    falling = np.linspace(1, 0.2, 4)  # (frames,)
    own = falling[:, None].repeat(3, axis=1)  # (frames, points)
    own[:, 2] = np.nan
    without = own[:, :, None].repeat(9, axis=2)

    statistics = layer_statistics(AMOUNTS, own, without)

    missing = [layer is None for layer in statistics.survival]
    assert missing == [False, False, True]
    assert not statistics.gap_at_damage
