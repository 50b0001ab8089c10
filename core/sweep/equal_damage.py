"""Where a result reaches a damage: results are compared where they have changed equally much.

*Damage* is 1 - the mean own CKA over all points. Values at damage d are interpolated linearly
between the frames k - 1 and k, where k is the first frame whose damage reaches d; every delete-one
replicate has its own k. The *depth profile* is the own CKA of all points there; the *gap* is its
mean over the lower half minus that over the upper half, where the middle of an odd number counts
half in each.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Gap = TypeVar("Gap", float, npt.NDArray[np.float64])
Reached = tuple[npt.NDArray[np.int64], Array]

DAMAGES = (0.05, 0.1, 0.2, 0.3)
FEWEST_BEFORE = 2  # frames at 0 < damage < d; with fewer, a sweep is too coarse for a verdict


def damage(own_cka: Array) -> Array:
    """Compute 1 - the mean own CKA over all points, (frames, points, …) -> (frames, …)."""
    mean = own_cka.mean(1)  # (frames, …)
    return np.asarray(1 - mean)


def gap(profile: Array) -> Array:
    """Compute the lower half's mean minus the upper half's, (points, …) -> (…).

    Args:
        profile: (points, …) own CKA in depth order, of at least two points.
    """
    points = len(profile)
    middle = (points - 1) / 2
    from_middle = middle - np.arange(points)  # (points,) above 0 in the lower half
    weights = np.sign(from_middle) / (points / 2)  # (points,)
    return np.asarray(np.tensordot(weights, profile, axes=1))


def upper_share(gap: Gap, damage: float) -> Gap:
    """Convert gaps to the share of the damage in the upper half: 0.5 is even, 1 is all of it."""
    return 0.5 + gap / (4 * damage)


class Crossing(NamedTuple):
    """Where a result reaches a damage; see `first_reached`.

    Attributes:
        own: Frame and share.
        without: The same without each example, each (n,).
        is_coarse: Whether fewer than FEWEST_BEFORE frames lie at 0 < damage < d.
    """

    own: Reached
    without: Reached
    is_coarse: bool


def find_crossing(own_cka: Array, replicates: Array, target: float) -> Crossing | None:
    """Find where a result surely reaches a damage.

    Args:
        own_cka: (frames, points); NaN where it is undefined.
        replicates: (frames, points, n), the same without each example.
        target: The damage, above 0.

    Returns:
        None if it is not reached, or not without one of the examples; if similarity is undefined
        before; or if there are fewer than two points.
    """
    if own_cka.shape[1] < 2:
        return None
    damages = damage(own_cka)  # (frames,)
    own = first_reached(damages, target)
    without = first_reached(damage(replicates), target)
    if own is None or without is None:
        return None
    before = damages[1 : int(own[0])]  # all below the target
    changed = int((before > 0).sum())
    return Crossing(own, without, is_coarse=changed < FEWEST_BEFORE)


def first_reached(values: Array, target: float) -> Reached | None:
    """Find where values over the frames first reach a target.

    Args:
        values: (frames, …) such as damages, 0 at the baseline; NaN where undefined.
        target: The value to reach, above 0.

    Returns:
        The index k of the first frame that reaches it, and the share of the way from frame k - 1
        to k: each (…). None if it is not reached, or a value up to there is undefined.
    """
    reached = values >= target  # (frames, …); False where undefined
    is_missed = not reached.any(0).all()
    k = np.asarray(reached.argmax(0))  # (…)
    until = values[: int(k.max()) + 1]  # (frames until all have reached it, …)
    if is_missed or np.isnan(until).any():
        return None
    low, high = _around(values, k)  # each (…)
    share = (target - low) / (high - low)  # (…)
    return k, np.asarray(share)


def between(values: Array, k: npt.NDArray[np.int64], share: Array) -> Array:
    """Interpolate along the first axis at what `first_reached` returns.

    Shapes: (frames, …), (), () -> (…); for delete-one replicates (frames, …, n), (n,), (n,) ->
    (…, n).
    """
    frames = np.broadcast_to(k, values.shape[1:])  # (…, n)
    low, high = _around(values, frames)  # each (…, n)
    return np.asarray(low + share * (high - low))


def _around(values: Array, k: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the values in frames k - 1 and k, (frames, …), (…) -> each (…)."""
    index = k[None]  # (1, …)
    low = np.take_along_axis(values, index - 1, 0)  # (1, …)
    high = np.take_along_axis(values, index, 0)  # (1, …)
    return low[0], high[0]
