"""A visitor's own labelled table: a file, and what its columns and the values of its label column mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import PrunescopeError, first_few
from core.inputs import uploads
from core.inputs.columns import Columns, likely_columns
from core.inputs.examples import half
from core.inputs.labels import label_of
from core.inputs.preview import read_preview
from core.inputs.tables import Table
from core.jobs import queue
from core.request.catalog import Task
from core.request.limits import is_hosted, limits
from core.request.sweep_request import TABLE_SUFFIXES, LabelMap
from core.request.tasks import AUTO, MAX_LABELS
from core.results.names import label_words
from core.results.prediction import column_name
from ui.jobs import may_be_read, visitor
from ui.lab.settings import begin, forget_if_other, guessed
from ui.remarks import remark
from ui.text import plain

LEFT_OUT = "left out"
UNDECIDED = "Choose its meaning"
MAX_LISTED = 8  # labels, in a sentence
PREVIEWED = 3  # examples of each value
PREVIEW_MAX_CHARS = 120  # characters
ONE, TWO = "One text", "Two texts"
PRIVACY_HOSTED = "It is kept on this server for your runs only, shown to nobody, and lost when it restarts."
PRIVACY_LOCAL = "It stays on this computer, in Prunescope's cache."


@dataclass(frozen=True)
class ChosenTable:
    """A table as a request names it: see `SweepRequest`."""

    data: str
    text: tuple[str, ...]
    label: str | None
    label_map: LabelMap
    split: str | None = None


def choose_table(task: Task, before: ChosenTable | None) -> ChosenTable | None:
    """Ask for a file and for the meaning of its columns and labels, and store it.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The table that serves until a file is chosen.

    Returns:
        None if there is none yet, or something is still to be decided, which the page says.

    Raises:
        PrunescopeError: The file cannot be read, or is not stored here any more.
    """
    file = st.file_uploader(
        f"Your file: {', '.join(TABLE_SUFFIXES)}; of a long one, the first {limits().rows:,} rows are read",
        [suffix.removeprefix(".") for suffix in TABLE_SUFFIXES],
        key="lab-upload",
        max_upload_size=limits().upload_bytes // 2**20,
        help=PRIVACY_HOSTED if is_hosted() else PRIVACY_LOCAL,
        on_change=_forget_a_removed_file,
    )
    key = begin("file", None)  # Streamlit forgets the file while another page is drawn
    if file:
        data, said = uploads.keep(file.name, file.getvalue(), visitor(), queue.uploads_in_use()), None
        st.session_state[key] = data
    elif st.session_state[key]:
        remark("The file that you chose last is used again.")
        data, said = st.session_state[key], None
    elif before and may_be_read(before.data):
        remark("The file of the run on show is used again.")
        data, said = before.data, before
    else:
        remark(plain(_what_is_needed(task)))
        return None
    return ask_meaning(data, read_preview((uploads.find(data),), limits().rows), task, before=said)


def _forget_a_removed_file() -> None:
    """Forget a file that the visitor has removed, unlike one that Streamlit forgets: that is no change."""
    if not st.session_state["lab-upload"]:
        st.session_state["lab-file"] = None


def _what_is_needed(task: Task) -> str:
    texts = {1: "a text column", 2: "two text columns"}.get(len(task.text_columns), "one or two text columns")
    labels = first_few([label_words(name) for name in task.label_names], MAX_LISTED)
    return f"Your file needs {texts} and a label column; any names work. The labels are {labels}."


def ask_meaning(
    data: str, table: Table, task: Task, split: str | None = None, before: ChosenTable | None = None
) -> ChosenTable | None:
    """Ask what the columns and the labels of a table mean; None while something is undecided.

    Args:
        data: The table as a request names it.
        table: Its rows.
        task: What it is for.
        split: Of a data set on the Hub.
        before: What was said of the table already, to begin with instead of a guess.
    """
    forget_if_other(data, ("texts", "column-", "means-"))
    begun = Columns(before.text, before.label) if before and before.label else likely_columns(table, task)
    columns = _ask_columns(table, task, begun)
    means = _ask_labels(table, task, columns, dict(before.label_map) if before else {})
    if means is None:
        return None
    _tell(table, task, columns, means)
    said = tuple((value, label) for value, label in means.items() if label is None or label != _named(value, task))
    return ChosenTable(data, columns.text, columns.label, said, split)


def _ask_columns(table: Table, task: Task, guess: Columns) -> Columns:
    """Draw one box for each text and one for the label, and mark what was guessed."""
    names = guess.text if task.name == AUTO else task.text_columns
    if task.name == AUTO:
        key = begin("texts", TWO if len(guess.text) == 2 else ONE)
        pair = st.segmented_control("Each example has", [ONE, TWO], key=key, required=True) == TWO
        names = ("text1", "text2") if pair else ("text",)
    boxes = st.columns(len(names) + 1, gap="medium")
    spare = [name for name in (*guess.text, *table.columns) if name != guess.label]
    guesses = tuple(dict.fromkeys(spare))[: len(names)] or table.columns[:1]
    chosen = [
        _choose_column(
            box, table, _column_title(k, names), guesses[min(k, len(guesses) - 1)], name, bool(guess.guessed)
        )
        for k, (box, name) in enumerate(zip(boxes, names, strict=False))
    ]
    label = _choose_column(boxes[-1], table, "Label column", guess.label, "label", bool(guess.guessed))
    if len({*chosen, label}) <= len(chosen):
        raise PrunescopeError("a column is chosen twice: choose another column for each part")
    return Columns(tuple(chosen), label)


def _column_title(number: int, names: Sequence[str]) -> str:
    """Name the box of a text; of a pair whose texts differ in kind, such as question and sentence, with the kind."""
    if len(names) == 1:
        return "Text column"
    kind = "" if names[number][-1].isdigit() else f", {column_name(names[number])}"
    return f"{('First', 'Second')[number]} text column{kind}"


def _choose_column(box: DeltaGenerator, table: Table, label: str, begun: str, name: str, is_guess: bool) -> str:
    key = begin(f"column-{name}", begun)
    if st.session_state[key] not in table.columns:
        st.session_state[key] = begun
    marked = guessed(label, is_guess and st.session_state[key] == begun)
    chosen: str = box.selectbox(marked, table.columns, key=key)
    return chosen


# ---------------------------------------------------------------- what the values of the label column mean


def _ask_labels(
    table: Table, task: Task, columns: Columns, said: dict[str, str | None]
) -> dict[str, str | None] | None:
    """Ask what each value of the label column means, with examples of each; None while one is undecided.

    Args:
        table: The rows.
        task: What they are for.
        columns: The chosen columns.
        said: What values were said to mean, None if they are left out; the others begin with the label of their name.
    """
    cells = table.column(columns.label)
    values = sorted({*cells} - {""})
    if len(values) > MAX_LABELS:
        raise PrunescopeError(
            f"column '{columns.label[:40]}' has {len(values):,} different values, more than {MAX_LABELS}: choose the "
            "column that holds the labels"
        )
    unknown = [value for value in values if _named(value, task) is None]
    title = (
        f"Not the name of a label: {len(unknown)} of the {len(values)} values of “{columns.label}”. Say what they mean"
        if unknown
        else f"The {len(values)} values of “{columns.label}” are names of labels"
    )
    said = {value: name for value, name in said.items() if name is None or name in task.label_names}  # of this model
    begun = {value: said[value] or LEFT_OUT if value in said else _named(value, task) for value in values}
    with st.expander(plain(title), expanded=None in begun.values(), key=f"lab-meanings-{bool(unknown)}"):
        chosen = {value: _ask_label(value, begun[value], table, task, columns) for value in values}
    if undecided := [value for value, meaning in chosen.items() if meaning is None]:
        listed = ", ".join(f"“{value[:40]}”" for value in undecided[:5])
        st.info(
            plain(f"Say what each of these means, or leave its rows out: {listed}{' …' if len(undecided) > 5 else ''}.")
        )
        return None
    return {value: None if meaning == LEFT_OUT else meaning for value, meaning in chosen.items()}


def _named(value: str, task: Task) -> str | None:
    """Return the label whose name a value is."""
    index = label_of(value, task)
    return None if index is None else task.label_names[index]


def _ask_label(value: str, begun: str | None, table: Table, task: Task, columns: Columns) -> str | None:
    """Draw one row: a value, the label that it means, and some of its examples."""
    key = begin(f"means-{task.name}-{value}", begun)
    options = [*task.label_names, LEFT_OUT]
    if st.session_state[key] not in options:
        st.session_state[key] = begun
    left, right = st.columns([2, 5], gap="medium")
    with left:
        chosen: str | None = st.selectbox(
            f"“{plain(value[:40])}” means", options, format_func=label_words, key=key, placeholder=UNDECIDED
        )
    with right:
        st.markdown("\n".join(f"- :small[{plain(text)}]" for text in _examples(value, table, columns)))
    return chosen


def _examples(value: str, table: Table, columns: Columns) -> list[str]:
    """Return the first texts that have a value."""
    positions = [k for k, cell in enumerate(table.column(columns.label)) if cell == value][:PREVIEWED]
    return [_short(" / ".join(table.column(name)[k] for name in columns.text)) for k in positions]


def _tell(table: Table, task: Task, columns: Columns, means: dict[str, str | None]) -> None:
    """Say what was understood: counts, what is evaluated, what is left."""
    counts = Counter(means[value] for value in table.column(columns.label) if value)
    out = counts.pop(None, 0)
    total = counts.total()
    parts = ", ".join(f"{counts[name]} {label_words(name)}" for name in task.label_names)
    evaluated = min(half(total), total)
    st.markdown(
        plain(
            f"{total} examples: {parts}{f'; {out} left out' if out else ''}. Up to {evaluated} of them, drawn at "
            f"random, are evaluated; the other {total - evaluated} are kept for methods that score on examples."
            f"{' Further rows of the file are not read.' if table.is_cut else ''}"
        )
    )


def _short(text: str) -> str:
    return text if len(text) <= PREVIEW_MAX_CHARS else f"{text[:PREVIEW_MAX_CHARS]}…"
