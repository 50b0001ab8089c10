"""Every kind of interval that the app prints, of one subset of a population's sentences, by the app's own functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.population import Population, Run
from core.findings.claim import WIDEST
from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_MEASURES, MEASURES, SINGLE_BATCH
from core.results.schema import GapAtDamage, LayerStatistics, ProfileAtDamage
from core.similarity import REGISTRY, Compared, Sample
from core.similarity.gram import prepare, u_centred_gram
from core.sweep.control_contrast import contrast
from core.sweep.divergence import changed_share, divergences, mean_divergence
from core.sweep.equal_damage import DAMAGES, gap, place_of
from core.sweep.metrics import evaluate
from core.sweep.statistics import (
    gap_difference,
    jackknife,
    layer_statistics,
    own_interval,
    survival,
    survival_interval,
)
from core.sweep.working_range import change

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Series = Mapping[str, tuple[Array, Array]]  # by measure: own similarity, (frames, points); without each example, (…, n)

SHOWN = (0.1, 0.3, 0.5, 0.7, 0.9)  # amounts at which intervals of single amounts are followed
THRESHOLDS = (0.8, 0.9, 0.95)  # of survival
ONE_SIDED = "upper bound for the range shown broken"
SCORES = ("accuracy", "matthews_correlation", "f1")
RANGE_SCORES = ("accuracy", "matthews_correlation", "macro_f1")  # that a working range is judged by


class Key(NamedTuple):
    """What an interval is about.

    Attributes:
        kind: The kind of interval.
        where: Layer, amount, damage.
    """

    kind: str
    where: str = ""


class Interval(NamedTuple):
    """An estimate and its 95 % interval; NaN where the app prints none."""

    value: float
    low: float
    high: float


Named = Iterator[tuple[Key, Interval]]
NO_LOSS = {"own ": 1.0, "isolated effect": 0.0, "mean divergence": 0.0}  # values without loss: see `log_jackknife`
UNDEFINED = Interval(*[float("nan")] * 3)


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
    intervals = dict[Key, Interval]()
    amounts, found = population.magnitude.amounts, dict[str, dict[str, LayerStatistics]]()
    for reduction in SINGLE_BATCH:
        series = _series(population.magnitude, reduction, rows)
        found[reduction] = _statistics(amounts, series)
        for measure, record in found[reduction].items():
            own, name = series[measure][0], f"{MEASURES[measure].title}, {reduction}"
            widest = WIDEST if measure == "partial_cka" else np.inf
            intervals |= _scaled(_of_layers(name, amounts, own, record, widest), factor)
            intervals |= _of_survival(name, amounts, own, record, factor)
    intervals |= _scaled(_of_differences(found["mean"]["cka"], population.controls, rows), factor)
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
            bounds = _powered(np.asarray(value), np.array([low, high]), origin, factor)  # (2,)
            scaled[key] = Interval(value, *bounds.tolist())
    return scaled


def _powered(value: Array, bound: Array, origin: float, factor: float) -> Array:
    """Move a bound towards the estimate on the logarithmic scale of the distance from `origin`."""
    loss = value - origin
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(loss == 0, bound, origin + loss * ((bound - origin) / loss) ** factor)


# ---------------------------------------------------------------- similarity


def _series(run: Run, reduction: str, rows: Rows) -> Series:
    """Compare every model of a run with its baseline, by all measures that need no more than the run has."""
    baseline = _sample(run.features[reduction][0], rows)
    emptied = _sample(run.emptied[reduction], rows) if run.emptied else None
    comparers = {name: compare for name in DEFAULT_MEASURES if (compare := REGISTRY[name](baseline, emptied))}
    found: dict[str, list[Compared]] = {name: [] for name in comparers}
    for features in run.features[reduction]:
        pruned = _sample(features, rows)
        for name, compare in comparers.items():
            found[name].append(compare(pruned))
    return {
        name: (np.stack([frame.own for frame in frames]), np.stack([cast(Array, frame.without) for frame in frames]))
        for name, frames in found.items()
    }


def _sample(features: Tensor, rows: Rows) -> Sample:
    chosen = features[:, torch.from_numpy(rows)]  # (points, n, hidden)
    return Sample(chosen, prepare([u_centred_gram(chosen)]))


def _statistics(amounts: Sequence[float], series: Series) -> dict[str, LayerStatistics]:
    places = {amount_text(target): place_of(*series["cka"], target) for target in DAMAGES}
    return {
        name: layer_statistics(amounts, own, without, places, MEASURES[name].threshold, keep_profiles=False)
        for name, (own, without) in series.items()
    }


def _of_layers(name: str, amounts: Sequence[float], own: Array, record: LayerStatistics, widest: float) -> Named:
    """Name the intervals of one measure; those of its gap are printed up to a widest half-width."""
    assert record.own is not None
    points = range(own.shape[1])
    for amount in SHOWN:
        k = amounts.index(amount)
        for point in points:
            bounds = record.own[k][point]
            interval = Interval(own[k, point], *bounds) if bounds else UNDEFINED
            yield Key(f"own {name}", f"{_layer(point)}, {amount:.0%}"), interval
    d = record.depth_gap
    yield Key(f"D of {name}"), Interval(d.value, d.low, d.high) if d else UNDEFINED
    for damage, found in record.gap_at_damage.items():
        yield Key(f"gap at damage, {name}", f"damage {damage}"), _of_gap(found, widest)
    for damage, profile in record.profile_at_damage.items():
        for point in points:
            yield Key(f"profile at damage, {name}", f"{_layer(point)}, damage {damage}"), _of_profile(profile, point)


def _of_gap(gap: object, widest: float) -> Interval:
    if not isinstance(gap, GapAtDamage) or (gap.high - gap.low) / 2 > widest:
        return UNDEFINED
    return Interval(gap.value, gap.low, gap.high)


def _of_profile(profile: object, point: int) -> Interval:
    if not isinstance(profile, ProfileAtDamage):
        return UNDEFINED
    return Interval(profile.value[point], profile.low[point], profile.high[point])


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
            key = Key(f"survival, {name}", f"{_layer(point)}, threshold {threshold}")
            is_known = not np.isnan(own[0, point])  # without pruning
            intervals[key] = Interval(value.value, lows[point], highs[point]) if is_known else UNDEFINED
    return intervals


def _layer(point: int) -> str:
    return f"layer {point + 1}"


# ---------------------------------------------------------------- differences, and single layers


def _of_differences(magnitude: LayerStatistics, controls: Sequence[Run], rows: Rows) -> Named:
    """Compare magnitude pruning with its control on the same examples."""
    seeds = [_statistics(run.amounts, _series(run, "mean", rows))["cka"] for run in controls]
    for damage, found in magnitude.gap_at_damage.items():
        others = [seed.gap_at_damage[damage] for seed in seeds]
        yield Key("gap at damage minus one control's", f"damage {damage}"), _gap_difference(found, others[0])
        yield Key("Δ of the verdict, its part over examples", f"damage {damage}"), _contrast(found, others)


def _gap_difference(gap: object, subtracted: object) -> Interval:
    if not (isinstance(gap, GapAtDamage) and isinstance(subtracted, GapAtDamage)):
        return UNDEFINED
    difference = gap_difference(gap, subtracted)
    return Interval(difference.value, difference.low, difference.high)


def _contrast(gap: object, seeds: Sequence[object]) -> Interval:
    """Leave out the part of the half-width that other seeds would add: the seeds of the truth are the same."""
    known = [seed for seed in seeds if isinstance(seed, GapAtDamage)]
    if not isinstance(gap, GapAtDamage) or len(known) < len(seeds):
        return UNDEFINED
    found = contrast(
        gap.value,
        np.array(gap.replicates),
        [seed.value for seed in known],
        np.array([seed.replicates for seed in known]),
    )
    margin = replace(found, seed_deviation=0.0).half_width()
    return Interval(found.difference, found.difference - margin, found.difference + margin)


def _of_single_layers(runs: Sequence[Run], rows: Rows) -> Named:
    """Follow the isolated effect of each layer, and the gap between the halves of the layers."""
    series = [_series(run, "mean", rows)["cka"] for run in runs]
    own, without = (np.concatenate(parts, 1) for parts in zip(*series, strict=True))  # (frames, layers), (…, n)
    low, high = own_interval(own, without)  # each (frames, layers)
    for k, amount in enumerate(runs[0].amounts[1:], 1):
        for layer in range(len(runs)):
            effect = Interval(1 - own[k, layer], 1 - high[k, layer], 1 - low[k, layer])
            yield Key("isolated effect", f"{_layer(layer)}, {amount:.0%}"), effect
        value = gap(own[k])
        bounds = jackknife(value, gap(without[k]))
        yield Key("layers pruned alone, gap", f"{amount:.0%}"), Interval(*map(float, (value, *bounds)))


# ---------------------------------------------------------------- function


def _of_function(population: Population, rows: Rows) -> Named:
    run, gold = population.magnitude, population.gold[rows]
    logits = run.logits.numpy()[:, rows]  # (frames, n, labels)
    predictions = logits.argmax(-1)  # (frames, n)
    for amount in (0.0, *SHOWN):
        k, where = run.amounts.index(amount), f"{amount:.0%}"
        values, bounds = evaluate(SCORES, gold.tolist(), predictions[k].tolist())
        for name in SCORES:
            yield Key(name, where), _known(values[name], bounds[name])
        if amount:
            yield Key("changed share", where), _known(*changed_share(predictions[0].tolist(), predictions[k].tolist()))
            yield Key("mean divergence", where), _known(*mean_divergence(divergences(logits[0], logits[k])))
            for name in RANGE_SCORES:
                drop = change(name, gold, predictions[0], predictions[k])
                yield Key(f"{ONE_SIDED}, change of {name}", where), Interval(drop.value, -np.inf, drop.high)


def _known(value: float, bounds: tuple[float, float] | None) -> Interval:
    return Interval(value, *bounds) if bounds else UNDEFINED
