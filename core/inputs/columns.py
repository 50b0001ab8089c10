"""Choose a table's text and label columns: those requested, or the likeliest. No torch."""

import re
from collections import defaultdict
from collections.abc import Sequence
from statistics import median_low
from typing import NamedTuple

from core.errors import PrunescopeError, first_few
from core.inputs.labels import folded, label_of
from core.inputs.tables import Table
from core.request.catalog import TASKS, Task
from core.request.sweep_request import MAX_LABELS

LABEL_COLUMNS = (
    "label",
    "labels",
    "gold",
    "class",
    "target",
    "category",
    "sentiment",
    "emotion",
    "intent",
    "topic",
)
TEXT_COLUMNS = (
    "text",
    "sentence",
    "content",
    "review",
    "utterance",
    "tweet",
    "document",
    "comment",
    "message",
)
PAIR_TASKS = [task for task in TASKS.values() if len(task.text_columns) == 2]
# Words that no other task uses.
PAIR_LABELS = {folded(name) for task in PAIR_TASKS for name in task.label_names}
MAX_NAMES = 200  # different values of a label column, such as joy and Joy
# Rows of a column, and characters of a cell, that show whether it holds text.
SAMPLE = 100
CHARS = 200
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2}")  # scripts without spaces


class Columns(NamedTuple):
    """The columns of a table that a task reads.

    Attributes:
        text: The columns of the texts, one or two.
        label: The column of the label.
        guessed: Which of `text` and `label` were guessed.
    """

    text: tuple[str, ...]
    label: str
    guessed: tuple[str, ...] = ()


def choose_columns(table: Table, task: Task, text: Sequence[str], label: str | None) -> Columns:
    """Return the requested columns, and the likeliest in place of those that were not requested.

    Args:
        table: The rows.
        task: The task. One that is made from labels may read one text or two, whatever its text
            columns.
        text: The requested text columns; none are guessed.
        label: The requested label column; None is guessed.

    Raises:
        PrunescopeError: There are more or fewer texts than the task reads, or too few columns hold
            text.
    """
    wanted = len(task.text_columns)
    if task.name in TASKS and text and len(text) != wanted:
        raise PrunescopeError(
            f"{len(text)} text columns: name {wanted}, as many as {task.title} reads"
        )
    columns = likely_columns(table, task, text, label)
    table.column(columns.label)  # refuses one that does not exist
    if not columns.text:
        raise PrunescopeError(
            f"{table.name} has the columns {first_few([*table.cells], 12)}, and it is unclear "
            "which holds the text: name it with --text (of a pair --text2)"
        )
    return columns


def likely_columns(
    table: Table, task: Task, text: Sequence[str] = (), label: str | None = None
) -> Columns:
    """Guess what is not requested of the columns; there may be no text. See `choose_columns`."""
    guessed = []
    if not text:
        guessed.append("text")
    if not label:
        guessed.append("label")
        label = max(table.cells, key=lambda name: _label_grade(name, table, task, text))
    text = tuple(text) or _likely_text(table, task, label)
    return Columns(text, label, tuple(guessed))


def _label_grade(name: str, table: Table, task: Task, text: Sequence[str]) -> tuple[float, ...]:
    """Grade a column as a label's, by the first of these that differs from another column's.

    It is no text; holds nothing but labels, as numbers only if it is named like a label; is named
    like a label; is named `label`; has as many values as rows with equal labels allow; has nearly
    as many as the task has labels; comes last.
    """
    is_named = name.lower() in LABEL_COLUMNS
    values = [value for value in dict.fromkeys(table.column(name)) if value][: MAX_NAMES + 1]
    holds_labels = 0 < len(values) <= MAX_NAMES and all(
        (is_named or not value.isdigit()) and label_of(value, task) is not None for value in values
    )
    count = len({*map(folded, values)})
    most = min(MAX_LABELS, len(table.rows) - 1)  # a column of more values is an id
    return (
        name not in text,
        holds_labels,
        is_named,
        name.lower() == "label",
        1 < count <= most,
        -abs(count - len(task.label_names)),
        [*table.cells].index(name),
    )


def _likely_text(table: Table, task: Task, label: str) -> tuple[str, ...]:
    """Return the likeliest columns of the texts, none if too few hold text.

    They are the preset's columns; a known pair, or two columns whose names differ only at the end;
    a column that is named like a text; or those with the longest cells of text, unless a checkpoint
    of its own labels may read one text or two. Numbers and ids do not count.
    """
    others = [name for name in table.cells if name != label]
    grades = {name: _text_grade(table.column(name)) for name in others}
    texts = [name for name in others if 0 < grades[name] == max(grades.values())]
    usual = [task.text_columns]
    if len(task.text_columns) != 1:
        usual += [pair.text_columns for pair in PAIR_TASKS]
        usual += _alike(texts)
    for names in usual:
        if names and set(names) <= set(others):
            return names
    is_pair = {*map(folded, task.label_names)} <= PAIR_LABELS
    count = len(task.text_columns) or (2 if is_pair else 1)
    named = [name for name in others if name.lower() in TEXT_COLUMNS]
    if count == len(named) == 1:
        return tuple(named)
    if len(texts) < count or (len(texts) > count and not task.text_columns):
        return ()
    texts.sort(key=lambda name: -sum(map(len, table.column(name))))
    return tuple(sorted(texts[:count], key=[*table.cells].index))


def _alike(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the pairs of names that differ only at the end, such as `title_a` and `title_b`."""
    groups = defaultdict(list)
    for name in sorted(names):
        groups[name.lower().rstrip("12ab").rstrip("_ -.")].append(name)
    return [tuple(group) for group in groups.values() if len(group) == 2]


def _text_grade(cells: Sequence[str]) -> int:
    """Return the median grade of the different cells: 2 for words, 1 for a word, 0 for other cells.

    A number or an id is no word.
    """
    grades = []
    for cell in {*cells[:SAMPLE]} - {""}:
        start = cell[:CHARS]
        words = start.split()
        count = sum(any(map(str.isalpha, word)) for word in words)
        is_id = len(words) == 1 and any(map(str.isdigit, start))
        if count > 1 or UNSPACED.search(start):
            grades.append(2)
        else:
            grades.append(int(count > 0 and not is_id))
    return median_low(grades or [0])
