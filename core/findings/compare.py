"""Compare two results: frames at the same place, where in depth they change, which does better.

Where in depth both have changed is compared at equal damage, if `core.findings.comparable` allows
it, in the sweeps that the verdict reads (`core.findings.claim`), which alone judges against chance.
A metric is compared wherever both have removed equally much of the encoder's weights in total: from
which layers a method takes them is part of the method.
"""

from collections.abc import Sequence
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
from core.findings.matching import frame_at, grid_to, largest_damage
from core.request.catalog import DAMAGE, SINGLE_BATCH
from core.results.names import (
    ReductionKey,
    brief_name,
    checkpoint_name,
    in_sentence,
    name_of,
)
from core.results.schema import Frame, SweepResult
from core.sweep.equal_damage import upper_share
from core.sweep.statistics import gap_difference

if TYPE_CHECKING:
    from core.sweep.paired_tests import PairedTest

Scale = Literal["amount", "prunable_sparsity", "damage"]
Axis = Literal["amount", "damage"]
Two = tuple[SweepResult, SweepResult]  # each a whole sweep or the first frames of one
FramePair = tuple[Frame, Frame]
# Of two frames: both amounts, the share of weights removed, the test.
Tested = tuple[tuple[float, float], float, "PairedTest"]

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


def shown_together(two: Two, axis: Axis, reduction: ReductionKey) -> Together:
    """Pair the frames of two results.

    Args:
        two: The results.
        axis: On `amount`, stored frames are paired that are each other's nearest; on `damage`,
            frames are interpolated where both have changed equally much.
        reduction: What damage is measured by.
    """
    if axis == "damage":
        places = grid_to(min(largest_damage(result, reduction) for result in two))
        sides = []
        for result in two:
            later = (frame_at([result], reduction, target) for target in places[1:])
            sides.append([result.frames[0], *filter(None, later)])
        return Together(axis, places, tuple(zip(*sides, strict=True)))
    # The amounts of single weights and of whole units differ in meaning.
    is_alike = two[0].pruning.granularity == two[1].pruning.granularity
    scale: Scale = "amount" if is_alike else "prunable_sparsity"
    pairs = _nearest_pairs(two[0].frames, two[1].frames, scale, MAX_PAIR_DISTANCE)
    return Together(scale, tuple(place(frame, scale) for frame, _ in pairs), tuple(pairs))


def place(frame: Frame, scale: Scale) -> float:
    """Return a stored frame's place on a scale of amounts, which has its field's name."""
    return float(getattr(frame, scale))


def same_model(two: Two) -> bool:
    """Whether two results are of one checkpoint, whose name may differ for the same weights."""
    return checkpoint_name(two[0]) == checkpoint_name(two[1]) and same_checkpoint(*two)


def distinguishing_names(two: Two) -> tuple[str, str]:
    """Name two results by what tells them apart: their prunings, their models, or their order.

    Random removal is told apart by what it is matched to, if need be.
    """
    first, second = (in_sentence(brief_name(result.pruning)) for result in two)
    is_alike = first == second
    if same_model(two):
        if is_alike:
            first, second = (in_sentence(name_of(result.pruning)) for result in two)
    else:
        models = _models_apart(two)
        if is_alike:
            first, second = models
        else:
            first = f"{first} ({models[0]})"
            second = f"{second} ({models[1]})"
    if first == second:
        return f"{first} (first result)", f"{second} (second result)"
    return first, second


def _models_apart(two: Two) -> list[str]:
    """Name two checkpoints, or their tasks if these alone tell them apart."""
    names = [checkpoint_name(result) for result in two]
    tasks = [task_title(result.task.name) for result in two]
    bare = {name.replace(task, "") for name, task in zip(names, tasks, strict=True)}
    if tasks[0] != tasks[1] and len(bare) == 1:
        return tasks
    return names


def _nearest_pairs(
    first: Sequence[Frame],
    second: Sequence[Frame],
    scale: Scale,
    most: float,
) -> list[FramePair]:
    """Pair frames of two results that are each other's nearest and at most `most` apart."""
    places = [[place(frame, scale) for frame in frames] for frames in (first, second)]
    apart = np.abs(np.subtract.outer(*places)).round(9)  # (first, second)
    if not apart.size:
        return []
    nearest = apart.argmin(0)  # (second,) of the first
    return [
        (first[i], second[j])
        for i, j in enumerate(apart.argmin(1))
        if nearest[j] == i and apart[i, j] <= most
    ]


# ---------------------------------------------------------------- where in depth they change


class Depth(NamedTuple):
    """Where in depth two results change, at DAMAGE.

    Attributes:
        shares: Of each, the share of the damage in the upper half of the layers.
        low: The lower end of the 95 % interval of their difference, first minus second, over
            examples alone: it says nothing about another draw of a random control.
        high: The upper end.
        verdict: On the method, by all seeds, where one of the two is the other's matched random
            control.
    """

    shares: tuple[float, float]
    low: float
    high: float
    verdict: Verdict | None


def depth_of(
    two: Two,
    reduction: ReductionKey,
    companions: Sequence[SweepResult] = (),
) -> Depth | str:
    """Compare the shares of the damage in the upper half of the layers.

    Of several sweeps of one pruning, the one with the smallest steps is read.

    Args:
        two: The results.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: What either is judged beside: see `core.findings.choices.companions`.

    Returns:
        The shares, or why they cannot be compared.
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
    first, second = (upper_share(gap.value, DAMAGE) for gap in gaps)
    difference = gap_difference(*gaps)
    even = upper_share(0.0, DAMAGE)
    low, high = (upper_share(bound, DAMAGE) - even for bound in (difference.low, difference.high))
    judged = None
    for method, drawn in (two[::-1], two):
        if is_matched(drawn, method):
            judged = verdict(method, [drawn, *companions])
    return Depth((first, second), low, high, judged)


# ---------------------------------------------------------------- which does better


def paired_comparisons(two: Two, metric: str) -> list[Tested]:
    """Compare two results on the same examples by a metric where they have removed equally much.

    Returns:
        For each pair of frames that are each other's nearest in prunable sparsity and nearly equal:
        their amounts, the share of the encoder's matrix weights that the first has removed, and a
        paired test, with its p-value also after Holm's correction over all of them. The baselines,
        which say nothing about pruning, are left out.
    """
    from core.sweep.paired_tests import paired_tests

    # Each result's first frame is the unpruned model.
    first, second = (result.frames[1:] for result in two)
    pairs = _nearest_pairs(first, second, "prunable_sparsity", SPARSITY_TOLERANCE)
    predictions = (tuple(pair[k].predictions for pair in pairs) for k in (0, 1))
    tests = paired_tests(metric, two[0].task.gold, *predictions)
    return [
        ((a.amount, b.amount), a.prunable_sparsity, test)
        for (a, b), test in zip(pairs, tests, strict=True)
    ]
