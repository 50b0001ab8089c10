"""Harm of pruning some layers alone, over all shipped checkpoints: what pages read, and what documents tabulate.

*Layers*: over the layers of one checkpoint, each pruned alone by one amount, harm is correlated (Spearman) with a
layer's own loss, with how early it stands, and with the loss at the end. Only equal amounts are compared: over several,
more pruning does more of all three. *Halves*: harm of the lower half of the layers less that of the upper half, where
both have lost as many weights. What is independent are checkpoints, not layers, amounts or draws, so these are averaged
first. A *cell* is a task at a depth, over which seed twins are averaged too; Student's interval is over the cells.
Those of one depth share a pretrained model, and random draws, which no interval covers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.pooled import margin_of_mean
from core.findings.choices import task_title
from core.findings.comparable import isolated_of
from core.findings.passed import HELD_AGAINST, ByAmount, Estimate, Harm, Values, by_amount, harm_of, reads
from core.findings.words import NONE, Table, with_interval
from core.findings.words.passed import CELLS, ENDS
from core.request.catalog import METHODS, REDUCTION
from core.request.scope import run_of
from core.results.names import capitalised
from core.results.schema import SweepResult

NAMES = ("own", "early", "end", "beyond", "apart")


def harms(results: Iterable[SweepResult]) -> tuple[Harm, ...]:
    """Pool the results of pruning some layers alone, on other examples than those written for this project."""
    known = [one for one in results if run_of(one.pruning.scope) and one.task.source != "written"]
    is_read, groups = reads(known), defaultdict[tuple[object, ...], list[SweepResult]](list)
    for one in sorted(known, key=lambda result: result.key):  # the last digits of a mean depend on it
        method, controls = one.pruning.method, one.pruning.controls or ""
        place = one.checkpoint.num_layers, task_title(one.task.name), one.checkpoint.revision
        groups[[*METHODS].index(controls or method), controls, method, *place, one.pruning.seed].append(one)
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


def harm_table(table: Sequence[Harm]) -> Table:
    """Tabulate what harm follows over layers, and what either half of them costs: means over cells, with intervals."""
    titles = {
        "own": "Rank correlation of harm with a layer's own loss",
        "early": "… with how early it stands",
        "end": f"… with the loss at the end ({ENDS[all(harm.is_read for harm in table)]})",
        "beyond": "… the latter, less that with its own loss",
        "apart": "Harm of the lower half alone, less that of the upper half",
    }
    mean = f"Mean over {CELLS} (95 % interval), their number"
    known = {capitalised(harm.name): harm.estimates for harm in table}
    return [
        {mean: title} | {method: _mean(means.get(name)) for method, means in known.items()}
        for name, title in titles.items()
    ]


def _mean(found: Estimate | None) -> str:
    return f"{with_interval(found.value, *found.interval, 2)}, {found.cells}" if found else NONE
