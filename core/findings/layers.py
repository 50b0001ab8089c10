"""How similar each layer stays to itself, and what that is worth; or which layers of another checkpoint are closest.

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which layer falls below it
first is an estimate from examples: layers whose intervals reach down as far stand beside it. Where pruning leaves a
layer more similar to itself than fine-tunes are to each other that differ only in the seed, it has changed the layer
less than another seed does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.findings.comparable import same_examples
from core.findings.words.numbers import UNDEFINED, decimals, hundredths, percent, percent_range
from core.request.catalog import MEASURES, REDUCTION, SURVIVAL_THRESHOLD
from core.results.fields import Row
from core.results.names import PointLabel, ReductionKey, amount_name, point_labels, point_names
from core.results.schema import SweepResult
from core.sweep.statistics import Array, survival

THRESHOLDS = (0.8, SURVIVAL_THRESHOLD, 0.95)  # shown in a table; 0.9 is a convention


class Look(NamedTuple):
    """What layers are judged by: a reduction, the similarity that keeps a layer intact, and a measure of it."""

    reduction: ReductionKey
    threshold: float = SURVIVAL_THRESHOLD
    measure: str = "cka"


@dataclass(frozen=True, eq=False)
class LayerSurvival:
    """How far a point keeps its similarity to its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        own: (frames,) that similarity; NaN where it is undefined.
        value: The amount at which it first falls below a threshold; the largest amount if it never does; NaN where it
            is undefined even without pruning, or whole layers go.
        censored: Whether it never does.
        interval: The 95 % interval of the value, if known; an upper bound at the largest amount means "or beyond".
        floor: Its own CKA with everything removed, if known.
        by_construction: Whether it never falls and the floor reaches the threshold as well: to be intact says little.
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


def own_similarity(result: SweepResult, reduction: ReductionKey, measure: str = "cka") -> Array:
    """Collect every point's similarity to its own baseline over the amounts; undefined values are NaN.

    Against another checkpoint all are: its layers are not the baseline of these.

    Returns:
        Array of shape (frames, points).
    """
    unknown = (None,) * len(result.points)
    rows = [(None if result.against else frame.own(reduction, measure)) or unknown for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(result.points))


def floor_of(result: SweepResult, reduction: ReductionKey, measure: str = "cka") -> Row | None:
    """Return each point's own CKA with everything removed; None where it is unknown, or for another measure."""
    return result.floor.cka.get(reduction) if result.floor and measure == "cka" else None


def own_measures(result: SweepResult, reduction: ReductionKey) -> dict[str, str]:
    """Return the measures that tell how similar a point stays to its own baseline, with their titles."""
    known = (measure for measure in result.measures if result.frames[0].own(reduction, measure) is not None)
    return {measure: MEASURES[measure].title for measure in known}


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
        first: Those that fall below the threshold first, if not all that are defined last as long.
        last: Those that last longest; none where similarity is undefined everywhere.
        rivals: Others whose interval reaches down to the amounts where the first may fall; none where it is unknown.
        selected: The one to select at first: the first to fall, or else what has changed most at the last amount.
    """

    every: tuple[LayerSurvival, ...]
    first: tuple[LayerSurvival, ...]
    last: tuple[LayerSurvival, ...]
    rivals: tuple[LayerSurvival, ...]
    selected: LayerSurvival


def layers_of(result: SweepResult, look: Look) -> Layers:
    """Compute how far each point stays intact, and find those that fall first and last.

    The result may be a whole sweep or the first frames of one. Only the measure's own threshold has intervals.
    """
    reduction, threshold, measure = look
    known = result.statistics_of(reduction, measure) if threshold == SURVIVAL_THRESHOLD else None
    own, unknown = own_similarity(result, reduction, measure), (None,) * len(result.points)
    floor, intervals = floor_of(result, reduction, measure) or unknown, known.survival if known else unknown
    kept = zip(*(column.tolist() for column in survival(result.amounts, own, threshold)), strict=True)
    columns = (point_names(result.points), own.T, kept, intervals, floor)
    every = tuple(
        LayerSurvival(
            *name,
            similarity,
            np.nan if np.isnan(similarity[0]) or result.pruning.granularity == "layer" else value,
            censored,
            (interval.low, interval.high) if interval else None,
            left,
            censored and left is not None and left >= threshold,
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


# ---------------------------------------------------------------- beside fine-tunes that differ only in the seed


class Yardstick(NamedTuple):
    """The similarity of seed twins, layer by layer.

    Attributes:
        ranges: Of each point, the least and the largest CKA of the same layer in two twins, unpruned, over all pairs;
            None where it is undefined.
        checkpoints: How many of them there are.
    """

    ranges: tuple[tuple[float, float] | None, ...]
    checkpoints: int

    def words(self, point: int) -> str:
        """Write the range at one point: `0.60 to 0.80`; empty where it is undefined."""
        return " to ".join(dict.fromkeys(decimals(end, 2) for end in self.ranges[point] or ()))

    def less_from(self, amounts: Sequence[float], own: Array, point: int) -> float | None:
        """Return the amount from which a point is less similar to itself than any twins are; None if at none.

        Args:
            amounts: The amounts.
            own: (frames,) similarity of the point to itself; undefined is less.
            point: The point's place among all.
        """
        limits = self.ranges[point]
        if limits is None or np.isnan(own[0]):
            return None
        lowest = hundredths(limits[0])  # both as they are shown
        less = (np.isnan(value) or hundredths(value) < lowest for value in own)
        return next((amount for amount, is_less in zip(amounts, less, strict=True) if is_less), None)


def yardstick(result: SweepResult, twins: Sequence[SweepResult], reduction: ReductionKey) -> Yardstick | None:
    """Collect the similarity of all pairs of twins on a result's examples and points; None where there are none.

    Args:
        result: A result that is compared with its own unpruned layers.
        twins: Twins against twins: see `core.findings.choices.twins`.
        reduction: Another one than `mean` has no yardstick.
    """
    pairs: dict[frozenset[str], Row] = {}
    for twin in twins if reduction == REDUCTION and result.against is None else ():
        own = twin.frames[0].own(REDUCTION)
        if twin.against and own and twin.points == result.points and same_examples(result, twin):
            pairs[frozenset((twin.checkpoint.id, twin.against.id))] = own
    known = [[value for value in column if value is not None] for column in zip(*pairs.values(), strict=True)]
    ranges = tuple((min(values), max(values)) if values else None for values in known)
    return Yardstick(ranges, len(frozenset().union(*pairs))) if pairs else None


# ---------------------------------------------------------------- beside another checkpoint

Ranked = Sequence[tuple[PointLabel, float]]  # points of the other checkpoint and their similarity, the closest first


def closest_layers(result: SweepResult, reduction: ReductionKey, frame: int = 0) -> list[Ranked]:
    """Find each point's two closest ones in the other checkpoint, in depth order; none where that is undefined.

    Some layer is always the closest one, in two unrelated models as well: so its similarity stands beside it, and the
    next layer's. Nothing here is a verdict.
    """
    labels = point_labels(result.baseline_points)
    columns = zip(*result.frames[frame].matrix(reduction), strict=True)  # each (rows,)
    places = (zip(labels, column, strict=True) for column in columns)
    known = ([(label, value) for label, value in column if value is not None] for column in places)
    return [sorted(column, key=lambda place: -place[1])[:2] for column in known]


def closest_cell(ranked: Ranked) -> str:
    """Write the closest points with their similarities, as in a table."""
    return ", then ".join(f"{label} ({decimals(value, 2)})" for label, value in ranked) or UNDEFINED
