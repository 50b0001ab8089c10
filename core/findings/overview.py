"""How far a model works, and what has become of its layers by then: function beside form."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.findings.accuracy import metric_of
from core.findings.survival import own_similarity
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, point_labels
from core.results.schema import SweepResult


@dataclass(frozen=True)
class Holding:
    """A model at the end of its working range, or what else is known of it.

    Attributes:
        state: Whether it works at some amount, fails at the first one, has no lead to lose, or only its ends are known.
        metric: A key of METRICS.
        unpruned: Its value without pruning; None where it is undefined.
        kept: Its value at the amount.
        amount: The end of the working range; the first step if the model fails there; else the largest amount.
        lowest: The lowest similarity up to there, of each layer whose similarity is defined throughout.
    """

    state: Literal["works", "fails at once", "no lead", "unknown", "unpruned"]
    metric: str
    unpruned: float | None
    kept: float | None
    amount: float
    lowest: dict[PointLabel, float]

    @property
    def changed(self) -> list[PointLabel]:
        """The layers that have fallen below the threshold by then; one that comes back has changed."""
        return [label for label, value in self.lowest.items() if value < SURVIVAL_THRESHOLD]


def holding(result: SweepResult, reduction: ReductionKey) -> Holding:
    """Find up to where the model works, and how much its layers have changed by then; it may be unfinished."""
    metric, known, amounts = metric_of(result), result.working_range, result.amounts
    state: Literal["works", "fails at once", "no lead", "unknown", "unpruned"] = "works"
    k = len(amounts) - 1
    if k == 0:
        state = "unpruned"
    elif known and known.reason == "no lead":
        state = "no lead"
    elif known is None or known.to is None:
        state = "unknown"
    elif known.to == 0:
        state, k = "fails at once", 1
    else:
        k = amounts.index(known.to)
    unpruned, kept = (result.frames[frame].metrics.get(metric) for frame in (0, k))
    own = own_similarity(result, reduction)[: k + 1]  # (frames, points)
    lowest = {
        label: float(values.min())
        for label, values in zip(point_labels(result.points), own.T, strict=True)
        if not np.isnan(values).any()  # which no layer is against another checkpoint
    }
    return Holding(state, metric, unpruned, kept, amounts[k], lowest)
