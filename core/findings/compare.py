"""Pair the frames of two results, and say how the results differ (`words/compare.jinja`).

Where in depth both have changed is compared at equal damage, if `core.findings.comparable` allows it, in the sweeps
that the verdict reads (`core.findings.claim`); what holds against chance is the verdict's to say. Accuracy is compared
wherever both have removed equally much of the encoder's weights in total: from which layers a method takes them is part
of the method.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor
from typing import Literal

from core.errors import PrunescopeError
from core.findings.claim import Placed, Reason, placed, verdict_in_short
from core.findings.comparable import (
    SPARSITY_TOLERANCE,
    comparable,
    matched,
    own_sweeps,
    same_checkpoint,
    same_examples,
)
from core.findings.matching import Matched, frames_at, grid_to, largest_on
from core.findings.words import render
from core.request.catalog import CONFIDENCE, DAMAGE, METHODS, SINGLE_BATCH
from core.results.choices import is_control
from core.results.names import (
    ReductionKey,
    amount_name,
    circumstances,
    data_name,
    decimals,
    in_sentence,
    method_name,
    models_name,
    percent,
    points_name,
    pruning_name,
    reduction_name,
    units_name,
    unpruned_name,
)
from core.results.schema import Frame, GapAtDamage, SweepResult
from core.sweep.equal_damage import upper_share
from core.sweep.statistics import gap_difference

Scale = Literal["amount", "prunable_sparsity", "damage", "divergence"]
Axis = Literal["amount"] | Matched
FramePair = tuple[Frame, Frame]

MAX_PAIR_DISTANCE = 0.05  # on a scale of amounts, between frames shown together
ENDS_TOGETHER = 0.1  # of damage or divergence; two results that end no farther apart need no note


# ---------------------------------------------------------------- what is shown together


@dataclass(frozen=True)
class Together:
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
        return self.scale in ("damage", "divergence")


def shown_together(
    first: SweepResult, second: SweepResult, axis: Axis = "amount", reduction: ReductionKey = "mean"
) -> Together:
    """Pair the frames of two results.

    Each may be a whole sweep or the first frames of one.

    Args:
        first: A result.
        second: Another result.
        axis: On `amount`, stored frames are paired that are each other's nearest. On the others, frames are
            interpolated where both have changed equally much, by damage or by the divergence of the predictions;
            see also `shared_axis`.
        reduction: What damage is measured by.
    """
    axis = shared_axis(first, second, axis)
    if axis != "amount":
        places = grid_to(min(largest_on(axis, result, reduction) for result in (first, second)))
        frames = (frames_at(axis, result, reduction, places) for result in (first, second))
        return Together(axis, places, tuple(zip(*frames, strict=True)))
    scale = shared_scale(first, second)
    pairs = _nearest_pairs(first.frames, second.frames, scale, MAX_PAIR_DISTANCE)
    return Together(scale, tuple(place(frame, scale) for frame, _ in pairs), tuple(pairs))


def shared_axis(first: SweepResult, second: SweepResult, asked: Axis) -> Axis:
    """Return the axis that two results can share: against another checkpoint there is no damage, only amounts."""
    return "amount" if asked == "damage" and (first.against or second.against) else asked


def shared_scale(first: SweepResult, second: SweepResult) -> Scale:
    """Return the scale that two results share: the amounts of single weights and of whole units differ in meaning."""
    return "amount" if first.pruning.granularity == second.pruning.granularity else "prunable_sparsity"


def place(frame: Frame, scale: Scale) -> float:
    """Return a stored frame's place on a scale of amounts."""
    return frame.amount if scale == "amount" else frame.prunable_sparsity


def notes_on(
    first: SweepResult, second: SweepResult, axis: Axis = "amount", reduction: ReductionKey = "mean"
) -> list[str]:
    """List caveats about looking at two results together; none if only their pruning differs.

    Args:
        first: A result.
        second: Another result.
        axis: Where they are shown together: see `shown_together`.
        reduction: What damage is measured by.
    """
    together = shown_together(first, second, axis, reduction)
    notes = _notes_on_matching(first, second, together, reduction)
    if len(together.pairs) < 2:
        notes.append(render("compare", "nothing_to_play"))
    if shared_axis(first, second, axis) != axis:
        notes.append(render("compare", "against"))
    if not same_rows(first, second):
        notes.append(render("compare", "other_rows", first=_rows(first), second=_rows(second)))
    if not same_examples(first, second):
        notes.append(render("compare", "other_examples", first=data_name(first), second=data_name(second)))
    return notes


def same_rows(first: SweepResult, second: SweepResult) -> bool:
    """Whether the cells of two heatmaps compare the same layers: the same points, and the same other checkpoint."""
    others = [result.against.revision if result.against else None for result in (first, second)]
    return first.points == second.points and others[0] == others[1]


def _notes_on_matching(
    first: SweepResult, second: SweepResult, together: Together, reduction: ReductionKey
) -> list[str]:
    """Say how well the frames match, and which result ends the scale."""
    scale = together.scale
    if scale == "damage" or scale == "divergence":
        reached = [largest_on(scale, result, reduction) for result in (first, second)]
        if max(reached) - together.places[-1] < ENDS_TOGETHER:
            return []
        names = distinguishing_names(first, second)
        sooner = reached.index(min(reached))
        facts = {"scale": scale, "name": names[sooner], "reached": reached[sooner]}
        return [render("compare", "not_reached", **facts, other=names[1 - sooner], beyond=reached[1 - sooner])]
    farthest = max((round(abs(place(a, scale) - place(b, scale)), 3) for a, b in together.pairs), default=0.0)
    return [
        *([render("compare", "weights_and_units")] if scale == "prunable_sparsity" else []),
        *([render("compare", "nearest_frames", farthest=farthest)] if farthest > 0 else []),
    ]


def _rows(result: SweepResult) -> str:
    unpruned = result.against or result.checkpoint
    named = unpruned_name(result) if result.against else ""
    return render("compare", "rows", points=points_name(result.points), layers=unpruned.num_layers, other=named)


def distinguishing_names(first: SweepResult, second: SweepResult) -> tuple[str, str]:
    """Name two results by what distinguishes them."""
    first_name, second_name = (in_sentence(pruning_name(result)) for result in (first, second))
    if models_name(first) != models_name(second) or not same_checkpoint(first, second):
        first_name, second_name = (f"{first_name} ({models_name(first)})", f"{second_name} ({models_name(second)})")
    if first_name == second_name:
        return f"{first_name} (first result)", f"{second_name} (second result)"
    return first_name, second_name


def _nearest_pairs(
    first: Sequence[Frame], second: Sequence[Frame], scale: Scale, max_distance: float
) -> list[FramePair]:
    """Pair frames of two results that are each other's nearest and at most `max_distance` apart."""

    def distance(a: Frame, b: Frame) -> float:
        return round(abs(place(a, scale) - place(b, scale)), 9)

    def nearest(frame: Frame, among: Sequence[Frame]) -> Frame:
        return min(among, key=lambda candidate: distance(candidate, frame))

    pairs = [(frame, nearest(frame, second)) for frame in first if second]
    return [(a, b) for a, b in pairs if distance(a, b) <= max_distance and nearest(b, first) is a]


# ---------------------------------------------------------------- how far both models work


def headline(first: SweepResult, second: SweepResult) -> str:
    """Say up to which amount each of two models works; where that is unknown of one, or it is unpruned, name both."""
    names = short_names(first, second)
    ranges = [result.working_range for result in (first, second)]
    ends = [known.to for known in ranges if known and known.to is not None]
    if len(ends) < 2 or first.key == second.key or min(len(first.frames), len(second.frames)) < 2:
        return render("compare", "side_by_side", names=names)
    lasts = [result.amounts[-1] for result in (first, second)]
    units = [units_name(result) for result in (first, second)]
    return render("compare", "headline", names=names, ends=ends, lasts=lasts, units=units)


def short_names(first: SweepResult, second: SweepResult) -> tuple[str, str]:
    """Name two results by their methods alone, where nothing else of them differs that a heading must tell."""
    short = [in_sentence(method_name(result).removesuffix(" of the encoder")) for result in (first, second)]
    alike = same_checkpoint(first, second) and models_name(first) == models_name(second)
    if alike and same_examples(first, second) and short[0] != short[1]:
        return short[0], short[1]
    return distinguishing_names(first, second)


# ---------------------------------------------------------------- where in depth they change


def comparison_findings(
    first: SweepResult, second: SweepResult, reduction: ReductionKey, companions: Sequence[SweepResult] = ()
) -> list[str]:
    """Say how two results on the same examples differ in depth, against chance if one is that, then in accuracy.

    Args:
        first: A whole sweep or the first frames of one.
        second: Another one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: What either is judged beside: see `core.results.choices.companions`.

    Raises:
        PrunescopeError: They come from different examples.
    """
    comparisons = accuracy_comparisons(first, second)
    sentences = (
        depth_finding(first, second, reduction, companions),
        chance_finding(first, second, companions),
        _accuracy(comparisons, distinguishing_names(first, second)),
    )
    return [sentence for sentence in sentences if sentence]


def chance_finding(first: SweepResult, second: SweepResult, companions: Iterable[SweepResult]) -> str:
    """Say the verdict on a method beside its random control, by all seeds; empty for any other two results."""
    for method, control in ((first, second), (second, first)):
        if is_control(control.pruning, method.pruning) and same_checkpoint(first, second) and matched(method, control):
            return verdict_in_short(method, [control, *companions])
    return ""


def depth_finding(
    first: SweepResult, second: SweepResult, reduction: ReductionKey, companions: Sequence[SweepResult] = ()
) -> str:
    """Say which shares of the damage lie in the upper half of the layers, or why these cannot be compared.

    The interval of their difference is over examples alone: it says nothing about another draw of a random control.
    Of several sweeps of one pruning, the one with the smallest steps is read.
    """
    if reduction not in SINGLE_BATCH:
        return render("compare", "depth_of_tokens")
    comparability = comparable(first, second)
    if not comparability:
        return render("compare", "depth_not_compared", reason=comparability.reason)
    names = distinguishing_names(first, second)
    found = [_gap(own_sweeps(result, companions), reduction) for result in (first, second)]
    gaps = [gap for gap in found if isinstance(gap, GapAtDamage)]
    if len(gaps) < 2:
        lacking = [(name, gap) for name, gap in zip(names, found, strict=True) if isinstance(gap, str)]
        return render("compare", "depth_unknown", damage=DAMAGE, lacking=sorted(lacking))
    difference = gap_difference(*gaps)
    return render(
        "compare",
        "depth",
        names=names,
        damage=DAMAGE,
        shares=[upper_share(gap.value, DAMAGE) for gap in gaps],
        bounds=[100 * bound / (4 * DAMAGE) for bound in (difference.low, difference.high)],
        seeded=any(METHODS[result.pruning.method].is_control for result in (first, second)),
        circumstances=circumstances(first, reduction)
        if same_checkpoint(first, second)
        else f"{data_name(first)}; {reduction_name(reduction)}",
    )


def _gap(sweeps: Sequence[SweepResult], reduction: ReductionKey) -> GapAtDamage | Reason:
    found = placed(sweeps, reduction, DAMAGE)
    return found if not isinstance(found, Placed) else "coarse" if found.gap.coarse else found.gap


# ---------------------------------------------------------------- accuracy


@dataclass(frozen=True)
class AccuracyComparison:
    """Two frames that have removed equally much of the encoder's weights.

    Attributes:
        amounts: The pruning amounts of the first and of the second result.
        sparsity: The share of the encoder's matrix weights that the first has removed.
        only_first: Examples on which only the first is correct.
        only_second: Examples on which only the second is correct.
        p_value: Of McNemar's exact test.
        adjusted: The same after Holm's correction over all frames that are compared.
    """

    amounts: tuple[float, float]
    sparsity: float
    only_first: int
    only_second: int
    p_value: float
    adjusted: float

    @property
    def is_significant(self) -> bool:
        """Whether the difference is significant after Holm's correction over all amounts."""
        return self.adjusted < 1 - CONFIDENCE


def accuracy_comparisons(first: SweepResult, second: SweepResult) -> list[AccuracyComparison]:
    """Compare accuracy wherever two results have removed equally much, whatever the amounts are.

    Each may be a whole sweep or the first frames of one.

    Returns:
        One comparison for each pair of frames that are each other's nearest in prunable sparsity and nearly equal.

    Raises:
        PrunescopeError: They come from different examples.
    """
    from core.sweep.paired_tests import paired_tests

    if not same_examples(first, second):
        raise PrunescopeError(
            f"{data_name(first)} and {data_name(second)} are not the same examples in the same order: choose two "
            "results on the same examples"
        )
    pairs = _equally_sparse(first.frames, second.frames)
    tests = paired_tests(
        first.task.gold, tuple(a.predictions for a, _ in pairs), tuple(b.predictions for _, b in pairs)
    )
    return [
        AccuracyComparison(
            (a.amount, b.amount), a.prunable_sparsity, test.only_first, test.only_second, test.p_value, test.adjusted
        )
        for (a, b), test in zip(pairs, tests, strict=True)
    ]


def _equally_sparse(first: Sequence[Frame], second: Sequence[Frame]) -> list[FramePair]:
    """Pair pruned frames that have removed equally much; comparing the baselines says nothing about pruning."""
    first, second = ([frame for frame in frames if frame.amount > 0] for frames in (first, second))
    return _nearest_pairs(first, second, "prunable_sparsity", SPARSITY_TOLERANCE)


def comparison_table(comparisons: Sequence[AccuracyComparison], names: tuple[str, str]) -> list[dict[str, str]]:
    """Tabulate the paired tests of two named results, one row per amount."""
    return [
        {
            "Encoder weights removed": percent(comparison.sparsity),
            "Pruned by": " and ".join(dict.fromkeys(map(amount_name, comparison.amounts))),
            f"Correct under {names[0]} only": str(comparison.only_first),
            f"Correct under {names[1]} only": str(comparison.only_second),
            "p (exact McNemar)": _p_text(comparison.p_value),
            "p (after Holm)": _p_text(comparison.adjusted),
        }
        for comparison in comparisons
    ]


def _p_text(value: float) -> str:
    return "< 0.001" if value < 0.001 else decimals(value, 3)


def _accuracy(comparisons: Sequence[AccuracyComparison], names: tuple[str, str]) -> str:
    if not comparisons:
        return render("compare", "accuracy_not_compared")
    significant = [comparison for comparison in comparisons if comparison.is_significant]
    first_better = [comparison for comparison in significant if comparison.only_first > comparison.only_second]
    second_better = [comparison for comparison in significant if comparison.only_first < comparison.only_second]
    return render(
        "compare",
        "accuracy",
        better=[
            (name, _places(better, comparisons))
            for name, better in zip(names, (first_better, second_better), strict=True)
            if better
        ],
        level=1 - CONFIDENCE,
        count=len(comparisons),
        smallest_p=floor(100 * min(comparison.adjusted for comparison in comparisons)) / 100,
        undecided=len(comparisons) - len(significant),
    )


def _places(places: Sequence[AccuracyComparison], comparisons: Sequence[AccuracyComparison]) -> str:
    """Name the amounts, or the shares of weights removed if the two results' amounts differ."""
    same_amounts = all(len(set(comparison.amounts)) == 1 for comparison in comparisons)
    runs = [
        [amount_name(comparison.amounts[0]) if same_amounts else percent(comparison.sparsity) for comparison in run]
        for is_place, run in groupby(comparisons, places.__contains__)
        if is_place
    ]
    texts = [[render("compare", "run", first=run[0], last=run[-1])] if len(run) > 2 else run for run in runs]
    return render("compare", "places", same_amounts=same_amounts, runs=[text for run in texts for text in run])
