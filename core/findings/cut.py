"""What a study of cuts offers: how much each depth loses, how fast it is, which keep a limit.

A limit is kept if the lower end of the one-sided 95 % interval of the difference from the full
model reaches it; what is shown is the two-sided 95 % interval. Differences are paired: the same
draws of rows serve all models (percentile bootstrap, fixed seed).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from core.findings.accuracy import reference_of
from core.request.catalog import CONFIDENCE, MIN_PROMISED
from core.results.cut import CutStudy, Depth
from core.results.fields import Bounds
from core.results.recovery import Recovery
from core.results.schema import Worth
from core.results.statistics import EstimateRecord
from core.sweep.scores import FROM_COUNTS, Array

Outcome = Literal["keeps", "closest", "few", "guesses"]
ROUNDING = 1e-9  # of losses: one of exactly so much is allowed
DRAWS = 2_000


class CutChoice(NamedTuple):
    """A depth that can be chosen.

    Attributes:
        depth: What the study measured.
        value: The main metric of the saved model.
        held: The main metric of the probe; None where it is undefined.
        difference: The saved model's difference from the full model, paired.
        least: The lower end of the one-sided 95 % interval of the difference.
    """

    depth: Depth
    value: EstimateRecord
    held: float | None
    difference: EstimateRecord
    least: float


class Frontier(NamedTuple):
    """The choices that a study offers, and their references.

    Attributes:
        study: The study.
        full: The main metric of the full model.
        guess: The same for always guessing the commonest label.
        choices: The depths, the one with most layers first.
    """

    study: CutStudy
    full: EstimateRecord
    guess: float
    choices: tuple[CutChoice, ...]


def frontier_of(study: CutStudy) -> Frontier:
    """Collect what a study offers."""
    metric = study.task.main_metric
    # Each (1 + draws,), of the models in turn.
    full, *saved = values_of(study, [study.full, *(depth.saved for depth in study.depths)])
    choices = []
    for depth, values in zip(study.depths, saved, strict=True):
        difference = values - full
        choice = CutChoice(
            depth,
            estimated(values, depth.saved.intervals.get(metric)),
            depth.held.metrics.get(metric),
            estimated(difference),
            least=float(np.quantile(difference[1:], 1 - CONFIDENCE)),
        )
        choices.append(choice)
    _, guess = reference_of(study, metric)
    full_score = estimated(full, study.full.intervals.get(metric))
    return Frontier(study, full_score, guess, tuple(choices))


def values_of(study: CutStudy | Recovery, models: Sequence[Worth]) -> Array:
    """Value models by the main metric, on all judged rows and on each draw of them.

    Rows with the same labels are interchangeable, so draws of rows are draws of their numbers.

    Returns:
        (models, 1 + draws): on all rows, and on those of each draw, which serves all models.
    """
    predictions = [model.predictions for model in models]
    labels = np.array([study.task.gold, *predictions])  # (1 + models, rows)
    kinds, counts = np.unique(labels, axis=1, return_counts=True)  # (1 + models, kinds), (kinds,)
    shares = counts / counts.sum()
    draws = np.random.default_rng(0).multinomial(counts.sum(), shares, DRAWS)  # (draws, kinds)
    drawn = np.vstack([counts, draws]).astype(np.float64)
    names = np.arange(len(study.task.label_names))
    gold, *predicted = kinds[..., None] == names  # each (kinds, labels)
    score = FROM_COUNTS[study.task.main_metric]
    values = []  # of each model, (1 + draws,)
    for own in predicted:
        values.append(score(drawn @ (gold & own), drawn @ gold, drawn @ own))
    return np.array(values)


def estimated(values: Array, interval: Bounds | None = None) -> EstimateRecord:
    """Return the first value, of all rows, with its interval.

    Args:
        values: (1 + draws,), see `values_of`.
        interval: That in the file, where there is none if a label occurs once; by default the
            percentile interval of the draws.
    """
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = interval or np.quantile(values[1:], ends)
    return EstimateRecord(value=float(values[0]), low=float(low), high=float(high))


def keeps(frontier: Frontier, choice: CutChoice, most: float) -> bool:
    """Whether a depth is shown to lose at most so much, and can be promised to."""
    return promise_of(frontier) is None and choice.least >= -most - ROUNDING


def promise_of(frontier: Frontier) -> Literal["few", "guesses"] | None:
    """Return why a study promises nothing; None if it can.

    Returns:
        `few`: fewer than MIN_PROMISED rows were judged. `guesses`: the full model is not shown to
        beat always guessing the commonest label, so that there is nothing to keep.
    """
    if len(frontier.study.task.gold) < MIN_PROMISED:
        return "few"
    if frontier.full.low <= frontier.guess:
        return "guesses"
    return None


def lead(frontier: Frontier, most: float) -> tuple[CutChoice, Outcome]:
    """Choose what a study recommends if at most so much may be lost.

    Returns:
        `keeps`: the fastest depth that keeps the limit. Else the depth that is closest to keeping
        it: `closest` if none is shown to, or why nothing can be promised; see `promise_of`.
    """
    kept = [choice for choice in frontier.choices if keeps(frontier, choice, most)]
    if not kept:
        closest = max(frontier.choices, key=lambda choice: choice.least)
        return closest, promise_of(frontier) or "closest"
    fastest = max(
        kept,
        key=lambda choice: (choice.depth.speed.value, -choice.depth.layers),
    )
    return fastest, "keeps"


def chosen(frontier: Frontier, most: float, keep: str = "") -> CutChoice:
    """Return the choice with as many layers as `keep` says; if empty, the recommended one."""
    for choice in frontier.choices:
        if str(choice.depth.layers) == keep:
            return choice
    return lead(frontier, most)[0]
