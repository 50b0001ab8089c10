"""What a study of cuts offers: smaller models, one of them chosen on the calibration examples, and whether it holds.

A choice is made by calibration figures alone. The judged examples take no part in it, so their figures are no better
for it; they are shown, and may contradict the choice.

Intervals of differences are paired: the same draws of examples serve all models (percentile bootstrap, fixed seed).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.findings.accuracy import reference_of
from core.request.catalog import CONFIDENCE
from core.results.cut import CutStudy, Layers, SmallerModel
from core.results.statistics import EstimateRecord
from core.sweep.scores import SCORES

Outcome = Literal["holds", "inconclusive", "fails", "nothing", "guesses"]
Array = npt.NDArray[np.float64]
ROUNDING = 1e-9  # of losses: one of exactly so much is allowed
DRAWS = 2_000


@dataclass(frozen=True)
class CutChoice:
    """A smaller model that can be chosen.

    Attributes:
        model: What the study measured.
        removed: The layers that are out, ascending, from 0.
        loss: By how much the main metric falls on the calibration examples.
        value: The main metric on the judged examples.
        difference: Its difference from the full model's, paired.
        gain: How many times as fast it is; the number of layers out where not every choice was timed.
    """

    model: SmallerModel
    removed: Layers
    loss: float
    value: EstimateRecord
    difference: EstimateRecord
    gain: float


@dataclass(frozen=True)
class Frontier:
    """The choices that a study offers, and their references.

    Attributes:
        study: The study.
        full: The main metric of the full model on the judged examples.
        guess: The same for always guessing the commonest label.
        choices: One of each number of layers, the largest first.
        timed: Whether the speed of every choice was measured, and is what it gains.
    """

    study: CutStudy
    full: EstimateRecord
    guess: float
    choices: tuple[CutChoice, ...]
    timed: bool


def values_of(study: CutStudy) -> Array:
    """Value each model of a study by the main metric.

    Returns:
        (models, 1 + draws): on all judged examples, and on those of each draw, which serves all models.
    """
    score, gold, n = SCORES[study.task.main_metric], np.array(study.task.gold), len(study.task.gold)
    rows = np.vstack([np.arange(n), np.random.default_rng(0).integers(n, size=(DRAWS, n))])  # (1 + draws, examples)
    return np.array([score(gold[rows], np.array(cut.judged)[rows]) for cut in study.cuts])


def estimated(values: Array) -> EstimateRecord:
    """Return the first value, that of all examples, with the percentile interval of the others, which are draws."""
    low, high = np.quantile(values[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return EstimateRecord(value=float(values[0]), low=float(low), high=float(high))


def frontier_of(study: CutStudy) -> Frontier:
    """Collect what a study offers."""
    values = values_of(study)  # (models, 1 + draws)
    timed = all(cut.speed for cut in study.cuts[1:])
    full, *choices = (_choice(study, cut, own, values[0], timed) for cut, own in zip(study.cuts, values, strict=True))
    return Frontier(study, full.value, reference_of(study, study.task.main_metric)[1], tuple(choices), timed)


def _choice(study: CutStudy, model: SmallerModel, values: Array, full: Array, timed: bool) -> CutChoice:
    """Describe a model; `values` and `full` are the metric of it and of the full model, (1 + draws,)."""
    score, value = SCORES[study.task.main_metric], estimated(values)
    gold, before, after = map(np.array, (study.calibration.gold, study.full.calibration, model.calibration))
    if bounds := model.worth.intervals.get(study.task.main_metric):  # not where a label occurs once
        value = EstimateRecord(value=value.value, low=bounds[0], high=bounds[1])
    removed = tuple(k for k in range(study.checkpoint.num_layers) if k not in model.layers)
    gain = model.speed.value if timed and model.speed else float(len(removed))
    loss = float(score(gold, before) - score(gold, after))
    return CutChoice(model, removed, loss, value, estimated(values - full), gain)


def chosen(frontier: Frontier, most: float) -> CutChoice | None:
    """Choose the fastest that loses at most so much on the calibration examples; None where all lose more.

    Where not every speed was measured, the one with most layers out. Of equals, the one that loses least.
    """
    fitting = [choice for choice in frontier.choices if choice.loss <= most + ROUNDING]
    return max(fitting, key=lambda choice: (choice.gain, -choice.loss), default=None)


def kept_by(frontier: Frontier, choice: CutChoice, most: float) -> CutChoice | None:
    """Return the fastest model, no faster than a choice, that the judged examples bear out, which flatters it."""
    slower = (
        each for each in frontier.choices if each.gain <= choice.gain and state_of(frontier, each, most) == "holds"
    )
    return max(slower, key=lambda each: each.gain, default=None)


def state_of(frontier: Frontier, choice: CutChoice | None, most: float) -> Outcome:
    """Return whether the judged examples bear a choice out.

    Returns:
        `guesses`: the full model or the chosen one is not shown to beat always guessing the commonest label, so that
        nothing is shown to be kept. `nothing`: nothing was chosen. `holds`: the whole interval loses at most so much.
        `fails`: the whole interval loses more. `inconclusive`: neither.
    """
    if frontier.full.low <= frontier.guess or (choice and choice.value.low <= frontier.guess):
        return "guesses"
    if choice is None:
        return "nothing"
    least, largest = -choice.difference.high, -choice.difference.low
    return "holds" if largest <= most + ROUNDING else "fails" if least > most + ROUNDING else "inconclusive"
