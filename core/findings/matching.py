"""Match results where they have reached the same damage, by interpolation between stored frames.

Where a damage is reached is `core.sweep.equal_damage`'s definition: at the first frame that reaches
it, between that frame and the one before. Everything a picture shows is interpolated linearly
there; predictions cannot be.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from core.findings.comparable import control_sweeps, own_sweeps
from core.findings.layers import own_similarity
from core.request.catalog import DAMAGE
from core.results.names import ReductionKey
from core.results.schema import Frame, SweepResult
from core.sweep.equal_damage import Array, damage, first_reached

# Of the grid: all but the last hold the damages that are judged.
STEPS = (0.005, 0.01, 0.025, 0.05, 0.1)
MOST_FRAMES = 30  # about as many as a sweep has


def damages_of(result: SweepResult, reduction: ReductionKey) -> Array:
    """Return every frame's damage, (frames,); NaN where it is undefined."""
    return damage(own_similarity(result, reduction))


def scores_of(result: SweepResult) -> Array:
    """Return every frame's value of the main metric, (frames,); NaN where it is undefined."""
    metric = result.task.main_metric
    return np.array([frame.metrics.get(metric) for frame in result.frames], dtype=np.float64)


def largest_damage(result: SweepResult, reduction: ReductionKey) -> float:
    """Return the largest damage that a result reaches before one is undefined; 0 without any."""
    damages = damages_of(result, reduction)
    is_beyond = np.maximum.accumulate(np.isnan(damages))  # (frames,)
    return float(damages[~is_beyond].max(initial=0.0))


def grid_to(largest: float) -> tuple[float, ...]:
    """Return evenly spaced values from 0 to at most `largest`, in the finest step for few frames.

    A last one that would lie above it by rounding alone is `largest` itself.
    """
    step = next(step for step in STEPS if largest / step < MOST_FRAMES)
    count = int(largest / step + 1e-9) + 1
    places = (round(k * step, 6) for k in range(count))
    return tuple(min(place, largest) for place in places)


def with_frame_at_damage(
    result: SweepResult,
    near: Iterable[SweepResult],
    reduction: ReductionKey,
) -> SweepResult:
    """Add a frame at DAMAGE to a result, from its own or a companion's steps, if any reaches it."""
    added = frame_at(own_sweeps(result, near), reduction, DAMAGE)
    if added is None:
        return result
    by_amount = {frame.amount: frame for frame in (*result.frames, added)}
    frames = tuple(by_amount[amount] for amount in sorted(by_amount))
    return result.model_copy(update={"frames": frames})


def frame_at(sweeps: Iterable[SweepResult], reduction: ReductionKey, target: float) -> Frame | None:
    """Interpolate a frame linearly where `reaching` says.

    It lacks what either neighbour lacks, and predictions.
    """
    place = reaching(sweeps, reduction, target)
    if place is None:
        return None
    sweep, k, share = place
    low = sweep.frames[k - 1].model_dump(exclude={"predictions"})
    high = sweep.frames[k].model_dump(exclude={"predictions"})
    return Frame.model_validate({**_mixed(low, high, share), "predictions": ()})


def reaching(
    sweeps: Iterable[SweepResult],
    reduction: ReductionKey,
    target: float,
) -> tuple[SweepResult, int, float] | None:
    """Find where a pruning reaches a damage above 0; None if it does not.

    Returns:
        The sweep with the smallest steps there, its first frame k that reaches the damage, and the
        share of the way from frame k - 1 to k.
    """
    reached = []  # the step first
    for sweep in sweeps:
        place = first_reached(damages_of(sweep, reduction), target)
        if place:
            k = int(place[0])
            share = float(place[1])
            step = sweep.amounts[k] - sweep.amounts[k - 1]
            reached.append((step, (sweep, k, share)))
    if not reached:
        return None
    _, finest = min(reached, key=itemgetter(0))
    return finest


def _mixed(low: Any, high: Any, share: float) -> Any:
    """Interpolate numbers, also those in tuples and dictionaries; None where either is None."""
    if low is None or high is None:
        return None
    if isinstance(low, dict):
        return {name: _mixed(value, high.get(name), share) for name, value in low.items()}
    if isinstance(low, tuple):
        pairs = zip(low, high, strict=True)
        return tuple(_mixed(a, b, share) for a, b in pairs)
    return low + share * (high - low)


# ---------------------------------------------------------------- a method beside its control


class Beside(NamedTuple):
    """The seeds of a random control where each has changed the layers as much; NaN for none.

    Attributes:
        own: (frames, points) the mean own CKA.
        amounts: (frames, 2) the least and the largest of the amounts removed.
        scores: (frames, 3) the mean of the main metric, the least and the largest.
    """

    own: Array
    amounts: Array
    scores: Array


def chance_beside(
    result: SweepResult,
    candidates: Iterable[SweepResult],
    reduction: ReductionKey,
) -> Beside | None:
    """Place a method's matched random control at the damage of each of its frames.

    Args:
        result: A whole sweep or the first frames of one.
        candidates: Results from which its control's seeds are picked.
        reduction: What damage is measured by.

    Returns:
        None where there is no matched control.
    """
    seeds = control_sweeps(result, candidates).values()
    if not seeds:
        return None
    targets = damages_of(result, reduction)  # (frames,)
    reached = []
    for sweeps in seeds:
        reached.append([_at(sweeps, target, reduction) for target in targets])
    values = np.ma.masked_invalid(reached)  # (seeds, frames, 2 + points); NaN is masked
    statistics = [values.mean(0), values.min(0), values.max(0)]
    table = np.ma.stack(statistics, axis=-1).filled(np.nan)  # (frames, 2 + points, 3)
    return Beside(own=table[:, 2:, 0], amounts=table[:, 0, 1:], scores=table[:, 1])


def _at(sweeps: Sequence[SweepResult], target: float, reduction: ReductionKey) -> Array:
    """Interpolate amount, main metric and own CKA at a damage.

    Args:
        sweeps: Results of the same pruning in different steps.
        target: The damage.
        reduction: What damage is measured by.

    Returns:
        (2 + points,), NaN where no sweep reaches it.
    """
    sweep = sweeps[0]
    frame = sweep.frames[0] if target <= 0 else frame_at(sweeps, reduction, target)
    own = frame.own(reduction) if frame else None
    if frame is None or own is None:
        return np.full(2 + len(sweep.points), np.nan)
    score = frame.metrics.get(sweep.task.main_metric)
    return np.array([frame.amount, score, *own], dtype=np.float64)
