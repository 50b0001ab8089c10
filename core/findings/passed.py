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
    mean = losses.mean()
    if not mean:
        return np.nan
    return float(upper_share(gap(1 - losses), mean))


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
    scopes = layer_scopes(depth)
    layers = [alone[scope] for scope in scopes if scope in alone]
    if len(layers) < max(depth, 2):
        return None
    is_read = all(frame.read is not None for sweep in alone.values() for frame in sweep.frames)
    points_a_layer = len(result.points) // depth
    by_layer = []
    for k, sweep in enumerate(layers):
        together = _losses(result, reduction, (k + 1) * points_a_layer - 1)
        own = _losses(sweep, reduction, sweep.points.index(f"layer.{k}.output"))
        end = _losses(sweep, None if is_read else "cls", -1)
        by_layer.append((together, own, end))
    losses = {}
    shared = set.intersection(*(set(sweep.amounts) for sweep in layers))
    for amount in sorted(shared - {0.0}):
        rows = [[column.get(amount, np.nan) for column in columns] for columns in by_layer]
        table = np.array(rows)  # (layers, 3)
        if not np.isnan(table[:, 1:]).any():
            losses[amount] = table
    if not losses:
        return None
    halves = {}
    if ends := [_losses(half, reduction, -1) for half in halves_of(alone)]:
        lower, upper = ends
        halves = {amount: (lower[amount], upper[amount]) for amount in lower if amount in upper}
    return PassedOn(losses, is_read, halves)


def _losses(sweep: SweepResult, reduction: ReductionKey | None, point: int) -> dict[float, float]:
    """Return the loss at a point by amount, without a reduction of what the classifier reads.

    It is NaN where it is undefined.
    """
    if reduction is None:
        kept = np.array([frame.read for frame in sweep.frames], np.float64)  # (frames,)
    else:
        kept = own_similarity(sweep, reduction)[:, point]
    return dict(zip(sweep.amounts, (1 - kept).tolist(), strict=True))


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
    if not alone:
        return []
    num_layers = next(iter(alone.values())).checkpoint.num_layers
    halves = [alone[scope] for scope in half_scopes(num_layers) if scope in alone]
    return halves if len(halves) == 2 else []


def harm_of(alone: Alone) -> HalvesHarm | None:
    """Compare both halves where each has lost the share nearest to HELD_AGAINST.

    Args:
        alone: See `core.findings.comparable.isolated_of`.

    Returns:
        None if they never lose equally much.
    """
    from core.sweep.paired_tests import mcnemar_p  # here: statsmodels takes a second to load

    by_place = []  # of each half, predictions by the amount and the share of all weights
    for half in halves_of(alone):
        places = [(frame.amount, round(frame.prunable_sparsity, 3)) for frame in half.frames]
        by_place.append(dict(zip(places, half.predictions, strict=True)))
    unpruned = 0.0, 0.0
    shared = set.intersection(*map(set, by_place)) - {unpruned} if by_place else ()
    if not shared:
        return None
    place = min(shared, key=lambda place: (abs(place[0] - HELD_AGAINST), place))
    lower, upper = (np.not_equal(half[place], half[unpruned]) for half in by_place)
    p_value = mcnemar_p(lower, upper)
    return HalvesHarm(place[0], float(lower.mean()), float(upper.mean()), p_value)
