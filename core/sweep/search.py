"""Find the layers that can go: run subsets of them on calibration examples until each criterion can choose.

Up to ALL_UP_TO layers every subset is run. Of more, a beam search goes down by one layer at a time; it also looks at
what every other criterion would choose, and at subsets drawn at random.

A criterion sees the calibration examples alone. Cosine of a layer's input and output is ShortGPT's block influence (Men
et al. 2024, arXiv 2403.03853, eq. 1: one minus it); dropping from the top, or every second layer from the last but one
down ("odd alternate"), is from Sajjad et al. 2023 (arXiv 2004.03844, section 3).
"""

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from math import comb

import numpy as np

from core.encoder.loading import Checkpoint
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.request.criteria import CRITERIA, MEASURED, READ
from core.results.cut import ALL_UP_TO, Cut, Layers, LayerScores, Step
from core.sweep.scores import SCORES
from core.sweep.subsets import SubsetRunner

BEAM = {MEASURED: 8, READ: 1}  # how many subsets of a size the search goes on from, by a criterion
DRAWN = 5  # subsets of a size that stand for random removal where not all are run
DECIMALS = 9  # of metrics that are compared: rounding makes no choice
SEARCHING = "Running subsets of layers"  # a stage


def sizes(num_layers: int) -> range:
    """Return how many layers stay at each step: from all but one to one."""
    return range(num_layers - 1, 0, -1)


def drawn_subsets(num_layers: int, left: int) -> list[Layers]:
    """Return the subsets of a size that stand for random removal: all, of a deep model DRAWN by a fixed seed."""
    if num_layers <= ALL_UP_TO or comb(num_layers, left) <= DRAWN:
        return list(combinations(range(num_layers), left))
    random, found = np.random.default_rng(left), set[Layers]()
    while len(found) < DRAWN:
        found.add(tuple(sorted(random.choice(num_layers, left, replace=False).tolist())))
    return sorted(found)


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


def search(
    runner: SubsetRunner, metric: str, gold: Sequence[int], exhaustive: bool = False
) -> tuple[list[Cut], list[Step]]:
    """Measure cuts until each criterion can choose among them.

    Args:
        runner: Runs subsets on the calibration examples.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        exhaustive: Whether every subset is measured, however deep the model.

    Returns:
        What was measured, the full model first, larger ones before smaller ones; and what each criterion chooses.
    """
    full, known, (scores, of_full) = tuple(range(runner.depth)), dict[Layers, Cut](), runner.full
    every, beam, steps = exhaustive or runner.depth <= ALL_UP_TO, {full}, list[Step]()

    def measure(subsets: set[Layers]) -> None:
        for kept, (predictions, read) in runner.run(subsets - {*known}, of_full).items():
            known[kept] = Cut(layers=kept, calibration=predictions, read=read)

    measure({kept for left in range(every * len(full)) for kept in combinations(full, left)} | {full})
    for left in sizes(runner.depth):
        drawn = drawn_subsets(runner.depth, left)
        picks = {name: fixed_choice(name, scores, left) for name in CRITERIA if name not in BEAM}
        if not every:
            children = {tuple(layer for layer in kept if layer != gone) for kept in beam for gone in kept}
            measure({*children, *drawn, *filter(None, picks.values())})
        alike, beam = [cut for cut in known.values() if len(cut.layers) == left], set()
        for name, width in BEAM.items():
            alike.sort(key=partial(rank, name, metric, gold, known[full]))
            beam |= {cut.layers for cut in alike[:width]}
            picks[name] = alike[0].layers
        chosen = {name: kept for name in CRITERIA if (kept := picks[name])}
        steps.append(Step(picks=chosen, drawn=tuple(drawn)))
    return sorted(known.values(), key=lambda cut: (-len(cut.layers), cut.layers)), steps


def layer_passes(depth: int, exhaustive: bool) -> tuple[float, float]:
    """Return about how many layers a study runs over the calibration and over the judged examples.

    Of a search it is what was counted of 12 layers, for any depth.
    """
    every = (1 << depth) - 1
    judged = every if depth <= ALL_UP_TO else 3.3 * depth**2
    return (every if exhaustive or depth <= ALL_UP_TO else 0.8 * depth**3) + depth, judged


def best_subsets(checkpoint: Checkpoint, examples: EvalSubset, report: Report) -> dict[int, Layers]:
    """Return the measured choice of each number of layers, by that number.

    Args:
        checkpoint: The model, which is never changed.
        examples: What it is chosen on.
        report: See `SubsetRunner`.
    """
    passes, _ = layer_passes(checkpoint.record.num_layers, exhaustive=False)
    runner = SubsetRunner(checkpoint, examples, report, SEARCHING, passes)
    _, steps = search(runner, examples.task.main_metric, examples.record.gold)
    return {len(step.picks[MEASURED]): step.picks[MEASURED] for step in steps}
