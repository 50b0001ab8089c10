"""Choose a table's text and label columns: those that were asked for, or a guess where that is safe. No torch."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, islice
from statistics import median_low
from typing import NamedTuple

from core.errors import PrunescopeError, first_few
from core.inputs.labels import NUMBER, folded, label_of
from core.inputs.tables import Table
from core.request.catalog import TASKS, Task
from core.request.sweep_request import MAX_LABELS

LABEL_COLUMNS = ("label", "labels", "gold", "class", "target", "category", "sentiment", "emotion", "intent", "topic")
TEXT_COLUMNS = ("text", "sentence", "content", "review", "utterance", "tweet", "document", "comment", "message")
PAIR_TASKS = [task for task in TASKS.values() if len(task.text_columns) == 2]
PAIR_LABELS = {folded(name) for task in PAIR_TASKS for name in task.label_names}  # words that no other task uses
MAX_NAMES = 200  # ways in which a column writes its labels, such as joy and Joy
SAMPLE, CHARS = 100, 200  # rows of a column, and characters of a cell, that tell whether it holds text
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2}")  # of scripts without spaces


class Columns(NamedTuple):
    """What the columns of a table hold.

    Attributes:
        text: The columns of the texts, one or two.
        label: The column of the label.
        guessed: Which of `text` and `label` were guessed.
    """

    text: tuple[str, ...]
    label: str
    guessed: tuple[str, ...] = ()


def choose_columns(table: Table, task: Task, text: Sequence[str], label: str | None) -> Columns:
    """Return the columns that were asked for, and guess those that were not where only one guess makes sense.

    Args:
        table: The rows.
        task: The task. One that is made from labels may read one text or two, whatever its text columns.
        text: The text columns asked for; none are guessed.
        label: The label column asked for; None is guessed.

    Raises:
        PrunescopeError: A column does not exist, there are more or fewer texts than the task reads, or a guess is not
            safe.
    """
    if task.name in TASKS and text and len(text) != len(task.text_columns):
        raise PrunescopeError(f"{len(text)} text columns: name {len(task.text_columns)}, as many as {task.title} reads")
    found_label = label or _safe_label(table, task)
    likely = [tuple(text)] if text else _likely_texts(table, task, found_label)
    if not found_label or len(likely) != 1:
        known, wanted = first_few([*table.cells], 12), "text" if found_label else "label"
        fault = f"{table.name} has the columns {known}, and it is unclear which holds the {wanted}"
        raise PrunescopeError(f"{fault}: name it with --text (of a pair --text2) or --label")
    table.column(found_label)  # refused if there is none
    for name in likely[0]:
        table.column(name, is_text=True)
    asked = {"text": text, "label": label}
    return Columns(likely[0], found_label, tuple(name for name, given in asked.items() if not given))


def likely_columns(table: Table, task: Task) -> Columns:
    """Guess the columns, safe or not, for somebody who sees the guess and can change it; perhaps none for the texts."""
    kinds = {k: len({*map(folded, islice(dict.fromkeys(cells), MAX_NAMES))} - {""}) for k, cells in table.cells.items()}
    most = min(MAX_LABELS, len(table.rows) - 1)  # else it is an id
    several = [name for name in table.cells if 1 < kinds[name] <= most] or [*table.cells]
    label = _safe_label(table, task) or min(reversed(several), key=lambda k: abs(kinds[k] - len(task.label_names)))
    return Columns((*_likely_texts(table, task, label), ())[0], label, ("text", "label"))


def _safe_label(table: Table, task: Task) -> str | None:
    """Return the only column that holds nothing but labels, else the only one that is called like a label.

    Numbers are labels where the task numbers them and the column is called so; elsewhere they may be anything.
    """
    holding, named = [], []
    for name in table.cells:
        word, values = name.lower(), {*table.column(name)} - {""}
        is_asked = label_of(word[3:], task) is not None or (_says_nothing(task) and word[3:] in PAIR_LABELS)
        if word in LABEL_COLUMNS or (word.startswith("is_") and is_asked):
            named.append(name)
        known = (value for value in values if name in named or not value.isdigit())
        if 0 < len(values) <= MAX_NAMES and len(values) == sum(label_of(value, task) is not None for value in known):
            holding.append(name)
    for candidates in (holding, named, [name for name in named if name.lower() == "label"]):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _likely_texts(table: Table, task: Task, label: str | None) -> list[tuple[str, ...]]:
    """Return what may be the columns of the texts, the likeliest first; where there is only one, that is safe.

    These are the columns of the preset, a known pair or columns of one name but for its end, one that is called like a
    text, or those with the longest cells of text; numbers and ids are none.
    """
    others = [name for name in table.cells if name != label and name not in table.numeric]
    if task.text_columns and set(task.text_columns) <= set(others):
        return [task.text_columns]
    grades = {name: _text_grade(table.column(name)) for name in others}
    texts = [name for name, grade in grades.items() if 0 < grade == max(grades.values())]
    alike = defaultdict(list)
    for name in sorted(texts):
        alike[name.lower().rstrip("12ab").rstrip("_ -.")].append(name)
    known: dict[tuple[str, ...], None] = dict.fromkeys(pair.text_columns for pair in PAIR_TASKS)
    known |= dict.fromkeys(tuple(names) for names in alike.values() if len(names) == 2)
    pairs = [pair for pair in known if set(pair) <= set(others)]
    if len(task.text_columns) != 1 and pairs:
        return pairs
    named = [name for name in others if name.lower() in TEXT_COLUMNS]
    count = len(task.text_columns) or (2 if {*map(folded, task.label_names)} <= PAIR_LABELS else 1)
    if count == len(named) == 1:
        return [tuple(named)]
    sizes = {name: sum(map(len, table.column(name))) for name in texts}
    longest = sorted(texts, key=lambda name: -sizes[name])[:3]
    is_even = len(texts) == 2 and max(sizes.values()) < 2 * min(sizes.values())
    counts = (2, 1) if is_even and _says_nothing(task) else (count,)
    return [tuple(sorted(some, key=[*table.cells].index)) for k in counts for some in combinations(longest, k)]


def _says_nothing(task: Task) -> bool:
    """Whether the labels of a task that is made from them are mere numbers: it may read one text or two."""
    return not task.text_columns and all(map(NUMBER.fullmatch, map(folded, task.label_names)))


def _text_grade(cells: Sequence[str]) -> int:
    """Grade most of the different cells: 2 for several words, 1 for one, 0 for a number or an id."""
    grades = []
    for cell in {*cells[:SAMPLE]} - {""}:
        words = cell[:CHARS].split()
        count = sum(any(map(str.isalpha, word)) for word in words)
        is_id = len(words) == 1 and any(map(str.isdigit, cell[:CHARS]))
        grades.append(2 if count > 1 or UNSPACED.search(cell[:CHARS]) else int(count > 0 and not is_id))
    return median_low(grades or [0])
