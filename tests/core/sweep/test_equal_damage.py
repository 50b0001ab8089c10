"""Results at equal damage: properties, and why there may be none. tests/independent checks the values."""

import numpy as np
import pytest

from core.sweep.equal_damage import Missing, find_crossing

# Two points; damages 0, 0.05, 0.2, 0.6.
OWN = np.array([[1.0, 1.0], [0.98, 0.92], [0.9, 0.7], [0.6, 0.2]])  # (frames, points)


def replicated(own: np.ndarray) -> np.ndarray:
    """Return the same values without each of six examples."""
    return own[..., None].repeat(6, axis=-1)  # (frames, points, n)


def test_a_sweep_with_fewer_than_two_frames_before_is_coarse() -> None:
    idle = np.array(
        [[1, 1], [1, 1], [0.98, 0.92], [0.9, 0.7]]
    )  # an amount that changes nothing does not count
    for own, target, coarse in (
        (OWN, 0.1, True),
        (OWN, 0.3, False),
        (idle, 0.1, True),
    ):
        assert find_crossing(own, replicated(own), target).is_coarse == coarse


@pytest.mark.parametrize(
    ("target", "undefined", "example", "expected"),
    [  # the frame where the first point is undefined, with all examples or without one
        (0.7, None, None, Missing.NOT_REACHED),
        (0.1, 1, None, Missing.UNDEFINED),
        (0.7, 3, None, Missing.UNDEFINED),
        (0.1, 3, None, None),  # beyond the damage it does no harm
        (0.1, 1, 2, Missing.UNDEFINED),
    ],
)
def test_missing_damages(
    target: float,
    undefined: int | None,
    example: int | None,
    expected: Missing | None,
) -> None:
    own = OWN.copy()
    if undefined is not None and example is None:
        own[undefined, 0] = np.nan
    without = replicated(own)
    if undefined is not None and example is not None:
        without[undefined, 0, example] = np.nan
    crossing = find_crossing(own, without, target)
    assert crossing is expected if expected else not isinstance(crossing, Missing)


def test_a_single_point_or_a_single_example_may_prevent_it() -> None:
    without = replicated(OWN)
    assert find_crossing(OWN[:, :1], without[:, :1], 0.1) is Missing.ONE_POINT
    without[..., 3] = 0.99
    assert find_crossing(OWN, without, 0.1) is Missing.UNSURE
