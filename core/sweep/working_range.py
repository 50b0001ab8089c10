"""Up to which pruning amount a model still works, and from which on it has been shown not to.

The *retained lead* of an amount a is (M(a) - M₀) / (M(0) - M₀), with the task's main metric M and
its value M₀ for always answering the majority class (0 for Matthews correlation). The *working
range* ends with the last amount before the retained lead first falls below 0.9. It is a point
estimate, given only if the 95 % interval of the lead excludes 0. The *range shown broken* is
cautious: from the largest amount down, as long as the paired percentile bootstrap of M(a) - M(0)
over examples excludes 0.
"""

from collections.abc import Sequence

import numpy as np

from core.results.statistics import WorkingRangeRecord
from core.sweep.scores import SCORES, Array, Labels
from core.sweep.statistics import bootstrapped

RETAINED = 0.9  # of the lead
ROUNDING = 1e-9  # a retained lead of exactly 0.9, but for rounding, has not fallen below it
DRAWS = 2_000
DETECTABLE = 2.8  # standard errors: a difference that a two-sided 5 % test finds 4 times in 5


def working_range(
    metric: str, amounts: Sequence[float], gold: Labels, predictions: Labels
) -> WorkingRangeRecord:
    """Compute both ranges from predictions.

    Args:
        metric: A name from `core.sweep.scores.SCORES`.
        amounts: (frames,) ascending from 0.
        gold: (examples,) label indices.
        predictions: (frames, examples) label indices.
    """
    to, lead = works_to(metric, amounts, gold, predictions)
    broken_from = None
    for frame in range(len(amounts) - 1, 0, -1):
        _, high = change(metric, gold, predictions[0], predictions[frame])
        if high >= 0:
            break
        broken_from = float(amounts[frame])
    return WorkingRangeRecord(
        to=to,
        metric=metric,
        examples=len(gold),
        shown_broken_from=broken_from,
        lead=lead,
    )


def works_to(
    metric: str, amounts: Sequence[float], gold: Labels, predictions: Labels
) -> tuple[float | None, float]:
    """Find where the working range ends; the arguments are those of `working_range`.

    Returns:
        Its last amount, None if the 95 % interval of the lead does not exclude 0; and the lead.
    """
    golds = np.broadcast_to(gold, predictions.shape)  # (frames, examples)
    values = SCORES[metric](golds, predictions)  # (frames,)
    leads = values - majority_value(metric, gold)  # (frames,)
    lead = float(leads[0])
    low, _ = change(metric, gold, _majority(gold), predictions[0])
    if low <= 0:
        return None, lead
    fallen = leads < RETAINED * lead - ROUNDING  # (frames,)
    last = int(fallen.argmax()) - 1 if fallen.any() else -1
    return float(amounts[last]), lead


def majority_value(metric: str, gold: Labels) -> float:
    """Compute a metric's value for always answering the most frequent gold label.

    Args:
        metric: A name from `core.sweep.scores.SCORES`.
        gold: (examples,) label indices.
    """
    return float(SCORES[metric](gold, _majority(gold)))


def _majority(gold: Labels) -> Labels:
    """Return the prediction of the most frequent gold label for all examples, (examples,)."""
    labels, counts = np.unique(gold, return_counts=True)
    return np.full_like(gold, labels[counts.argmax()])


def change(metric: str, gold: Labels, baseline: Labels, pruned: Labels) -> tuple[float, float]:
    """Bootstrap M(a) - M(0) over examples, in pairs; both bounds are 0 if no prediction differs.

    Args:
        metric: A name from `core.sweep.scores.SCORES`.
        gold: (examples,) label indices.
        baseline: (examples,) predictions of the unpruned model.
        pruned: (examples,) predictions of the pruned model.

    Returns:
        The lower and the upper bound of the 95 % interval.
    """
    if np.array_equal(baseline, pruned):
        return 0.0, 0.0
    score = SCORES[metric]

    def difference(rows: Labels, axis: int = -1) -> Array:
        golds = gold[rows]  # (…, examples)
        after = score(golds, pruned[rows])  # (…)
        before = score(golds, baseline[rows])  # (…)
        return np.asarray(after - before)

    rows = np.arange(len(gold))
    low, high = bootstrapped((rows,), difference, DRAWS).confidence_interval
    return float(low), float(high)
