"""What a study of cuts offers: smaller models, one of them chosen on the calibration examples, and what bears it out.

A choice is made by calibration figures alone. The judged examples take no part in it, so that their figures are no
better for it; they are shown, and may contradict the choice. Beside it stands what each criterion would have chosen,
and its regret: the main metric of the measured choice minus that of its own, on the judged examples.

Intervals of differences are paired: the same draws of examples serve all models (percentile bootstrap, fixed seed).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from core.findings.accuracy import reference_of
from core.request.catalog import CONFIDENCE
from core.request.criteria import MEASURED
from core.results.cut import Cut, CutStudy, Layers
from core.results.statistics import Estimate
from core.sweep.scores import FROM_COUNTS, SCORES

By = Literal["score", "answers"]  # what is limited: how much of the main metric is lost, or how many answers change
State = Literal["holds", "inconclusive", "fails", "nothing", "guesses"]
Array = npt.NDArray[np.float64]
RANDOM = "random"  # beside the criteria: what all choices give on average
ROUNDING = 1e-9  # of losses: one of exactly so much is allowed
DRAWS = 2_000
AT_ONCE = 2**22  # numbers of models that are valued together, 32 MiB: of fifty labels, all of a study take gigabytes


@dataclass(frozen=True)
class Choice:
    """A smaller model that can be chosen.

    Attributes:
        model: What the study measured.
        removed: The layers that are out, ascending, from 0.
        loss: On the calibration examples: by how much the main metric falls, and the share of answers that change.
        value: The main metric on the judged examples.
        difference: Of that from the full model's, paired.
        changed: The share of answers that differ from the full model's, there.
        gain: How many times as fast it is; the number of layers out where not every choice was timed.
    """

    model: Cut
    removed: Layers
    loss: Mapping[By, float]
    value: Estimate
    difference: Estimate
    changed: Estimate
    gain: float


class Picked(NamedTuple):
    """What a criterion picks of one size, MEASURED and RANDOM among them.

    Attributes:
        criterion: Its name.
        removed: The layers that are out; of RANDOM none in particular.
        fewer: How many are out.
        value: The main metric on the judged examples; of RANDOM the mean over the subsets that were drawn.
        regret: By how much that of the measured choice is higher, paired.
    """

    criterion: str
    removed: Layers
    fewer: int
    value: float
    regret: Estimate


@dataclass(frozen=True)
class Frontier:
    """The choices that a study offers, and what they are held against.

    Attributes:
        study: The study.
        full: The main metric of the full model on the judged examples.
        guess: Of always guessing the commonest label, there.
        choices: One of each number of layers and each width.
        picks: What the criteria pick, of each number of layers.
        timed: Whether the speed of every choice was measured, and is what it gains.
    """

    study: CutStudy
    full: Estimate
    guess: float
    choices: tuple[Choice, ...]
    picks: tuple[Picked, ...]
    timed: bool


class Judge:
    """Values predictions of a study's judged examples by its main metric."""

    def __init__(self, study: CutStudy) -> None:
        self._metric, self._gold, n = study.task.main_metric, np.array(study.task.gold), len(study.task.gold)
        self._labels = np.arange(len(study.task.label_names))[:, None]  # (labels, 1)
        drawn = np.random.default_rng(0).integers(n, size=(DRAWS, n))
        rows = [np.arange(n), *drawn]
        self._times = np.array([np.bincount(row, minlength=n) for row in rows], np.float64)  # (1 + draws, examples)

    def values(self, predicted: Iterable[Sequence[int] | None]) -> Array:
        """Return of each model the metric of all examples, and of those of each draw: (models, 1 + draws)."""
        every, each = [*predicted], self._labels.size * max(self._times.shape)
        some = max(AT_ONCE // each, 1)
        return np.concatenate([self._values(every[k : k + some]) for k in range(0, len(every), some)])

    def _values(self, predicted: Sequence[Sequence[int] | None]) -> Array:
        said, meant = np.array(predicted)[:, None] == self._labels, self._gold == self._labels  # (…, labels, n)
        both, golds, predictions = (
            np.tensordot(marks.astype(np.float64), self._times, (-1, -1)).swapaxes(-1, -2)
            for marks in (said & meant, np.broadcast_to(meant, said.shape), said)
        )  # each (models, 1 + draws, labels): how often
        if self._metric == "accuracy":
            return np.asarray(both.sum(-1) / golds.sum(-1))
        return FROM_COUNTS[self._metric](both, golds, predictions)


def estimated(values: Array) -> Estimate:
    """Return the first of values, that of all examples, with the percentile interval of the others, the draws'."""
    low, high = np.quantile(values[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value=float(values[0]), low=float(low), high=float(high))


def frontier_of(study: CutStudy) -> Frontier:
    """Collect what a study offers."""
    judge = Judge(study)
    values = judge.values(cut.judged for cut in study.offered)  # (models, 1 + draws)
    timed = all(cut.speed for cut in study.offered[1:])
    full, *choices = (
        _choice(study, cut, own, values[0], timed) for cut, own in zip(study.offered, values, strict=True)
    )
    guess = reference_of(study, study.task.main_metric)[1]
    return Frontier(study, full.value, guess, tuple(choices), picks_of(study, judge), timed)


def _choice(study: CutStudy, model: Cut, values: Array, full: Array, timed: bool) -> Choice:
    """Describe an offered model; `values` and `full` are the metric of it and of the full model, (1 + draws,)."""
    worth, score = model.worth, SCORES[study.task.main_metric]
    assert worth is not None
    gold, before, after = map(np.array, (study.calibration.gold, study.full.calibration, model.calibration))
    value = estimated(values)
    if bounds := worth.intervals.get(study.task.main_metric):  # not where a label occurs once
        value = Estimate(value=value.value, low=bounds[0], high=bounds[1])
    loss: Mapping[By, float] = {
        "score": float(score(gold, before) - score(gold, after)),
        "answers": float((before != after).mean()),
    }
    out = _others(study, model.layers)
    gain = model.speed.value if timed and model.speed else float(len(out))
    return Choice(model, out, loss, value, estimated(values - full), worth.changed, gain)


def _others(study: CutStudy, layers: Layers) -> Layers:
    return tuple(k for k in range(study.checkpoint.num_layers) if k not in layers)


def picks_of(study: CutStudy, judge: Judge | None = None) -> tuple[Picked, ...]:
    """Return what each criterion picks of each size, the largest first, and what it loses by that."""
    judged, random, picks = study.judged, np.random.default_rng(1), list[Picked]()
    values = dict(zip(judged, (judge or Judge(study)).values(judged.values()), strict=True))  # each (1 + draws,)
    for fewer, step in enumerate(study.steps, start=1):
        best, alike = values[step.picks[MEASURED]], np.array([values[kept] for kept in step.drawn])
        if len(alike) < comb(study.checkpoint.num_layers, fewer):  # others could have been drawn: each draw takes anew
            taken = random.integers(len(alike), size=(len(alike), DRAWS))  # (subsets, draws)
            alike[:, 1:] = np.take_along_axis(alike[:, 1:], taken, 0)
        for name, own in {**{name: values[kept] for name, kept in step.picks.items()}, RANDOM: alike.mean(0)}.items():
            removed = _others(study, step.picks[name]) if name != RANDOM else ()
            picks.append(Picked(name, removed, fewer, float(own[0]), estimated(best - own)))
    return tuple(picks)


def chosen(known: Frontier, by: By, most: float) -> Choice | None:
    """Choose the fastest that loses at most so much on the calibration examples; None where all lose more.

    Where not every speed was measured, the most layers are out. Of equals it loses least.
    """
    fitting = [choice for choice in known.choices if choice.loss[by] <= most + ROUNDING]
    return max(fitting, key=lambda choice: (choice.gain, choice.model.share, -choice.loss[by]), default=None)


def kept_by(known: Frontier, choice: Choice, by: By, most: float) -> Choice | None:
    """Return the fastest no faster than a choice that the judged examples bear out; they flatter it, who pick it."""
    slower = (one for one in known.choices if one.gain <= choice.gain and state_of(known, one, by, most) == "holds")
    return max(slower, key=lambda one: (one.gain, one.model.share), default=None)


def state_of(known: Frontier, choice: Choice | None, by: By, most: float) -> State:
    """Say whether the judged examples bear a choice out.

    Returns:
        `guesses`: the full model or the chosen one is not shown to beat always guessing the commonest label, so that
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
