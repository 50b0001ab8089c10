"""How far each layer keeps its similarity to itself: facts for sentences and pictures, and a table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import (
    PointLabel,
    ReductionKey,
    amount_name,
    hundredths,
    percent,
    percent_range,
    point_names,
)
from core.results.schema import Row, SweepResult
from core.sweep.statistics import survival

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
        by_construction: Whether the floor reaches the threshold as well, so that staying intact says little.
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


def own_similarity(result: SweepResult, reduction: ReductionKey, measure: str = "cka") -> npt.NDArray[np.float64]:
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
    known = result.statistics_of(reduction, measure) if threshold == MEASURES[measure].threshold else None
    intervals = (
        [(layer.low, layer.high) if layer else None for layer in known.survival]
        if known
        else [None] * len(result.points)
    )
    own = own_similarity(result, reduction, measure)
    floor = floor_of(result, reduction, measure) or (None,) * len(result.points)
    columns = (point_names(result.points), survival(result.amounts, own, threshold), np.isnan(own[0]), intervals, floor)
    return [
        LayerSurvival(
            name.label,
            name.title,
            np.nan if undefined else layer.value,
            layer.censored and not undefined,
            None if undefined else interval,
            left,
            left is not None and left >= threshold,
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
