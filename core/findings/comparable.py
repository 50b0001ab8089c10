"""Decide which results belong beside each other, and why others do not: one rule for every page.

Results are compared by where in depth they have changed, at equal damage, so that their amounts may differ. A random
control is matched to a method if it also removes as much of every layer wherever both were measured.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import numpy as np

from core.results.choices import is_control, is_isolated, is_isolated_control, is_same
from core.results.names import pruned_layer
from core.results.schema import SweepResult

SPARSITY_TOLERANCE = 0.01  # shares of removed weights that differ by no more count as equal


Obstacle = Literal[
    "another checkpoint", "other examples", "one layer alone", "other points", "other shares of the layers removed"
]


def obstacle(first: SweepResult, second: SweepResult) -> Obstacle | None:
    """Return why two results may not be compared by the order of layers, at equal damage; None if they may.

    Both must prune all layers, use the same examples and points, and be compared with their own unpruned layers.
    """
    if first.against or second.against:
        return "another checkpoint"
    if not same_examples(first, second):
        return "other examples"
    if pruned_layer(first) or pruned_layer(second):
        return "one layer alone"
    return None if first.points == second.points else "other points"


def obstacle_to_control(result: SweepResult, control: SweepResult) -> Obstacle | None:
    """Return why a random control does not serve a result; None if it is matched: equally much of every layer.

    Equal totals are not enough: a method that spares lower layers keeps them more similar for that reason alone.
    """
    known = obstacle(result, control)
    if known or largest_mismatch(result, control) <= SPARSITY_TOLERANCE:
        return known
    return "other shares of the layers removed"


def largest_mismatch(first: SweepResult, second: SweepResult) -> float:
    """Return the largest difference in the share of a layer's weights removed, over the amounts that both have."""
    others = {frame.amount: frame for frame in second.frames}
    pairs = [(frame, others[frame.amount]) for frame in first.frames if frame.amount in others]
    removed = np.array([[a.layer_sparsity, b.layer_sparsity] for a, b in pairs])  # (amounts, 2, layers)
    return round(float(np.abs(removed[:, 0] - removed[:, 1]).max()), 9)


def same_examples(first: SweepResult, second: SweepResult) -> bool:
    """Whether two results use the same examples in the same order and can be paired."""
    return all(
        getattr(first.task, field) == getattr(second.task, field)
        for field in ("name", "fingerprint", "examples", "gold", "max_length")
    )


def same_checkpoint(first: SweepResult, second: SweepResult) -> bool:
    """Whether two results come from the same model."""
    return first.checkpoint.revision == second.checkpoint.revision


# ---------------------------------------------------------------- what a result is judged beside


def _available_controls(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results of a method's random control on the same model, matched or not."""
    controls = (candidate for candidate in candidates if is_control(candidate.pruning, result.pruning))
    return [control for control in controls if same_checkpoint(result, control)]


def control_sweeps(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[int, list[SweepResult]]:
    """Collect the matched random controls of a result, by seed: one seed may have been swept in several steps."""
    sweeps = defaultdict(list)
    for candidate in _available_controls(result, candidates):
        if obstacle_to_control(result, candidate) is None:
            sweeps[candidate.pruning.seed].append(candidate)
    return {seed: sweeps[seed] for seed in sorted(sweeps)}


def controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the matched random controls of a result, one per seed, by seed: of several sweeps the longest."""
    sweeps_of = control_sweeps(result, candidates).values()
    return [max(sweeps, key=lambda sweep: sweep.amounts[-1]) for sweeps in sweeps_of]


def own_sweeps(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return a result, and those of the same pruning in other steps."""
    return [
        result,
        *(
            candidate
            for candidate in candidates
            if candidate.key != result.key
            and is_same(candidate.pruning, result.pruning)
            and _calibrated_on(candidate) == _calibrated_on(result)
            and same_checkpoint(result, candidate)
            and obstacle(result, candidate) is None
        ),
    ]


def _calibrated_on(result: SweepResult) -> str | None:
    """Return the fingerprint of the calibration examples; what was measured on them may differ in its last digits."""
    return result.pruning.calibration.fingerprint if result.pruning.calibration else None


def obstacle_to_controls(result: SweepResult, candidates: Iterable[SweepResult]) -> Obstacle | None:
    """Return why no available random control is matched; None if one is, or if there is none."""
    available = _available_controls(result, candidates)
    return obstacle_to_control(result, available[0]) if available and not controls_of(result, available) else None


# ---------------------------------------------------------------- each layer alone


def isolated_of(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[int, SweepResult]:
    """Return the results of the same method on one layer alone, by layer counted from 1.

    They are measured at that layer's output, whatever the points of the whole result.
    """
    return _by_layer(
        candidate
        for candidate in candidates
        if is_isolated(candidate.pruning, result.pruning) and _measured_beside(result, candidate)
    )


def isolated_controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[dict[int, SweepResult]]:
    """Return the random controls of `isolated_of`, one dictionary per seed, by seed."""
    by_seed = defaultdict(list)
    for candidate in candidates:
        if is_isolated_control(candidate.pruning, result.pruning) and _measured_beside(result, candidate):
            by_seed[candidate.pruning.seed].append(candidate)
    return [_by_layer(by_seed[seed]) for seed in sorted(by_seed)]


def _measured_beside(result: SweepResult, alone: SweepResult) -> bool:
    return (
        same_checkpoint(result, alone)
        and not (result.against or alone.against)
        and same_examples(result, alone)
        and f"layer.{(pruned_layer(alone) or 0) - 1}.output" in alone.points
    )


def _by_layer(results: Iterable[SweepResult]) -> dict[int, SweepResult]:
    """Sort results of single layers by these: of several of one layer that with the most amounts."""
    by_layer: dict[int, SweepResult] = {}
    for result in results:
        layer = pruned_layer(result)
        if layer and len(result.amounts) > len(by_layer[layer].amounts if layer in by_layer else ()):
            by_layer[layer] = result
    return {layer: by_layer[layer] for layer in sorted(by_layer)}
