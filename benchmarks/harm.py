"""Harm of pruning some layers alone, over all shipped checkpoints, for pages and documents.

*Layers*: over the layers of one checkpoint, each pruned alone by the same amount, harm is correlated (Spearman) with
the layer's own loss, with how early it stands, and with the loss at the end. Amounts are not mixed, because more
pruning increases all of these. *Halves*: the harm of the lower half of the layers minus that of the upper half, after
both have lost as many weights. Only checkpoints are independent, not layers, amounts or draws, so these are averaged
first. A *cell* is a task at a depth; seed twins are averaged within it, and Student's interval is over the cells.
Cells of one depth share a pretrained model and random draws, which no interval accounts for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.pooled import margin_of_mean
from core.findings.choices import task_title
from core.findings.comparable import isolated_of
from core.findings.passed import HELD_AGAINST, ByAmount, CellMean, Harm, Values, by_amount, harm_of, reads
from core.findings.words import NONE, Table, with_interval
from core.findings.words.passed import CELLS, ENDS
from core.request.catalog import METHODS, REDUCTION
from core.request.scope import run_of
from core.results.names import capitalised
from core.results.schema import SweepResult

NAMES = ("own", "early", "end", "beyond", "apart")


def harms(results: Iterable[SweepResult]) -> tuple[Harm, ...]:
    """Pool the results of pruning some layers alone, except those on examples written for this project."""
    isolated = [result for result in results if run_of(result.pruning.scope) and result.task.source != "written"]
    is_read, groups = reads(isolated), defaultdict[tuple[object, ...], list[SweepResult]](list)
    for result in sorted(isolated, key=lambda result: result.key):  # the last digits of a mean depend on the order
        method, controls = result.pruning.method, result.pruning.controls or ""
        cell = result.checkpoint.num_layers, task_title(result.task.name)
        order = [*METHODS].index(controls or method)
        groups[order, controls, method, *cell, result.checkpoint.revision, result.pruning.seed].append(result)
    rows = [_values(sweeps, is_read) for sweeps in groups.values()]
    names = ["order", "controls", "method", "layers", "task", "checkpoint", "seed"]
    table = pd.DataFrame(rows, pd.MultiIndex.from_tuples(groups, names=names), list(NAMES))
    pooled = []
    for (_, controls, method), cells in table.groupby(level=names[:5]).mean().groupby(level=names[:3]):
        titles = [f"{task}, {layers} layers" for *_, layers, task in cells.index]
        values = {title: dict(row.dropna()) for title, (_, row) in zip(titles, cells.iterrows(), strict=True)}
        estimates = {name: _estimate(name, column.dropna()) for name, column in cells.items() if column.count() > 1}
        pooled.append(Harm(method, controls, values, estimates, is_read))
    return tuple(pooled)


def _values(sweeps: Sequence[SweepResult], is_read: bool) -> Values:
    """Compute the values of one checkpoint, method and seed."""
    isolated = isolated_of(sweeps[0], sweeps)
    values, harm = correlations(by_amount(isolated, REDUCTION, is_read)), harm_of(isolated)
    if harm and round(harm.removed, 2) == HELD_AGAINST:
        values |= {"apart": harm.lower - harm.upper}
    return values


def correlations(tables: ByAmount) -> dict[str, float]:
    """Correlate harm over layers (Spearman), averaged over the amounts at which it differs between layers."""
    rhos = []
    for table in tables.values():
        _, own, end, harm = table[..., 0].T  # each (layers,)
        if np.ptp(harm):
            rhos.append([spearmanr(harm, other).statistic for other in (own, -np.arange(len(own)), end)])
    if not rhos:
        return {}
    own, early, end = np.mean(rhos, axis=0).tolist()
    return {"own": own, "early": early, "end": end, "beyond": end - own}


def _estimate(name: str, values: "pd.Series[float]") -> CellMean:
    bound = 2 if name == "beyond" else 1  # of the absolute value
    mean, margin = float(values.mean()), margin_of_mean(values.to_numpy())
    low, high = np.clip([mean - margin, mean + margin], -bound, bound).tolist()
    return CellMean(len(values), mean, (low, high))


def harm_table(table: Sequence[Harm]) -> Table:
    """Tabulate what harm correlates with over layers, and what each half of them costs: means over cells."""
    titles = {
        "own": "Rank correlation of harm with a layer's own loss",
        "early": "… with how early it stands",
        "end": f"… with the loss at the end ({ENDS[all(harm.is_read for harm in table)]})",
        "beyond": "… the latter, less that with its own loss",
        "apart": "Harm of the lower half alone, less that of the upper half",
    }
    mean = f"Mean over {CELLS} (95 % interval), their number"
    return [
        {mean: title} | {capitalised(harm.name): _mean(harm.estimates.get(name)) for harm in table}
        for name, title in titles.items()
    ]


def _mean(estimate: CellMean | None) -> str:
    return f"{with_interval(estimate.value, *estimate.interval, 2)}, {estimate.cells}" if estimate else NONE
