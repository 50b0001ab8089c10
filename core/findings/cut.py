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
from core.results.cut import Cut, CutStudy, Layers, Narrow, Size
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
        removed: The layers that are out, ascending, from 0.
        share: Of the feed-forward units, what is out of every layer that stays.
        loss: On the calibration examples: by how much the main metric falls, and the share of answers that change.
        value: The main metric on the judged examples.
        difference: Of that from the full model's, paired.
        changed: The share of answers that differ from the full model's, there.
        size: What was measured of the saved model; None where nothing was.
    """

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
    """What a criterion picks: which layers are out, of RANDOM none in particular; metric and regret, both judged."""

    criterion: str
    fewer: int
    removed: Layers
    value: float
    regret: Estimate | None


@dataclass(frozen=True)
class Frontier:
    """The smaller models of a study that can be chosen, and what they are held against.

    Attributes:
        study: The study.
        metric: Its main metric.
        full: Of the full model on the judged examples.
        guess: Of always giving one label, there.
        models: At most one of each number of layers and each width.
        picks: What the criteria pick, of each number of layers.
        alone: Of each layer, what is lost of the metric on the calibration examples without it; None where unknown.
    """

    study: CutStudy
    metric: str
    full: Estimate
    guess: float
    models: tuple[Choice, ...]
    picks: tuple[Picked, ...]
    alone: tuple[float | None, ...]

    @property
    def is_timed(self) -> bool:
        """Whether the speed of every model was measured."""
        return all(model.speed for model in self.models)

    def gain(self, model: Choice) -> float:
        """Return what counts as the gain of a model: its speed where all were timed, else the layers that are out."""
        return model.speed.value if self.is_timed and model.speed else float(len(model.removed))


def frontier_of(study: CutStudy) -> Frontier:
    """Collect what a study offers."""
    metric, layers, worth = study.task.main_metric, study.checkpoint.num_layers, study.full_worth
    chosen: list[Cut | Narrow] = [study.measured_choice(left) for left in range(layers - 1, 0, -1)]
    picks = []
    for fewer, step in enumerate(study.steps, start=1):
        for name, pick in step.picks.items():
            known = study.cut(pick.layers).worth
            if name != MEASURED and known and (value := known.metrics[metric]) is not None:
                picks.append(Picked(name, fewer, _others(study, pick.layers), value, pick.regret))
        picks.append(Picked(RANDOM, fewer, (), step.random.value.value, step.random.regret))
    without = {cut.layers: cut for cut in study.cuts}
    alone = [without.get(_others(study, (k,))) for k in range(layers)]
    return Frontier(
        study,
        metric,
        _estimate(worth.metrics[metric] or 0.0, worth.intervals.get(metric)),
        reference_of(study, metric)[1],
        tuple(found for model in (*chosen, *(study.widths or ())) if (found := _smaller(study, model))),
        tuple(picks),
        tuple(_loss(study, cut)["score"] if cut else None for cut in alone),
    )


def _estimate(value: float, interval: Bounds | None) -> Estimate:
    low, high = interval or (value, value)
    return Estimate(value=value, low=low, high=high)


def _others(study: CutStudy, layers: Layers) -> Layers:
    return tuple(k for k in range(study.checkpoint.num_layers) if k not in layers)


def _smaller(study: CutStudy, model: Cut | Narrow) -> Choice | None:
    """Describe a model; None where it lacks what it is worth, or an interval of that."""
    share, worth, metric = getattr(model, "share", 0.0), model.worth, study.task.main_metric
    value, interval = (worth.metrics[metric], worth.intervals.get(metric)) if worth else (None, None)
    if worth is None or value is None or interval is None or worth.difference is None:
        return None
    sizes = study.measured.models if study.measured else ()
    return Choice(
        _others(study, model.layers),
        share,
        _loss(study, model),
        _estimate(value, interval),
        worth.difference,
        _estimate(worth.changed.share, worth.changed.interval),
        next((size for size in sizes if (size.layers, size.share) == (model.layers, share)), None),
    )


def _loss(study: CutStudy, model: Cut | Narrow) -> dict[By, float]:
    """Compute what a model loses on the calibration examples."""
    gold, full, smaller = map(np.array, (study.calibration.gold, study.full.calibration, model.calibration))
    score = SCORES[study.task.main_metric]
    return {"score": float(score(gold, full) - score(gold, smaller)), "answers": float((full != smaller).mean())}


def chosen(known: Frontier, by: By, most: float) -> Choice | None:
    """Choose the fastest model that loses at most so much on the calibration examples; None where all lose more.

    Where not every speed was measured, the most layers are out. Of equals it loses least.
    """
    fitting = [model for model in known.models if model.loss[by] <= most + ROUNDING]
    return max(fitting, key=lambda model: (known.gain(model), model.share, -model.loss[by]), default=None)


def state_of(known: Frontier, model: Choice | None, by: By, most: float) -> State:
    """Say whether the judged examples bear a choice out.

    Returns:
        `guesses`: the full model or the chosen one is not shown to be better than always giving one label, so that
        nothing is shown to be kept. `nothing`: no model was chosen. `holds`: the whole interval loses at most so much.
        `fails`: the whole interval loses more. `inconclusive`: neither.
    """
    if known.full.low <= known.guess or (model and model.value.low <= known.guess):
        return "guesses"
    if model is None:
        return "nothing"
    least, largest = -model.difference.high, -model.difference.low
    if by == "answers":
        least, largest = model.changed.low, model.changed.high
    return "holds" if largest <= most + ROUNDING else "fails" if least > most + ROUNDING else "inconclusive"
