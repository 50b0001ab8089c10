"""Changed predictions and Jensen-Shannon divergence, against hand-computed values and properties."""

import numpy as np
import pytest
from scipy.stats import entropy

from core.sweep.divergence import changed_share, divergences, mean_divergence


def logits(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)  # (examples, labels)


def test_by_the_definition_with_entropies() -> None:
    # JSD = H(mean) - mean of the entropies, in bits; p = (.5, .5), q = softmax(0, ln 3) = (.25, .75).
    found = divergences(logits((1, 2), (50, -50)), logits((1, 2), (-50, 50)))
    assert found == pytest.approx([0, 1], abs=1e-9), "equal outputs have none, opposite ones a bit"
    expected = entropy([0.375, 0.625], base=2) - (entropy([0.5, 0.5], base=2) + entropy([0.25, 0.75], base=2)) / 2
    assert divergences(logits((0, 0)), logits((0, np.log(3)))) == pytest.approx([expected], abs=1e-7)


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
