"""What all shipped checkpoints say of harm, the share of changed predictions, where some layers alone are pruned.

*Layers*: over the layers of one checkpoint, each pruned alone by one amount, harm is correlated (Spearman) with a
layer's own loss, with how early it stands, and with the loss at the end (`core.findings.passed`). Only equal amounts
are compared: over several, more pruning does more of all three. *Halves*: harm of the lower half of the layers less
that of the upper half, where both have lost as many weights.

What is independent are checkpoints, not layers, amounts or draws, so these are averaged first. A *cell* is a task at a
depth, over which seed twins are averaged too; Student's interval is over the cells. Those of one depth share a
pretrained model, and random draws, which no interval covers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter

from core.findings.choices import task_title
from core.findings.comparable import halves_of, isolated_of
from core.findings.passed import HELD_AGAINST, ByAmount, by_amount, harm_of, reads, values_of
from core.request.catalog import CONFIDENCE, METHODS, REDUCTION
from core.request.scope import run_of
from core.results.fields import Bounds
from core.results.schema import SweepResult
from core.results.table_file import TableFile

OWN, EARLY, END, BEYOND = "own", "early", "end", "end, less own"  # what harm is correlated with; a difference
LOWER, UPPER, APART = "lower", "upper", "lower, less upper"  # harm of halves; their difference
RANGES = {**dict.fromkeys((OWN, EARLY, END), (-1, 1)), **dict.fromkeys((LOWER, UPPER), (0, 1))}  # no value lies beyond
Values = Mapping[str, float]
Group = tuple[str, str | None, str, int]  # method, the method that it controls, task, depth


@dataclass(frozen=True)
class Estimate:
    """A mean over cells, with its 95 % interval."""

    cells: int
    value: float
    interval: Bounds


@dataclass(frozen=True)
class Harm:
    """A method, or the random control of one.

    Attributes:
        method: A name from METHODS.
        controls: The method whose control it is.
        cells: By the name of each cell its values, under the names above.
        estimates: By the same names, over the cells that have them, two or more.
        is_read: Whether the end is what the classifier reads; else the first token stands for it.
    """

    method: str
    controls: str | None
    cells: Mapping[str, Values]
    estimates: Mapping[str, Estimate]
    is_read: bool


_FILE = TableFile("harm.json", TypeAdapter(tuple[Harm, ...]))
write, shipped = _FILE.write, _FILE.read


def harms(results: Iterable[SweepResult]) -> tuple[Harm, ...]:
    """Pool the results of pruning some layers alone, on other examples than those written for this project."""
    alone = [known for known in results if run_of(known.pruning.scope) and not known.against and _counts(known)]
    is_read = reads(alone)
    values: dict[Group, list[Values]] = defaultdict(list)
    for group, sweeps in _grouped(alone).items():
        values[group[0]].append(_values(sweeps, is_read))
    table: dict[tuple[str, str | None], dict[str, Values]] = defaultdict(dict)
    for (method, controls, task, layers), found in sorted(values.items(), key=lambda known: _order(known[0])):
        names = dict.fromkeys(name for known in found for name in known)
        cell = {name: float(np.mean([known[name] for known in found if name in known])) for name in names}
        table[method, controls][f"{task_title(task)}, {layers} layers"] = cell
    return tuple(Harm(*how, cells, _estimates(cells), is_read) for how, cells in table.items())


def _counts(result: SweepResult) -> bool:
    return result.task.source != "written" and result.pruning.stop is None


def _grouped(alone: Sequence[SweepResult]) -> dict[tuple[Group, str, int], list[SweepResult]]:
    """Sort results by what is averaged last, checkpoint and seed."""
    groups = defaultdict(list)
    for result in sorted(alone, key=lambda known: known.key):  # the last digits of a mean depend on it
        pruning, checkpoint = result.pruning, result.checkpoint
        group = pruning.method, pruning.controls, result.task.name, checkpoint.num_layers
        groups[group, checkpoint.revision, pruning.seed].append(result)
    return groups


def _order(group: Group) -> tuple[int, bool, int, str]:
    method, controls, task, layers = group
    return list(METHODS).index(controls or method), bool(controls), layers, task


def _values(sweeps: Sequence[SweepResult], is_read: bool) -> Values:
    """Return what is known of one checkpoint, method and seed, under the names above."""
    layers, halves = isolated_of(sweeps[0], sweeps), halves_of(sweeps[0], sweeps)
    harm = harm_of(halves) if halves else None
    found = correlations(by_amount(layers, REDUCTION, is_read))
    if harm and abs(harm.removed - HELD_AGAINST) < 0.005:
        found |= {LOWER: harm.lower, UPPER: harm.upper, APART: harm.lower - harm.upper}
    return found


def correlations(passed: ByAmount) -> dict[str, float]:
    """Correlate harm over layers with three others (Spearman), averaged over the amounts at which any harm differs."""
    from scipy.stats import spearmanr  # here: no page waits for it

    rhos = []
    for rows in passed.values():
        _, own, end, changed = values_of(rows).T  # each (layers,)
        if np.ptp(changed):
            early = -np.arange(len(rows))
            rhos.append([spearmanr(changed, other).statistic for other in (own, early, end)])
    if not rhos:
        return {}
    own, early, end = np.mean(rhos, axis=0).tolist()
    return {OWN: own, EARLY: early, END: end, BEYOND: end - own}


def _estimates(cells: Mapping[str, Values]) -> dict[str, Estimate]:
    from scipy.stats import ttest_1samp

    names = dict.fromkeys(name for values in cells.values() for name in values)
    known = {name: [values[name] for values in cells.values() if name in values] for name in names}
    estimates = {}
    for name, values in known.items():
        if len(values) > 1:
            bounds = np.clip(ttest_1samp(values, 0).confidence_interval(CONFIDENCE), *RANGES.get(name, (-2, 2)))
            estimates[name] = Estimate(len(values), float(np.mean(values)), (float(bounds[0]), float(bounds[1])))
    return estimates
