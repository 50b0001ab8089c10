"""How well the model still does: the metric on show, where it fails, and sentences (`words/accuracy.jinja`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.words import render
from core.request.catalog import METRICS
from core.results.names import decimals
from core.results.schema import Frame, SweepResult
from core.sweep.scores import SCORES
from core.sweep.working_range import majority_value


def metric_of(*results: SweepResult, asked: str | None = None) -> str:
    """Choose the metric to show: the one asked for, else the task's main one; accuracy where a result lacks it."""
    wanted = {asked or result.task.main_metric for result in results}
    metric = wanted.pop() if len(wanted) == 1 else "accuracy"
    return metric if all(metric in result.frames[0].metrics for result in results) else "accuracy"


def majority_of(result: SweepResult, metric: str) -> float:
    """Compute what a metric gives for always predicting the most frequent gold label."""
    return majority_value(metric, np.array(result.task.gold))


def reference_of(result: SweepResult, metric: str) -> tuple[str, float]:
    """Return what a metric is held against, and its value: what always answering the majority class reaches.

    F1 gives that 0 where it is the negative label; it is held against always answering with the positive one.
    """
    if metric != "f1":
        return "majority class", majority_of(result, metric)
    gold = np.array(result.task.gold)
    return "always positive", float(SCORES[metric](gold, np.ones_like(gold)))


def beyond_from(result: SweepResult) -> float | None:
    """Return the amount beyond which the model no longer works; None where it works up to the largest, or unknown."""
    known = result.working_range
    return known.to if known and known.to is not None and known.to < result.amounts[-1] else None


def range_remark(result: SweepResult) -> str:
    """Say from where on a drop is shown, beside how far the model works; empty where that is unknown."""
    known = result.working_range
    return render("accuracy", "range_remark", known=known) if known and known.to is not None else ""


@dataclass(frozen=True)
class AccuracyCourse:
    """How accuracy changes with the amount.

    Attributes:
        baseline: Accuracy without pruning.
        interval: Its 95 % interval.
        majority: Accuracy of always predicting the most frequent gold label.
        first_step: The smallest amount above 0.
        largest: The largest amount.
        inside_up_to: The last amount before accuracy first leaves the interval.
        majority_from: The amount from which accuracy's interval never again lies wholly above the majority class;
            0 if it never does at all, None if it still does at the largest amount.
    """

    baseline: float
    interval: tuple[float, float]
    majority: float
    first_step: float
    largest: float
    inside_up_to: float
    majority_from: float | None


def accuracy_course(result: SweepResult) -> AccuracyCourse | None:
    """Describe how accuracy changes; None if it or its interval is unknown, or if there is only one frame."""
    frames = result.frames
    baseline, interval = frames[0].metrics.get("accuracy"), frames[0].intervals.get("accuracy")
    if baseline is None or interval is None or len(frames) < 2:
        return None
    majority = majority_of(result, "accuracy")
    return AccuracyCourse(
        baseline,
        interval,
        majority,
        result.amounts[1],
        result.amounts[-1],
        _inside_up_to(frames, interval),
        _majority_from(frames, majority),
    )


def _inside_up_to(frames: Sequence[Frame], interval: tuple[float, float]) -> float:
    low, high = interval
    outside = [not low <= (frame.metrics["accuracy"] or 0.0) <= high for frame in frames[1:]]
    return frames[outside.index(True)].amount if any(outside) else frames[-1].amount


def _majority_from(frames: Sequence[Frame], majority: float) -> float | None:
    lows = [(frame.intervals["accuracy"] or (0.0, 0.0))[0] for frame in frames]
    above = [k for k, low in enumerate(lows) if low > majority]
    if not above:
        return 0.0
    return frames[above[-1] + 1].amount if above[-1] + 1 < len(frames) else None


def accuracy_finding(result: SweepResult) -> str:
    """Say how long accuracy holds and when it falls to the majority class; the result may be unfinished."""
    first, last = result.frames[0], result.frames[-1]
    baseline, final = first.metrics.get("accuracy"), last.metrics.get("accuracy")
    if baseline is None or final is None:
        return render("accuracy", "unknown")
    if len(result.frames) < 2:
        return render("accuracy", "unpruned_alone", metric=METRICS["accuracy"].title, unpruned=decimals(baseline, 2))
    course = accuracy_course(result)
    if course is None:
        return render("accuracy", "at_two", baseline=baseline, final=final, amount=last.amount)
    return render("accuracy", "course", course=course)
