"""To which layers of another, unpruned checkpoint a result's layers are most similar.

Some layer is always the closest one, in two unrelated models as well: so its similarity stands beside it, and the next
layer's. Nothing here is a verdict.
"""

from collections.abc import Sequence

import numpy as np

from core.findings.words.numbers import UNDEFINED, decimals
from core.results.names import PointLabel, ReductionKey, point_labels
from core.results.schema import SweepResult

Ranked = Sequence[tuple[PointLabel, float]]  # points of the other checkpoint and their similarity, the closest first


def closest_layers(result: SweepResult, reduction: ReductionKey, frame: int = 0) -> list[Ranked]:
    """Find each point's two closest ones in the other checkpoint, in depth order; none where that is undefined."""
    labels = point_labels(result.baseline_points)
    values = np.array(result.frames[frame].matrix(reduction), dtype=np.float64)  # (rows, columns)
    found: list[Ranked] = []
    for column in values.T.tolist():
        known = [(label, value) for label, value in zip(labels, column, strict=True) if value == value]
        found.append(sorted(known, key=lambda place: -place[1])[:2])
    return found


def closest_cell(ranked: Ranked) -> str:
    """Write the closest points with their similarities, as in a table."""
    return ", then ".join(f"{label} ({decimals(value, 2)})" for label, value in ranked) or UNDEFINED
