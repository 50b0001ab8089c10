"""To which layers of another, unpruned checkpoint a result's layers are most similar.

Some layer is always the closest one, in two unrelated models as well: so its similarity stands beside it, and the next
layer's. Nothing here is a verdict.
"""

from dataclasses import dataclass

import numpy as np

from core.results.names import PointLabel, ReductionKey, decimals, point_labels
from core.results.schema import SweepResult


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
