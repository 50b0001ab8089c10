"""Which layer of a result changes first, which last, and whether random removal changes the same one first.

A layer stays intact while its similarity to itself before pruning is at least a threshold. Which layer falls below it
first is an estimate from examples: layers whose intervals reach down as far stand beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.survival import LayerSurvival, layer_survivals, own_similarity
from core.request.catalog import CONTROL_SEEDS, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, point_labels
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation


@dataclass(frozen=True)
class Layers:
    """How far the layers of a result stay intact; of points that are equal as shown, all count.

    Attributes:
        every: All points, in depth order.
        first: Those that fall below the threshold first, if not all that are defined last as long.
        last: Those that last longest.
        rivals: Others whose interval reaches down to the amounts where the first may fall; none where it is unknown.
    """

    every: tuple[LayerSurvival, ...]
    first: tuple[LayerSurvival, ...]
    last: tuple[LayerSurvival, ...]
    rivals: tuple[LayerSurvival, ...]

    @property
    def defined(self) -> list[LayerSurvival]:
        """The points whose similarity is defined without pruning."""
        return [layer for layer in self.every if layer.is_defined]

    @property
    def depth_correlation(self) -> float | None:
        """Kendall's tau-b between depth and how far the layers stay intact, as shown; None where that is constant."""
        ranks = [min(layer.rank, 1.0) for layer in self.defined]
        return depth_correlation(ranks) if len(set(ranks)) > 1 else None


def layers_of(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> Layers:
    """Find the layers that fall first and last; the result may be unfinished."""
    every = tuple(layer_survivals(result, reduction, threshold, measure))
    defined = [layer for layer in every if layer.is_defined]
    ranks = [layer.rank for layer in defined]
    last = tuple(layer for layer in defined if layer.rank == max(ranks))
    if len(last) == len(ranks) and (len(ranks) != 1 or last[0].censored):
        return Layers(every, (), last, ())
    first = tuple(layer for layer in defined if layer.rank == min(ranks))
    latest = max(layer.interval[1] if layer.interval else layer.value for layer in first)
    rivals = (layer for layer in defined if layer not in first and layer.interval and layer.interval[0] <= latest)
    return Layers(every, first, last, tuple(rivals))


def first_layer(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> PointLabel:
    """Return the layer to select at first: the one that changes first, or else has changed most at the last amount."""
    if found := layers_of(result, reduction, threshold, measure).first:
        return found[0].label
    labels, last = point_labels(result.points), own_similarity(result, reduction, measure)[-1]  # (points,)
    return labels[0] if np.isnan(last).all() else labels[int(np.nanargmin(last))]


@dataclass(frozen=True)
class FirstByChance:
    """With how many seeds of the random control one of the same layers changes first.

    Attributes:
        same: The number of these seeds.
        seeds: The number of seeds in which any layer falls.
        is_alike: Whether they are enough for a verdict, and exactly the same layers fall first with each.
    """

    same: int
    seeds: int
    is_alike: bool


def first_by_chance(
    result: SweepResult,
    controls: Sequence[SweepResult],
    reduction: ReductionKey,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
) -> FirstByChance:
    """Compare the first layers to change with those of a result's control, one sweep per seed."""
    first, *drawn = (
        {layer.label for layer in layers_of(sweep, reduction, threshold, measure).first}
        for sweep in (result, *controls)
    )
    seeds = [labels for labels in drawn if labels]
    is_alike = len(seeds) >= CONTROL_SEEDS[result.pruning.granularity] and all(labels == first for labels in seeds)
    return FirstByChance(sum(bool(first & labels) for labels in seeds), len(seeds), is_alike)
