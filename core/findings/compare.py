"""Compare two results: their frames at the same place, where in depth they have changed, and which does better.

Where in depth both have changed is compared at equal damage, if `core.findings.comparable` allows it, in the sweeps
that the verdict reads (`core.findings.claim`), which alone judges against chance. A metric is compared wherever both
have removed equally much of the encoder's weights in total: from which layers a method takes them is part of the
method.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from core.findings.choices import task_title
from core.findings.claim import Verdict, at_damage, verdict
from core.findings.comparable import (
    SPARSITY_TOLERANCE,
    is_matched,
    obstacle,
    own_sweeps,
    same_checkpoint,
)
from core.findings.matching import frames_at, grid_to, largest_damage
from core.request.catalog import DAMAGE, SINGLE_BATCH
from core.results.names import ReductionKey, brief_name, checkpoint_name, in_sentence, name_of
from core.results.schema import Frame, SweepResult
from core.sweep.equal_damage import upper_share
from core.sweep.statistics import gap_difference

if TYPE_CHECKING:
    from core.sweep.paired_tests import PairedTest

Scale = Literal["amount", "prunable_sparsity", "damage"]
Axis = Literal["amount", "damage"]
Two = tuple[SweepResult, SweepResult]  # each a whole sweep or the first frames of one
FramePair = tuple[Frame, Frame]
Tested = tuple[
    tuple[float, float], float, "PairedTest"
]  # of frames: both amounts, the share of weights, the test

MAX_PAIR_DISTANCE = 0.05  # on a scale of amounts, between frames shown together
START = 0.1  # of damage, where it is shown first: similarity has fallen by a tenth


# ---------------------------------------------------------------- what is shown together


class Together(NamedTuple):
    """The frames of two results that are shown together.

    Attributes:
        scale: What they share.
        places: Where each pair stands on that scale; the first's place where the two differ.
        pairs: The frames, the baselines first.
    """

    scale: Scale
    places: tuple[float, ...]
    pairs: tuple[FramePair, ...]

    @property
    def is_interpolated(self) -> bool:
        """Whether frames lie between stored ones, so that both results match exactly."""
        return self.scale == "damage"


def shown_together(two: Two, axis: Axis = "amount", reduction: ReductionKey = "mean") -> Together:
    """Pair the frames of two results.

    Args:
        two: The results.
        axis: On `amount`, stored frames are paired that are each other's nearest; on `damage`, frames are interpolated
            where both have changed equally much.
        reduction: What damage is measured by.
    """
    if axis == "damage":
        places = grid_to(min(largest_damage(result, reduction) for result in two))
        frames = (frames_at(result, reduction, places) for result in two)
        return Together(axis, places, tuple(zip(*frames, strict=True)))
    # The amounts of single weights and of whole units differ in meaning.
    scale: Scale = (
        "amount"
        if len({result.pruning.granularity for result in two}) == 1
        else "prunable_sparsity"
    )
    pairs = _nearest_pairs((result.frames for result in two), scale, MAX_PAIR_DISTANCE)
    return Together(scale, tuple(place(frame, scale) for frame, _ in pairs), tuple(pairs))


def place(frame: Frame, scale: Scale) -> float:
    """Return a stored frame's place on a scale of amounts."""
    return frame.amount if scale == "amount" else frame.prunable_sparsity


def same_model(two: Two) -> bool:
    """Whether two results are of one checkpoint, whose name may differ for the same weights."""
    return checkpoint_name(two[0]) == checkpoint_name(two[1]) and same_checkpoint(*two)


def distinguishing_names(two: Two) -> tuple[str, str]:
    """Name two results by what tells them apart: their prunings, else what controls are matched to; or their models."""
    prunings, models = (
        [brief_name(result.pruning) for result in two],
        [checkpoint_name(result) for result in two],
    )
    is_same_model = same_model(two)
    if is_same_model and prunings[0] == prunings[1]:
        prunings = [name_of(result.pruning) for result in two]
    first, second = map(in_sentence, prunings)
    if not is_same_model:
        tasks = [task_title(result.task.name) for result in two]
        apart = [model.replace(task, "") for model, task in zip(models, tasks, strict=True)]
        if tasks[0] != tasks[1] and apart[0] == apart[1]:  # the task alone tells them apart
            models = tasks
        is_alike = prunings[0] == prunings[1]
        first, second = (
            models if is_alike else (f"{first} ({models[0]})", f"{second} ({models[1]})")
        )
    return (
        (f"{first} (first result)", f"{second} (second result)")
        if first == second
        else (first, second)
    )


def _nearest_pairs(
    sides: Iterable[Sequence[Frame]], scale: Scale, max_distance: float
) -> list[FramePair]:
    """Pair frames of two results that are each other's nearest and at most `max_distance` apart."""
    first, second = sides
    places = ([place(frame, scale) for frame in frames] for frames in (first, second))
    apart = np.abs(np.subtract.outer(*places)).round(9)  # (first, second)
    if not apart.size:
        return []
    pairs = [
        (i, j)
        for i, j in enumerate(apart.argmin(1))
        if apart[:, j].argmin() == i and apart[i, j] <= max_distance
    ]
    return [(first[i], second[j]) for i, j in pairs]


# ---------------------------------------------------------------- where in depth they change


class Depth(NamedTuple):
    """Where in depth two results change, at DAMAGE.

    Attributes:
        shares: Of each, the share of the damage in the upper half of the layers.
        low: The lower end of the 95 % interval of their difference, first minus second, over examples alone: it says
            nothing about another draw of a random control.
        high: The upper end.
        verdict: On the method, by all seeds, where one of the two is the other's matched random control.
    """

    shares: tuple[float, float]
    low: float
    high: float
    verdict: Verdict | None


def depth_of(
    two: Two, reduction: ReductionKey, companions: Sequence[SweepResult] = ()
) -> Depth | str:
    """Compare the shares of the damage in the upper half of the layers, or return why that cannot be done.

    Of several sweeps of one pruning, the one with the smallest steps is read.

    Args:
        two: The results.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: What either is judged beside: see `core.findings.choices.companions`.
    """
    if reduction not in SINGLE_BATCH:
        return "all tokens"
    if reason := obstacle(*two):
        return reason
    reached = (at_damage(own_sweeps(result, companions), reduction, DAMAGE) for result in two)
    gaps = [place.gap for place in reached if place]
    if len(gaps) < 2:
        return "change not reached"
    if any(gap.coarse for gap in gaps):
        return "steps too coarse"
    even, difference = upper_share(0.0, DAMAGE), gap_difference(*gaps)
    low, high = (upper_share(bound, DAMAGE) - even for bound in (difference.low, difference.high))
    shares = upper_share(gaps[0].value, DAMAGE), upper_share(gaps[1].value, DAMAGE)
    judged = (
        verdict(method, [drawn, *companions])
        for method, drawn in (two, two[::-1])
        if is_matched(drawn, method)
    )
    return Depth(shares, low, high, next(judged, None))


# ---------------------------------------------------------------- which does better


def paired_comparisons(two: Two, metric: str) -> list[Tested]:
    """Compare two results on the same examples by a metric, wherever they have removed equally much.

    Returns:
        For each pair of frames that are each other's nearest in prunable sparsity and nearly equal: their amounts, the
        share of the encoder's matrix weights that the first has removed, and a paired test, with its p-value also after
        Holm's correction over all of them. The baselines, which say nothing about pruning, are left out.
    """
    from core.sweep.paired_tests import paired_tests

    pruned = ([frame for frame in result.frames if frame.amount > 0] for result in two)
    pairs = _nearest_pairs(pruned, "prunable_sparsity", SPARSITY_TOLERANCE)
    predictions = (tuple(pair[k].predictions for pair in pairs) for k in (0, 1))
    tests = paired_tests(metric, two[0].task.gold, *predictions)
    return [
        ((a.amount, b.amount), a.prunable_sparsity, test)
        for (a, b), test in zip(pairs, tests, strict=True)
    ]
