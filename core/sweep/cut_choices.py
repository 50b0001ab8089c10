"""Which layers each criterion keeps, and what a smaller model is worth.

A criterion sees the calibration examples alone. Cosine of a layer's input and output is ShortGPT's block influence (Men
et al. 2024, arXiv 2403.03853, eq. 1: one minus it); dropping from the top, or every second layer from the last but one
down ("odd alternate"), is from Sajjad et al. 2023 (arXiv 2004.03844, section 3).
"""

from collections.abc import Sequence

import numpy as np

from core.inputs.examples import EvalSubset
from core.request.criteria import CRITERIA, MEASURED, READ
from core.results.cut import Cut, Layers, LayerScores, Worth
from core.results.statistics import Estimate
from core.sweep.metrics import changed_share, evaluate
from core.sweep.scores import SCORES

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


def worth_of(examples: EvalSubset, full: Sequence[int], judged: Sequence[int]) -> Worth:
    """Say what a smaller model is worth.

    Args:
        examples: The judged examples.
        full: (examples,) what the full model predicts.
        judged: (examples,) what it predicts itself.
    """
    metrics, intervals = evaluate(examples.task.metrics, examples.record.gold, judged)
    share, (low, high) = changed_share(full, judged)
    return Worth(metrics=metrics, intervals=intervals, changed=Estimate(value=share, low=low, high=high))
