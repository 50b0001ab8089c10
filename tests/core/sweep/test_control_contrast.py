"""A method against its control's seeds: a hand-computed case, agreement with SciPy, and error rates under the null."""

import numpy as np
import pytest
from scipy import stats

from core.sweep.control_contrast import SMALLEST_P, Contrast, contrast, profile_distance

K, N = 5, 256


def replicated(value: float, error: float, random: np.random.Generator) -> np.ndarray:
    """Delete-one replicates of an estimate whose jackknife standard error is `error`."""
    noise = random.normal(size=N)
    return value + (noise - noise.mean()) / noise.std() * error / np.sqrt(N - 1)  # (n,)


def test_hand_computed_half_width() -> None:
    # t(4) = 2.776445, t(255) = 1.969348: hypot(2.776445 · 0.01 · sqrt(1.2), 1.969348 · 0.02).
    width = Contrast(0.0, seed_deviation=0.01, standard_error=0.02, seeds=5, examples=256).half_width()
    assert width == pytest.approx(np.hypot(0.0304144, 0.0393870), abs=1e-6)


def test_parts_are_those_of_the_definition() -> None:
    random = np.random.default_rng(1)
    gaps = [0.10, 0.12, 0.08, 0.11, 0.09]
    method = replicated(0.15, 0.01, random)
    seeds = np.stack([replicated(gap, 0.01, random) for gap in gaps])  # (seeds, n)
    result = contrast(0.15, method, gaps, seeds)
    assert result.difference == pytest.approx(0.05)
    assert result.seed_deviation == pytest.approx(stats.tstd(gaps))
    pseudo = method - seeds.mean(0)
    assert result.standard_error == pytest.approx(np.sqrt((N - 1) / N * ((pseudo - pseudo.mean()) ** 2).sum()))


def test_without_examples_it_is_the_prediction_interval_of_one_more_seed() -> None:
    gaps = np.array([0.10, 0.12, 0.08, 0.11, 0.09])
    result = Contrast(0.03, float(gaps.std(ddof=1)), 0.0, K, N)
    t = 0.03 / (gaps.std(ddof=1) * np.sqrt(1.2))
    assert result.p_value == pytest.approx(2 * stats.t(K - 1).sf(t), rel=1e-6)


def test_the_p_value_is_where_the_interval_reaches_zero() -> None:
    result = Contrast(0.05, 0.01, 0.01, K, N)
    assert result.half_width(1 - result.p_value) == pytest.approx(0.05)
    assert Contrast(-0.05, 0.01, 0.01, K, N).p_value == pytest.approx(result.p_value)


@pytest.mark.parametrize("difference", [0.0, 1e-17, -1e-17])
def test_no_difference_but_rounding_has_a_p_value_of_one(difference: float) -> None:
    assert Contrast(difference, 0.01, 0.01, K, N).p_value == 1


def test_a_difference_without_any_spread_has_the_smallest_p_value() -> None:
    assert Contrast(0.05, 0.0, 0.0, K, N).p_value == SMALLEST_P


@pytest.mark.parametrize(
    ("difference", "deviation", "error", "direction"),
    [
        (0.05, 0.005, 0.005, "steeper"),
        (-0.05, 0.005, 0.005, "flatter"),
        (0.005, 0.002, 0.003, "as by chance"),
        (0.015, 0.001, 0.001, "as by chance"),  # surely there, and too small to matter
        (0.05, 0.04, 0.005, "cannot be told"),  # the seeds vary too much
        (0.019, 0.002, 0.002, "cannot be told"),  # neither clear of 0.02 nor within it
    ],
)
def test_directions(difference: float, deviation: float, error: float, direction: str) -> None:
    assert Contrast(difference, deviation, error, K, N).direction() == direction


@pytest.mark.parametrize("seed_deviation", [0.005, 0.01, 0.04])
def test_a_control_against_its_own_kind_is_rarely_called_different(seed_deviation: float) -> None:
    random = np.random.default_rng(0)
    told = []
    for _ in range(2_000):
        gaps = random.normal(0.1, seed_deviation, K + 1)  # one more seed in the method's place
        observed = gaps + random.normal(0, 0.008, K + 1)  # what other examples add
        replicates = np.stack([replicated(gap, 0.008, random) for gap in observed])  # (seeds + 1, n)
        told.append(contrast(observed[0], replicates[0], observed[1:].tolist(), replicates[1:]).direction())
    different = sum(direction in ("steeper", "flatter") for direction in told) / len(told)
    assert different <= 0.05


@pytest.mark.parametrize(("seed_deviation", "least"), [(0.002, 0.95), (0.005, 0.4)])
def test_a_control_against_its_own_kind_is_often_found_to_be_as_by_chance(seed_deviation: float, least: float) -> None:
    """At the deviations that weight-wise controls have; those of units, .01 and more, leave it open."""
    random = np.random.default_rng(0)
    told = []
    for _ in range(500):
        gaps = random.normal(0.04, seed_deviation, K + 1)
        replicates = np.stack([replicated(gap, 0.003, random) for gap in gaps])  # (seeds + 1, n)
        told.append(contrast(gaps[0], replicates[0], gaps[1:].tolist(), replicates[1:]).direction())
    assert told.count("as by chance") / len(told) >= least


def test_a_true_difference_is_found() -> None:
    random = np.random.default_rng(0)
    told = []
    for _ in range(200):
        gaps = random.normal(0.1, 0.005, K + 1)
        gaps[0] += 0.06
        replicates = np.stack([replicated(gap, 0.005, random) for gap in gaps])  # (seeds + 1, n)
        told.append(contrast(gaps[0], replicates[0], gaps[1:].tolist(), replicates[1:]).direction())
    assert told.count("steeper") >= 190


def test_too_few_seeds_or_other_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="1 seeds"):
        contrast(0.1, np.zeros(4), [0.1], np.zeros((1, 4)))
    with pytest.raises(ValueError, match="4 and 5 examples"):
        contrast(0.1, np.zeros(5), [0.1, 0.2], np.zeros((2, 4)))


class TestProfile:
    def test_an_equal_profile_is_no_farther_than_chance(self) -> None:
        seeds = np.array([[0.93, 0.77], [0.92, 0.78], [0.85, 0.85]])
        distance, p = profile_distance(np.array([0.9, 0.8]), seeds)
        assert distance == pytest.approx(0)
        assert p == 1

    def test_a_far_profile_is_beyond_every_seed(self) -> None:
        seeds = np.array([[0.9, 0.8], [0.92, 0.78], [0.88, 0.82], [0.91, 0.79], [0.89, 0.81]])
        distance, p = profile_distance(np.array([0.9, 0.6]), seeds)
        assert distance == pytest.approx(0.2)
        assert p == pytest.approx(1 / 6)

    def test_one_more_seed_is_uniform_among_them(self) -> None:
        random = np.random.default_rng(0)
        values = []
        for _ in range(2_000):
            profiles = random.normal(0.9, 0.01, (6, 4))
            values.append(profile_distance(profiles[0], profiles[1:])[1])
        assert np.mean(np.array(values) <= 1 / 6) == pytest.approx(1 / 6, abs=0.035)
