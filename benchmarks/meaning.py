"""What pruning does, over all shipped checkpoints, for pages and documents.

Of each checkpoint with random controls and each method, the result that stands in the table of
verdicts is read, beside its control and the results of pruning some layers alone, all on the same
examples. At an overall change, values are interpolated between the two frames around it, in the
sweep with the smallest steps there; a sweep that reaches it too fast is left out, as in a verdict.
A *cell* is a task at a depth: draws are averaged, then seed twins, and Student's interval is over
the cells. Cells of one depth share a pretrained model and random draws, which no interval knows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, product
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from benchmarks.pooled import mean_with_interval, with_interval
from core.findings.choices import is_same, task_title
from core.findings.claim import FEWEST_SEEDS, with_rows
from core.findings.comparable import (
    by_scope,
    by_seed,
    control_sweeps,
    isolated_of,
    own_sweeps,
    same_checkpoint,
)
from core.findings.matching import damages_of, reaching
from core.findings.pooled import Estimate, Scale
from core.findings.words import Table
from core.findings.words.numbers import percent, place_name
from core.request.catalog import METHODS, REDUCTION
from core.request.scope import half_scopes, layer_scopes
from core.results.names import in_sentence
from core.results.schema import Frame, SweepResult
from core.sweep.equal_damage import DAMAGES, FEWEST_BEFORE, gap, upper_share
from core.sweep.statistics import Array

MEAN = "Mean over cells (95 % interval); models that work"
MAGNITUDE, RANDOM = "magnitude", "random"
LITTLE = 0.2  # an amount within the working range of every shipped checkpoint
ALONE = (0.3, 0.5, 0.7, 0.9)  # amounts at which every layer was pruned alone
HALVES = (0.3, 0.4, 0.5, 0.6)  # amounts at which halves are compared

Sweeps = Sequence[SweepResult]  # of one pruning in different steps


class Place(NamedTuple):
    """Where a sweep is read: a share of the way from the frame before `k` to that one.

    `works`: this is within the working range.
    """

    sweep: SweepResult
    k: int
    share: float
    works: bool

    def read(self, part: Callable[[Frame], object]) -> Array:
        """Interpolate a number of a frame, or an array."""
        frames = self.sweep.frames[self.k - 1 : self.k + 1]
        low, high = (np.array(part(frame), np.float64) for frame in frames)
        return np.asarray(low + self.share * (high - low))


def at_change(sweeps: Sweeps, change: float) -> Place | None:
    """Find an overall change in the sweep with the smallest steps there.

    Returns:
        None if all sweeps reach the change too fast, or never.
    """
    place = reaching((sweep for sweep in sweeps if _is_slow(sweep, change)), REDUCTION, change)
    if place is None:
        return None
    sweep, k, share = place
    amount = sweep.amounts[k - 1] + share * (sweep.amounts[k] - sweep.amounts[k - 1])
    return Place(*place, _works((sweep, *sweeps), amount))


def _is_slow(sweep: SweepResult, change: float) -> bool:
    """Whether a sweep has enough frames before it reaches an overall change."""
    place = reaching([sweep], REDUCTION, change)
    if place is None:
        return False
    before = damages_of(sweep, REDUCTION)[1 : place[1]]
    return int((before > 0).sum()) >= FEWEST_BEFORE


def at_amount(sweeps: Sweeps, amount: float) -> Place | None:
    """Find the frame of an amount; None if it was not measured."""
    sweep = next((sweep for sweep in sweeps if amount in sweep.amounts), None)
    if sweep is None:
        return None
    works = _works((sweep, *sweeps), amount)
    return Place(sweep, sweep.amounts.index(amount), 1.0, works)


def _works(sweeps: Sweeps, amount: float) -> bool:
    """Whether an amount lies within the working range judged on most examples."""
    ranges = [sweep.working_range for sweep in sweeps if sweep.working_range]
    if not ranges:
        return False
    end = max(ranges, key=attrgetter("examples")).to  # of equal ones the first
    return end is not None and amount <= end


# ---------------------------------------------------------------- what is read


def changed(place: Place) -> float:
    """Return the share of predictions that have changed."""
    return float(place.read(attrgetter("changed.share")))


def own(place: Place) -> Array:
    """Return each point's own CKA, (points,)."""
    return place.read(lambda frame: frame.own(REDUCTION))


def grown(place: Place, *, earlier: bool) -> float:
    """Return how much more pruned upper layers resemble earlier, or later, unpruned ones."""
    unpruned = np.array(place.sweep.frames[0].matrix(REDUCTION), np.float64)  # (layers, layers)
    growth = place.read(lambda frame: frame.matrix(REDUCTION)) - unpruned
    i, j = np.indices(growth.shape)
    side = i < j if earlier else i > j
    return float(growth[(j >= len(growth) / 2) & side].mean())


def sunk(place: Place) -> Array:
    """Return how far below each upper layer its most similar unpruned layer lies, (upper,)."""
    matrix = place.read(lambda frame: frame.matrix(REDUCTION))  # (layers, layers)
    below = np.arange(len(matrix)) - matrix.argmax(0)  # of equals the lower
    return below[(len(matrix) + 1) // 2 :].astype(np.float64)


def share(own_cka: Array) -> float:
    """Return the upper half's share of the losses, from (points,)."""
    return float(upper_share(gap(own_cka), 1 - own_cka.mean()))


def alone(*layers: Place) -> float:
    """Return the upper half's share of the losses of layers pruned one at a time."""
    return share(np.array([own(layer)[k] for k, layer in enumerate(layers)]))


def together_outputs(model: Place) -> float:
    """Return the upper half's share of the losses at layer outputs."""
    return share(own(model)[[name.endswith("output") for name in model.sweep.points]])


# In the order of tables, from a seed's places: a model, each layer alone, or two halves.
READERS: Mapping[str, Callable[..., float]] = {
    "changed": changed,
    "removed": lambda model: float(model.read(attrgetter("prunable_sparsity"))),
    "alone": alone,
    "together_outputs": together_outputs,
    "together": lambda model: share(own(model)),
    "end_lower": lambda lower, _: float(1 - own(lower)[-1]),
    "end_upper": lambda _, upper: float(1 - own(upper)[-1]),
    "earlier": partial(grown, earlier=True),
    "later": partial(grown, earlier=False),
    "sunk": lambda model: float(sunk(model).mean()),
    "sunk_last": lambda model: float(sunk(model)[-1]),
    "harm": lambda lower, upper: changed(lower) - changed(upper),
}
RATIOS = ("changed", "removed")
SHARES = ("alone", "together_outputs", "together")
LAYERS = ("earlier", "later", "sunk", "sunk_last")

# ---------------------------------------------------------------- on one checkpoint


class Name(NamedTuple):
    """What is read, as in `core.findings.pooled.Estimate`.

    `beside` of a control is first the method that it controls.
    """

    quantity: str
    method: str
    beside: str
    scale: Scale
    at: float


class Value(NamedTuple):
    """A mean over seeds, and whether all models work."""

    value: float
    works: bool


Seeds = Sequence[Sequence[Sweeps]]  # by seed, a whole model or each of some layers alone
Sides = Mapping[tuple[str, str], Seeds]  # by method and beside
Reading = tuple[Sequence[str], Scale, Sequence[float], Sides]


def readings(row: SweepResult, results: Sweeps) -> Iterator[Reading]:
    """Yield what is read of a method and its control; of magnitude pruning also its layers."""
    method = row.pruning.method
    control = METHODS[method].control or ""
    whole = [[own_sweeps(row, results)]]
    drawn = [[sweeps] for sweeps in control_sweeps(row, results).values()]
    yield RATIOS, "change", DAMAGES, {(method, MAGNITUDE): whole, (control, method): drawn}
    if method != MAGNITUDE:
        return
    magnitude = MAGNITUDE, ""
    random = RANDOM, ""
    outputs = [[[sweep for sweep in results if _is_at_outputs(sweep, row)]]]
    at_random = by_seed(sweep for sweep in results if sweep.pruning.controls == method)
    isolated = {
        magnitude: [isolated_of(row, results)],
        random: [by_scope(row, sweeps) for sweeps in at_random.values()],
    }

    def in_parts(scopes: Sequence[str]) -> Sides:
        return {
            side: [
                [[seed[scope]] for scope in scopes] for seed in seeds if {*scopes} <= seed.keys()
            ]
            for side, seeds in isolated.items()
        }

    layers = in_parts(layer_scopes(row.checkpoint.num_layers))
    halves = in_parts(half_scopes(row.checkpoint.num_layers))
    both = {magnitude: whole, random: drawn}
    yield ["earlier"], "amount", [LITTLE], {magnitude: whole}
    yield LAYERS, "change", DAMAGES, both
    yield ["together"], "amount", ALONE, both
    yield ["together_outputs"], "amount", ALONE, {magnitude: outputs}
    yield ["alone"], "amount", ALONE, layers
    yield ["end_lower", "end_upper", "harm"], "amount", HALVES, halves
    yield ["harm"], "change", DAMAGES, halves


def averages(rows: Iterable[SweepResult], results: Sweeps) -> dict[Name, Value]:
    """Read the methods on one checkpoint: each the mean over the seeds that have all places.

    Nothing is read where a method has no such seed, or a random control too few.
    """
    values: dict[Name, Value] = {}
    every = [reading for row in rows for reading in readings(row, results)]
    for quantities, scale, places, sides in every:
        find = at_change if scale == "change" else at_amount
        for at, ((method, beside), seeds) in product(places, sides.items()):
            found = [[find(sweeps, at) for sweeps in parts] for parts in seeds]
            complete = [[*filter(None, seed)] for seed in found if seed and None not in seed]
            fewest = FEWEST_SEEDS if METHODS[method].control is None else 1
            if len(complete) < fewest:
                continue
            works = all(place.works for seed in complete for place in seed)
            for quantity in quantities:
                mean = float(np.mean([READERS[quantity](*seed) for seed in complete]))
                values[Name(quantity, method, beside, scale, at)] = Value(mean, works)
    return values


def read(rows: Iterable[SweepResult], results: Sweeps) -> Iterator[tuple[Name, Value]]:
    """Yield what is read on one checkpoint; ratios, as logarithms, only beside another method.

    What magnitude pruning does to the layers is also given less what random removal does.
    """
    values = averages(rows, results)
    for name, (value, works) in values.items():
        if name.quantity in RATIOS:
            other = values.get(name._replace(method=name.beside, beside=MAGNITUDE))
            if other and name.method != name.beside:
                yield name, Value(float(np.log(value / other.value)), works and other.works)
            continue
        yield name, Value(value, works)
        other = values.get(name._replace(method=RANDOM))
        if other and name.quantity in LAYERS and name.method == MAGNITUDE:
            difference = Value(value - other.value, works and other.works)
            yield name._replace(beside=RANDOM), difference


def _is_at_outputs(sweep: SweepResult, row: SweepResult) -> bool:
    """Whether a sweep prunes like a row, and is measured at layer outputs as well."""
    return (
        is_same(sweep.pruning, row.pruning)
        and sweep.task.fingerprint == row.task.fingerprint
        and same_checkpoint(sweep, row)
        and sweep.points_kind in ("both", "layer")
    )


# ---------------------------------------------------------------- over all checkpoints


def meanings(results: Iterable[SweepResult]) -> tuple[Estimate, ...]:
    """Estimate every quantity of at least two cells, except on sentences of this project."""
    results = sorted(results, key=attrgetter("key"))  # a mean's last digits depend on the order
    by_checkpoint = defaultdict[tuple[str, str], list[SweepResult]](list)
    for row in with_rows(results):
        if row.pruning.scope != "all-linear":
            by_checkpoint[row.checkpoint.revision, row.task.fingerprint].append(row)
    table = defaultdict[Name, dict[str, list[Value]]](lambda: defaultdict(list))
    for rows in by_checkpoint.values():
        if not any(control_sweeps(row, results) for row in rows):
            continue
        cell = f"{task_title(rows[0].task.name)}, {rows[0].checkpoint.num_layers} layers"
        for name, value in read(rows, results):
            table[name][cell].append(value)
    names = sorted((name for name, cells in table.items() if len(cells) > 1), key=_order)
    return tuple(_estimate(name, table[name]) for name in names)


def _order(name: Name) -> tuple[object, ...]:
    methods = ["", *METHODS]
    quantity = [*READERS].index(name.quantity)
    beside = methods.index(name.beside)
    method = methods.index(name.method)
    return quantity, beside, method, name.scale, name.at


def _estimate(name: Name, cells: Mapping[str, Sequence[Value]]) -> Estimate:
    back = np.exp if name.quantity in RATIOS else np.positive  # from logarithms
    means = {
        cell: float(np.mean([value.value for value in values]))
        for cell, values in sorted(cells.items())
    }
    estimate = mean_with_interval([*means.values()])
    value, low, high = back(estimate).tolist()
    by_cell = {cell: float(back(mean)) for cell, mean in means.items()}
    even = 0.5 if name.quantity in SHARES else 0.0  # also the logarithm of a ratio of 1
    every = [value for values in cells.values() for value in values]
    above = sum(value.value > even for value in every)
    working = sum(value.works for value in every)
    return Estimate(*name, value, (low, high), by_cell, len(every), above, working)


# ---------------------------------------------------------------- in documents

TITLES: Mapping[str, str] = {
    "changed": "Predictions changed, {} / {}",
    "removed": "Weights removed, {} / {}",
    "earlier": "Upper layers' similarity to earlier unpruned ones, growth",
    "later": "Upper layers' similarity to later unpruned ones, growth",
    "sunk": "Layers by which an upper layer's most similar unpruned layer lies below it",
    "sunk_last": "Layers by which the last layer's most similar unpruned layer lies below it",
    "alone": "Upper half's share of the losses, layers pruned one at a time",
    "together_outputs": "… all layers pruned, at the same points",
    "together": "… all layers pruned, after attention blocks",
    "harm": "Predictions changed, lower half alone less upper half alone",
    "end_lower": "Loss of the last layer's output, lower half alone",
    "end_upper": "Loss of the last layer's output, upper half alone",
}


def meaning_tables(table: Sequence[Estimate]) -> list[Table]:
    """Tabulate all estimates: a table for each scale and list of places on it."""
    tables = defaultdict[tuple[str, ...], Table](list)
    alike = attrgetter("quantity", "method", "beside", "scale")
    for (quantity, method, beside, _), rows in groupby(table, alike):
        names = [in_sentence(METHODS[name].title) for name in (method, beside) if name]
        title = TITLES[quantity].format(*names)
        if quantity not in RATIOS:
            title += f", {' less '.join(names)}"
        cells = {}
        for row in rows:
            by_amount = row.scale == "amount"
            place = f"{percent(row.at)} removed" if by_amount else f"Change {place_name(row.at)}"
            models = f"{len(row.by_cell)} cells, {row.working}/{row.checkpoints} work"
            cells[place] = f"{with_interval((row.value, *row.interval))}; {models}"
        tables[tuple(cells)].append({MEAN: title} | cells)
    return list(tables.values())
