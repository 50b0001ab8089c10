"""Every kind of interval that the app prints, of one subset of a population's sentences, by the app's own functions.

Every model has run once over all sentences: whatever is asked about a subset of them is a matter of picking rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.findings.claim import WIDEST
from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_MEASURES, MEASURES, SINGLE_BATCH
from core.results.statistics import GapAtDamage, LayerStatistics
from core.similarity import Compared, Sample, measure_of
from core.similarity.gram import prepare, u_centred_gram
from core.sweep.control_contrast import contrast
from core.sweep.divergence import changed_share, divergences, mean_divergence
from core.sweep.equal_damage import DAMAGES, place_of
from core.sweep.metrics import evaluate
from core.sweep.statistics import layer_statistics, own_interval, survival, survival_interval
from core.sweep.working_range import change

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Series = Mapping[str, tuple[Array, Array]]  # by measure: own similarity, (frames, points); without each example, (…, n)

SHOWN = (0.1, 0.3, 0.5, 0.7, 0.9)  # amounts at which intervals of single amounts are followed
THRESHOLDS = (0.8, 0.9, 0.95)  # of survival
ONE_SIDED = "upper bound for the range shown broken"
SCORES = ("accuracy", "matthews_correlation", "f1")
RANGE_SCORES = ("accuracy", "matthews_correlation", "macro_f1")  # that a working range is judged by
NO_LOSS = {"own ": 1.0, "isolated effect": 0.0, "mean divergence": 0.0}  # kinds with intervals of a loss's logarithm


@dataclass(frozen=True)
class Run:
    """One method's models over the same examples, in the same order.

    Attributes:
        amounts: Ascending from 0.
        logits: (frames, examples, labels) float32.
        features: By reduction (frames, points, examples, hidden) float32.
        emptied: By reduction (points, examples, hidden) float32 of the emptied model; empty where it is not wanted.
    """

    amounts: tuple[float, ...]
    logits: Tensor
    features: dict[str, Tensor]
    emptied: dict[str, Tensor]


@dataclass(frozen=True)
class Population:
    """All sentences of a task.

    Attributes:
        gold: (examples,) label indices.
        magnitude: Magnitude pruning, all reductions over a single batch, and the emptied model.
        controls: Seeds of its random control, reduction `mean`.
        alone: Magnitude pruning of each layer alone, its own output only, reduction `mean`.
    """

    gold: npt.NDArray[np.int64]
    magnitude: Run
    controls: Sequence[Run]
    alone: Sequence[Run]


class Key(NamedTuple):
    """What an interval is about: its kind; and layer, amount or damage."""

    kind: str
    where: str = ""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; NaN where the app prints none."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan


Named = Iterator[tuple[Key, Interval]]


def printed(population: Population, rows: Rows, factor: float = 1.0) -> dict[Key, Interval]:
    """Compute the intervals of a subset.

    Args:
        population: All sentences.
        rows: Indices of the subset's sentences.
        factor: What every bound's distance from its estimate is multiplied by: sqrt(1 - n/N) where n of N sentences are
            drawn without replacement; 1 where the population is infinite, as the app takes it to be.

    Returns:
        The same keys for every subset.
    """
    magnitude, intervals = population.magnitude, dict[Key, Interval]()
    for reduction in SINGLE_BATCH:
        series = _series(magnitude, reduction, rows)
        records = _statistics(magnitude.amounts, series)
        for measure, record in records.items():
            own, name = series[measure][0], f"{MEASURES[measure].title}, {reduction}"
            widest = WIDEST if measure == "partial_cka" else np.inf
            intervals |= _scaled(_of_layers(name, magnitude.amounts, own, record, widest), factor)
            intervals |= _of_survival(name, magnitude.amounts, own, record, factor)
        if reduction == "mean":
            intervals |= _scaled(_of_differences(records["cka"], population.controls, rows), factor)
    intervals |= _scaled(_of_single_layers(population.alone, rows), factor)
    return intervals | _scaled(_of_function(population, rows), factor)


def _scaled(named: Named, factor: float) -> dict[Key, Interval]:
    """Multiply the standard errors; those of a loss are of its logarithm."""
    scaled = dict[Key, Interval]()
    for key, (value, low, high) in named:
        origin = next((start for kind, start in NO_LOSS.items() if key.kind.startswith(kind)), None)
        if origin is None:
            scaled[key] = Interval(value, value + factor * (low - value), value + factor * (high - value))
        else:
            scaled[key] = Interval(value, *_powered(np.asarray(value), np.array([low, high]), origin, factor).tolist())
    return scaled


def _powered(value: Array, bound: Array, origin: float, factor: float) -> Array:
    """Move a bound towards the estimate on the logarithmic scale of the distance from `origin`."""
    loss = value - origin
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(loss == 0, bound, origin + loss * ((bound - origin) / loss) ** factor)


# ---------------------------------------------------------------- similarity


def _series(run: Run, reduction: str, rows: Rows) -> Series:
    """Compare every model of a run with its baseline, by all measures that need no more than the run has."""

    def sample(features: Tensor) -> Sample:
        chosen = features[:, torch.from_numpy(rows)]  # (points, n, hidden)
        return Sample(chosen, prepare([u_centred_gram(chosen)]))

    baseline = sample(run.features[reduction][0])
    emptied = sample(run.emptied[reduction]) if run.emptied else None
    comparers = {name: compare for name in DEFAULT_MEASURES if (compare := measure_of(name)(baseline, emptied))}
    found: dict[str, list[Compared]] = {name: [] for name in comparers}
    for features in run.features[reduction]:
        pruned = sample(features)
        for name, compare in comparers.items():
            found[name].append(compare(pruned))
    return {
        name: (np.stack([frame.own for frame in frames]), np.stack([cast(Array, frame.without) for frame in frames]))
        for name, frames in found.items()
    }


def _statistics(amounts: Sequence[float], series: Series) -> dict[str, LayerStatistics]:
    places = {amount_text(target): place_of(*series["cka"], target) for target in DAMAGES}
    return {
        name: layer_statistics(amounts, own, without, places, keep_profiles=False)
        for name, (own, without) in series.items()
    }


def _read(record: object) -> Interval:
    """Read a record's estimate and bounds, which only says why it has none if it has none."""
    return Interval(*(getattr(record, part, np.nan) for part in Interval._fields))


def _of_layers(name: str, amounts: Sequence[float], own: Array, record: LayerStatistics, widest: float) -> Named:
    """Name the intervals of one measure; those of its gap are printed up to a widest half-width."""
    assert record.own is not None
    for amount in SHOWN:
        k = amounts.index(amount)
        for point, bounds in enumerate(record.own[k]):
            found = Interval(own[k, point], *bounds) if bounds else Interval()
            yield Key(f"own {name}", f"layer {point + 1}, {amount:.0%}"), found
    yield Key(f"D of {name}"), _read(record.depth_gap)
    for damage, gap_there in record.gap_at_damage.items():
        found = _read(gap_there)
        is_printed = (found.high - found.low) / 2 <= widest
        yield Key(f"gap at damage, {name}", f"damage {damage}"), found if is_printed else Interval()
    for damage, profile in record.profile_at_damage.items():
        columns = np.array(_read(profile)).reshape(3, -1) * np.ones(own.shape[1])  # (3, points)
        for point, column in enumerate(columns.T):
            where = f"layer {point + 1}, damage {damage}"
            yield Key(f"profile at damage, {name}", where), Interval(*column.tolist())


def _of_survival(
    name: str, amounts: Sequence[float], own: Array, record: LayerStatistics, factor: float
) -> dict[Key, Interval]:
    """Invert the intervals of own similarity after they are scaled: what they are inverted to has no scale.

    An upper bound at the largest amount is printed as "or beyond", and infinite here.
    """
    assert record.own is not None
    bounds = np.array([[point or (np.nan, np.nan) for point in frame] for frame in record.own])  # (frames, points, 2)
    low, high = np.moveaxis(_powered(own[..., None], bounds, NO_LOSS["own "], factor), -1, 0)  # each (frames, points)
    intervals = {}
    for threshold in THRESHOLDS:
        lows, highs = survival_interval(amounts, own, low, high, threshold)  # each (points,)
        highs = np.where(highs >= amounts[-1], np.inf, highs)  # (points,)
        for point, value in enumerate(survival(amounts, own, threshold)):
            key = Key(f"survival, {name}", f"layer {point + 1}, threshold {threshold}")
            is_known = not np.isnan(own[0, point])  # without pruning
            intervals[key] = Interval(value.value, lows[point], highs[point]) if is_known else Interval()
    return intervals


def _of_differences(magnitude: LayerStatistics, controls: Sequence[Run], rows: Rows) -> Named:
    """Compare magnitude pruning with its control on the same examples, as a verdict does.

    The part of the half-width that other seeds would add is left out: the seeds of the truth are the same.
    """
    seeds = [_statistics(run.amounts, _series(run, "mean", rows))["cka"] for run in controls]
    for damage, gap_there in magnitude.gap_at_damage.items():
        others = [other for seed in seeds if isinstance(other := seed.gap_at_damage[damage], GapAtDamage)]
        interval = Interval()
        if isinstance(gap_there, GapAtDamage) and len(others) == len(seeds):
            replicates = np.array([other.replicates for other in others])  # (seeds, n)
            found = contrast(
                gap_there.value, np.array(gap_there.replicates), [other.value for other in others], replicates
            )
            margin = replace(found, seed_deviation=0.0).half_width()
            interval = Interval(found.difference, found.difference - margin, found.difference + margin)
        yield Key("Δ of the verdict, its part over examples", f"damage {damage}"), interval


def _of_single_layers(runs: Sequence[Run], rows: Rows) -> Named:
    """Follow the isolated effect of each layer."""
    series = [_series(run, "mean", rows)["cka"] for run in runs]
    own, without = (np.concatenate(parts, 1) for parts in zip(*series, strict=True))  # (frames, layers), (…, n)
    low, high = own_interval(own, without)  # each (frames, layers)
    for k, amount in enumerate(runs[0].amounts[1:], 1):
        for layer in range(len(runs)):
            effect = Interval(1 - own[k, layer], 1 - high[k, layer], 1 - low[k, layer])
            yield Key("isolated effect", f"layer {layer + 1}, {amount:.0%}"), effect


# ---------------------------------------------------------------- function


def _of_function(population: Population, rows: Rows) -> Named:
    run, gold = population.magnitude, population.gold[rows]
    logits = run.logits.numpy()[:, rows]  # (frames, n, labels)
    predictions = logits.argmax(-1)  # (frames, n)
    for amount in (0.0, *SHOWN):
        k, where = run.amounts.index(amount), f"{amount:.0%}"
        values, bounds = evaluate(SCORES, gold.tolist(), predictions[k].tolist())
        estimates = {name: (values[name], bounds[name]) for name in SCORES}
        if amount:
            estimates["changed share"] = changed_share(predictions[0].tolist(), predictions[k].tolist())
            estimates["mean divergence"] = mean_divergence(divergences(logits[0], logits[k]))
            for name in RANGE_SCORES:
                drop = change(name, gold, predictions[0], predictions[k])
                yield Key(f"{ONE_SIDED}, change of {name}", where), Interval(drop.value, -np.inf, drop.high)
        for name, (value, ends) in estimates.items():
            yield Key(name, where), Interval(value, *ends) if ends else Interval()
