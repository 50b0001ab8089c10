"""What layers pass on: pruned alone, how much a layer's own output changes, what the classifier reads, and the answers.

A *loss* is 1 - CKA with the unpruned model. Ordinary pruning is cumulative: a layer's output carries the pruning of all
layers below it, so that its loss says little about what pruning that layer costs. The *end* is what the classifier
reads; results that do not hold it have the first token of the last layer's output in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.findings.comparable import Halves, controls_of, isolated_controls_of, isolated_of
from core.results.fields import Bounds
from core.results.names import ReductionKey
from core.results.schema import SweepResult
from core.sweep.statistics import Array

Layers = Mapping[int, SweepResult]  # results of single layers, by layer counted from 1
HELD_AGAINST = 0.3  # of the encoder's weights, all from one half of the layers: where both halves are compared


@dataclass(frozen=True)
class Passed:
    """One layer, pruned alone, at one amount; None is unknown, intervals are of 95 %.

    Attributes:
        faded: The loss of the layer where all layers are pruned by this amount, at its last point.
        own: The loss of its own output.
        end: The loss at the end.
        changed: Share of the predictions that are no longer the unpruned model's.
        own_interval: Of `own`.
        changed_interval: Of `changed`, Wilson's.
    """

    faded: float | None
    own: float
    end: float
    changed: float
    own_interval: Bounds | None = None
    changed_interval: Bounds | None = None


ByAmount = Mapping[float, Sequence[Passed]]  # in depth order


@dataclass(frozen=True)
class PassedOn:
    """What every layer of a model passes on.

    Attributes:
        method: By amount, under the method.
        by_chance: The mean over the seeds of random removal, at the amounts that all have.
        seeds: How many there are.
        is_read: Whether the end is what the classifier reads; else the first token stands for it.
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
        reduction: Of own losses.
    """
    layers, drawn = isolated_of(result, companions), isolated_controls_of(result, companions)
    is_read = reads([alone for known in (layers, *drawn) for alone in known.values()])
    whole_of = {whole.pruning.seed: whole for whole in controls_of(result, companions)}
    whole_of_drawn = [whole_of.get(next(iter(seed.values())).pruning.seed) for seed in drawn]
    method = by_amount(layers, reduction, is_read, result)
    seeds = [by_amount(seed, reduction, is_read, whole) for seed, whole in zip(drawn, whole_of_drawn, strict=True)]
    known = [seed for seed in seeds if seed]
    return PassedOn(method, _mean(known), len(known), is_read) if method else None


def reads(results: Sequence[SweepResult]) -> bool:
    """Whether all results hold the similarity of what the classifier reads."""
    return all(frame.read is not None for result in results for frame in result.frames)


def by_amount(layers: Layers, reduction: ReductionKey, is_read: bool, whole: SweepResult | None = None) -> ByAmount:
    """Read every amount that all layers were measured at, but those at which a number is undefined.

    Args:
        layers: See `core.findings.comparable.isolated_of`; if one is missing there is nothing.
        reduction: Of own losses.
        is_read: Whether the end is what the classifier reads, see `reads`.
        whole: The result of pruning all of them.
    """
    results = list(layers.values())
    if len(results) < 2 or len(results) != results[0].checkpoint.num_layers:
        return {}
    amounts = sorted(set.intersection(*(set(alone.amounts) for alone in results)) - {0.0})
    found = {}
    for amount in amounts:
        faded = _faded(whole, reduction, amount, len(layers))
        rows = [_passed(alone, k, amount, reduction, is_read) for k, alone in layers.items()]
        known = [replace(row, faded=before) for row, before in zip(rows, faded, strict=True) if row]
        if len(known) == len(rows):
            found[amount] = known
    return found


def _faded(whole: SweepResult | None, reduction: ReductionKey, amount: float, layers: int) -> list[float | None]:
    own = whole.frames[whole.amounts.index(amount)].own(reduction) if whole and amount in whole.amounts else None
    if not own:
        return [None] * layers
    each = len(own) // layers  # points of a layer
    return [None if value is None else 1 - value for value in own[each - 1 :: each]]


def _passed(alone: SweepResult, layer: int, amount: float, reduction: ReductionKey, is_read: bool) -> Passed | None:
    k, point = alone.amounts.index(amount), alone.points.index(f"layer.{layer - 1}.output")
    frame, statistics = alone.frames[k], alone.statistics_of(reduction)
    own = (frame.own(reduction) or {point: None})[point]
    end = frame.read if is_read else (frame.own("cls") or (None,))[-1]  # the last point is the last layer's output
    if own is None or end is None or frame.changed is None:
        return None
    bounds = statistics.own[k][point] if statistics and statistics.own else None
    interval = (1 - bounds[1], 1 - bounds[0]) if bounds else None
    return Passed(None, 1 - own, 1 - end, frame.changed.share, interval, frame.changed.interval)


def values_of(rows: Sequence[Passed]) -> Array:
    """Return the four numbers of each layer, (layers, 4); NaN is unknown."""
    return np.array([(row.faded, row.own, row.end, row.changed) for row in rows], dtype=np.float64)


def _mean(seeds: Sequence[ByAmount]) -> ByAmount:
    """Average over seeds, at the amounts that all have; there are no intervals then."""
    shared = sorted(set.intersection(*map(set, seeds))) if seeds else []
    means = {amount: np.mean([values_of(seed[amount]) for seed in seeds], axis=0) for amount in shared}  # (layers, 4)
    return {
        amount: [Passed(None if np.isnan(faded) else faded, *others) for faded, *others in rows.tolist()]
        for amount, rows in means.items()
    }


# ---------------------------------------------------------------- half of the layers alone


@dataclass(frozen=True)
class HalvesHarm:
    """Predictions changed by pruning one half of the layers alone, where both halves have lost as many weights.

    Attributes:
        removed: Share of the encoder's weights.
        lower: Share of predictions changed by pruning the lower half.
        upper: The same of the upper half.
        p_value: Of the difference, by McNemar's exact test.
    """

    removed: float
    lower: float
    upper: float
    p_value: float


def harm_of(halves: Halves) -> HalvesHarm | None:
    """Compare both halves where they have lost the share nearest to HELD_AGAINST; None if never equally much."""
    from statsmodels.stats.contingency_tables import (
        mcnemar,
    )  # here: it takes a second, which no first picture waits for

    by_share = [{round(frame.prunable_sparsity, 3): frame.predictions for frame in half.frames} for half in halves]
    shared = set(by_share[0]) & set(by_share[1]) - {0.0}
    if not shared:
        return None
    removed = min(shared, key=lambda share: (abs(share - HELD_AGAINST), share))
    lower, upper = (np.not_equal(known[removed], known[0.0]) for known in by_share)  # each (examples,)
    alone = [[0, int((lower & ~upper).sum())], [int((upper & ~lower).sum()), 0]]
    return HalvesHarm(removed, float(lower.mean()), float(upper.mean()), float(mcnemar(alone, exact=True).pvalue))
