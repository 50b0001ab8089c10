"""Choose a table's text and label columns: those that were asked for, or a guess where that is safe. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import PrunescopeError, first_few
from core.inputs.labels import label_of
from core.inputs.tables import Table
from core.request.catalog import TASKS, Task

LABEL_COLUMNS = ("label", "labels", "gold", "class", "target", "category", "sentiment", "emotion", "intent", "topic")
TEXT_COLUMNS = ("text", "sentence", "content", "review", "utterance", "tweet", "document", "comment", "message")
_OF_PRESETS = [task.text_columns for task in TASKS.values() if len(task.text_columns) == 2]
PAIRS: tuple[tuple[str, ...], ...] = (*dict.fromkeys(_OF_PRESETS), ("text1", "text2"), ("text_a", "text_b"))
MAX_LISTED = 12
MAX_NAMES = 200  # ways in which a column writes its labels, such as joy and Joy


@dataclass(frozen=True)
class Columns:
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
        task: The task; without text columns, those of the table decide whether it reads one text or two.
        text: The text columns asked for; none are guessed.
        label: The label column asked for; None is guessed.

    Raises:
        PrunescopeError: A column does not exist, there are more or fewer texts than the task reads, or a guess is not
            safe.
    """
    if text and len(text) != (len(task.text_columns) or len(text)):
        raise PrunescopeError(f"{len(text)} text columns: name {len(task.text_columns)}, as many as {task.title} reads")
    found_label = label or _safe_label(table, task)
    found_text = tuple(text) or _safe_text(table, task, found_label)
    if not found_label or not found_text:
        raise PrunescopeError(
            f"{table.name} has the columns {first_few([name[:40] for name in table.columns], MAX_LISTED)}, and it is "
            f"unclear which holds the {'text' if found_label else 'label'}: name it with --text (of a pair --text2) or "
            "--label"
        )
    table.column(found_label)  # refused if there is none
    for name in found_text:
        table.column(name, is_text=True)
    asked = {"text": text, "label": label}
    return Columns(found_text, found_label, tuple(name for name, given in asked.items() if not given))


def likely_columns(table: Table, task: Task) -> Columns:
    """Guess the columns, safe or not, for somebody who sees the guess and can change it."""
    kinds = {name: len(set(table.column(name))) for name in table.columns}
    label = _safe_label(table, task) or min(reversed(table.columns), key=lambda name: kinds[name])
    safe = _safe_text(table, task, label)
    if safe:
        return Columns(safe, label, ("text", "label"))
    count = len(task.text_columns) or 1
    others = [name for name in table.columns if name != label]
    longest = sorted(others, key=lambda name: -sum(map(len, table.column(name))))[:count]
    in_order = sorted(longest, key=table.columns.index)
    return Columns(tuple((*in_order, *table.columns)[:count]), label, ("text", "label"))


def _safe_label(table: Table, task: Task) -> str | None:
    """Return the only column that holds nothing but labels, else the only one that is called like a label.

    Numbers are labels where the task numbers them and the column is called so; elsewhere they may be anything.
    """
    named = [name for name in table.columns if name.lower() in LABEL_COLUMNS]
    holding = [name for name in table.columns if _holds_labels(table.column(name), task, name in named)]
    for candidates in (holding, named, [name for name in named if name.lower() == "label"]):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _holds_labels(cells: Sequence[str], task: Task, numbers: bool) -> bool:
    """Whether cells are names of labels, or with `numbers` the numbers of labels."""
    values = {*cells} - {""}
    return 0 < len(values) <= MAX_NAMES and all(
        (numbers or not value.isdigit()) and label_of(value, task) is not None for value in values
    )


def _safe_text(table: Table, task: Task, label: str | None) -> tuple[str, ...] | None:
    """Return the columns of the preset, of a known pair, or the only one that can be meant."""
    columns = [name for name in table.columns if name != label and name not in table.numeric]
    if task.text_columns and set(task.text_columns) <= set(columns):
        return task.text_columns
    known = () if len(task.text_columns) == 1 else PAIRS
    found = [pair for pair in known if set(pair) <= set(columns)]
    if len(found) != 1 and len(task.text_columns) != 2:
        singles: list[tuple[str, ...]] = [(name,) for name in columns]
        found = [single for single in singles if single[0].lower() in TEXT_COLUMNS]
        found = found if len(found) == 1 else singles
    return found[0] if len(found) == 1 else None
