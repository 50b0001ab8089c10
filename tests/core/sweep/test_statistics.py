"""Survival in special cases, and undefined statistics. tests/independent checks the values."""

import numpy as np
import pytest

from core.sweep.statistics import depth_gap, layer_statistics, survival

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
    assert [name for name, never in zip(columns, censored, strict=True) if never] == ["kept"]
    values, censored = survival(AMOUNTS, np.full((4, 1), np.nan))
    assert (values, censored) == (0.0, False), "no similarity even unpruned"


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize(("amounts", "shape"), [(AMOUNTS, (4, 1)), ((0.0,), (1, 4))])
def test_a_single_layer_or_amount_has_no_depth_gap(
    amounts: tuple[float, ...], shape: tuple[int, int]
) -> None:
    assert np.isnan(depth_gap(amounts, np.ones(shape)))


@pytest.mark.parametrize("where", [(2, 1), (2, 1, 4)], ids=["own", "replicate"])
def test_undefined_similarities_have_no_statistics(where: tuple[int, ...]) -> None:
    own = np.linspace(1, 0.2, 4)[:, None].repeat(3, axis=1)
    own[:, 2] = np.nan
    without = own[:, :, None].repeat(9, axis=2)
    (own if len(where) == 2 else without)[where] = np.nan
    statistics = layer_statistics(AMOUNTS, own, without, {}, pruned_point=2)
    assert statistics.depth_gap is None
    assert statistics.own_replicates is None
    assert [layer is None for layer in statistics.survival] == [False, False, True]
