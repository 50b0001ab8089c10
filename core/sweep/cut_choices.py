"""Which layers each criterion keeps, and what that is worth on the judged examples. No torch.

A criterion sees the calibration examples alone. Cosine of a layer's input and output is ShortGPT's block influence (Men
et al. 2024, arXiv 2403.03853, eq. 1: one minus it); dropping from the top, or every second layer from the last but one
down ("odd alternate"), is from Sajjad et al. 2023 (arXiv 2004.03844, section 3).

Intervals are paired: the same draws of examples serve all models (percentile bootstrap, fixed seed).
"""

from collections.abc import Collection, Mapping, Sequence
from math import comb

import numpy as np
import numpy.typing as npt

from core.request.catalog import CONFIDENCE
from core.request.criteria import CRITERIA, MEASURED, READ
from core.results.cut import Cut, Layers, LayerScores, Pick, RandomRecord, Step, Worth
from core.results.schema import TaskRecord
from core.results.statistics import ChangedRecord, Estimate
from core.sweep.metrics import changed_share, evaluate
from core.sweep.scores import SCORES

Array = npt.NDArray[np.float64]

DRAWS = 2_000
DECIMALS = 9  # of metrics that are compared: rounding makes no choice


def fixed_choice(criterion: str, scores: LayerScores, left: int) -> Layers | None:
    """Return the layers that stay by a criterion that needs no subset to be run.

    Args:
        criterion: `cosine`, `cka`, `top` or `alternate`.
        scores: One value a layer.
        left: How many stay.

    Returns:
        Ascending; None where the criterion is not defined. Of equal layers the upper one goes first.
    """
    num_layers = len(scores.cosine)
    fewer = num_layers - left
    if criterion == "top":
        return tuple(range(left))
    if criterion == "alternate":
        gone = [*range(num_layers - 2, -1, -2)][:fewer]
    else:
        values = [-np.inf if value is None else value for value in getattr(scores, criterion)]
        gone = sorted(range(num_layers), key=lambda k: (-values[k], -k))[:fewer]
    return tuple(sorted({*range(num_layers)} - {*gone})) if len(gone) == fewer else None


def rank(criterion: str, metric: str, gold: Sequence[int], full: Cut, cut: Cut) -> tuple[float, ...]:
    """Return what orders cuts of one size by a criterion that runs them, the best first.

    Args:
        criterion: MEASURED or READ.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        full: The full model.
        cut: One of the cuts.
    """
    if criterion == READ:
        return (2.0 if cut.read is None else -round(cut.read, DECIMALS), *cut.layers)
    found, labels = np.array(cut.calibration), np.array(gold)  # each (examples,)
    changed = int((found != np.array(full.calibration)).sum())
    return (-round(float(SCORES[metric](labels, found)), DECIMALS), changed, *cut.layers)


def choices(metric: str, gold: Sequence[int], scores: LayerScores, cuts: Sequence[Cut], left: int) -> dict[str, Layers]:
    """Return what each criterion keeps, of so many layers; one that is not defined there is missing.

    Args:
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        scores: One value a layer.
        cuts: All that were measured, the full model first.
        left: How many layers stay.
    """
    full, alike = cuts[0], [cut for cut in cuts if len(cut.layers) == left]
    found = {
        criterion: min(alike, key=lambda cut: rank(criterion, metric, gold, full, cut)).layers
        if criterion in (MEASURED, READ)
        else fixed_choice(criterion, scores, left)
        for criterion in CRITERIA
    }
    return {criterion: layers for criterion, layers in found.items() if layers is not None}


class Judge:
    """Values cuts on the judged examples.

    Args:
        task: Its metrics are those of `names`.
        names: Names from METRICS.
        full: (judged examples,) predictions of the full model.
    """

    def __init__(self, task: TaskRecord, names: Sequence[str], full: Sequence[int]) -> None:
        self._task, self._names, self._gold, n = task, names, np.array(task.gold), len(task.gold)
        drawn = np.random.default_rng(0).integers(n, size=(DRAWS, n))
        self._rows = np.vstack([np.arange(n), drawn])  # (1 + draws, examples)
        self._full, self._of_full = full, self.values(full)

    def values(self, predicted: Sequence[int]) -> Array:
        """Return the main metric of all examples, and of those of each draw: (1 + draws,)."""
        return SCORES[self._task.main_metric](self._gold[self._rows], np.array(predicted)[self._rows])

    def worth(self, predicted: Sequence[int]) -> Worth:
        """Value one model; one that predicts as the full model does has the difference 0, without width."""
        metrics, intervals = evaluate(self._names, self._task.gold, predicted)
        share, bounds = changed_share(self._full, predicted)
        return Worth(
            metrics=metrics,
            intervals=intervals,
            changed=ChangedRecord(share=share, interval=bounds),
            difference=estimated(self.values(predicted) - self._of_full),
        )


def estimated(values: Array) -> Estimate:
    """Return the first of values, that of all examples, with the percentile interval of the others, the draws'."""
    low, high = np.quantile(values[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value=float(values[0]), low=float(low), high=float(high))


def judged_cuts(
    judge: Judge, cuts: Sequence[Cut], picks: Sequence[Mapping[str, Layers]], drawn: Collection[Layers]
) -> tuple[tuple[Cut, ...], tuple[Step, ...]]:
    """Value what the criteria chose on the judged examples, and compare it.

    Args:
        judge: Values predictions.
        cuts: All that were measured, the full model first; those picked and those drawn are judged.
        picks: For each number of layers fewer, from one on, what each criterion keeps.
        drawn: What stands for random removal. Where these are not all subsets of a size, others could have been drawn:
            with each draw of examples goes one of them.

    Returns:
        The cuts, those picked and the full model with what they are worth; and a step for each number of layers fewer.
    """
    judged = {cut.layers: cut.judged for cut in cuts if cut.judged is not None}
    worth = {kept: judge.worth(judged[kept]) for kept in {cuts[0].layers}.union(*(of.values() for of in picks))}
    values = {kept: judge.values(predicted) for kept, predicted in judged.items()}
    steps, random = [], np.random.default_rng(1)
    for picked in picks:
        best, left = values[picked[MEASURED]], len(picked[MEASURED])
        alike = np.array([values[kept] for kept in sorted(drawn) if len(kept) == left])  # (subsets, 1 + draws)
        if len(alike) < comb(len(cuts[0].layers), left):
            taken = random.integers(len(alike), size=(len(alike), DRAWS))  # (subsets, draws)
            alike[:, 1:] = np.take_along_axis(alike[:, 1:], taken, 0)
        chance = alike.mean(0)  # (1 + draws,)
        regrets = {name: estimated(best - values[kept]) for name, kept in picked.items() if name != MEASURED}
        found = RandomRecord(subsets=len(alike), value=estimated(chance), regret=estimated(best - chance))
        known = {name: Pick(layers=kept, regret=regrets.get(name)) for name, kept in picked.items()}
        steps.append(Step(picks=known, random=found))
    return tuple(cut.model_copy(update={"worth": worth.get(cut.layers)}) for cut in cuts), tuple(steps)
