"""Results at equal damage: properties, and where there are none; tests/independent has the values."""

import numpy as np
import pytest

from core.sweep.equal_damage import Missing, gap, place_of

# Two points; damages 0, 0.05, 0.2, 0.6.
OWN = np.array([[1.0, 1.0], [0.98, 0.92], [0.9, 0.7], [0.6, 0.2]])  # (frames, points)


def replicated(own: np.ndarray) -> np.ndarray:
    """The same values without each of six examples."""
    return own[..., None].repeat(6, axis=-1)  # (frames, points, n)


def test_the_gap_of_an_odd_number_and_of_equal_and_reversed_layers() -> None:
    # Lower half (0.9 + 0.4 / 2) / 1.5, upper half (0.1 + 0.4 / 2) / 1.5.
    assert float(gap(np.array([0.9, 0.4, 0.1]))) == pytest.approx((0.9 + 0.2) / 1.5 - (0.1 + 0.2) / 1.5)
    profile = np.array([0.95, 0.9, 0.8, 0.6, 0.5])
    assert float(gap(np.full(5, 0.7))) == pytest.approx(0)
    assert float(gap(profile[::-1])) == pytest.approx(-float(gap(profile)))


def test_a_sweep_with_fewer_than_two_frames_before_is_coarse() -> None:
    idle = np.array([[1, 1], [1, 1], [0.98, 0.92], [0.9, 0.7]])  # an amount that changes nothing does not lie between
    for own, target, coarse in ((OWN, 0.1, True), (OWN, 0.3, False), (idle, 0.1, True)):
        assert place_of(own, replicated(own), target).is_coarse == coarse


@pytest.mark.parametrize(
    ("target", "own", "replicates", "expected"),
    [  # what is changed in OWN and its replicates: where, and to what
        (0.7, None, None, Missing.NOT_REACHED),
        (0.1, (1, 0, np.nan), None, Missing.UNDEFINED),
        (0.7, (3, 0, np.nan), None, Missing.UNDEFINED),
        (0.1, (3, 0, np.nan), None, None),  # after it, it does no harm
        (0.1, None, ((1, 0, 2), np.nan), Missing.UNDEFINED),
        (0.1, None, ((slice(None), slice(None), 3), 0.99), Missing.UNSURE),
    ],
)
def test_there_may_be_nothing(
    target: float, own: tuple[object, ...] | None, replicates: tuple[object, float] | None, expected: Missing | None
) -> None:
    values = OWN.copy()
    if own:
        values[own[:2]] = own[2]
    without = replicated(values)
    if replicates:
        without[replicates[0]] = replicates[1]
    result = place_of(values, without, target)
    assert result is expected if expected else not isinstance(result, Missing)
    assert place_of(values[:, :1], without[:, :1], target) is Missing.ONE_POINT
