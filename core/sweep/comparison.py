"""Compare pruned models with the baseline: each frame's numbers, the floor, and statistics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.encoder.representations import READ
from core.inputs.examples import EvalSubset
from core.request.catalog import MIN_EXAMPLES, REDUCTIONS, SINGLE_BATCH
from core.results.fields import Row
from core.results.recovery import Moment
from core.results.schema import FloorRecord, Frame, Similarities, Statistics
from core.results.statistics import ChangedRecord
from core.similarity.cka import cka, leave_one_out
from core.sweep.meter import Measurement, PrunedMeasurement
from core.sweep.metrics import changed_share, evaluate
from core.sweep.statistics import DECIMALS, Array, layer_statistics


@dataclass
class BaselineComparison:
    """Compares pruned models with the baseline, and keeps what the statistics need.

    Attributes:
        subset: The evaluation examples.
        baseline: The unpruned model.
        own: For each reduction over a single batch, (points,) own CKA at each amount so far.
        without: For each of these, (points, examples) own CKA without each example.
    """

    subset: EvalSubset
    baseline: Measurement
    own: dict[str, list[Array]] = field(default_factory=lambda: defaultdict(list))
    without: dict[str, list[Array]] = field(default_factory=lambda: defaultdict(list))

    def compare(self, pruned: PrunedMeasurement) -> Frame:
        """Compare a pruned model with the baseline and return its frame."""
        matrices = self._matrices(pruned)
        for reduction in SINGLE_BATCH:
            grams = self.baseline.grams[reduction], pruned.grams[reduction]
            self.own[reduction].append(matrices[reduction].diagonal())
            self.without[reduction].append(leave_one_out(*grams))
        return Frame(
            amount=pruned.amount,
            **pruned.removed._asdict(),
            **self._measured(pruned, matrices),
        )

    def at_step(self, step: int, model: Measurement) -> Moment:
        """Compare a model in training with the baseline and return its frame."""
        measured = self._measured(model, self._matrices(model))
        return Moment(step=step, **measured)

    def _cka(self, model: Measurement, name: str) -> Array:
        """Compute CKA with the baseline, (points, points), by a key of `grams`."""
        return cka(self.baseline.grams[name], model.grams[name]).numpy()

    def _matrices(self, model: Measurement) -> dict[str, Array]:
        return {reduction: self._cka(model, reduction) for reduction in REDUCTIONS}

    def _measured(self, model: Measurement, matrices: dict[str, Array]) -> dict[str, Any]:
        """Return what frames of all kinds hold."""
        subset = self.subset
        metrics, intervals = evaluate(subset.task.metrics, subset.record.gold, model.predictions)
        share, interval = changed_share(self.baseline.predictions, model.predictions)
        rows = {reduction: tuple(map(row_of, matrix)) for reduction, matrix in matrices.items()}
        read = self._cka(model, READ)  # (1, 1)
        return {
            "metrics": metrics,
            "intervals": intervals,
            "similarity": Similarities(cka=rows),
            "predictions": model.predictions,
            "changed": ChangedRecord(
                share=share,
                interval=None if model is self.baseline else interval,
            ),
            "read": row_of(read[0])[0],
        }

    def floor(self, emptied: Measurement) -> FloorRecord:
        """Describe the emptied model."""
        own = {}
        for reduction in SINGLE_BATCH:
            similarities = self._cka(emptied, reduction)
            own[reduction] = row_of(similarities.diagonal())
        return FloorRecord(cka=own)

    @property
    def damage(self) -> float:
        """1 - the mean own CKA over all points at the last amount, reduction `mean`.

        NaN where one is undefined.
        """
        return float(1 - self.own["mean"][-1].mean())

    def statistics(self, amounts: Sequence[float]) -> Statistics | None:
        """Compute the statistics of each reduction; None if there are too few examples.

        Args:
            amounts: All amounts compared, ascending.
        """
        if len(self.subset.texts) <= MIN_EXAMPLES:
            return None
        by_reduction = {}
        for reduction in SINGLE_BATCH:
            own = np.stack(self.own[reduction])  # (frames, points)
            without = np.stack(self.without[reduction])  # (frames, points, examples)
            by_reduction[reduction] = layer_statistics(amounts, own, without)
        return Statistics(cka=by_reduction)


def row_of(values: Array) -> Row:
    """Convert one value per point for the file: None if undefined, else rounded to DECIMALS."""
    rounded = values.round(DECIMALS).tolist()
    return tuple(None if value != value else value for value in rounded)
