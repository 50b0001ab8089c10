"""Results at equal damage: hand-computed cases and properties."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.sweep.equal_damage import AtDamage, Missing, at_place, damage, gap, place_of, upper_share

AMOUNTS = (0.0, 0.2, 0.4, 0.6)
# Two points; damages 0, 0.05, 0.2, 0.6.
OWN = np.array([[1.0, 1.0], [0.98, 0.92], [0.9, 0.7], [0.6, 0.2]])  # (frames, points)


def replicated(own: np.ndarray, n: int = 6, scale: float = 0.0) -> np.ndarray:
    """The same values without each of n examples, moved by a little noise."""
    noise = np.random.default_rng(0).normal(scale=scale, size=(*own.shape, n))
    return np.where(own[..., None] == 1, 1.0, own[..., None] + noise)  # (frames, points, n)


def at_damage(amounts: Sequence[float], own: np.ndarray, replicates: np.ndarray, target: float) -> AtDamage | Missing:
    """A result's own CKA at one damage."""
    return at_place(amounts, own, replicates, place_of(own, replicates, target))


def found(target: float, own: np.ndarray = OWN, **options: float) -> AtDamage:
    result = at_damage(AMOUNTS, own, replicated(own, **options), target)
    assert isinstance(result, AtDamage)
    return result


def test_hand_computed_interpolation() -> None:
    # Damage 0.1 lies a third of the way from 0.05 (amount 0.2) to 0.2 (amount 0.4).
    result = found(0.1)
    assert result.amount == pytest.approx(0.2 + 0.2 / 3)
    assert result.profile == pytest.approx([0.98 - 0.08 / 3, 0.92 - 0.22 / 3])
    assert result.gap == pytest.approx(0.06 + 0.14 / 3)
    assert result.profile_replicates == pytest.approx(np.repeat(result.profile[:, None], 6, 1))
    assert result.gap_replicates == pytest.approx(np.full(6, result.gap))
    # At damage 0.2 the lower point has lost 0.1, the upper one 0.3, which is three quarters.
    assert upper_share(found(0.2).gap, 0.2) == pytest.approx(0.75)
    assert damage(OWN) == pytest.approx([0, 0.05, 0.2, 0.6])


def test_the_gap_of_an_odd_number_and_of_equal_and_reversed_layers() -> None:
    # Lower half (0.9 + 0.4 / 2) / 1.5, upper half (0.1 + 0.4 / 2) / 1.5.
    assert float(gap(np.array([0.9, 0.4, 0.1]))) == pytest.approx((0.9 + 0.2) / 1.5 - (0.1 + 0.2) / 1.5)
    profile = np.array([0.95, 0.9, 0.8, 0.6, 0.5])
    assert float(gap(np.full(5, 0.7))) == pytest.approx(0)
    assert float(gap(profile[::-1])) == pytest.approx(-float(gap(profile)))


def test_a_sweep_with_fewer_than_two_frames_before_is_coarse() -> None:
    assert found(0.1).is_coarse  # only damage 0.05 lies between
    assert not found(0.3).is_coarse  # 0.05 and 0.2
    idle = found(0.1, np.array([[1, 1], [1, 1], [0.98, 0.92], [0.9, 0.7]]))
    assert idle.is_coarse, "an amount that changes nothing does not lie between"


@pytest.mark.parametrize(
    ("target", "own", "replicates", "expected"),
    [  # what is changed in OWN and its replicates: where, and to what
        (0.7, None, None, Missing.NOT_REACHED),
        (0.1, (1, 0, np.nan), None, Missing.UNDEFINED),
        (0.7, (3, 0, np.nan), None, Missing.UNDEFINED),
        (0.1, (3, 0, np.nan), None, None),  # after it, it does no harm
        (0.1, (0, slice(None), 0.5), None, Missing.REACHED_UNPRUNED),
        (0.1, None, ((1, 0, 2), np.nan), Missing.UNDEFINED),
        (0.1, None, ((slice(None), slice(None), 3), 0.99), Missing.UNSURE),
        (0.1, None, ((0, slice(None), 3), 0.5), Missing.REACHED_UNPRUNED),
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
    result = at_damage(AMOUNTS, values, without, target)
    assert result is expected if expected else isinstance(result, AtDamage)
    assert at_damage(AMOUNTS, values[:, :1], without[:, :1], target) is Missing.ONE_POINT
