"""What a result must not be read without: few examples, labels that are rare or in doubt.

Names of labels are matched when a checkpoint is loaded (`core.inputs.labels`), but LABEL_0 and LABEL_1 say nothing, and
names can be incorrect. A result does not record the names, so the doubt relies on the unpruned model's predictions
alone; it covers stored and uploaded results too. Labels are never reordered here.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from core.request.catalog import FEW_EXAMPLES
from core.results.schema import SweepResult, TaskRecord

FEW = 2  # evaluation examples of a label; with fewer it has no interval
MIN_IMPROVEMENT = 0.2  # in accuracy, from another order of the labels


@dataclass(frozen=True)
class LabelDoubt:
    """A sign that a checkpoint numbers its labels otherwise than the task.

    Attributes:
        accuracy: The unpruned model's.
        better: What the order would give; without one, what the majority class gives.
        order: The labels in an order that fits clearly better; None where they only fit worse than the majority class.
    """

    accuracy: float
    better: float
    order: tuple[str, ...] | None = None


def label_doubt(result: SweepResult) -> LabelDoubt | None:
    """Look for another order of the labels, or the majority class, that fits clearly better; None without any.

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
            return LabelDoubt(correct / count, best / count, tuple(names[label] for label in meant))
    majority = int(confusion.sum(axis=0).max())
    return LabelDoubt(correct / count, majority / count) if correct < majority else None


def rare_labels(task: TaskRecord) -> list[str]:
    """Return the labels with hardly any evaluation example."""
    counts = Counter(task.gold)
    return [name for index, name in enumerate(task.label_names) if counts[index] < FEW]
