"""Results at equal damage: when there are none. tests/independent checks the values."""

import numpy as np

from core.sweep.equal_damage import find_crossing

# Two points; damages 0, 0.05, 0.2, 0.6.
OWN = np.array(
    [
        [1.0, 1.0],
        [0.98, 0.92],
        [0.9, 0.7],
        [0.6, 0.2],
    ]
)  # (frames, points)


def replicated(own: np.ndarray) -> np.ndarray:
    """Return the same values without each of six examples."""
    return own[..., None].repeat(6, axis=-1)  # (frames, points, n)


def test_a_sweep_with_fewer_than_two_frames_before_is_coarse() -> None:
    # An amount that changes nothing does not count.
    idle = np.concatenate([OWN[:1], OWN])
    cases = [
        (OWN, 0.1, True),
        (OWN, 0.3, False),
        (idle, 0.1, True),
    ]
    for own, target, coarse in cases:
        crossing = find_crossing(own, replicated(own), target)
        assert crossing.is_coarse == coarse


def test_a_damage_that_is_not_reached_by_all_examples_has_no_crossing() -> None:
    without = replicated(OWN)
    never = find_crossing(OWN, without, 0.7)
    without[..., 3] = 0.99
    not_always = find_crossing(OWN, without, 0.1)
    assert never is None
    assert not_always is None


def test_similarity_undefined_before_the_damage_leaves_no_crossing() -> None:
    own = OWN.copy()
    own[3, 0] = np.nan
    replicates = replicated(own)
    assert find_crossing(own, replicates, 0.1), "beyond the damage it does no harm"
    assert find_crossing(own, replicates, 0.6) is None

    replicates = replicated(OWN)
    replicates[1, 0, 2] = np.nan
    crossing = find_crossing(OWN, replicates, 0.1)
    assert crossing is None


def test_a_single_point_has_no_depth() -> None:
    own = OWN[:, :1]
    assert find_crossing(own, replicated(own), 0.1) is None
