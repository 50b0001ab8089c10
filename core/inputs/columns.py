"""Choose a table's text and label columns: those requested, or the likeliest. No torch."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
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
PAIR_LABELS = {
    folded(name) for task in PAIR_TASKS for name in task.label_names
}  # words that no other task uses
MAX_NAMES = 200  # different values of a label column, such as joy and Joy
SAMPLE, CHARS = (
    100,
    200,
)  # rows of a column, and characters of a cell, that show whether it holds text
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2}")  # of scripts without spaces


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
        task: The task. One that is made from labels may read one text or two, whatever its text columns.
        text: The requested text columns; none are guessed.
        label: The requested label column; None is guessed.

    Raises:
        PrunescopeError: There are more or fewer texts than the task reads, or too few columns hold text.
    """
    if task.name in TASKS and text and len(text) != len(task.text_columns):
        raise PrunescopeError(
            f"{len(text)} text columns: name {len(task.text_columns)}, as many as {task.title} reads"
        )
    columns = likely_columns(table, task, text, label)
    if not columns.text:
        fault = f"{table.name} has the columns {first_few([*table.cells], 12)}, and it is unclear which holds the text"
        raise PrunescopeError(f"{fault}: name it with --text (of a pair --text2)")
    return columns


def likely_columns(
    table: Table, task: Task, text: Sequence[str] = (), label: str | None = None
) -> Columns:
    """Guess what is not requested of the columns; there may be no text. See `choose_columns`."""
    kinds = {
        k: len({*map(folded, islice(dict.fromkeys(cells), MAX_NAMES))} - {""})
        for k, cells in table.cells.items()
    }
    most = min(MAX_LABELS, len(table.rows) - 1)  # a column of more values is an id
    several = [name for name in table.cells if 1 < kinds[name] <= most and name not in text] or [
        *table.cells
    ]
    likely = label or _safe_label(table, task)
    likely = likely or min(reversed(several), key=lambda k: abs(kinds[k] - len(task.label_names)))
    guessed = tuple(kind for kind, names in (("text", text), ("label", label)) if not names)
    return Columns(tuple(text) or _likely_text(table, task, likely), likely, guessed)


def _safe_label(table: Table, task: Task) -> str | None:
    """Return the only column that holds nothing but labels, else the only one that is named like a label.

    Numbers count as labels where the task numbers them and the column is named like a label.
    """
    holding, named = [], []
    for name in table.cells:
        word, values = name.lower(), {*table.column(name)} - {""}
        is_question = word.startswith("is_") and (
            word[3:] in PAIR_LABELS or label_of(word[3:], task) is not None
        )
        if word in LABEL_COLUMNS or is_question:
            named.append(name)
        telling = (value for value in values if name in named or not value.isdigit())
        if 0 < len(values) <= MAX_NAMES and len(values) == sum(
            label_of(value, task) is not None for value in telling
        ):
            holding.append(name)
    for candidates in (holding, named, [name for name in named if name.lower() == "label"]):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _likely_text(table: Table, task: Task, label: str) -> tuple[str, ...]:
    """Return the likeliest columns of the texts, none if too few hold text.

    They are the preset's columns; a known pair, or two columns whose names differ only at the end; a column that is
    named like a text; or those with the longest cells of text, unless a checkpoint of its own labels may read one text
    or two. Numbers and ids do not count.
    """
    others = [name for name in table.cells if name != label]
    if task.text_columns and set(task.text_columns) <= set(others):
        return task.text_columns
    grades = {name: _text_grade(table.column(name)) for name in others}
    texts = [name for name, grade in grades.items() if 0 < grade == max(grades.values())]
    alike = defaultdict(list)
    for name in sorted(texts):
        alike[name.lower().rstrip("12ab").rstrip("_ -.")].append(name)
    usual = [pair.text_columns for pair in PAIR_TASKS] + [
        tuple(names) for names in alike.values() if len(names) == 2
    ]
    pairs = [pair for pair in dict.fromkeys(usual) if set(pair) <= set(others)]
    if len(task.text_columns) != 1 and pairs:
        return pairs[0]
    named = [name for name in others if name.lower() in TEXT_COLUMNS]
    count = len(task.text_columns) or (2 if {*map(folded, task.label_names)} <= PAIR_LABELS else 1)
    if count == len(named) == 1:
        return tuple(named)
    if not task.text_columns and count < len(texts):
        return ()
    sizes = {name: sum(map(len, table.column(name))) for name in texts}
    longest = sorted(texts, key=lambda name: -sizes[name])[:count]
    return tuple(sorted(longest, key=[*table.cells].index)) if len(longest) == count else ()


def _text_grade(cells: Sequence[str]) -> int:
    """Return the median grade of the different cells: 2 for several words, 1 for one, 0 for a number or an id."""
    grades = []
    for cell in {*cells[:SAMPLE]} - {""}:
        words = cell[:CHARS].split()
        count = sum(any(map(str.isalpha, word)) for word in words)
        is_id = len(words) == 1 and any(map(str.isdigit, cell[:CHARS]))
        grades.append(
            2 if count > 1 or UNSPACED.search(cell[:CHARS]) else int(count > 0 and not is_id)
        )
    return median_low(grades or [0])
