"""Hold pruned models against the baseline: the numbers of each frame, the floor, and the statistics of all frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.encoder.representations import READ
from core.inputs.examples import EvalSubset
from core.request.amounts import amount_text
from core.request.catalog import MEASURES, SINGLE_BATCH
from core.results.fields import Matrix, Row
from core.results.schema import FloorRecord, Frame
from core.results.statistics import ChangedRecord, DivergenceRecord, LayerStatistics
from core.similarity import cka, partial_cka
from core.similarity.cka import Compared, Comparer
from core.similarity.gram import compare, compare_own
from core.similarity.jensen_shannon import divergences
from core.sweep.equal_damage import DAMAGES, damage, place_of
from core.sweep.meter import Measured, Pruned
from core.sweep.metrics import changed_share, evaluate, mean_divergence
from core.sweep.statistics import DECIMALS, Array, layer_statistics


@dataclass
class Beside:
    """The baseline, and what compares pruned models with it.

    Attributes:
        subset: The evaluation examples.
        baseline: The unpruned model.
        emptied: The emptied model; None where the method has none.
        compared: The similarities at each amount so far by measure and reduction, with their values without each
            example; None where a measure is undefined for the method.
    """

    subset: EvalSubset
    baseline: Measured
    emptied: Measured | None
    compared: list[Mapping[str, Mapping[str, Compared | None]]] = field(default_factory=list)

    @cached_property
    def comparers(self) -> dict[str, dict[str, Comparer | None]]:
        """What compares a pruned model, by measure and reduction; None where the measure is undefined."""
        baseline, floor = self.baseline.grams, self.emptied.grams if self.emptied else {}
        return {
            "cka": {name: cka.comparer(baseline[name]) for name in MEASURES["cka"]},
            "partial_cka": {name: partial_cka.comparer(baseline[name], floor.get(name)) for name in SINGLE_BATCH},
        }

    def compare(self, pruned: Pruned) -> Frame:
        """Compare a pruned model, and note the values that statistics need of it; return the numbers for the file."""
        compared = {
            measure: {
                reduction: comparer and comparer(pruned.grams[reduction])
                for reduction, comparer in by_reduction.items()
            }
            for measure, by_reduction in self.comparers.items()
        }
        subset = self.subset
        read = cka.own_cka(compare_own(self.baseline.grams[READ], pruned.grams[READ]))  # (1,)
        metrics, intervals = evaluate(subset.task.metrics, subset.record.gold, pruned.predictions)
        share, share_interval = changed_share(self.baseline.predictions, pruned.predictions)
        divergence, divergence_interval = mean_divergence(divergences(self.baseline.logits, pruned.logits))
        self.compared.append(compared)
        return Frame(
            amount=pruned.amount,
            **pruned.removed._asdict(),
            metrics=metrics,
            intervals=intervals,
            similarity={
                measure: {name: values and values_of(values.values) for name, values in by_reduction.items()}
                for measure, by_reduction in compared.items()
            },
            predictions=pruned.predictions,
            changed=ChangedRecord(share=share, interval=share_interval if pruned.amount else None),
            divergence=DivergenceRecord(value=divergence, interval=divergence_interval),
            read=row_of(read)[0],
        )

    def floor(self) -> FloorRecord | None:
        """Describe the emptied model; None where the method has none."""
        if self.emptied is None:
            return None
        models = self.baseline.grams, self.emptied.grams
        pairs = {name: compare(*(grams[name] for grams in models)) for name in SINGLE_BATCH}
        own = {name: row_of(cka.cka(compared).diagonal().numpy()) for name, compared in pairs.items()}
        return FloorRecord(cka=own, predictions=self.emptied.predictions)

    @property
    def damage(self) -> float:
        """At the last amount, 1 - the mean own CKA over all points, reduction `mean`; NaN where one is undefined."""
        compared = self.compared[-1]["cka"]["mean"]
        assert compared is not None  # CKA needs no emptied model
        return float(damage(compared.own[None])[0])

    def statistics(
        self, amounts: Sequence[float], pruned_point: int | None
    ) -> dict[str, dict[str, LayerStatistics]] | None:
        """Compute the statistics of both measures, where their values without each example are known.

        Args:
            amounts: All that were compared, ascending.
            pruned_point: See `core.sweep.statistics.layer_statistics`.

        Returns:
            By measure and reduction; None if there are too few examples.
        """
        found: dict[str, dict[str, LayerStatistics]] = {measure: {} for measure in MEASURES}
        for reduction in SINGLE_BATCH:
            known = {measure: self._series(measure, reduction) for measure in MEASURES}
            own = known["cka"]
            places = {amount_text(target): place_of(*own, target) for target in DAMAGES} if own else {}
            for measure, series in known.items():
                if series is not None:
                    found[measure][reduction] = layer_statistics(
                        amounts, *series, places, keep_profiles=measure == "cka", pruned_point=pruned_point
                    )
        return {measure: by_reduction for measure, by_reduction in found.items() if by_reduction} or None

    def _series(self, measure: str, reduction: str) -> tuple[Array, Array] | None:
        """Stack own similarities, (frames, points), and those without each example, (frames, points, n)."""
        known = [values for compared in self.compared if (values := compared[measure].get(reduction))]
        without = [values.without for values in known if values.without is not None]
        if len(without) < len(self.compared):
            return None
        return np.stack([values.own for values in known]), np.stack(without)


def values_of(values: Array) -> Matrix | Row:
    """Convert similarities for the file, undefined ones to None."""
    return row_of(values) if values.ndim == 1 else tuple(map(row_of, values))


def row_of(values: Array) -> Row:
    """Convert one value a point for the file: undefined ones to None, the others rounded to DECIMALS."""
    return tuple(None if value != value else value for value in values.round(DECIMALS).tolist())
