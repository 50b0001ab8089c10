"""How similar each layer stays to itself, and which layer changes first.

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which layer falls below it
first is an estimate from examples: layers whose intervals reach down as far stand beside it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.findings.words.numbers import hundredths, percent, percent_range
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.fields import Row
from core.results.names import PointLabel, ReductionKey, amount_name, point_names
from core.results.schema import SweepResult
from core.sweep.statistics import Array, survival


@dataclass(frozen=True, eq=False)
class LayerSurvival:
    """How far a point keeps its similarity to its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        own: (frames,) that similarity; NaN where it is undefined.
        value: The amount at which it first falls below 0.9; the largest amount if it never does; NaN where it is
            undefined even without pruning.
        censored: Whether it never does.
        interval: The 95 % interval of the value, if known; an upper bound at the largest amount means "or beyond".
        floor: Its own CKA with everything removed, if known.
        by_construction: Whether it never falls and the floor is at least 0.9 as well: to be intact says little.
    """

    label: PointLabel
    title: str
    own: Array
    value: float
    censored: bool
    interval: tuple[float, float] | None
    floor: float | None
    by_construction: bool

    @property
    def is_defined(self) -> bool:
        """Whether there is anything to compare layers by."""
        return not np.isnan(self.value)

    @property
    def rank(self) -> float:
        """The number to compare defined layers by: the value as shown, or infinity if it is censored."""
        return float("inf") if self.censored else hundredths(self.value)

    @property
    def text(self) -> str:
        """The value as shown."""
        if not self.is_defined:
            return "undefined"
        return f"> {amount_name(self.value)}" if self.censored else percent(self.value)

    @property
    def words(self) -> str:
        """How far the layer is intact, as it stands beside a band."""
        if not self.is_defined:
            return "undefined"
        still = "intact even at 100 %" if self.by_construction else f"still intact at {amount_name(self.value)}"
        return still if self.censored else f"intact up to {percent(self.value)}"


def own_similarity(result: SweepResult, reduction: ReductionKey) -> Array:
    """Collect every point's CKA with its own baseline over the amounts; undefined values are NaN.

    Returns:
        Array of shape (frames, points).
    """
    unknown = (None,) * len(result.points)
    rows = [frame.own(reduction) or unknown for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(result.points))


def floor_of(result: SweepResult, reduction: ReductionKey) -> Row | None:
    """Return each point's own CKA with everything removed; None where it is unknown."""
    return result.floor.cka.get(reduction) if result.floor else None


def interval_text(interval: tuple[float, float] | None, largest: float) -> str:
    """Write a survival's interval in whole percent; a bound at the largest amount means "or beyond"."""
    if interval is None:
        return "unknown"
    low, high = (f"beyond {amount_name(largest)}" if bound >= largest else percent(bound) for bound in interval)
    if low != high:
        return percent_range(low, high)
    return low if interval[0] >= largest else "under 1 % wide"


# ---------------------------------------------------------------- which layer changes first


class Layers(NamedTuple):
    """How far the layers of a result stay intact; of points that are equal as shown, all count.

    Attributes:
        every: All points, in depth order.
        first: Those that fall below 0.9 first, if not all that are defined last as long.
        last: Those that last longest; none where similarity is undefined everywhere.
        rivals: Others whose interval reaches down to the amounts where the first may fall; none where it is unknown.
        selected: The one to select at first: the first to fall, or else what has changed most at the last amount.
    """

    every: tuple[LayerSurvival, ...]
    first: tuple[LayerSurvival, ...]
    last: tuple[LayerSurvival, ...]
    rivals: tuple[LayerSurvival, ...]
    selected: LayerSurvival


def layers_of(result: SweepResult, reduction: ReductionKey) -> Layers:
    """Compute how far each point stays intact, and find those that fall first and last.

    The result may be a whole sweep or the first frames of one.
    """
    statistics, unknown = result.statistics_of(reduction), (None,) * len(result.points)
    own, floor = own_similarity(result, reduction), floor_of(result, reduction) or unknown
    intervals = statistics.survival if statistics else unknown
    kept = zip(*(column.tolist() for column in survival(result.amounts, own)), strict=True)
    columns = (point_names(result.points), own.T, kept, intervals, floor)
    every = tuple(
        LayerSurvival(
            *name,
            similarity,
            np.nan if np.isnan(similarity[0]) else value,
            censored,
            (interval.low, interval.high) if interval else None,
            left,
            censored and left is not None and left >= SURVIVAL_THRESHOLD,
        )
        for name, similarity, (value, censored), interval, left in zip(*columns, strict=True)
    )
    defined = [layer for layer in every if layer.is_defined]
    ranks = [layer.rank for layer in defined]
    first, last = (tuple(layer for layer in defined if layer.rank == end(ranks)) for end in (min, max))
    if len(last) == len(defined) and (len(defined) != 1 or last[0].censored):
        first = ()
    latest = max((layer.interval[1] if layer.interval else layer.value for layer in first), default=-1.0)
    rivals = (layer for layer in defined if layer not in first and layer.interval and layer.interval[0] <= latest)
    lowest = 0 if np.isnan(own[-1]).all() else int(np.nanargmin(own[-1]))
    return Layers(every, first, last, tuple(rivals), first[0] if first else every[lowest])
