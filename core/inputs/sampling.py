"""Draw samples of labelled examples: seeded, proportionally stratified, in random order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import PrunescopeError
from core.request.catalog import DEFAULT_EXAMPLES, MIN_EXAMPLES, SUBSET_SEED, Task

Texts = tuple[tuple[str, ...], ...]  # one or two texts per example
Columns = Mapping[str, Sequence[Any]]  # a task's text columns and `label`, over all rows of a split


@dataclass(frozen=True)
class Sample:
    """Some rows of a split: row numbers, texts, label indices."""

    rows: tuple[int, ...]
    texts: Texts
    gold: tuple[int, ...]


def draw(
    columns: Columns,
    place: str,
    task: Task,
    num_examples: int | None,
    default: int = DEFAULT_EXAMPLES,
    excluded: Texts = (),
) -> Sample:
    """Draw a stratified sample in random order, the same sample every time, and check it.

    Args:
        columns: All rows.
        place: The name of the data in messages.
        task: The task.
        num_examples: How many; None for the default number, or all if there are fewer.
        default: The default number.
        excluded: Examples that must not be drawn.

    Raises:
        PrunescopeError: There are too few rows, a label is outside the task, or a text is empty or not text.
    """
    labels = columns["label"]
    _check_labels(labels, place, task)
    known = set(excluded)
    candidates = zip(*(columns[name] for name in task.text_columns), strict=True)
    free = np.array([row for row, texts in enumerate(candidates) if texts not in known], dtype=np.int64)  # (rows,)
    size = _size(num_examples, len(free), place, default)
    rows = tuple(free[list(stratified(np.array(labels, dtype=np.int64)[free], size))].tolist())
    texts = tuple(tuple(columns[name][row] for name in task.text_columns) for row in rows)
    _check_texts(rows, texts, place, task)
    return Sample(rows, texts, tuple(labels[row] for row in rows))


def stratified(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Sample rows in random order; every label keeps its share (by largest remainders).

    Args:
        labels: Label index of every row, int64, shape (rows,).
        size: Rows to draw, at most `len(labels)`.
    """
    random = np.random.RandomState(SUBSET_SEED)  # legacy on purpose: NumPy promises never to change its stream
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1 / rows, so that remainders are exact integers
    quotas = shares // len(labels)
    by_remainder = np.argsort(-(shares % len(labels)), kind="stable")
    quotas[by_remainder[: size - quotas.sum()]] += 1
    order = random.permutation(len(labels))  # (rows,)
    drawn = [order[labels[order] == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)]
    return tuple(random.permutation(np.concatenate(drawn)).tolist())


def _size(asked: int | None, available: int, place: str, default: int) -> int:
    """Decide the number of examples, or refuse."""
    if available < MIN_EXAMPLES:
        raise PrunescopeError(f"{place} has {available} examples: CKA needs at least {MIN_EXAMPLES}, choose other data")
    if asked is None:
        return min(default, available)
    if asked < MIN_EXAMPLES:
        raise PrunescopeError(f"{asked} examples: CKA needs at least {MIN_EXAMPLES}, ask for more")
    if asked > available:
        raise PrunescopeError(f"{asked} examples: {place} has only {available}, ask for at most that many")
    return asked


def _check_labels(labels: Sequence[Any], place: str, task: Task) -> None:
    for row, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(task.label_names):
            hidden = "; -1 marks GLUE's hidden test labels, use the validation split"
            raise PrunescopeError(
                f"{place}, row {row}: label {label!r} is outside 0 to {len(task.label_names) - 1} of task {task.name} "
                f"({', '.join(task.label_names)})"
                f"{hidden if label == -1 else ': correct the file or choose another task'}"
            )


def _check_texts(rows: Sequence[int], texts: Texts, place: str, task: Task) -> None:
    for row, example in zip(rows, texts, strict=True):
        for name, text in zip(task.text_columns, example, strict=True):
            if not isinstance(text, str) or not text.strip():
                fault = "is empty" if text is None or isinstance(text, str) else "is not text"
                raise PrunescopeError(f"{place}, row {row}: column '{name}' {fault}: correct or remove that row")
