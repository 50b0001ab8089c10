"""The isolated effect: how much each layer's own output changes when that layer alone is pruned.

Ordinary pruning is cumulative: a layer's output carries the pruning of all layers below it, so that a decline of
similarity with depth is expected. Pruned alone, layers can be compared without it. Their order counts as reversed only
if the lower half changes more than the upper half, beyond the interval over examples and more so than under random
removal, which itself shows no order in either direction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.findings.claim import FEWEST_SEEDS
from core.findings.comparable import isolated_controls_of, isolated_of
from core.request.catalog import SINGLE_BATCH
from core.request.controls import ONE_LAYER_SEEDS
from core.results.names import ReductionKey
from core.results.schema import SweepResult
from core.sweep.control_contrast import Contrast, contrast, mean_gap
from core.sweep.equal_damage import gap
from core.sweep.statistics import Difference, jackknife, own_interval

Array = npt.NDArray[np.float64]

State = Literal[
    "reversed",
    "lower layers more, as at random",
    "lower layers more, at random upper",
    "lower layers more, not beyond random",
    "lower layers more, few seeds",
    "lower layers more, no control",
    "upper layers more",
    "no order shown",
]
"""How depth orders layers that are pruned alone, as a table shows it; the Methods page explains it."""
Layers = Mapping[int, SweepResult]  # results of single layers, by layer counted from 1


@dataclass(frozen=True)
class Effect:
    """How much a layer's own output changes when it alone is pruned: 1 - own CKA, with its 95 % interval."""

    layer: int  # counted from 1
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class IsolatedOrder:
    """All layers, each pruned alone, at one amount.

    Attributes:
        amount: The pruning amount.
        effects: One per layer, in depth order.
        gap: Own CKA of the lower half minus that of the upper half, paired by example.
        control_gap: The same of random removal, the mean over its seeds, over other examples and seeds; None without
            two.
        beyond: The gap against those of the seeds; None without two.
        seeds: The number of its seeds.
    """

    amount: float
    effects: tuple[Effect, ...]
    gap: Difference
    control_gap: Difference | None
    beyond: Contrast | None
    seeds: int

    @property
    def state(self) -> State:
        """Whether depth orders the layers, and whether otherwise than under ordinary pruning."""
        if not self.gap.excludes_zero:
            return "no order shown"
        if self.gap.low > 0:
            return "upper layers more"
        if not self.seeds:
            return "lower layers more, no control"
        if self.control_gap is None or self.beyond is None or self.seeds < ONE_LAYER_SEEDS:
            return "lower layers more, few seeds"
        if self.control_gap.excludes_zero:
            is_alike = self.control_gap.high < 0
            return "lower layers more, as at random" if is_alike else "lower layers more, at random upper"
        is_more = self.beyond.difference + self.beyond.half_width() < 0
        return "reversed" if is_more else "lower layers more, not beyond random"


def isolated_orders(
    result: SweepResult, reduction: ReductionKey, companions: Iterable[SweepResult]
) -> list[IsolatedOrder]:
    """Collect the isolated effects of all layers, one entry per amount that all were measured at.

    Empty if a layer is missing, if intervals are unknown, or if a similarity is undefined.
    """
    companions = list(companions)
    layers = isolated_of(result, companions)
    numbers = range(1, result.checkpoint.num_layers + 1)
    if reduction not in SINGLE_BATCH or list(layers) != list(numbers) or len(layers) < 2:
        return []
    seeds = [seed for seed in isolated_controls_of(result, companions) if list(seed) == list(numbers)]
    amounts = sorted(set.intersection(*(set(alone.amounts) for alone in layers.values())) - {0.0})
    orders = (_order(layers, seeds, reduction, amount) for amount in amounts)
    return [order for order in orders if order]


def _order(layers: Layers, seeds: Sequence[Layers], reduction: ReductionKey, amount: float) -> IsolatedOrder | None:
    profile = _profile(layers, reduction, amount)
    if profile is None:
        return None
    controls = [known for seed in seeds if (known := _profile(seed, reduction, amount))]
    value, replicates = profile  # (layers,), (layers, n)
    lows, highs = own_interval(value, replicates)  # each (layers,)
    effects = zip(value.tolist(), lows.tolist(), highs.tolist(), strict=True)
    own, *drawn = ((float(gap(known)), gap(without)) for known, without in (profile, *controls))
    low, high = jackknife(np.array(own[0]), own[1])
    gaps, without = [known for known, _ in drawn], np.array([known for _, known in drawn])  # (k,), (k, n)
    is_judged = len(drawn) >= FEWEST_SEEDS
    return IsolatedOrder(
        amount,
        tuple(Effect(k, 1 - known, 1 - high, 1 - low) for k, (known, low, high) in enumerate(effects, start=1)),
        Difference(own[0], float(low), float(high)),
        Difference(*mean_gap(gaps, without)) if is_judged else None,
        contrast(*own, gaps, without) if is_judged else None,
        len(drawn),
    )


def _profile(layers: Layers, reduction: ReductionKey, amount: float) -> tuple[Array, Array] | None:
    """Return the own CKA of each layer's output, (layers,), and that without each example, (layers, n)."""
    own, without = [], []
    for layer, alone in layers.items():
        known = alone.statistics_of(reduction)
        if known is None or known.own_replicates is None or amount not in alone.amounts:
            return None
        k = alone.amounts.index(amount)
        row = alone.frames[k].own(reduction)
        value = row[alone.points.index(f"layer.{layer - 1}.output")] if row else None
        if value is None:
            return None
        own.append(value)
        without.append(known.own_replicates[k])
    return np.array(own), np.array(without)
