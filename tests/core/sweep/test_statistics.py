"""Survival and the depth gap on cases computed by hand; the jackknife against its formula and known truths."""

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, t

from core.results.schema import DepthGapRecord
from core.similarity.cka import cka, leave_one_out
from core.similarity.gram import compare, prepare, u_centred_gram
from core.sweep.statistics import (
    Array,
    Survival,
    depth_correlation,
    depth_gap,
    gap_difference,
    jackknife,
    layer_statistics,
    log_jackknife,
    own_interval,
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


def test_own_similarity_has_no_width_where_nothing_is_lost_and_none_where_it_is_undefined() -> None:
    own = np.array([1.0, 1 - 1e-12, 0.9, np.nan])
    without = own[:, None] + np.linspace(-1e-13, 1e-13, 20)
    without[2] = 0.9
    low, high = own_interval(own, without)
    np.testing.assert_allclose(low[:3], own[:3], rtol=1e-15)
    np.testing.assert_allclose(high[:3], own[:3], rtol=1e-15)
    assert np.isnan([low[3], high[3]]).all()
    low, high = own_interval(np.array(0.0), np.array([-0.9, 0.9, 0.5, -0.5]))
    assert low == -1
    assert 0 < high < 1


def test_the_interval_of_a_skewed_loss_covers_more_than_the_plain_one() -> None:
    samples = np.random.default_rng(0).lognormal(sigma=1.2, size=(1000, 100))
    without = (samples.sum(1, keepdims=True) - samples) / 99
    truth = np.exp(1.2**2 / 2)

    def coverage(bounds: tuple[Array, Array]) -> float:
        return float(np.mean((bounds[0] < truth) & (truth < bounds[1])))

    plain, logarithmic = (coverage(of(samples.mean(1), without)) for of in (jackknife, log_jackknife))
    assert plain < 0.92
    assert logarithmic > 0.93


def test_statistics_are_the_jackknifes_of_own_similarity_and_depth_gap() -> None:
    random = np.random.default_rng(0)
    own = np.array([[1, 1], [0.95, 0.9], [0.85, 0.6], [0.2, 0.1]])
    without = own[:, :, None] - np.array([0, 1, 1, 1])[:, None, None] * random.uniform(0, 0.02, (4, 2, 30))
    statistics = layer_statistics(AMOUNTS, own, without, {})
    assert statistics.own is not None
    np.testing.assert_allclose(np.moveaxis(np.array(statistics.own), -1, 0), own_interval(own, without))
    for layer, record in enumerate(statistics.survival):
        assert record.value == survival(AMOUNTS, own)[layer].value
        assert record.low < record.value < record.high
    assert statistics.depth_gap is not None
    assert statistics.depth_gap.value == pytest.approx(depth_gap(AMOUNTS, own))
    assert statistics.depth_gap.replicates == pytest.approx(
        [float(depth_gap(AMOUNTS, without[:, :, m])) for m in range(30)], rel=1e-6
    )


def test_the_interval_of_survival_holds_the_amounts_whose_own_interval_holds_the_threshold() -> None:
    amounts = (0.0, 0.2, 0.4, 0.6)
    own = np.array([[1.0], [0.95], [0.85], [0.2]])
    low, high = own - 0.03, own + 0.03  # at 0.2 0.92 to 0.98, at 0.4 0.82 to 0.88
    lowest, highest = survival_interval(amounts, own, low, high)
    assert lowest == pytest.approx([0.2 + 0.2 * 0.02 / 0.10])  # 0.92 falls to 0.82
    assert highest == pytest.approx([0.2 + 0.2 * 0.08 / 0.10])  # 0.98 falls to 0.88
    never = np.full((4, 1), 0.95)
    lowest, highest = survival_interval(amounts, never, never - [[0.0], [0.0], [0.06], [0.06]], never + 0.01)
    assert lowest == pytest.approx([0.2 + 0.2 * 0.05 / 0.06])
    assert highest == [0.6], "or beyond"
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


def noisy_layers(noise: Array, n: int, seed: int) -> tuple[Array, Array, Array]:
    """Draws examples whose layers drown in noise as they are pruned; the population's CKA is known.

    For X ~ N(0, S), Y = X + σE it is ‖S‖ / ‖S + σ²I‖ (Frobenius norms).

    Args:
        noise: (frames, layers), σ.
        n: Examples.
        seed: Of the draw.

    Returns:
        The population's CKA and the sample's, each (frames, layers), and its replicates (frames, layers, n).
    """
    random = np.random.default_rng(seed)
    scales = np.geomspace(2, 0.2, 24)  # standard deviations of the features
    baseline = random.normal(size=(noise.shape[1], n, len(scales))) * scales
    pruned = baseline + noise[:, :, None, None] * random.normal(size=baseline.shape)
    spread = np.sqrt(np.square(scales**2 + noise[:, :, None] ** 2).sum(-1))
    grams = prepare([u_centred_gram(torch.from_numpy(baseline))])
    compared = [compare(grams, prepare([u_centred_gram(torch.from_numpy(frame))])) for frame in pruned]
    own = np.stack([cka(frame).diagonal().numpy() for frame in compared])
    without = np.stack([leave_one_out(frame.own) for frame in compared])
    return np.sqrt(np.square(scales**2).sum()) / spread, own, without


NOISE = np.outer((0.0, 0.5, 1.0, 2.0), (0.4, 0.6, 0.9, 1.2))  # (frames, layers)


def test_intervals_cover_the_truth() -> None:
    covered, layers_covered = 0, 0
    for seed in range(100):
        truth, own, without = noisy_layers(NOISE, 128, seed)
        statistics = layer_statistics(AMOUNTS, own, without, {})
        assert statistics.depth_gap is not None
        covered += statistics.depth_gap.low <= depth_gap(AMOUNTS, truth) <= statistics.depth_gap.high
        layers_covered += sum(
            record.low <= true.value <= record.high
            for record, true in zip(statistics.survival, survival(AMOUNTS, truth), strict=True)
        )
    assert 90 <= covered <= 99
    assert 360 <= layers_covered <= 396, "and that of each of four layers' survival"


# ---------------------------------------------------------------- comparisons


def gap_of(noise: Array, seed: int) -> DepthGapRecord:
    gap = layer_statistics(AMOUNTS, *noisy_layers(noise, 100, seed)[1:], {}).depth_gap
    assert gap is not None
    return gap


def test_a_difference_on_shared_examples_is_paired() -> None:
    one, same, foreign = gap_of(NOISE, 1), gap_of(1.2 * NOISE, 1), gap_of(1.2 * NOISE, 2)
    paired, unpaired, none = (gap_difference(one, other) for other in (same, foreign, one))
    assert paired.value == pytest.approx(one.value - same.value)
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)
    assert paired.low < paired.value < paired.high
    assert (none.value, none.low, none.high, none.excludes_zero) == (0, 0, 0, False)
