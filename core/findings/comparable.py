"""Decide which results may be compared, and why others may not: one rule for every page."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.findings.words import render
from core.results.choices import is_control, is_isolated
from core.results.names import pruned_layer
from core.results.schema import SweepResult

SPARSITY_TOLERANCE = 0.01  # shares of removed weights that differ by no more count as equal


@dataclass(frozen=True)
class Comparability:
    """Whether two results may be compared; true if there is no reason against it.

    Attributes:
        reason: The reason against it, worded as the end of a sentence; else empty.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Mismatch:
    """The layer and amount at which two results differ most in the share of weights removed."""

    layer: int  # counted from 1
    amount: float
    first_removed: float
    second_removed: float


def comparable(first: SweepResult, second: SweepResult) -> Comparability:
    """Decide whether two results may be compared by the order of layers, such as by the depth gap.

    Both must prune all layers, use the same examples, points and amounts, and have removed the same share of every
    layer's weights at every amount, within SPARSITY_TOLERANCE. Equal totals are not enough: a method that spares lower
    layers keeps them more similar for that reason alone.
    """
    if not same_examples(first, second):
        return _refused("examples")
    if pruned_layer(first) or pruned_layer(second):
        return _refused("one_layer")
    if first.points != second.points:
        return _refused("points")
    if first.amounts != second.amounts:
        return _refused("amounts")
    mismatch = _largest_mismatch(first, second)
    if round(abs(mismatch.first_removed - mismatch.second_removed), 9) > SPARSITY_TOLERANCE:
        return _refused("removed", mismatch=mismatch)
    return Comparability()


def _refused(reason: str, **facts: object) -> Comparability:
    return Comparability(render("comparable", reason, **facts))


def _largest_mismatch(first: SweepResult, second: SweepResult) -> Mismatch:
    first_removed, second_removed = (
        np.array([frame.layer_sparsity for frame in result.frames]) for result in (first, second)
    )  # (frames, layers)
    difference = np.abs(first_removed - second_removed).round(9)  # (frames, layers)
    frame, layer = np.unravel_index(difference.argmax(), difference.shape)
    return Mismatch(
        int(layer) + 1, first.amounts[frame], float(first_removed[frame, layer]), float(second_removed[frame, layer])
    )


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


def available_controls(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results of a method's random control on the same model, comparable or not."""
    return [
        candidate
        for candidate in candidates
        if is_control(candidate.pruning, result.pruning) and same_checkpoint(result, candidate)
    ]


def controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results of a method's random control that may be compared with its own: one per seed, by seed."""
    controls = {
        candidate.pruning.seed: candidate
        for candidate in available_controls(result, candidates)
        if comparable(result, candidate)
    }
    return [controls[seed] for seed in sorted(controls)]


def refusal_of(result: SweepResult, candidates: Iterable[SweepResult]) -> str:
    """Return why no available random control may be compared; empty if one may, or if there is none."""
    available = available_controls(result, candidates)
    return comparable(result, available[0]).reason if available and not controls_of(result, available) else ""


def isolated_of(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[int, SweepResult]:
    """Return the results of the same method on one layer alone.

    Returns:
        Those on the same model, examples and points, by layer counted from 1.
    """
    isolated = {
        layer: candidate
        for candidate in candidates
        if (layer := pruned_layer(candidate))
        and is_isolated(candidate.pruning, result.pruning)
        and same_checkpoint(result, candidate)
        and same_examples(result, candidate)
        and result.points == candidate.points
    }
    return {layer: isolated[layer] for layer in sorted(isolated)}
