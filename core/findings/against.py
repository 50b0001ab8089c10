"""To which layers of another, unpruned checkpoint a result's layers are most similar.

Some layer is always the closest one, in two unrelated models as well: so its similarity stands beside it, and the next
layer's. Nothing here is a verdict.
"""

from dataclasses import dataclass

import numpy as np

from core.results.names import PointLabel, ReductionKey, decimals, point_labels
from core.results.schema import SweepResult

NEAR = 0.02  # in similarity; two layers no farther apart are as good as equally similar


@dataclass(frozen=True)
class Closest:
    """A point at one amount, and the other checkpoint's point that it is most similar to.

    Attributes:
        label: The point's name on an axis.
        value: The similarity.
        closest: The other checkpoint's point, by its name on an axis.
        next: The point that comes second; None where there is a single one.
        next_value: Its similarity.
    """

    label: PointLabel
    value: float
    closest: PointLabel
    next: PointLabel | None = None
    next_value: float = 0.0

    @property
    def text(self) -> str:
        """The similarity as shown."""
        return decimals(self.value, 2)

    @property
    def cell(self) -> str:
        """Both points with their similarities, as in a table."""
        then = f", then {self.next} ({decimals(self.next_value, 2)})" if self.next else ""
        return f"{self.closest} ({self.text}){then}"


def closest_layers(result: SweepResult, reduction: ReductionKey, frame: int = 0) -> list[Closest | None]:
    """Find each point's closest one in the other checkpoint, in depth order; None where similarity is undefined."""
    rows, columns = (point_labels(points) for points in (result.baseline_points, result.points))
    values = np.array(result.frames[frame].matrix(reduction), dtype=np.float64)  # (rows, columns)
    found: list[Closest | None] = []
    for label, column in zip(columns, values.T.tolist(), strict=True):
        known = sorted((k for k, value in enumerate(column) if value == value), key=lambda k: -column[k])
        best = [(rows[k], column[k]) for k in known[:2]]
        found.append(Closest(label, best[0][1], best[0][0], *(best[1] if best[1:] else ())) if best else None)
    return found


@dataclass(frozen=True)
class ClosestOrder:
    """The closest layers of a whole result, unpruned.

    Attributes:
        most: The layer that is most similar to the other checkpoint.
        least: The layer that is least similar to it.
        count: The number of layers whose similarity is defined.
        is_ranked: Whether a deeper layer's closest one is never less deep.
        same: The number of layers whose closest one has the same number; None where layers do not correspond.
        near: The number of layers whose second is as good as equally similar.
    """

    most: Closest
    least: Closest
    count: int
    is_ranked: bool
    same: int | None
    near: int


def closest_order(result: SweepResult, reduction: ReductionKey) -> ClosestOrder | None:
    """Find in which order the closest layers come; None where no similarity is defined."""
    known = [layer for layer in closest_layers(result, reduction) if layer]
    if not known:
        return None
    order = point_labels(result.baseline_points)
    depths = [order.index(layer.closest) for layer in known]
    return ClosestOrder(
        max(known, key=lambda layer: layer.value),
        min(known, key=lambda layer: layer.value),
        len(known),
        depths == sorted(depths),
        sum(layer.closest == layer.label for layer in known) if result.has_own else None,
        sum(layer.next is not None and layer.value - layer.next_value < NEAR for layer in known),
    )
