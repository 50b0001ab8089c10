"""What layers pass on, pruned alone: changes in their own output and in what the classifier reads; harm of halves.

A *loss* is 1 - CKA with the unpruned model. Ordinary pruning is cumulative: a layer's output carries the pruning of all
layers below it, so its loss says little about what pruning that layer costs. The *end* is what the classifier reads;
results without it have the first token of the last layer's output in its place. *Harm* is the share of predictions that
are no longer the unpruned model's.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from core.findings.comparable import isolated_of
from core.findings.layers import own_similarity
from core.request.scope import half_scopes, layer_scopes
from core.results.names import ReductionKey
from core.results.schema import SweepResult
from core.sweep.equal_damage import gap, upper_share
from core.sweep.statistics import Array

HELD_AGAINST = 0.4  # of the weights of one half of the layers: where both are compared, since most models work there

Alone = Mapping[str, SweepResult]  # results of pruning some layers alone, by scope
# By amount (layers, 3): of each layer, in depth order, its loss where all layers are pruned by this amount (NaN if
# unknown), its own loss where it alone is, and the loss at the end.
ByAmount = Mapping[float, Array]


class PassedOn(NamedTuple):
    """What every layer of a model passes on.

    Attributes:
        losses: By amount, see ByAmount.
        is_read: Whether the end is what the classifier reads; else the first token stands for it.
        halves: By amount, what the last layer's output loses where only the lower half of the layers is pruned, and
            where only the upper half is.
    """

    losses: ByAmount
    is_read: bool
    halves: Mapping[float, tuple[float, float]]

    def upper_shares(self, amount: float) -> tuple[float, float]:
        """Return the upper half's share of the losses: all layers pruned (NaN if unknown), and one at a time."""
        together, alone = self.losses[amount][:, :2].T  # each (layers,)
        return _upper_share(together), _upper_share(alone)


def _upper_share(losses: Array) -> float:
    return float(upper_share(gap(1 - losses), losses.mean())) if losses.mean() else np.nan


def passed_on(
    result: SweepResult, companions: Sequence[SweepResult], reduction: ReductionKey
) -> PassedOn | None:
    """Collect what every layer passes on, pruned alone like a whole result; None if a layer is missing.

    Args:
        result: A whole sweep.
        companions: Results from which those of single layers, and of both halves, are picked.
        reduction: Of all losses but the one at the end.
    """
    alone = isolated_of(result, companions)
    is_read = all(frame.read is not None for sweep in alone.values() for frame in sweep.frames)
    losses = by_amount(alone, reduction, is_read, result)
    ends = [
        zip(half.amounts, 1 - own_similarity(half, reduction)[:, -1], strict=True)
        for half in halves_of(alone)
    ]
    lower, upper = map(dict, ends) if ends else ({}, {})
    halves = {
        amount: (float(lower[amount]), float(upper[amount])) for amount in lower if amount in upper
    }
    return PassedOn(losses, is_read, halves) if losses else None


def by_amount(alone: Alone, reduction: ReductionKey, is_read: bool, whole: SweepResult) -> ByAmount:
    """Read every amount that all layers were measured at, except where a loss is undefined.

    Args:
        alone: See `core.findings.comparable.isolated_of`; nothing is returned if a layer is missing.
        reduction: Of all losses but the one at the end.
        is_read: Whether the end is what the classifier reads, whose similarity all results then hold.
        whole: The result of pruning all of them.
    """
    depth = next(iter(alone.values())).checkpoint.num_layers if alone else 0
    layers = [alone[scope] for scope in layer_scopes(depth) if scope in alone]
    if depth < 2 or len(layers) < depth:
        return {}
    amounts = sorted(set.intersection(*(set(sweep.amounts) for sweep in layers)) - {0.0})
    rows = (
        [_row(sweep, k, amount, reduction, is_read, whole) for k, sweep in enumerate(layers)]
        for amount in amounts
    )
    tables = zip(amounts, map(np.array, rows), strict=True)
    return {amount: table for amount, table in tables if not np.isnan(table[:, 1:]).any()}


def _row(
    alone: SweepResult,
    layer: int,
    amount: float,
    reduction: ReductionKey,
    is_read: bool,
    whole: SweepResult,
) -> tuple[float, float, float]:
    k, point, faded = (
        alone.amounts.index(amount),
        alone.points.index(f"layer.{layer}.output"),
        np.nan,
    )
    if amount in whole.amounts:
        last = (layer + 1) * len(
            whole.points
        ) // whole.checkpoint.num_layers - 1  # this layer's last point
        faded = own_similarity(whole, reduction)[whole.amounts.index(amount), last]
    own = float(own_similarity(alone, reduction)[k, point])
    end = float(own_similarity(alone, "cls")[k, -1])  # the last point is the last layer's output
    read = alone.frames[k].read
    return 1 - faded, 1 - own, 1 - (read if is_read and read is not None else end)


class HalvesHarm(NamedTuple):
    """Harm of pruning one half of the layers alone, where both halves have lost as many weights.

    Attributes:
        removed: Share of the half's own weights.
        lower: Harm of pruning the lower half.
        upper: Harm of pruning the upper half.
        p_value: Of the difference, by McNemar's exact test.
    """

    removed: float
    lower: float
    upper: float
    p_value: float


def halves_of(alone: Alone) -> list[SweepResult]:
    """Return the results of the lower and of the upper half of the layers; nothing if either is missing."""
    scopes = half_scopes(next(iter(alone.values())).checkpoint.num_layers) if alone else ()
    return [alone[scope] for scope in scopes] if all(scope in alone for scope in scopes) else []


def harm_of(alone: Alone) -> HalvesHarm | None:
    """Compare both halves where each has lost the share nearest to HELD_AGAINST; None if they never lose equally much.

    Args:
        alone: See `core.findings.comparable.isolated_of`.
    """
    from core.sweep.paired_tests import (
        mcnemar_p,
    )  # here: statsmodels takes a second, which no first picture waits for

    halves = [
        {
            (frame.amount, round(frame.prunable_sparsity, 3)): frame.predictions
            for frame in half.frames
        }
        for half in halves_of(alone)
    ]
    unpruned = 0.0, 0.0
    shared = set.intersection(*map(set, halves)) - {unpruned} if halves else set()
    if not shared:
        return None
    removed = min(shared, key=lambda place: (abs(place[0] - HELD_AGAINST), place))
    lower, upper = (
        np.not_equal(half[removed], half[unpruned]) for half in halves
    )  # each (examples,)
    return HalvesHarm(removed[0], float(lower.mean()), float(upper.mean()), mcnemar_p(lower, upper))
