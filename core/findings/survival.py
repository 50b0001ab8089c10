"""How far each layer keeps its similarity to itself, and which change first and last.

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which layer falls below it
first is an estimate from examples: layers whose intervals reach down as far stand beside it.
"""

from dataclasses import dataclass

import numpy as np

from core.findings.words.numbers import hundredths, percent, percent_range
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.fields import Row
from core.results.names import PointLabel, ReductionKey, amount_name, point_names
from core.results.schema import SweepResult
from core.sweep.statistics import Array, survival

THRESHOLDS = (0.8, SURVIVAL_THRESHOLD, 0.95)  # shown in a table; 0.9 is a convention


@dataclass(frozen=True)
class LayerSurvival:
    """How far a point keeps its CKA with its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        value: The amount at which CKA first falls below a threshold; the largest amount if it never does; NaN where
            CKA is undefined even without pruning.
        censored: Whether it never does.
        interval: The 95 % interval of the value, if known; an upper bound at the largest amount means "or beyond".
        floor: Its own CKA with everything removed, if known.
        by_construction: Whether it never falls and the floor reaches the threshold as well: to be intact says little.
    """

    label: PointLabel
    title: str
    value: float
    censored: bool = False
    interval: tuple[float, float] | None = None
    floor: float | None = None
    by_construction: bool = False

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
        return f"still intact at {amount_name(self.value)}" if self.censored else f"intact up to {percent(self.value)}"


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


def own_measures(result: SweepResult, reduction: ReductionKey) -> list[str]:
    """Return the measures that tell how similar a point stays to its own baseline."""
    return [measure for measure in result.measures if result.frames[0].own(reduction, measure) is not None]


def layer_survivals(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> list[LayerSurvival]:
    """Compute how far each point keeps a similarity of at least `threshold`, in depth order.

    The result may be a whole sweep or the first frames of one. Only the measure's own threshold has intervals.
    """
    known = result.statistics_of(reduction, measure) if threshold == SURVIVAL_THRESHOLD else None
    own, unknown = own_similarity(result, reduction, measure), (None,) * len(result.points)
    floor, intervals = floor_of(result, reduction, measure) or unknown, known.survival if known else unknown
    columns = (point_names(result.points), survival(result.amounts, own, threshold), np.isnan(own[0]), intervals, floor)
    return [
        LayerSurvival(
            name.label,
            name.title,
            np.nan if undefined else layer.value,
            layer.censored and not undefined,
            None if undefined or interval is None else (interval.low, interval.high),
            left,
            layer.censored and left is not None and left >= threshold,
        )
        for name, layer, undefined, interval, left in zip(*columns, strict=True)
    ]


def interval_text(interval: tuple[float, float] | None, largest: float) -> str:
    """Write a survival's interval in whole percent; a bound at the largest amount means "or beyond"."""
    if interval is None:
        return "unknown"
    low, high = (f"beyond {amount_name(largest)}" if bound >= largest else percent(bound) for bound in interval)
    if low != high:
        return percent_range(low, high)
    return low if interval[0] >= largest else "under 1 % wide"


# ---------------------------------------------------------------- which layer changes first


@dataclass(frozen=True)
class Layers:
    """How far the layers of a result stay intact; of points that are equal as shown, all count.

    Attributes:
        defined: The points whose similarity is defined without pruning, in depth order.
        first: Those that fall below the threshold first, if not all that are defined last as long.
        last: Those that last longest.
        rivals: Others whose interval reaches down to the amounts where the first may fall; none where it is unknown.
    """

    defined: tuple[LayerSurvival, ...]
    first: tuple[LayerSurvival, ...]
    last: tuple[LayerSurvival, ...]
    rivals: tuple[LayerSurvival, ...]


def layers_of(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> Layers:
    """Find the layers that fall first and last; the result may be unfinished."""
    every = layer_survivals(result, reduction, threshold, measure)
    defined = tuple(layer for layer in every if layer.is_defined)
    ranks = [layer.rank for layer in defined]
    last = tuple(layer for layer in defined if layer.rank == max(ranks))
    if len(last) == len(ranks) and (len(ranks) != 1 or last[0].censored):
        return Layers(defined, (), last, ())
    first = tuple(layer for layer in defined if layer.rank == min(ranks))
    latest = max(layer.interval[1] if layer.interval else layer.value for layer in first)
    rivals = (layer for layer in defined if layer not in first and layer.interval and layer.interval[0] <= latest)
    return Layers(defined, first, last, tuple(rivals))


def first_layer(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> PointLabel:
    """Return the layer to select at first: the one that changes first, or else has changed most at the last amount."""
    if found := layers_of(result, reduction, threshold, measure).first:
        return found[0].label
    last = own_similarity(result, reduction, measure)[-1]  # (points,)
    return point_names(result.points)[0 if np.isnan(last).all() else int(np.nanargmin(last))].label
