"""How similar each layer stays to itself, which layer changes first, what it comes to resemble.

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which
layer falls below it first is an estimate from examples: layers whose intervals reach down as far
stand beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.findings.accuracy import working_to
from core.findings.rounding import hundredths
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.fields import Bounds, Row
from core.results.names import PointLabel, ReductionKey, point_names
from core.results.schema import Measured, SweepResult
from core.sweep.statistics import Array, survival


@dataclass(frozen=True, eq=False)
class LayerSurvival:
    """How far a point keeps its similarity to its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        own: (frames,) that similarity; NaN where it is undefined.
        value: The amount at which it first falls below 0.9; the largest amount if it never does;
            NaN where it is undefined even without pruning.
        censored: Whether it never does.
        interval: The 95 % interval of the value, if known; an upper bound at the largest amount
            means "or beyond".
        floor: Its own CKA with everything removed, if known.
    """

    label: PointLabel
    title: str
    own: Array
    value: float
    censored: bool
    interval: Bounds | None
    floor: float | None

    @property
    def is_defined(self) -> bool:
        """Whether there is anything to compare layers by."""
        return not np.isnan(self.value)

    @property
    def by_construction(self) -> bool:
        """Whether it stays intact even with everything removed, so that to be so says little."""
        return self.censored and (self.floor or 0.0) >= SURVIVAL_THRESHOLD

    @property
    def rank(self) -> float:
        """The number to compare defined layers by: the value as shown, infinity if censored."""
        if self.censored:
            return float("inf")
        return hundredths(self.value)


def own_similarity(result: SweepResult, reduction: ReductionKey) -> Array:
    """Collect every point's CKA with its own baseline over the amounts; undefined values are NaN.

    Returns:
        Array of shape (frames, points).
    """
    unknown = (None,) * len(result.points)
    rows = [frame.own(reduction) or unknown for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(unknown))


def floor_of(result: SweepResult, reduction: ReductionKey) -> Row | None:
    """Return each point's own CKA with everything removed; None where it is unknown."""
    if result.floor:
        return result.floor.cka.get(reduction)
    return None


# ---------------------------------------------------------------- which layer changes first


@dataclass(frozen=True, eq=False)
class LayerOrder:
    """The order in which the layers of a result change; points equal as shown count alike.

    Attributes:
        every: All points, in depth order.
        first: Those that fall below 0.9 first, unless all that are defined last equally long.
        last: Those that last longest; none where similarity is undefined everywhere.
        rivals: Others whose interval reaches down to the amounts where the first may fall.
    """

    every: Sequence[LayerSurvival]
    first: Sequence[LayerSurvival]
    last: Sequence[LayerSurvival]
    rivals: Sequence[LayerSurvival]

    @property
    def selected(self) -> LayerSurvival:
        """The layer to select at first: the first to fall, else the most changed at the end."""
        if self.first:
            return self.first[0]
        at_end = [layer.own[-1] for layer in self.every]
        return self.every[0 if np.isnan(at_end).all() else int(np.nanargmin(at_end))]


def layers_of(result: SweepResult, reduction: ReductionKey) -> LayerOrder:
    """Compute how far each point stays intact, and find those that fall first and last.

    The result may be a whole sweep or the first frames of one.
    """
    statistics = result.statistics_of(reduction)
    unknown = (None,) * len(result.points)
    own = own_similarity(result, reduction)
    layers = zip(
        point_names(result.points),
        *survival(result.amounts, own),
        statistics.survival if statistics else unknown,
        floor_of(result, reduction) or unknown,
        own.T,
        strict=True,
    )
    every = tuple(
        LayerSurvival(
            name.label,
            name.title,
            curve,
            np.nan if np.isnan(curve[0]) else float(value),
            bool(censored),
            (interval.low, interval.high) if interval else None,
            floor,
        )
        for name, value, censored, interval, floor, curve in layers
    )
    defined = [layer for layer in every if layer.is_defined]
    ranks = [layer.rank for layer in defined]
    first = [layer for layer in defined if layer.rank == min(ranks)]
    last = [layer for layer in defined if layer.rank == max(ranks)]
    if len(last) == len(defined) and (len(defined) != 1 or last[0].censored):
        first = []
    reached = [layer.interval[1] if layer.interval else layer.value for layer in first]
    rivals = [
        layer
        for layer in defined
        if layer not in first and layer.interval and layer.interval[0] <= max(reached, default=-1)
    ]
    return LayerOrder(every, first, last, rivals)


# ---------------------------------------------------------------- what layers come to resemble


class Towards(NamedTuple):
    """What the layers of a pruned model resemble, within its working range.

    Attributes:
        nearest: (frames, points) at the frames within it, the most similar unpruned point of each
            pruned one, of equals the lowest; -1 where that is undefined.
        earlier: How much more similar the upper half's points are to all earlier unpruned ones at
            the last of these frames than at the first.
        later: The same of all later ones.
    """

    nearest: npt.NDArray[np.int64]
    earlier: float
    later: float


def towards(result: SweepResult, reduction: ReductionKey) -> Towards | None:
    """Find what each pruned layer of a whole sweep is nearest to.

    Returns:
        None where the model is not shown to work beyond the first amount, or there are fewer than
        two points.
    """
    size = len(result.points)
    last = working_to(result) or 0
    frames = [frame for frame in result.frames if frame.amount <= last]
    if size < 2 or len(frames) < 2:
        return None
    matrices = similarities(frames, reduction)
    grown = matrices[-1] - matrices[0]
    i, j = np.indices((size, size))
    upper = 2 * j >= size
    earlier, later = (_mean(grown[upper & side]) for side in (i < j, i > j))
    return Towards(nearest_in(matrices), earlier, later)


def similarities(frames: Sequence[Measured], reduction: ReductionKey) -> Array:
    """Collect the CKA of all pairs of points, (frames, i, j); undefined values are NaN."""
    return np.array([frame.matrix(reduction) for frame in frames], dtype=np.float64)


def nearest_in(matrices: Array) -> npt.NDArray[np.int64]:
    """Find the most similar unpruned point of each pruned one: (frames, i, j) -> (frames, j).

    Of equals it is the lowest, -1 if undefined.
    """
    ranked = np.where(np.isnan(matrices), -np.inf, matrices)
    return np.where(np.isinf(ranked.max(1)), -1, ranked.argmax(1))


def _mean(values: Array) -> float:
    if values.size:
        return float(values.mean())
    return np.nan
