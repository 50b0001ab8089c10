"""The isolated effect: how much each layer's own output changes when that layer alone is pruned.

Ordinary pruning is cumulative: a layer's output carries the pruning of all layers below it, so that a decline of
similarity with depth is expected. Pruned alone, layers can be compared without it. Their order counts as reversed only
if the lower half changes more than the upper half, beyond the interval over examples and more so than under random
removal, which itself shows no order in either direction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.comparable import isolated_controls_of, isolated_of
from core.request.catalog import SINGLE_BATCH
from core.request.controls import ONE_LAYER_SEEDS
from core.results.names import ReductionKey
from core.results.schema import SweepResult
from core.sweep.control_contrast import contrast, mean_gap
from core.sweep.equal_damage import Array, gap
from core.sweep.statistics import Difference, jackknife, own_interval

Layers = Mapping[int, SweepResult]  # results of single layers, by layer counted from 1
Gap = tuple[float, Array]  # own CKA of the lower half minus that of the upper half, and that without each example


@dataclass(frozen=True)
class IsolatedOrder:
    """All layers, each pruned alone, at one amount.

    Attributes:
        amount: The pruning amount.
        effects: How much each layer's own output changes when it alone is pruned, 1 - own CKA, in depth order.
        gap: Own CKA of the lower half minus that of the upper half, paired by example.
        state: Whether depth orders the layers, and whether otherwise than under ordinary pruning.
    """

    amount: float
    effects: tuple[Difference, ...]
    gap: Difference
    state: str


def isolated_orders(
    result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult]
) -> list[IsolatedOrder]:
    """Collect the isolated effects of all layers, one entry per amount that all were measured at.

    Empty if a layer is missing, if intervals are unknown, or if a similarity is undefined.
    """
    companions = list(companions)
    layers = isolated_of(result, companions)
    numbers = list(range(1, result.checkpoint.num_layers + 1))
    if reduction not in SINGLE_BATCH or list(layers) != numbers or len(layers) < 2:
        return []
    seeds = [seed for seed in isolated_controls_of(result, companions) if list(seed) == numbers]
    amounts = sorted(set.intersection(*(set(alone.amounts) for alone in layers.values())) - {0.0})
    orders = (_order(layers, seeds, reduction, amount) for amount in amounts)
    return [order for order in orders if order]


def _order(layers: Layers, seeds: Sequence[Layers], reduction: ReductionKey, amount: float) -> IsolatedOrder | None:
    profile = _profile(layers, reduction, amount)
    if profile is None:
        return None
    controls = [known for seed in seeds if (known := _profile(seed, reduction, amount))]
    value, replicates = profile  # (layers,), (layers, n)
    columns = np.column_stack([1 - value, *(1 - bound for bound in reversed(own_interval(value, replicates)))])
    effects = tuple(Difference(*row) for row in columns.tolist())
    own, *drawn = ((float(gap(known)), gap(without)) for known, without in (profile, *controls))
    difference = Difference(own[0], *map(float, jackknife(np.array(own[0]), own[1])))
    return IsolatedOrder(amount, effects, difference, _state(difference, own, drawn))


def _state(difference: Difference, own: Gap, drawn: Sequence[Gap]) -> str:
    if not difference.excludes_zero:
        return "no order shown"
    if difference.low > 0:
        return "upper layers more"
    if len(drawn) < ONE_LAYER_SEEDS:
        return "lower layers more, few seeds" if drawn else "lower layers more, no control"
    gaps, without = [known for known, _ in drawn], np.array([known for _, known in drawn])  # (k,), (k, n)
    by_chance, beyond = Difference(*mean_gap(gaps, without)), contrast(own[0] - np.array(gaps), own[1] - without)
    if by_chance.excludes_zero:
        return f"lower layers more, {'as at random' if by_chance.high < 0 else 'at random upper'}"
    is_more = beyond.difference + beyond.half_width() < 0
    return "reversed" if is_more else "lower layers more, not beyond random"


def _profile(layers: Layers, reduction: ReductionKey, amount: float) -> tuple[Array, Array] | None:
    """Return the own CKA of each layer's output, (layers,), and that without each example, (layers, n)."""
    own, without = [], []
    for layer, alone in layers.items():
        value, known = own_of_alone(alone, layer, reduction, amount), alone.statistics_of(reduction)
        if value is None or known is None or known.own_replicates is None:
            return None
        own.append(value)
        without.append(known.own_replicates[alone.amounts.index(amount)])
    return np.array(own), np.array(without)


def own_of_alone(alone: SweepResult, layer: int, reduction: ReductionKey, amount: float) -> float | None:
    """Return the own CKA of the output of a layer, counted from 1, that is pruned alone; None where it is unknown."""
    row = alone.frames[alone.amounts.index(amount)].own(reduction) if amount in alone.amounts else None
    return row[alone.points.index(f"layer.{layer - 1}.output")] if row else None
