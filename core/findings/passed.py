"""What layers pass on: pruned alone, how much a layer's own output changes, what the classifier reads, and the answers.

A *loss* is 1 - CKA with the unpruned model. Ordinary pruning is cumulative: a layer's output carries the pruning of all
layers below it, so that its loss says little about what pruning that layer costs. The *end* is what the classifier
reads; results that do not hold it have the first token of the last layer's output in its place. *Harm* is the share of
predictions that are no longer the unpruned model's.

Over all shipped checkpoints, harm is pooled. *Layers*: over the layers of one checkpoint, each pruned alone by one
amount, harm is correlated (Spearman) with a layer's own loss, with how early it stands, and with the loss at the end.
Only equal amounts are compared: over several, more pruning does more of all three. *Halves*: harm of the lower half of
the layers less that of the upper half, where both have lost as many weights. What is independent are checkpoints, not
layers, amounts or draws, so these are averaged first. A *cell* is a task at a depth, over which seed twins are averaged
too; Student's interval is over the cells. Those of one depth share a pretrained model, and random draws, which no
interval covers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from core.findings.choices import task_title
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.layers import own_similarity
from core.request.catalog import METHODS, REDUCTION
from core.request.scope import half_scopes, layer_scopes, run_of
from core.results.fields import Bounds
from core.results.names import ReductionKey, in_sentence
from core.results.schema import SweepResult
from core.results.table_file import TableFile
from core.sweep.control_contrast import margin_of_mean
from core.sweep.statistics import Array

HELD_AGAINST = 0.3  # of the encoder's weights, all from one half of the layers: where both halves are compared
UNKNOWN = (np.nan, np.nan)

Alone = Mapping[str, SweepResult]  # results of pruning some layers alone, by scope
ByAmount = Mapping[float, Array]
"""Of each amount (layers, 4, 3): four numbers of each layer, in depth order, with 95 % intervals; NaN is unknown.

These are the loss of a layer where all layers are pruned by this amount, its own loss where it alone is, then
the loss at the end, and harm.
"""


@dataclass(frozen=True)
class PassedOn:
    """What every layer of a model passes on: by the method, by random removal (the mean over seeds), and what ends it.

    `is_read`: the end is what the classifier reads; else the first token stands for it.
    """

    method: ByAmount
    by_chance: ByAmount
    seeds: int
    is_read: bool


def passed_on(result: SweepResult, companions: Sequence[SweepResult], reduction: ReductionKey) -> PassedOn | None:
    """Collect what every layer passes on, each pruned alone like a whole result, and at random; None where one lacks.

    Args:
        result: A whole sweep.
        companions: Results from which those of single layers, and its random control, are picked.
        reduction: Of losses but the one at the end.
    """
    alone, drawn = isolated_of(result, companions), isolated_controls_of(result, companions)
    is_read = reads([sweep for known in (alone, *drawn.values()) for sweep in known.values()])
    wholes = {control.pruning.seed: control for control in controls_of(result, companions)}
    method = by_amount(alone, reduction, is_read, result)
    seeds = [by_amount(known, reduction, is_read, wholes.get(seed)) for seed, known in drawn.items()]
    seeds = [seed for seed in seeds if list(seed) == list(method)]
    by_chance = {amount: np.mean([seed[amount] for seed in seeds], axis=0) for amount in method if seeds}
    for table in by_chance.values():
        table[..., 1:] = np.nan  # a mean of intervals is none
    return PassedOn(method, by_chance, len(seeds), is_read) if method else None


def reads(results: Sequence[SweepResult]) -> bool:
    """Whether all results hold the similarity of what the classifier reads."""
    return all(frame.read is not None for result in results for frame in result.frames)


def by_amount(alone: Alone, reduction: ReductionKey, is_read: bool, whole: SweepResult | None = None) -> ByAmount:
    """Read every amount that all layers were measured at, but those at which a loss is undefined.

    Args:
        alone: See `core.findings.comparable.isolated_of`; if a layer is missing there is nothing.
        reduction: Of losses but the one at the end.
        is_read: Whether the end is what the classifier reads, see `reads`.
        whole: The result of pruning all of them.
    """
    depth = next(iter(alone.values())).checkpoint.num_layers if alone else 0
    layers = [alone[scope] for scope in layer_scopes(depth) if scope in alone]
    if depth < 2 or len(layers) < depth:
        return {}
    amounts = sorted(set.intersection(*(set(sweep.amounts) for sweep in layers)) - {0.0})
    tables = {
        amount: np.array([_row(sweep, k, amount, reduction, is_read, whole) for k, sweep in enumerate(layers)])
        for amount in amounts
    }
    return {amount: table for amount, table in tables.items() if not np.isnan(table[:, 1:, 0]).any()}


def _row(
    alone: SweepResult, layer: int, amount: float, reduction: ReductionKey, is_read: bool, whole: SweepResult | None
) -> list[tuple[float, ...]]:
    k, point = alone.amounts.index(amount), alone.points.index(f"layer.{layer}.output")
    frame, known, faded = alone.frames[k], alone.statistics_of(reduction), np.nan
    if whole and amount in whole.amounts:
        last = (layer + 1) * len(whole.points) // whole.checkpoint.num_layers - 1  # point of this layer
        faded = own_similarity(whole, reduction)[whole.amounts.index(amount), last]
    low, high = (known.own[k][point] if known and known.own else None) or UNKNOWN
    end = frame.read if is_read else own_similarity(alone, "cls")[k, -1]  # the last point is the last layer's output
    harm = (frame.changed.share, *(frame.changed.interval or UNKNOWN)) if frame.changed else (np.nan, *UNKNOWN)
    own = 1 - own_similarity(alone, reduction)[k, point], 1 - high, 1 - low
    return [(1 - faded, *UNKNOWN), own, (1 - (np.nan if end is None else end), *UNKNOWN), harm]


@dataclass(frozen=True)
class HalvesHarm:
    """Harm of pruning one half of the layers alone, where both halves have lost as many weights.

    Attributes:
        removed: Share of the encoder's weights.
        lower: Harm of pruning the lower half.
        upper: Harm of pruning the upper half.
        p_value: Of the difference, by McNemar's exact test.
    """

    removed: float
    lower: float
    upper: float
    p_value: float


def halves_of(alone: Alone) -> list[SweepResult]:
    """Return the results of the lower and of the upper half of the layers; nothing where one lacks."""
    scopes = half_scopes(next(iter(alone.values())).checkpoint.num_layers) if alone else ()
    return [alone[scope] for scope in scopes] if all(scope in alone for scope in scopes) else []


def harm_of(alone: Alone) -> HalvesHarm | None:
    """Compare both halves where they have lost the share nearest to HELD_AGAINST; None if never equally much."""
    from core.sweep.paired_tests import mcnemar_p  # here: statsmodels takes a second, which no first picture waits for

    by_share = [
        {round(frame.prunable_sparsity, 3): frame.predictions for frame in half.frames} for half in halves_of(alone)
    ]
    shared = set.intersection(*map(set, by_share)) - {0.0} if by_share else set()
    if not shared:
        return None
    removed = min(shared, key=lambda share: (abs(share - HELD_AGAINST), share))
    lower, upper = (np.not_equal(known[removed], known[0.0]) for known in by_share)  # each (examples,)
    return HalvesHarm(removed, float(lower.mean()), float(upper.mean()), mcnemar_p(lower, upper))


# ---------------------------------------------------------------- over all shipped checkpoints

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
