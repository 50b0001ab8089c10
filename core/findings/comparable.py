"""Which results may be compared, and why others may not: one rule for every page."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.findings.words import render
from core.results.choices import is_control, is_isolated
from core.results.names import pruned_layer
from core.results.schema import SweepResult

SPARSITY_TOLERANCE = 0.01  # two shares of removed weights that differ by no more count as equal


@dataclass(frozen=True)
class Comparability:
    """Whether two results may be compared; true where nothing speaks against it.

    Attributes:
        reason: What speaks against it, worded as the end of a sentence; else empty.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Mismatch:
    """The layer and amount at which the shares of weights that two results have removed differ most."""

    layer: int  # counted from 1
    amount: float
    removed: float
    other_removed: float


def comparable(result: SweepResult, other: SweepResult) -> Comparability:
    """Decide whether the order of layers, such as the depth gap, may be compared between two results.

    Both must prune all layers, be measured on the same examples at the same points and amounts, and have removed the
    same share of every layer's weights at every amount, within SPARSITY_TOLERANCE. Equal totals are not enough: a
    method that spares lower layers leaves them more similar by that alone.
    """
    if not same_examples(result, other):
        return _refused("examples")
    if pruned_layer(result) or pruned_layer(other):
        return _refused("one_layer")
    if result.cka.points != other.cka.points:
        return _refused("points")
    if result.amounts != other.amounts:
        return _refused("amounts")
    mismatch = _largest_mismatch(result, other)
    if round(abs(mismatch.removed - mismatch.other_removed), 9) > SPARSITY_TOLERANCE:
        return _refused("removed", mismatch=mismatch)
    return Comparability()


def _refused(reason: str, **facts: object) -> Comparability:
    return Comparability(render("comparable", reason, **facts))


def _largest_mismatch(result: SweepResult, other: SweepResult) -> Mismatch:
    removed, other_removed = (
        np.array([frame.layer_sparsity for frame in each.frames]) for each in (result, other)
    )  # (frames, layers)
    difference = np.abs(removed - other_removed).round(9)
    frame, layer = np.unravel_index(difference.argmax(), difference.shape)
    return Mismatch(
        int(layer) + 1, result.amounts[frame], float(removed[frame, layer]), float(other_removed[frame, layer])
    )


def same_examples(result: SweepResult, other: SweepResult) -> bool:
    """Whether two results come from the same examples in the same order, so that they can be paired."""
    return all(
        getattr(result.task, field) == getattr(other.task, field)
        for field in ("name", "fingerprint", "examples", "gold", "max_length")
    )


def same_checkpoint(result: SweepResult, other: SweepResult) -> bool:
    """Whether two results come from one model."""
    return result.checkpoint.revision == other.checkpoint.revision


# ---------------------------------------------------------------- what a result is judged beside


def controls_at_hand(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results of a method's random control on the same model, comparable or not."""
    return [
        candidate
        for candidate in candidates
        if is_control(candidate.pruning, result.pruning) and same_checkpoint(result, candidate)
    ]


def controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results of a method's random control that may be compared with its own, one per seed, by seed."""
    controls = {
        candidate.pruning.seed: candidate
        for candidate in controls_at_hand(result, candidates)
        if comparable(result, candidate)
    }
    return [controls[seed] for seed in sorted(controls)]


def refusal_of(result: SweepResult, candidates: Iterable[SweepResult]) -> str:
    """Return why no random control at hand may be compared; empty if one may, or where there is none."""
    at_hand = controls_at_hand(result, candidates)
    return comparable(result, at_hand[0]).reason if at_hand and not controls_of(result, at_hand) else ""


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
        and result.cka.points == candidate.cka.points
    }
    return {layer: isolated[layer] for layer in sorted(isolated)}
