"""What all shipped checkpoints say of harm, the share of changed predictions, where some layers alone are pruned.

*Layers*: over the layers of one checkpoint, each pruned alone by one amount, harm is correlated (Spearman) with a
layer's own loss, with how early it stands, and with the loss at the end (`core.findings.passed`). Only equal amounts
are compared: over several, more pruning does more of all three. *Halves*: harm of the lower half of the layers less
that of the upper half, where both have lost as many weights.

What is independent are checkpoints, not layers, amounts or draws, so these are averaged first. A *cell* is a task at a
depth, over which seed twins are averaged too; Student's interval is over the cells. Those of one depth share a
pretrained model, and random draws, which no interval covers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from core.findings.choices import task_title
from core.findings.comparable import isolated_of
from core.findings.passed import HELD_AGAINST, ByAmount, by_amount, harm_of, reads
from core.request.catalog import METHODS, REDUCTION
from core.request.scope import run_of
from core.results.fields import Bounds
from core.results.names import in_sentence
from core.results.schema import SweepResult
from core.results.table_file import TableFile
from core.sweep.control_contrast import margin_of_mean

# Of a cell: correlations of harm, the difference of "end" and "own", harm of the lower half less that of the upper.
NAMES = ("own", "early", "end", "beyond", "apart")
Values = Mapping[str, float]  # by these names


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
        controls: The method whose control it is; else empty.
        cells: The values of each cell.
        estimates: Over the cells that have a value, two or more.
        is_read: Whether the end is what the classifier reads; else the first token stands for it.
    """

    method: str
    controls: str
    cells: Mapping[str, Values]
    estimates: Mapping[str, Estimate]
    is_read: bool

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return "random removal" if self.controls else f"{in_sentence(METHODS[self.method].title)} pruning"


_FILE = TableFile("harm.json", TypeAdapter(tuple[Harm, ...]))
write, shipped = _FILE.write, _FILE.read


def harms(results: Iterable[SweepResult]) -> tuple[Harm, ...]:
    """Pool the results of pruning some layers alone, on other examples than those written for this project."""
    known = [one for one in results if run_of(one.pruning.scope) and not one.against and one.task.source != "written"]
    is_read, groups = reads(known), dict[tuple[object, ...], list[SweepResult]]()
    for one in sorted(known, key=lambda result: result.key):  # the last digits of a mean depend on it
        place = one.checkpoint.num_layers, task_title(one.task.name)
        how = (
            list(METHODS).index(one.pruning.controls or one.pruning.method),
            one.pruning.controls or "",
            one.pruning.method,
        )
        groups.setdefault((*how, *place, one.checkpoint.revision, one.pruning.seed), []).append(one)
    rows = [_values(sweeps, is_read) for sweeps in groups.values()]
    names = ["order", "controls", "method", "layers", "task", "checkpoint", "seed"]
    table = pd.DataFrame(rows, pd.MultiIndex.from_tuples(groups, names=names), list(NAMES))
    found = []
    for (_, controls, method), cells in table.groupby(level=names[:5]).mean().groupby(level=names[:3]):
        places = [f"{task}, {layers} layers" for *_, layers, task in cells.index]
        values = {place: dict(row.dropna()) for place, (_, row) in zip(places, cells.iterrows(), strict=True)}
        estimates = {name: _estimate(name, column.dropna()) for name, column in cells.items() if column.count() > 1}
        found.append(Harm(method, controls, values, estimates, is_read))
    return tuple(found)


def _values(sweeps: Sequence[SweepResult], is_read: bool) -> Values:
    """Return what is known of one checkpoint, method and seed."""
    alone = isolated_of(sweeps[0], sweeps)
    found, harm = correlations(by_amount(alone, REDUCTION, is_read)), harm_of(alone)
    if harm and round(harm.removed, 2) == HELD_AGAINST:
        found |= {"apart": harm.lower - harm.upper}
    return found


def correlations(tables: ByAmount) -> dict[str, float]:
    """Correlate harm over layers (Spearman), averaged over the amounts at which it differs between layers."""
    from scipy.stats import spearmanr  # here: no page waits for it

    rhos = []
    for table in tables.values():
        _, own, end, harm = table[..., 0].T  # each (layers,)
        if np.ptp(harm):
            rhos.append([spearmanr(harm, other).statistic for other in (own, -np.arange(len(own)), end)])
    if not rhos:
        return {}
    own, early, end = np.mean(rhos, axis=0).tolist()
    return {"own": own, "early": early, "end": end, "beyond": end - own}


def _estimate(name: str, values: "pd.Series[float]") -> Estimate:
    most = 2 if name == "beyond" else 1  # no value lies farther from 0
    mean, margin = float(values.mean()), margin_of_mean(values.to_numpy())
    low, high = np.clip([mean - margin, mean + margin], -most, most).tolist()
    return Estimate(len(values), mean, (low, high))
