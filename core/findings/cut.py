"""What a study of cuts offers: smaller models, one of them chosen on the calibration examples, and what bears it out.

A choice is made by calibration figures alone. The judged examples take no part in it, so that their figures are no
better for it; they are shown, and may contradict the choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.findings.accuracy import reference_of
from core.request.criteria import MEASURED
from core.results.cut import CutStudy, Layers, Size, Smaller, share_of
from core.results.fields import Bounds
from core.results.statistics import Estimate
from core.sweep.scores import SCORES

By = Literal["score", "answers"]  # what is limited: how much of the main metric is lost, or how many answers change
State = Literal["holds", "inconclusive", "fails", "nothing", "guesses"]
RANDOM = "random"  # beside the criteria: what all choices give on average
ROUNDING = 1e-9  # of losses: one of exactly so much is allowed


@dataclass(frozen=True)
class Choice:
    """A smaller model that can be chosen.

    Attributes:
        model: What the study measured.
        removed: The layers that are out, ascending, from 0.
        share: Of the feed-forward units, what is out of every layer that stays.
        loss: On the calibration examples: by how much the main metric falls, and the share of answers that change.
        value: The main metric on the judged examples.
        difference: Of that from the full model's, paired.
        changed: The share of answers that differ from the full model's, there.
        size: What was measured of the saved model; None where nothing was.
    """

    model: Smaller
    removed: Layers
    share: float
    loss: Mapping[By, float]
    value: Estimate
    difference: Estimate
    changed: Estimate
    size: Size | None

    @property
    def speed(self) -> Estimate | None:
        """How many times as fast as the full model, at the largest batch that was measured."""
        speeds = self.size.speeds if self.size else ()
        return max(speeds, key=lambda found: found.batch).times if speeds else None


@dataclass(frozen=True)
class Picked:
    """What a criterion picks: which layers are out, of RANDOM none in particular, and the metric, judged."""

    criterion: str
    removed: Layers
    fewer: int
    value: float


@dataclass(frozen=True)
class Frontier:
    """The choices that a study offers, and what they are held against.

    Attributes:
        study: The study.
        full: The main metric of the full model on the judged examples.
        guess: Of always giving one label, there.
        choices: At most one of each number of layers and each width.
        picks: What the criteria pick, of each number of layers.
    """

    study: CutStudy
    full: Estimate
    guess: float
    choices: tuple[Choice, ...]
    picks: tuple[Picked, ...]

    def gain(self, choice: Choice) -> float:
        """Return what counts as the gain: the speed where every choice has one, else the number of layers out."""
        return choice.speed.value if choice.speed and self.is_timed else float(len(choice.removed))

    @property
    def is_timed(self) -> bool:
        """Whether the speed of every choice was measured."""
        return all(choice.speed for choice in self.choices)


def frontier_of(study: CutStudy) -> Frontier:
    """Collect what a study offers."""
    metric, worth, picks = study.task.main_metric, study.full_worth, list[Picked]()
    for fewer, step in enumerate(study.steps, start=1):
        for name, pick in step.picks.items():
            known = study.cut(pick.layers).worth
            if name != MEASURED and known and (value := known.metrics[metric]) is not None:
                picks.append(Picked(name, _others(study, pick.layers), fewer, value))
        picks.append(Picked(RANDOM, (), fewer, step.random.value.value))
    measured = [study.measured_choice(left) for left in range(len(study.steps), 0, -1)]
    return Frontier(
        study,
        _estimate(worth.metrics[metric] or 0.0, worth.intervals.get(metric)),
        reference_of(study, metric)[1],
        tuple(choice for model in (*measured, *(study.widths or ())) if (choice := _choice(study, model))),
        tuple(picks),
    )


def _estimate(value: float, interval: Bounds | None) -> Estimate:
    low, high = interval or (value, value)
    return Estimate(value=value, low=low, high=high)


def _others(study: CutStudy, layers: Layers) -> Layers:
    return tuple(k for k in range(study.checkpoint.num_layers) if k not in layers)


def _choice(study: CutStudy, model: Smaller) -> Choice | None:
    """Describe a model; None where it lacks what it is worth, or an interval of that."""
    worth, metric = model.worth, study.task.main_metric
    value, interval = (worth.metrics[metric], worth.intervals.get(metric)) if worth else (None, None)
    if worth is None or value is None or interval is None or worth.difference is None:
        return None
    gold, full, smaller = map(np.array, (study.calibration.gold, study.full.calibration, model.calibration))
    lost = float(SCORES[metric](gold, full) - SCORES[metric](gold, smaller))
    return Choice(
        model,
        _others(study, model.layers),
        share_of(model),
        {"score": lost, "answers": float((full != smaller).mean())},
        _estimate(value, interval),
        worth.difference,
        _estimate(worth.changed.share, worth.changed.interval),
        study.size_of(model),
    )


def chosen(known: Frontier, by: By, most: float) -> Choice | None:
    """Choose the fastest that loses at most so much on the calibration examples; None where all lose more.

    Where not every speed was measured, the most layers are out. Of equals it loses least.
    """
    fitting = [choice for choice in known.choices if choice.loss[by] <= most + ROUNDING]
    return max(fitting, key=lambda choice: (known.gain(choice), choice.share, -choice.loss[by]), default=None)


def state_of(known: Frontier, choice: Choice | None, by: By, most: float) -> State:
    """Say whether the judged examples bear a choice out.

    Returns:
        `guesses`: the full model or the chosen one is not shown to be better than always giving one label, so that
        nothing is shown to be kept. `nothing`: nothing was chosen. `holds`: the whole interval loses at most so much.
        `fails`: the whole interval loses more. `inconclusive`: neither.
    """
    if known.full.low <= known.guess or (choice and choice.value.low <= known.guess):
        return "guesses"
    if choice is None:
        return "nothing"
    least, largest = -choice.difference.high, -choice.difference.low
    if by == "answers":
        least, largest = choice.changed.low, choice.changed.high
    return "holds" if largest <= most + ROUNDING else "fails" if least > most + ROUNDING else "inconclusive"
