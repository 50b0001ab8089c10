"""Find the layers that can go: run subsets of them on calibration examples until each criterion can choose.

Up to ALL_UP_TO layers every subset is run. Of more, a beam search goes down by one layer at a time; it also looks at
what every other criterion would choose, and at subsets drawn at random.
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
from core.results.cut import ALL_UP_TO, Cut, Layers
from core.sweep.cut_choices import choices, fixed_choice, rank
from core.sweep.subsets import SubsetRunner

BEAM = {MEASURED: 8, READ: 1}  # how many subsets of a size the search goes on from, by a criterion
DRAWN = 5  # subsets of a size that stand for random removal where not all are run
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


def search(runner: SubsetRunner, metric: str, gold: Sequence[int], exhaustive: bool) -> list[Cut]:
    """Measure cuts until each criterion can choose among them.

    Args:
        runner: Runs subsets on the calibration examples.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        exhaustive: Whether every subset is measured, however deep the model.

    Returns:
        What was measured, the full model first, larger ones before smaller ones.
    """
    full, known, (scores, of_full) = tuple(range(runner.depth)), dict[Layers, Cut](), runner.full
    every = exhaustive or runner.depth <= ALL_UP_TO

    def measure(subsets: set[Layers]) -> None:
        for kept, (predictions, read) in runner.run(subsets - {*known}, of_full).items():
            known[kept] = Cut(layers=kept, calibration=predictions, read=read)

    measure({kept for left in range(every * len(full)) for kept in combinations(full, left)} | {full})
    beam = {full}
    for left in () if every else sizes(runner.depth):
        children = {tuple(layer for layer in kept if layer != gone) for kept in beam for gone in kept}
        fixed = (fixed_choice(name, scores, left) for name in CRITERIA if name not in BEAM)
        measure({*children, *drawn_subsets(runner.depth, left), *filter(None, fixed)})
        alike, beam = [cut for cut in known.values() if len(cut.layers) == left], set()
        for name, width in BEAM.items():
            alike.sort(key=partial(rank, name, metric, gold, known[full]))
            beam |= {cut.layers for cut in alike[:width]}
    return sorted(known.values(), key=lambda cut: (-len(cut.layers), cut.layers))


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
    depth, metric, gold = checkpoint.record.num_layers, examples.task.main_metric, examples.record.gold
    runner = SubsetRunner(checkpoint, examples, report, SEARCHING, layer_passes(depth, exhaustive=False)[0])
    cuts = search(runner, metric, gold, exhaustive=False)
    return {left: choices(metric, gold, runner.full[0], cuts, left)[MEASURED] for left in sizes(depth)}
