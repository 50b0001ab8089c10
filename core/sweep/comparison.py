"""Compare pruned models with the baseline: the numbers of each frame, the floor, and the statistics of all frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.encoder.representations import READ
from core.inputs.examples import EvalSubset
from core.request.amounts import amount_text
from core.request.catalog import MEASURES, REDUCTIONS, SINGLE_BATCH
from core.results.fields import Matrix, Row
from core.results.recovery import Moment
from core.results.schema import FloorRecord, Frame
from core.results.statistics import ChangedRecord, DivergenceRecord, LayerStatistics
from core.similarity.cka import (
    Similarity,
    all_similarities,
    cka,
    own_similarities,
    partial_similarities,
)
from core.similarity.gram import Grams
from core.sweep.equal_damage import DAMAGES, damage, find_crossing
from core.sweep.meter import Measurement, PrunedMeasurement
from core.sweep.metrics import changed_share, divergences, evaluate, mean_divergence
from core.sweep.statistics import DECIMALS, Array, layer_statistics

Similarities = dict[str, dict[str, Similarity | None]]
"""By measure and reduction; None where a measure is undefined for the method."""


@dataclass
class BaselineComparison:
    """Compares pruned models with the baseline, and keeps what the statistics need.

    Attributes:
        subset: The evaluation examples.
        baseline: The unpruned model.
        emptied: The emptied model; None if the method has none.
        similarities: One element per amount compared so far.
    """

    subset: EvalSubset
    baseline: Measurement
    emptied: Measurement | None
    similarities: list[Similarities] = field(default_factory=list)

    def compare(self, pruned: PrunedMeasurement) -> Frame:
        """Compare a pruned model with the baseline and return its frame."""
        partial = {name: self._given_floor(name, pruned.grams[name]) for name in SINGLE_BATCH}
        self.similarities.append({"cka": self._all(pruned), "partial_cka": partial})
        measured = self._measured(pruned, self.similarities[-1])
        return Frame(amount=pruned.amount, **pruned.removed._asdict(), **measured)

    def at_step(self, step: int, model: Measurement) -> Moment:
        """Compare a model in training with the baseline and return its frame."""
        return Moment(step=step, **self._measured(model, {"cka": self._all(model)}))

    def _all(self, pruned: Measurement) -> dict[str, Similarity | None]:
        return {
            name: all_similarities(self.baseline.grams[name], pruned.grams[name])
            for name in REDUCTIONS
        }

    def _measured(self, pruned: Measurement, similarities: Similarities) -> dict[str, Any]:
        """Return what frames of all kinds hold."""
        subset = self.subset
        read = own_similarities(self.baseline.grams[READ], pruned.grams[READ]).own  # (1,)
        metrics, intervals = evaluate(subset.task.metrics, subset.record.gold, pruned.predictions)
        share, share_interval = changed_share(self.baseline.predictions, pruned.predictions)
        divergence, divergence_interval = mean_divergence(
            divergences(self.baseline.logits, pruned.logits)
        )
        return {
            "metrics": metrics,
            "intervals": intervals,
            "similarity": {
                measure: {
                    name: similarity and values_of(similarity.values)
                    for name, similarity in reductions.items()
                }
                for measure, reductions in similarities.items()
            },
            "predictions": pruned.predictions,
            "changed": ChangedRecord(
                share=share, interval=None if pruned is self.baseline else share_interval
            ),
            "divergence": DivergenceRecord(value=divergence, interval=divergence_interval),
            "read": row_of(read)[0],
        }

    def _given_floor(self, reduction: str, pruned: Grams) -> Similarity | None:
        """Compute partial CKA of each point given the emptied model, if there is one."""
        if self.emptied is None:
            return None
        baseline, emptied = self.baseline.grams[reduction], self.emptied.grams[reduction]
        pairs = (baseline, pruned), (baseline, emptied), (pruned, emptied)
        return partial_similarities(*(own_similarities(*pair) for pair in pairs))

    def floor(self) -> FloorRecord | None:
        """Describe the emptied model; None if the method has none."""
        if self.emptied is None:
            return None
        pairs = {
            name: (self.baseline.grams[name], self.emptied.grams[name]) for name in SINGLE_BATCH
        }
        own = {name: row_of(cka(*pair).diagonal().numpy()) for name, pair in pairs.items()}
        return FloorRecord(cka=own, predictions=self.emptied.predictions)

    @property
    def damage(self) -> float:
        """At the last amount, 1 - the mean own CKA over all points, reduction `mean`; NaN where one is undefined."""
        similarity = self.similarities[-1]["cka"]["mean"]
        assert similarity is not None  # CKA needs no emptied model
        return float(damage(similarity.own[None])[0])

    def statistics(
        self, amounts: Sequence[float], pruned_point: int | None
    ) -> dict[str, dict[str, LayerStatistics]] | None:
        """Compute the statistics of both measures, by measure and reduction; None if there are too few examples.

        Args:
            amounts: All amounts compared, ascending.
            pruned_point: See `core.sweep.statistics.layer_statistics`.
        """
        statistics: dict[str, dict[str, LayerStatistics]] = {measure: {} for measure in MEASURES}
        for reduction in SINGLE_BATCH:
            own = self._series("cka", reduction)
            crossings = (
                {amount_text(target): find_crossing(*own, target) for target in DAMAGES}
                if own
                else {}
            )
            for measure, by_reduction in statistics.items():
                if series := self._series(measure, reduction):
                    by_reduction[reduction] = layer_statistics(
                        amounts, *series, crossings, measure == "cka", pruned_point
                    )
        return {
            measure: by_reduction for measure, by_reduction in statistics.items() if by_reduction
        } or None

    def _series(self, measure: str, reduction: str) -> tuple[Array, Array] | None:
        """Stack own similarities, (frames, points), and those without each example, (frames, points, n), if known."""
        frames = [similarities[measure][reduction] for similarities in self.similarities]
        own = [similarity.own for similarity in frames if similarity]
        without = [
            similarity.without
            for similarity in frames
            if similarity and similarity.without is not None
        ]
        return (np.stack(own), np.stack(without)) if len(without) == len(frames) else None


def values_of(values: Array) -> Matrix | Row:
    """Convert similarities for the file, undefined ones to None."""
    return row_of(values) if values.ndim == 1 else tuple(map(row_of, values))


def row_of(values: Array) -> Row:
    """Convert one value per point for the file: undefined ones to None, the others rounded to DECIMALS."""
    return tuple(None if value != value else value for value in values.round(DECIMALS).tolist())
