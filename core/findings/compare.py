"""Two results on the same examples, compared pairwise: depth gaps and accuracy, in numbers and in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from core.errors import PrunescopeError
from core.findings.claim import SPARSITY_TOLERANCE, depth_gap_of, interval_text, number, remove_equally, same_examples
from core.findings.overview import is_cumulative
from core.results.names import (
    amount_name,
    checkpoint_name,
    circumstances,
    data_name,
    in_sentence,
    listed,
    points_name,
    pruning_name,
    reduction_name,
)
from core.results.schema import Frame, SweepResult
from core.sweep.statistics import CONFIDENCE, gap_difference

Scale = Literal["amount", "prunable_sparsity"]
FramePair = tuple[Frame, Frame]

FARTHEST_TOGETHER = 0.05  # frames that are farther apart on the shared scale are not shown together


@dataclass(frozen=True)
class AccuracyComparison:
    """One amount at which two results have removed equally much of the encoder's weights.

    Attributes:
        amount: The pruning amount of the one result.
        other_amount: The pruning amount of the other.
        sparsity: The share of the encoder's matrix weights that the one has removed.
        only_one: Examples on which the one alone is right.
        only_other: Examples on which the other alone is right.
        p_value: Of McNemar's exact test.
        adjusted: The same after Holm's correction over all amounts that are compared.
    """

    amount: float
    other_amount: float
    sparsity: float
    only_one: int
    only_other: int
    p_value: float
    adjusted: float

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance, all amounts considered."""
        return self.adjusted < 1 - CONFIDENCE


# ---------------------------------------------------------------- what is shown together


def shared_scale(one: SweepResult, other: SweepResult) -> Scale:
    """Tells what two results have in common: amounts of single weights and of whole units are not the same thing.

    Args:
        one: A result.
        other: Another one.
    """
    return "amount" if one.pruning.granularity == other.pruning.granularity else "prunable_sparsity"


def place(frame: Frame, scale: Scale) -> float:
    """Gives a frame's place on the shared scale."""
    return frame.amount if scale == "amount" else frame.prunable_sparsity


def shown_together(one: SweepResult, other: SweepResult) -> list[FramePair]:
    """Pairs the frames that are each other's nearest on the shared scale, the baselines first.

    Args:
        one: A whole sweep or the first frames of one.
        other: The same.
    """
    scale = shared_scale(one, other)
    return _nearest_pairs(one.frames, other.frames, scale, FARTHEST_TOGETHER)


def notes_on(one: SweepResult, other: SweepResult, pairs: Sequence[FramePair]) -> list[str]:
    """Says what has to be known before two results are looked at together; nothing where they differ in pruning only.

    Args:
        one: A result.
        other: Another one.
        pairs: The frames that are shown together.
    """
    scale = shared_scale(one, other)
    farthest = max((round(abs(place(a, scale) - place(b, scale)), 3) for a, b in pairs), default=0.0)
    notes = []
    if scale == "prunable_sparsity":
        notes.append(
            "Single weights and whole units are pruned by different amounts, so the two share an axis only as "
            "prunable sparsity: the share of the encoder's weights that is removed."
        )
    if farthest > 0:
        notes.append(f"Frames are shown together that are each other's nearest: they differ by at most {farthest:.3f}.")
    if len(pairs) < 2:
        notes.append("The two have nothing in common beyond the unpruned baseline, so there is nothing to play.")
    if one.cka.points != other.cka.points:
        notes.append(
            f"The rows of the two heatmaps do not correspond ({_rows_name(one)} and {_rows_name(other)}), so there "
            "is no picture of their difference."
        )
    if not same_examples(one, other):
        notes.append(
            f"The two come from different examples ({data_name(one)}; {data_name(other)}): they can be looked at, "
            "but no paired test is possible."
        )
    return notes


def _rows_name(result: SweepResult) -> str:
    return f"{points_name(result.cka.points)} of {result.checkpoint.num_layers} layers"


def names_apart(one: SweepResult, other: SweepResult) -> tuple[str, str]:
    """Names two results by what tells them apart.

    Args:
        one: A result.
        other: Another one.
    """
    first, second = (in_sentence(pruning_name(result)) for result in (one, other))
    if one.checkpoint.revision != other.checkpoint.revision:
        first, second = f"{first} ({checkpoint_name(one)})", f"{second} ({checkpoint_name(other)})"
    return (f"{first} (first result)", f"{second} (second result)") if first == second else (first, second)


def _nearest_pairs(frames: Sequence[Frame], others: Sequence[Frame], scale: Scale, farthest: float) -> list[FramePair]:
    """Pairs frames that are each other's nearest and at most so far apart."""

    def distance(a: Frame, b: Frame) -> float:
        return round(abs(place(a, scale) - place(b, scale)), 9)

    def nearest(frame: Frame, among: Sequence[Frame]) -> Frame:
        return min(among, key=lambda one: distance(one, frame))

    pairs = [(frame, nearest(frame, others)) for frame in frames if others]
    return [(a, b) for a, b in pairs if distance(a, b) <= farthest and nearest(b, frames) is a]


# ---------------------------------------------------------------- in words and in numbers


def comparison_findings(one: SweepResult, other: SweepResult, reduction: str) -> list[str]:
    """Says how two results on the same examples differ: first in depth gap, then in accuracy.

    Args:
        one: A whole sweep or the first frames of one.
        other: The same.
        reduction: A name from `core.request.catalog.REDUCTIONS`.

    Raises:
        PrunescopeError: They come from different examples.
    """
    _check_examples(one, other)
    names = names_apart(one, other)
    return [_depth_gaps(one, other, reduction, names), _accuracies(accuracy_comparisons(one, other), names)]


def accuracy_comparisons(one: SweepResult, other: SweepResult) -> list[AccuracyComparison]:
    """Compares accuracy wherever two results have removed equally much, whatever they call the amount.

    Args:
        one: A whole sweep or the first frames of one.
        other: The same.

    Returns:
        One comparison for each pair of frames that are nearest to each other in prunable sparsity and nearly equal.

    Raises:
        PrunescopeError: They come from different examples.
    """
    from core.sweep.metrics import paired_tests

    _check_examples(one, other)
    pairs = _matched(one.frames, other.frames)
    tests = paired_tests(one.task.gold, tuple(a.predictions for a, _ in pairs), tuple(b.predictions for _, b in pairs))
    return [
        AccuracyComparison(
            a.amount, b.amount, a.prunable_sparsity, test.only_one, test.only_other, test.p_value, test.adjusted
        )
        for (a, b), test in zip(pairs, tests, strict=True)
    ]


def comparison_table(comparisons: Sequence[AccuracyComparison], names: tuple[str, str]) -> list[dict[str, str]]:
    """Gives the paired tests as a table, one row an amount.

    Args:
        comparisons: Of `accuracy_comparisons`.
        names: What the two are called.
    """
    return [
        {
            "Share of the encoder's weights removed": f"{one.sparsity:.2f}",
            "Pruning amounts": " and ".join(dict.fromkeys((amount_name(one.amount), amount_name(one.other_amount)))),
            f"Right under {names[0]} only": str(one.only_one),
            f"Right under {names[1]} only": str(one.only_other),
            "p (exact McNemar)": _p_text(one.p_value),
            "p (after Holm)": _p_text(one.adjusted),
        }
        for one in comparisons
    ]


def _p_text(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _check_examples(one: SweepResult, other: SweepResult) -> None:
    if not same_examples(one, other):
        raise PrunescopeError(
            f"{data_name(one)} and {data_name(other)}: these are not the same examples in the same order, choose two "
            "results on the same ones"
        )


def _matched(frames: Sequence[Frame], others: Sequence[Frame]) -> list[FramePair]:
    """Pairs frames that have removed equally much; the baselines are the same model or none."""
    pruned, others = ([frame for frame in side if frame.amount > 0] for side in (frames, others))
    return _nearest_pairs(pruned, others, "prunable_sparsity", SPARSITY_TOLERANCE)


def _depth_gaps(one: SweepResult, other: SweepResult, reduction: str, names: tuple[str, str]) -> str:
    gap, theirs = depth_gap_of(one, reduction), depth_gap_of(other, reduction)
    if reduction == "tokens":
        return "With all tokens, as published, no interval is known: depth gaps are not compared."
    if gap is None or theirs is None:
        return "Depth gaps are not compared: an interval is not known for both results."
    if reason := _incomparable(one, other):
        return f"Depth gaps are not compared: {reason}."
    difference = gap_difference(gap, theirs)
    values = [f"{name} ({number(value.value)})" for name, value in zip(names, (gap, theirs), strict=True)]
    if difference.excludes_zero:
        more = "larger" if difference.value > 0 else "smaller"
        said = f"The depth gap is {more} under {values[0]} than under {values[1]}"
    else:
        said = f"No difference in depth gap is shown between {values[0]} and {values[1]}"
    measured = f"{number(difference.value)} ({interval_text(difference)}, paired by example)"
    same_model = one.checkpoint.revision == other.checkpoint.revision
    where = circumstances(one, reduction) if same_model else f"{data_name(one)}; {reduction_name(reduction)}"
    return f"{said}: the difference is {measured} ({where})."


def _incomparable(one: SweepResult, other: SweepResult) -> str:
    """Says why two depth gaps do not measure the same; empty where they do."""
    if not (is_cumulative(one) and is_cumulative(other)):
        return "a single layer's pruning has none to speak of"
    if one.cka.points != other.cka.points:
        return "the two were measured at different points"
    if one.amounts != other.amounts:
        return "the two were measured over different amounts"
    uneven = [(a, b) for a, b in zip(one.frames, other.frames, strict=True) if not remove_equally(a, b)]
    if uneven:
        a, b = uneven[-1]
        return (
            f"the two do not remove equally much at the same amount, such as {a.prunable_sparsity:.2f} and "
            f"{b.prunable_sparsity:.2f} of the encoder's weights at amount {amount_name(a.amount)}"
        )
    return ""


def _accuracies(comparisons: Sequence[AccuracyComparison], names: tuple[str, str]) -> str:
    if not comparisons:
        return "Accuracy is not compared: at no amount do the two remove equally much of the encoder's weights."
    count = f"{len(comparisons)} amounts" if len(comparisons) > 1 else "the one amount"
    test = f"exact McNemar test, Holm's correction over {count} at which both remove equally much"
    better = [
        [one for one in comparisons if one.is_significant and (one.only_one > one.only_other) == first]
        for first in (True, False)
    ]
    said = [
        f"{name} is right more often at {_places(places, comparisons)}"
        for name, places in zip(names, better, strict=True)
        if places
    ]
    if not said:
        smallest = min(one.adjusted for one in comparisons)
        return f"No difference in accuracy is shown at any amount ({test}: p ≥ {_rounded_down(smallest)})."
    rest = len(comparisons) - sum(map(len, better))
    elsewhere = f"; at the other {rest}, no difference is shown" if rest else ""
    return f"In accuracy, {'; '.join(said)} ({test}: p < {1 - CONFIDENCE:.2f}){elsewhere}."


def _places(places: Sequence[AccuracyComparison], comparisons: Sequence[AccuracyComparison]) -> str:
    """Names amounts, or what is removed where the two call it by different amounts."""
    same = all(one.amount == one.other_amount for one in comparisons)
    word = "prunable sparsity" if not same else "amounts" if len(places) > 1 else "amount"
    runs = [
        [amount_name(one.amount) if same else f"{one.sparsity:.2f}" for one in run]
        for named, run in groupby(comparisons, places.__contains__)
        if named
    ]
    said = [[f"{run[0]} to {run[-1]}"] if len(run) > 2 else run for run in runs]
    return f"{word} {listed([text for run in said for text in run])}"


def _rounded_down(p_value: float) -> str:
    """Writes a p-value with two decimals that it does not fall below."""
    return f"{int(p_value * 100) / 100:.2f}"
