"""Survival and the depth gap on cases computed by hand; the jackknife against its formula and known truths."""

import numpy as np
import pytest
from scipy.stats import kendalltau, t

from core.results.statistics import DepthGapRecord
from core.sweep.statistics import (
    Survival,
    depth_correlation,
    depth_gap,
    gap_difference,
    jackknife,
    layer_statistics,
    log_jackknife,
    survival,
    survival_interval,
)

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
    fallen, kept, dipped, dead, touching = survival(AMOUNTS, own)
    assert fallen == Survival(pytest.approx(0.3), censored=False)
    assert kept == Survival(0.8, censored=True)
    assert dipped == Survival(pytest.approx(0.04), censored=False), "the first fall counts, recovery does not"
    assert dead == Survival(0.2, censored=False)
    assert touching == Survival(pytest.approx(0.4), censored=False), "exactly the threshold has not fallen"
    assert survival(AMOUNTS, own, threshold=0.8)[0].value == pytest.approx(0.4 + 0.4 * 0.05 / 0.75)
    assert [layer.value for layer in survival(AMOUNTS, own, threshold=0.95)[:2]] == [0.2, 0.4]
    undefined = survival(AMOUNTS, np.full((4, 1), np.nan))
    assert undefined == [Survival(0.0, censored=False)], "no similarity even unpruned"


def test_depth_gap_is_the_difference_of_areas() -> None:
    own = np.array([[1, 1, 1], [1, 0.7, 0.5], [1, 0.3, 0.5], [1, 0.1, 0.5]], dtype=float)
    upper = (0.2 * 0.75 + 0.2 * 0.5 + 0.4 * 0.5) / 0.8
    assert depth_gap(AMOUNTS, own) == pytest.approx(1 - upper)
    assert depth_gap(AMOUNTS, own[:, ::-1]) == pytest.approx(upper - 1)
    assert np.isnan(depth_gap(AMOUNTS, np.ones((4, 1))))
    assert np.isnan(depth_gap((0.0,), np.ones((1, 4))))
    own = np.ones((4, 4))
    own[2, 3] = np.nan
    assert np.isnan(depth_gap(AMOUNTS, own))


@pytest.mark.parametrize("values", [[0.9, 0.7, 0.4, 0.2], [0.1, 0.5, 0.5, 0.9], [0.3, 0.8, 0.3, 0.95, 0.95, 0.2]])
def test_depth_correlation_is_scipys_tau(values: list[float]) -> None:
    assert depth_correlation(values) == pytest.approx(kendalltau(range(len(values)), values).statistic)
    assert depth_correlation([0.95] * 3) is None


# ---------------------------------------------------------------- intervals


def test_the_jackknife_of_a_mean_is_its_t_interval() -> None:
    values = np.random.default_rng(0).normal(size=20)
    without = (values.sum() - values) / 19
    low, high = jackknife(values.mean(), without)
    expected = t.interval(0.95, 19, values.mean(), values.std(ddof=1) / np.sqrt(20))
    assert (low, high) == pytest.approx(expected)


def test_a_loss_has_the_interval_of_its_logarithm() -> None:
    logs = np.array([[-1, 1] * 10, [0] * 19 + [20]]) / 50 - 3  # (2, n): kurtosis 1, and one example that carries it all
    low, high = log_jackknife(np.full(2, np.exp(-3)), np.exp(logs))
    spread = np.sqrt(19) * logs.std(1)
    # One outlier of n has the kurtosis n - 2 + 1/(n - 1), which leaves 2n / (n - 3 + 1/(n - 1)) degrees of freedom.
    quantiles = t.ppf(0.975, [19, 40 / (17 + 1 / 19)])
    np.testing.assert_allclose(np.log(high) + 3, quantiles * spread)
    np.testing.assert_allclose(np.log(low) + 3, -quantiles * spread)


def test_the_interval_of_survival_holds_the_amounts_whose_own_interval_holds_the_threshold() -> None:
    amounts = (0.0, 0.2, 0.4, 0.6)
    own = np.array([[1.0], [0.95], [0.85], [0.2]])
    low, high = own - 0.03, own + 0.03  # at 0.2 0.92 to 0.98, at 0.4 0.82 to 0.88
    lowest, highest = survival_interval(amounts, own, low, high)
    assert lowest == pytest.approx([0.2 + 0.2 * 0.02 / 0.10])  # 0.92 falls to 0.82
    assert highest == pytest.approx([0.2 + 0.2 * 0.08 / 0.10])  # 0.98 falls to 0.88
    assert survival_interval(amounts, own, low, np.full((4, 1), 0.95))[1] == [0.6], "or beyond"
    low, high = own - 0.01, own + 0.01
    low[2], high[2] = np.nan, np.nan  # an unknown interval reaches to the frames around it
    assert survival_interval(amounts, own, low, high) == ([0.2], [pytest.approx(0.6)])


@pytest.mark.parametrize("where", [(2, 1), (2, 1, 4)], ids=["own", "replicate"])
def test_what_is_undefined_has_no_statistics(where: tuple[int, ...]) -> None:
    own = np.linspace(1, 0.2, 4)[:, None].repeat(3, axis=1)
    own[:, 2] = np.nan
    without = own[:, :, None].repeat(9, axis=2)
    (own if len(where) == 2 else without)[where] = np.nan
    statistics = layer_statistics(AMOUNTS, own, without, {}, pruned_point=2)
    assert statistics.depth_gap is None
    assert statistics.own_replicates is None
    assert [layer is None for layer in statistics.survival] == [False, False, True]


# ---------------------------------------------------------------- comparisons


def test_a_difference_on_shared_examples_is_paired() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (3, 30))
    without = np.array([[0.1], [0.15], [0.15]]) + noise[[0, 0, 1]]  # the second shares the first one's examples
    gaps = [DepthGapRecord(value=row.mean(), low=0, high=1, replicates=tuple(row)) for row in without]
    paired, unpaired, none = (gap_difference(gaps[0], other) for other in (gaps[1], gaps[2], gaps[0]))
    assert paired.value == pytest.approx(-0.05)
    assert paired.high - paired.low < 1e-6 < unpaired.high - unpaired.low
    assert unpaired.low < unpaired.value < unpaired.high
    assert (paired.excludes_zero, none.value, none.excludes_zero) == (True, 0, False)
