"""What layers pass on, pruned alone: changes at the end of the model, and harm of its halves.

A *loss* is 1 - CKA with the unpruned model. Ordinary pruning is cumulative: a layer's output
carries the pruning of all layers below it, so its loss says little about what pruning that layer
costs. The *end* is what the classifier reads; results without it have the first token of the last
layer's output in its place. *Harm* is the share of predictions that are no longer the unpruned
model's.
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

HELD_AGAINST = 0.4  # of the weights of a half of the layers: most models still work there

Alone = Mapping[str, SweepResult]  # results of pruning some layers alone, by scope


class PassedOn(NamedTuple):
    """What every layer of a model passes on.

    Attributes:
        losses: By amount, (layers, 3): of each layer, in depth order, its loss where all layers are
            pruned by this amount (NaN if unknown), its own loss where it alone is, and the loss at
            the end.
        is_read: Whether the end is what the classifier reads; else the first token stands for it.
        halves: By amount, what the last layer's output loses where only the lower half of the
            layers is pruned, and where only the upper half is.
    """

    losses: Mapping[float, Array]
    is_read: bool
    halves: Mapping[float, tuple[float, float]]

    def upper_shares(self, amount: float) -> tuple[float, float]:
        """Return the upper half's share of the losses, and the same of layers pruned alone.

        The first is NaN if unknown.
        """
        together, alone = self.losses[amount][:, :2].T  # each (layers,)
        return _upper_share(together), _upper_share(alone)


def _upper_share(losses: Array) -> float:
    return float(upper_share(gap(1 - losses), losses.mean())) if losses.mean() else np.nan


def passed_on(
    result: SweepResult,
    companions: Sequence[SweepResult],
    reduction: ReductionKey,
) -> PassedOn | None:
    """Collect what every layer passes on, pruned alone like a whole result.

    Amounts at which a loss is undefined are left out.

    Args:
        result: A whole sweep.
        companions: Results from which those of single layers, and of both halves, are picked.
        reduction: Of all losses but the one at the end.

    Returns:
        None if a layer is missing.
    """
    alone = isolated_of(result, companions)
    depth = result.checkpoint.num_layers
    layers = [alone[scope] for scope in layer_scopes(depth) if scope in alone]
    if len(layers) < max(depth, 2):
        return None
    amounts = sorted(set.intersection(*(set(sweep.amounts) for sweep in layers)) - {0.0})
    is_read = all(frame.read is not None for sweep in alone.values() for frame in sweep.frames)

    a_layer = len(result.points) // depth
    ends_of_layers = own_similarity(result, reduction)[:, a_layer - 1 :: a_layer]
    together = dict(zip(result.amounts, ends_of_layers, strict=True))
    faded = [together.get(amount, np.full(depth, np.nan)) for amount in amounts]
    own, end = [], []  # of each layer, (amounts,)
    for k, sweep in enumerate(layers):
        rows = [sweep.amounts.index(amount) for amount in amounts]
        point = sweep.points.index(f"layer.{k}.output")
        own.append(own_similarity(sweep, reduction)[rows, point])
        if is_read:
            end.append(np.array([sweep.frames[row].read for row in rows], np.float64))
        else:
            end.append(own_similarity(sweep, "cls")[rows, -1])
    kept = [
        np.reshape(faded, (-1, depth)),
        np.transpose(own),
        np.transpose(end),
    ]
    losses = {
        amount: table
        for amount, table in zip(amounts, 1 - np.stack(kept, axis=-1), strict=True)
        if not np.isnan(table[:, 1:]).any()
    }
    return PassedOn(losses, is_read, _ends_of_halves(alone, reduction)) if losses else None


def _ends_of_halves(alone: Alone, reduction: ReductionKey) -> dict[float, tuple[float, float]]:
    halves = halves_of(alone)
    if not halves:
        return {}
    lower, upper = (
        dict(
            zip(
                half.amounts,
                (1 - own_similarity(half, reduction)[:, -1]).tolist(),
                strict=True,
            )
        )
        for half in halves
    )
    return {amount: (lower[amount], upper[amount]) for amount in lower if amount in upper}


class HalvesHarm(NamedTuple):
    """Harm of pruning one half of the layers alone, where both have lost as many weights.

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
    """Return the results of the lower and of the upper half of the layers; both or nothing."""
    scopes = half_scopes(next(iter(alone.values())).checkpoint.num_layers) if alone else ()
    return [alone[scope] for scope in scopes] if all(scope in alone for scope in scopes) else []


def harm_of(alone: Alone) -> HalvesHarm | None:
    """Compare both halves where each has lost the share nearest to HELD_AGAINST.

    Args:
        alone: See `core.findings.comparable.isolated_of`.

    Returns:
        None if they never lose equally much.
    """
    from core.sweep.paired_tests import (
        mcnemar_p,
    )  # here: statsmodels takes a second to load

    halves = []  # predictions by the amount and the share of all weights
    for half in halves_of(alone):
        places = ((frame.amount, round(frame.prunable_sparsity, 3)) for frame in half.frames)
        halves.append(dict(zip(places, half.predictions, strict=True)))
    unpruned = 0.0, 0.0
    shared = set.intersection(*map(set, halves)) - {unpruned} if halves else ()
    if not shared:
        return None
    removed = min(shared, key=lambda place: (abs(place[0] - HELD_AGAINST), place))
    lower, upper = (np.not_equal(half[removed], half[unpruned]) for half in halves)  # (examples,)
    return HalvesHarm(
        removed[0],
        float(lower.mean()),
        float(upper.mean()),
        mcnemar_p(lower, upper),
    )
