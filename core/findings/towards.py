"""What pruned layers come to resemble: the unpruned layer that each is nearest to, and whether it is an earlier one."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.findings.accuracy import working_to
from core.results.names import ReductionKey
from core.results.schema import SweepResult
from core.sweep.statistics import Array


class Towards(NamedTuple):
    """What the layers of a pruned model resemble, within its working range.

    Attributes:
        nearest: (frames, points) at the frames within it, the most similar unpruned point of each pruned one, of equals
            the lowest; -1 where that is undefined.
        earlier: How much more similar the upper half's points are to all earlier unpruned ones at the last of these
            frames than at the first.
        later: The same of all later ones.
    """

    nearest: npt.NDArray[np.int64]
    earlier: float
    later: float


def towards(result: SweepResult, reduction: ReductionKey) -> Towards | None:
    """Find what each pruned layer of a whole sweep is nearest to.

    Returns:
        None where the model is not shown to work beyond the first amount, or there are fewer than two points.
    """
    to, size = working_to(result) or 0, len(result.points)
    frames = [frame for frame in result.frames if frame.amount <= to]
    if size < 2 or len(frames) < 2:
        return None
    matrices = np.array([frame.matrix(reduction) for frame in frames], dtype=np.float64)  # (frames, i, j)
    ranked = np.where(np.isnan(matrices), -np.inf, matrices)
    nearest = np.where(np.isinf(ranked.max(1)), -1, ranked.argmax(1))  # (frames, j)
    i, j = np.indices((size, size))
    return Towards(nearest, *(_grown(matrices, (2 * j >= size) & side) for side in (i < j, i > j)))


def _grown(matrices: Array, among: npt.NDArray[np.bool_]) -> float:
    return float((matrices[-1] - matrices[0])[among].mean()) if among.any() else np.nan
