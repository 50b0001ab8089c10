"""Decide which results may stand beside each other, and why others may not.

Results are compared by where in depth they have changed, at equal damage, so their amounts may
differ. A random control is matched to a method if it also removes as much of every layer wherever
both were measured.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import numpy as np

from core.findings.choices import is_control, is_isolated, is_same
from core.request.scope import run_of
from core.results.schema import SweepResult

_evaluation = attrgetter("name", "fingerprint", "examples", "gold", "max_length")  # of a task
_model = attrgetter("checkpoint.revision", "dtype")
_seed = attrgetter("pruning.seed")
SPARSITY_TOLERANCE = 0.01  # shares of removed weights that differ by no more count as equal


def obstacle(first: SweepResult, second: SweepResult) -> str | None:
    """Return why two results may not be compared by the order of layers; None if they may.

    Both must prune all layers and use the same examples and points.
    """
    if not same_examples(first, second):
        return "other examples"
    if run_of(first.pruning.scope) or run_of(second.pruning.scope):
        return "some layers alone"
    if first.points == second.points:
        return None
    return "other points"


def is_matched(control: SweepResult, result: SweepResult) -> bool:
    """Whether a result is a method's random control that removes equally much of every layer.

    Equal totals are not enough: a method that spares lower layers keeps them more similar for that
    reason alone.
    """
    return (
        is_control(control.pruning, result.pruning)
        and _may_stand_beside(result, control)
        and largest_mismatch(result, control) <= SPARSITY_TOLERANCE
    )


def _may_stand_beside(result: SweepResult, candidate: SweepResult) -> bool:
    return same_checkpoint(result, candidate) and obstacle(result, candidate) is None


def largest_mismatch(first: SweepResult, second: SweepResult) -> float:
    """Return the largest difference in the share of a layer removed, over the amounts of both."""
    others = {frame.amount: frame.layer_sparsity for frame in second.frames}
    pairs = [
        (frame.layer_sparsity, others[frame.amount])
        for frame in first.frames
        if frame.amount in others
    ]
    return round(float(np.abs(np.diff(pairs, axis=1)).max()), 9)  # of (amounts, 1, layers)


def same_examples(first: SweepResult, second: SweepResult) -> bool:
    """Whether two results use the same examples in the same order and can be paired."""
    return bool(_evaluation(first.task) == _evaluation(second.task))


def same_checkpoint(first: SweepResult, second: SweepResult) -> bool:
    """Whether two results come from the same model, run in the same dtype."""
    return bool(_model(first) == _model(second))


# ---------------------------------------------------------------- the controls and further sweeps


def control_sweeps(
    result: SweepResult, candidates: Iterable[SweepResult]
) -> dict[int, list[SweepResult]]:
    """Collect the matched random controls of a result by seed, which may have several steps."""
    return by_seed(candidate for candidate in candidates if is_matched(candidate, result))


def by_seed(controls: Iterable[SweepResult]) -> dict[int, list[SweepResult]]:
    """Group results by the seed of their pruning."""
    return {seed: list(sweeps) for seed, sweeps in groupby(sorted(controls, key=_seed), _seed)}


def controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the matched random controls of a result in order of seeds, the longest of each."""
    return [
        max(sweeps, key=lambda sweep: sweep.amounts[-1])
        for sweeps in control_sweeps(result, candidates).values()
    ]


def own_sweeps(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Return a result, and those of the same pruning in other steps."""
    finer = [
        candidate
        for candidate in candidates
        if candidate.key != result.key
        and is_same(candidate.pruning, result.pruning)
        and _calibrated_on(candidate) == _calibrated_on(result)
        and _may_stand_beside(result, candidate)
    ]
    return [result, *finer]


def _calibrated_on(result: SweepResult) -> str | None:
    """Return the calibration examples' fingerprint: others may change a result's last digits."""
    if result.pruning.calibration:
        return result.pruning.calibration.fingerprint
    return None


# ---------------------------------------------------------------- some layers alone


def isolated_of(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[str, SweepResult]:
    """Return the results of the same method on some layers alone, by scope.

    They are measured at these layers' outputs, whatever the points of the whole result.
    """
    return by_scope(
        result,
        [alone for alone in candidates if is_isolated(alone.pruning, result.pruning)],
    )


def by_scope(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[str, SweepResult]:
    """Index the results of some layers alone beside another; of a scope, the most amounts count."""
    scopes: dict[str, SweepResult] = {}
    for alone in sorted(candidates, key=lambda alone: -len(alone.amounts)):
        scope = alone.pruning.scope or ""
        run = run_of(scope)
        is_beside = same_checkpoint(result, alone) and same_examples(result, alone)
        if run and is_beside and f"layer.{run[-1]}.output" in alone.points:
            scopes.setdefault(scope, alone)
    return scopes
