"""How well the model still does: the metric on show, its reference, and when to doubt the labels.

Names of labels are matched when a checkpoint is loaded (`core.inputs.labels`), but LABEL_0 and
LABEL_1 say nothing, and names can be incorrect. A result does not record the checkpoint's names, so
a doubt rests on the unpruned model's predictions alone, of stored and uploaded results too. Labels
are never reordered here.
"""

from collections import Counter

import numpy as np

from core.request.catalog import FEW_EXAMPLES, METRICS
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from core.results.names import capitalised
from core.results.schema import SweepResult, TaskRecord
from core.sweep.scores import SCORES
from core.sweep.working_range import DETECTABLE, RETAINED, majority_value, works_to

FEW = 2  # evaluation examples of a label; with fewer it has no interval
MIN_IMPROVEMENT = 0.2  # in accuracy, from another order of the labels
MIN_LEAD = 0.2  # of that order over the majority class, as a share of what that leaves over
EACH_MAIN = "each its main one"  # in the place of a metric, of two tasks that differ in theirs


def metrics_of(*results: SweepResult) -> dict[str, str]:
    """Return the titles of the metrics that all results have, the main one or EACH_MAIN first."""
    mains = dict.fromkeys(result.task.main_metric for result in results)
    titles = {}
    if len(mains) > 1:
        symbols = " and ".join(METRICS[name].symbol for name in mains)
        titles[EACH_MAIN] = capitalised(symbols)
    for name in sorted(METRICS, key=lambda name: name not in mains):
        if all(name in result.frames[0].metrics for result in results):
            titles[name] = METRICS[name].title
    return titles


def metric_of(result: SweepResult, preferred: str | None) -> str:
    """Return the metric to show: the preferred one if the result has it, else the main one."""
    if preferred in metrics_of(result):
        return preferred
    return result.task.main_metric


def working_to(result: SweepResult, metric: str | None = None) -> float | None:
    """Return the last amount at which the model works by a metric; None for none, or unknown.

    By another metric than the task's main one, the evaluation examples are judged, which may be
    fewer.
    """
    main = result.working_range
    if main is None:
        return None
    if metric is None or metric == main.metric:
        return main.to
    return cached_call(_works_to, result, metric)


def _works_to(result: SweepResult, metric: str) -> float | None:
    gold = np.array(result.task.gold)
    predictions = np.array([frame.predictions for frame in result.frames])
    last, _ = works_to(metric, result.amounts, gold, predictions)
    return last


def beyond_from(result: SweepResult, metric: str | None = None) -> float | None:
    """Return the end of the working range; None if that is the largest amount, or unknown."""
    to = working_to(result, metric)
    if to is None or to >= result.amounts[-1]:
        return None
    return to


def reference_of(result: SweepResult | CutStudy, metric: str) -> tuple[str, float]:
    """Return the reference of a metric and its value: that of always guessing the commonest label.

    F1 gives that 0 where it is the negative label; its reference always answers positive.
    """
    gold = np.array(result.task.gold)
    if metric != "f1":
        return "commonest label", majority_value(metric, gold)
    return "always positive", float(SCORES[metric](gold, np.ones_like(gold)))


def smallest_drop(result: SweepResult) -> float | None:
    """Compute the smallest drop of the main metric that the examples can show.

    It is DETECTABLE standard errors of M(a) - M(0) where the working range ends, by the delete-one
    jackknife over the evaluation examples; where the range was judged on more, the standard error
    is scaled to their number. Where the range ends with the unpruned model, the first amount
    counts. None without a range.
    """
    working = result.working_range
    if working is None or working.to is None or len(result.frames) < 2:
        return None
    last = max(result.amounts.index(working.to), 1)
    predictions = [result.frames[k].predictions for k in (0, last)]
    labels = np.array([result.task.gold, *predictions])  # (3, n)
    score = SCORES[working.metric]
    # Examples with the same three labels have the same replicate.
    _, firsts, counts = np.unique(labels, axis=1, return_index=True, return_counts=True)
    changes = []  # (kinds,)
    for k in firsts:
        gold, before, after = np.delete(labels, k, axis=1)  # each (n - 1,)
        changes.append(float(score(gold, after) - score(gold, before)))
    variance = np.cov(changes, fweights=counts, ddof=0)
    n = len(result.task.gold)
    return float(DETECTABLE * np.sqrt((n - 1) * variance * n / working.examples))


def has_doubtful_range(result: SweepResult) -> bool:
    """Whether a drop of a tenth of the lead could go unseen where the working range ends."""
    working = result.working_range
    drop = smallest_drop(result)
    return working is not None and drop is not None and drop > (1 - RETAINED) * working.lead


# ---------------------------------------------------------------- labels that are rare or in doubt


def label_doubt(result: SweepResult) -> tuple[float, float, tuple[str, ...]] | None:
    """Find another order of the labels that fits clearly better; None if there is none.

    The best one-to-one order maximises the trace of the confusion matrix (the assignment problem,
    solved by SciPy). Fewer than 64 examples are too few for that comparison. An order that does
    little better than always answering the commonest label is none: a model that answers one label
    has it in some order.

    Returns:
        The unpruned model's accuracy, that of the order, and the labels in it.
    """
    from scipy.optimize import linear_sum_assignment  # here: it is slow to load

    names = result.task.label_names
    gold = result.task.gold
    count = len(gold)
    if count < FEW_EXAMPLES:
        return None
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)  # (predicted labels, gold)
    np.add.at(confusion, (result.frames[0].predictions, gold), 1)
    _, meant = linear_sum_assignment(confusion, maximize=True)  # (labels,)
    correct = int(confusion.trace())
    best = int(confusion[range(len(names)), meant].sum())
    majority = int(confusion.sum(axis=0).max())
    if best < correct + MIN_IMPROVEMENT * count:
        return None
    if best < majority + MIN_LEAD * (count - majority):
        return None
    return correct / count, best / count, tuple(names[label] for label in meant)


def rare_labels(task: TaskRecord) -> list[str]:
    """Return the labels with hardly any evaluation examples."""
    counts = Counter(task.gold)
    names = enumerate(task.label_names)
    return [name for index, name in names if counts[index] < FEW]
