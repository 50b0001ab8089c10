"""Match results where they have reached the same damage, by interpolation between stored frames.

Where a damage is reached is `core.sweep.equal_damage`'s definition: at the first frame that reaches it, between that
frame and the one before. Everything a picture shows is interpolated linearly there; predictions cannot be.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from core.findings.comparable import control_sweeps, own_sweeps
from core.findings.layers import own_similarity
from core.results.names import ReductionKey
from core.results.schema import Frame, SweepResult
from core.sweep.equal_damage import Array, Missing, between, damage, first_reached

STEPS = (0.005, 0.01, 0.025, 0.05)  # of the grid; each holds the damages at which results are judged
MOST_FRAMES = 30  # about as many as a sweep has


def damages_of(result: SweepResult, reduction: ReductionKey) -> Array:
    """Return every frame's damage, (frames,); NaN where it is undefined."""
    return damage(own_similarity(result, reduction))


def scores_of(result: SweepResult) -> Array:
    """Return every frame's value of the main metric, (frames,); NaN where it is undefined."""
    return np.array([frame.metrics.get(result.task.main_metric) for frame in result.frames], dtype=np.float64)


def largest_damage(result: SweepResult, reduction: ReductionKey) -> float:
    """Return the largest damage that a result reaches before one is undefined; 0 without any."""
    damages = damages_of(result, reduction)
    return float(damages[~np.maximum.accumulate(np.isnan(damages))].max(initial=0.0))


def grid_to(largest: float) -> tuple[float, ...]:
    """Return evenly spaced values from 0 to at most `largest`, in the finest step that takes few frames.

    A last one that would lie above it by rounding alone is `largest` itself.
    """
    step = next((step for step in STEPS if largest / step < MOST_FRAMES), STEPS[-1])
    return tuple(min(round(k * step, 6), largest) for k in range(int(largest / step + 1e-9) + 1))


def frames_at(result: SweepResult, reduction: ReductionKey, places: tuple[float, ...]) -> list[Frame]:
    """Interpolate a result's frames at damages that it reaches, the first of them 0."""
    damages = damages_of(result, reduction)
    frames = [result.frames[0]]
    for target in places[1:]:
        place = first_reached(damages, target)
        assert not isinstance(place, Missing)  # `places` end at what it reaches
        k, share = int(place[0]), float(place[1])
        frames.append(frame_between(result.frames[k - 1], result.frames[k], share))
    return frames


def with_frame_at(
    result: SweepResult, near: Iterable[SweepResult], reduction: ReductionKey, target: float
) -> SweepResult:
    """Add a frame at a damage to a result, interpolated in its own or a companion's steps; none if none reaches it."""
    places = ((first_reached(damages_of(sweep, reduction), target), sweep) for sweep in own_sweeps(result, near))
    reached = [(np.diff(sweep.amounts)[int(at[0]) - 1], sweep) for at, sweep in places if not isinstance(at, Missing)]
    if not reached:
        return result
    at = frames_at(min(reached, key=itemgetter(0))[1], reduction, (0.0, target))[1]
    frames = {**{frame.amount: frame for frame in result.frames}, at.amount: at}
    return result.model_copy(update={"frames": tuple(frames[amount] for amount in sorted(frames))})


def frame_between(low: Frame, high: Frame, share: float) -> Frame:
    """Interpolate linearly between two frames; what either lacks is missing, and so are predictions."""
    first, second = (frame.model_dump(exclude={"predictions"}) for frame in (low, high))
    return Frame.model_validate({**_mixed(first, second, share), "predictions": ()})


def _mixed(low: Any, high: Any, share: float) -> Any:
    """Interpolate numbers, also those in tuples and dictionaries; None where either is None."""
    if low is None or high is None:
        return None
    if isinstance(low, dict):
        return {name: _mixed(value, high.get(name), share) for name, value in low.items()}
    if isinstance(low, tuple):
        return tuple(_mixed(a, b, share) for a, b in zip(low, high, strict=True))
    return low + share * (high - low)


# ---------------------------------------------------------------- a method beside its control


class Beside(NamedTuple):
    """The seeds of a method's random control where each has changed the layers as much; NaN where none does.

    Attributes:
        own: (frames, points) the mean own CKA.
        amounts: (frames, 3) the mean of the amounts removed, the least and the largest.
        scores: (frames, 3) the same of the main metric.
    """

    own: Array
    amounts: Array
    scores: Array


def chance_beside(result: SweepResult, candidates: Iterable[SweepResult], reduction: ReductionKey) -> Beside | None:
    """Place a method's matched random control at the damage of each of its frames.

    Args:
        result: A whole sweep or the first frames of one.
        candidates: Results from which its control's seeds are picked.
        reduction: What damage is measured by.

    Returns:
        None where there is no matched control.
    """
    seeds = control_sweeps(result, candidates)
    if not seeds:
        return None
    targets = damages_of(result, reduction)  # (frames,)
    reached = [[_at(sweeps, target, reduction) for target in targets] for sweeps in seeds.values()]
    values = np.ma.masked_invalid(reached)  # (seeds, frames, 2 + points); masked where a seed does not change as much
    spread = np.stack([over(0).filled(np.nan) for over in (values.mean, values.min, values.max)], -1)
    return Beside(spread[:, 2:, 0], spread[:, 0], spread[:, 1])


def _at(sweeps: Sequence[SweepResult], target: float, reduction: ReductionKey) -> Array:
    """Interpolate amount, main metric and own CKA at a damage, in the sweep with the smallest steps before it.

    Args:
        sweeps: Results of the same pruning in different steps.
        target: The damage.
        reduction: What damage is measured by.

    Returns:
        (2 + points,), NaN where no sweep reaches it.
    """
    tables = [np.column_stack([sweep.amounts, scores_of(sweep), own_similarity(sweep, reduction)]) for sweep in sweeps]
    if target <= 0:
        return np.asarray(tables[0][0])
    places = [(first_reached(damage(table[:, 2:]), target), table) for table in tables]
    reached = [(*place, table) for place, table in places if not isinstance(place, Missing)]
    if not reached:
        return np.full(tables[0].shape[1], np.nan)
    k, share, table = min(reached, key=lambda place: np.diff(place[2][:, 0])[int(place[0]) - 1])
    return between(table, k, share)
