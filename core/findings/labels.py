"""Warn that a checkpoint may number its labels in another order than the task.

Names are matched when a checkpoint is loaded (`core.inputs.labels`), but LABEL_0 and LABEL_1 say nothing, and names can
be incorrect. A result does not record the names, so the warning relies on the unpruned model's predictions alone; it
covers stored and uploaded results too. Labels are never reordered here.
"""

import numpy as np

from core.findings.words import render
from core.request.catalog import FEW_EXAMPLES
from core.results.names import label_words
from core.results.schema import SweepResult

MIN_IMPROVEMENT = 0.2  # in accuracy, from another order of the labels


def label_caution(result: SweepResult) -> str:
    """Warn if another order of the labels, or the majority class, fits clearly better; else return an empty text.

    The best one-to-one order maximises the trace of the confusion matrix (the assignment problem, solved by SciPy).
    Fewer than 64 examples are too few for that comparison.
    """
    names, gold, predicted = result.task.label_names, result.task.gold, result.frames[0].predictions
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)  # (predicted labels, gold labels)
    np.add.at(confusion, (predicted, gold), 1)
    count, correct = len(gold), int(confusion.trace())
    enough = correct + MIN_IMPROVEMENT * count
    if count >= FEW_EXAMPLES and confusion.max(axis=1).sum() >= enough:  # else no order can be that good
        from scipy.optimize import linear_sum_assignment  # imported here: it would slow down the first page

        _, meant = linear_sum_assignment(confusion, maximize=True)  # (labels,) what each predicted label fits best
        best = int(confusion[range(len(names)), meant].sum())
        if best >= enough:
            order = [label_words(names[label]) for label in meant]
            return render("labels", "another_order", accuracy=correct / count, best=best / count, order=order)
    majority = int(confusion.sum(axis=0).max())
    if correct < majority:
        return render(
            "labels",
            "below_majority",
            accuracy=correct / count,
            majority=majority / count,
            embedded=result.checkpoint.source == "embedded",
        )
    return ""
