"""Compare pruned models with the baseline: each frame's numbers, the floor, and statistics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.encoder.representations import READ
from core.inputs.examples import EvalSubset
from core.request.catalog import REDUCTIONS, SINGLE_BATCH
from core.results.fields import Row
from core.results.recovery import Moment
from core.results.schema import FloorRecord, Frame, Similarities, Statistics
from core.results.statistics import ChangedRecord
from core.similarity.cka import (
    Similarity,
    all_similarities,
    cka,
    own_similarities,
)
from core.sweep.equal_damage import damage
from core.sweep.meter import Measurement, PrunedMeasurement
from core.sweep.metrics import changed_share, evaluate
from core.sweep.statistics import DECIMALS, Array, layer_statistics


@dataclass
class BaselineComparison:
    """Compares pruned models with the baseline, and keeps what the statistics need.

    Attributes:
        subset: The evaluation examples.
        baseline: The unpruned model.
        emptied: The emptied model; None if the method has none.
        similarities: For each amount compared so far, the similarities by reduction.
    """

    subset: EvalSubset
    baseline: Measurement
    emptied: Measurement | None
    similarities: list[dict[str, Similarity]] = field(default_factory=list)

    def compare(self, pruned: PrunedMeasurement) -> Frame:
        """Compare a pruned model with the baseline and return its frame."""
        similarities = self._similarities(pruned)
        self.similarities.append(similarities)
        return Frame(
            amount=pruned.amount,
            **pruned.removed._asdict(),
            **self._measured(pruned, similarities),
        )

    def at_step(self, step: int, model: Measurement) -> Moment:
        """Compare a model in training with the baseline and return its frame."""
        return Moment(step=step, **self._measured(model, self._similarities(model)))

    def _similarities(self, model: Measurement) -> dict[str, Similarity]:
        return {
            reduction: all_similarities(self.baseline.grams[reduction], model.grams[reduction])
            for reduction in REDUCTIONS
        }

    def _measured(self, model: Measurement, similarities: dict[str, Similarity]) -> dict[str, Any]:
        """Return what frames of all kinds hold."""
        subset = self.subset
        read = own_similarities(self.baseline.grams[READ], model.grams[READ])  # (1,)
        metrics, intervals = evaluate(subset.task.metrics, subset.record.gold, model.predictions)
        share, interval = changed_share(self.baseline.predictions, model.predictions)
        matrices = {
            reduction: tuple(map(row_of, similarity.values))
            for reduction, similarity in similarities.items()
        }
        return {
            "metrics": metrics,
            "intervals": intervals,
            "similarity": Similarities(cka=matrices),
            "predictions": model.predictions,
            "changed": ChangedRecord(
                share=share,
                interval=None if model is self.baseline else interval,
            ),
            "read": row_of(read)[0],
        }

    def floor(self) -> FloorRecord | None:
        """Describe the emptied model; None if the method has none."""
        if self.emptied is None:
            return None
        own = {}
        for reduction in SINGLE_BATCH:
            similarities = cka(self.baseline.grams[reduction], self.emptied.grams[reduction])
            own[reduction] = row_of(similarities.diagonal().numpy())
        return FloorRecord(cka=own)

    @property
    def damage(self) -> float:
        """1 - the mean own CKA over all points at the last amount, reduction `mean`.

        NaN where one is undefined.
        """
        own = self.similarities[-1]["mean"].own
        return float(damage(own[None])[0])

    def statistics(self, amounts: Sequence[float]) -> Statistics | None:
        """Compute the statistics of each reduction; None if there are too few examples.

        Args:
            amounts: All amounts compared, ascending.
        """
        by_reduction = {}
        for reduction in SINGLE_BATCH:
            frames = [similarities[reduction] for similarities in self.similarities]
            replicates = [frame.without for frame in frames if frame.without is not None]
            if not replicates:
                return None
            own = np.stack([frame.own for frame in frames])  # (frames, points)
            without = np.stack(replicates)  # (frames, points, n)
            by_reduction[reduction] = layer_statistics(amounts, own, without)
        return Statistics(cka=by_reduction)


def row_of(values: Array) -> Row:
    """Convert one value per point for the file: None if undefined, else rounded to DECIMALS."""
    return tuple(None if value != value else value for value in values.round(DECIMALS).tolist())
