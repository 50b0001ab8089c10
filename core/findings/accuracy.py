"""How well the model still does: the metric on show, what it is held against, and where it fails."""

from dataclasses import dataclass

import numpy as np

from core.results.schema import SweepResult
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


@dataclass(frozen=True)
class AccuracyCourse:
    """How accuracy changes with the amount.

    Attributes:
        baseline: Accuracy without pruning.
        interval: Its 95 % interval.
        majority: Accuracy of always predicting the most frequent gold label.
        inside_up_to: The last amount before accuracy first leaves the interval.
        majority_from: The amount from which accuracy's interval never again lies wholly above the majority class;
            0 if it never does at all, None if it still does at the largest amount.
    """

    baseline: float
    interval: tuple[float, float]
    majority: float
    inside_up_to: float
    majority_from: float | None


def accuracy_course(result: SweepResult) -> AccuracyCourse | None:
    """Describe how accuracy changes; None if it or its interval is unknown."""
    frames, amounts = result.frames, result.amounts
    baseline, interval = frames[0].metrics.get("accuracy"), frames[0].intervals.get("accuracy")
    if baseline is None or interval is None:
        return None
    low, high = interval
    majority = majority_of(result, "accuracy")
    left = [k for k, frame in enumerate(frames[1:]) if not low <= (frame.metrics["accuracy"] or 0.0) <= high]
    above = [k for k, frame in enumerate(frames) if (frame.intervals["accuracy"] or (0.0, 0.0))[0] > majority]
    after = above[-1] + 1 if above else 0  # the first frame of those that are never above again
    return AccuracyCourse(
        baseline,
        interval,
        majority,
        inside_up_to=amounts[left[0]] if left else amounts[-1],
        majority_from=amounts[after] if after < len(amounts) else None,
    )
