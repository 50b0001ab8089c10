"""A visitor's own labelled table: a file, and what its columns and the values of its label column mean."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

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
from core.request.sweep_request import TABLE_SUFFIXES, SweepRequest
from core.request.tasks import AUTO, MAX_LABELS
from core.results.names import label_words
from core.results.prediction import column_name
from ui.jobs import may_be_read, visitor
from ui.lab.state import begin, guessed, lab
from ui.text import plain, remark

LEFT_OUT = "left out"
UNDECIDED = "Choose its meaning"
MAX_LISTED = 8  # labels, in a sentence
PREVIEWED, PREVIEW_MAX_CHARS = 3, 120  # examples of each value, and their characters
VALUE_MAX_CHARS = 40
ONE, TWO = "One text", "Two texts"
FILE = "lab-file"  # of the settings: Streamlit forgets the file while another page is drawn
PRIVACY_HOSTED = "It is kept on this server for your runs only, shown to nobody, and lost when it restarts."
PRIVACY_LOCAL = "It stays on this computer, in Prunescope's cache."

Fields = dict[str, Any]  # of a request: where a table is, and what is in it
Meanings = Mapping[str, str | None]  # of the values of a label column: a label, or None if their rows are left out


def data_fields(request: SweepRequest) -> Fields:
    """Return what a request says of its data."""
    return {name: getattr(request, name) for name in ("data", "split", "text", "label", "label_map")}


def choose_table(task: Task, before: SweepRequest | None) -> Fields | None:
    """Ask for a file and for the meaning of its columns and labels, and store it.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The run whose table serves until a file is chosen.

    Returns:
        None if there is none yet, or something is still to be decided, which the page says.

    Raises:
        PrunescopeError: The file cannot be read, or is not stored here any more.
    """
    settings = lab().settings
    file = st.file_uploader(
        f"Your file: {', '.join(TABLE_SUFFIXES)}; of a long one, the first {limits().rows:,} rows are read",
        [suffix.removeprefix(".") for suffix in TABLE_SUFFIXES],
        key="lab-upload",
        max_upload_size=limits().upload_bytes // 2**20,
        help=PRIVACY_HOSTED if is_hosted() else PRIVACY_LOCAL,
        on_change=_forget_a_removed_file,
    )
    data: str
    said = None
    if file:
        data = settings[FILE] = uploads.keep(file.name, file.getvalue(), visitor(), queue.uploads_in_use())
    elif data := settings.get(FILE, ""):
        remark("The file that you chose last is used again.")
    elif before and may_be_read(before.data):
        remark("The file of the run on show is used again.")
        data, said = before.data or "", before
    else:
        texts = {1: "a text column", 2: "two text columns"}.get(len(task.text_columns), "one or two text columns")
        labels = first_few([label_words(name) for name in task.label_names], MAX_LISTED)
        needed = f"Your file needs {texts} and a label column; any names work. The labels are {labels}."
        remark(plain(needed))
        return None
    return ask_meaning(data, read_preview((uploads.find(data),), limits().rows), task, before=said)


def _forget_a_removed_file() -> None:
    """Forget a file that the visitor has removed, unlike one that Streamlit forgets: that is no change."""
    if not st.session_state["lab-upload"]:
        lab().settings.pop(FILE, None)


def ask_meaning(
    data: str, table: Table, task: Task, split: str | None = None, before: SweepRequest | None = None
) -> Fields | None:
    """Ask what the columns and the labels of a table mean; None while something is undecided.

    Args:
        data: The table as a request names it.
        table: Its rows.
        task: What it is for.
        split: Of a data set on the Hub.
        before: A run on it, which says what to begin with instead of a guess.
    """
    record = lab()
    if record.about not in ("", data):  # the same words may mean something else there
        record.forget(("texts", "column-", "means-"))
    record.about = data
    begun = Columns(before.text, before.label) if before and before.label else likely_columns(table, task)
    columns = _ask_columns(table, task, begun)
    means = _ask_labels(table, task, columns, dict(before.label_map) if before else {})
    if means is None:
        return None
    counts = Counter(means[value] for value in table.column(columns.label) if value)
    out, total = counts.pop(None, 0), counts.total()
    parts = ", ".join(f"{counts[name]} {label_words(name)}" for name in task.label_names)
    evaluated = min(half(total), total)
    understood = (
        f"{total} examples: {parts}{f'; {out} left out' if out else ''}. Up to {evaluated} of them, drawn at random, "
        f"are evaluated; the other {total - evaluated} are kept for methods that score on examples."
        f"{' Further rows of the file are not read.' if table.is_cut else ''}"
    )
    st.markdown(plain(understood))
    said = tuple((value, label) for value, label in means.items() if label is None or label != _named(value, task))
    return {"data": data, "split": split, "text": columns.text, "label": columns.label, "label_map": said}


def _ask_columns(table: Table, task: Task, guess: Columns) -> Columns:
    """Draw one box for each text and one for the label, and mark what was guessed."""
    names = guess.text if task.name == AUTO else task.text_columns
    if task.name == AUTO:
        key = begin("texts", TWO if len(guess.text) == 2 else ONE)
        pair = st.segmented_control("Each example has", [ONE, TWO], key=key, required=True) == TWO
        names = ("text1", "text2") if pair else ("text",)
    spare = [name for name in (*guess.text, *table.columns) if name != guess.label]
    guesses = tuple(dict.fromkeys(spare))[: len(names)] or table.columns[:1]
    fields = [(_column_title(k, names), guesses[min(k, len(guesses) - 1)], name) for k, name in enumerate(names)] + [
        ("Label column", guess.label, "label")
    ]
    chosen = []
    for box, (title, first, name) in zip(st.columns(len(fields), gap="medium"), fields, strict=True):
        key = begin(f"column-{name}", first)
        if st.session_state[key] not in table.columns:
            st.session_state[key] = first
        marked = guessed(title, bool(guess.guessed) and st.session_state[key] == first)
        chosen.append(box.selectbox(marked, table.columns, key=key))
    if len({*chosen}) < len(chosen):
        raise PrunescopeError("a column is chosen twice: choose another column for each part")
    return Columns(tuple(chosen[:-1]), chosen[-1])


def _column_title(number: int, names: Sequence[str]) -> str:
    """Name the box of a text; of a pair whose texts differ in kind, such as question and sentence, with the kind."""
    if len(names) == 1:
        return "Text column"
    kind = "" if names[number][-1].isdigit() else f", {column_name(names[number])}"
    return f"{('First', 'Second')[number]} text column{kind}"


# ---------------------------------------------------------------- what the values of the label column mean


def _ask_labels(table: Table, task: Task, columns: Columns, said: Meanings) -> Meanings | None:
    """Ask what each value of the label column means, with examples of each; None while one is undecided.

    Args:
        table: The rows.
        task: What they are for.
        columns: The chosen columns.
        said: What values were said to mean; the others begin with the label of their name.
    """
    cells = table.column(columns.label)
    values = sorted({*cells} - {""})
    if len(values) > MAX_LABELS:
        raise PrunescopeError(
            f"column '{columns.label[:VALUE_MAX_CHARS]}' has {len(values):,} different values, more than {MAX_LABELS}: "
            "choose the column that holds the labels"
        )
    begun = {value: _named(value, task) for value in values}
    unknown = sum(name is None for name in begun.values())
    title = (
        f"{unknown} of the {len(values)} values of “{columns.label}” aren't model labels. Match them"
        if unknown
        else f"All {len(values)} values of “{columns.label}” are model labels"
    )
    options = [*task.label_names, LEFT_OUT]
    begun |= {value: said[value] or LEFT_OUT for value in values if said.get(value, "") in (None, *task.label_names)}
    chosen: dict[str, str | None] = {}
    with st.expander(plain(title), expanded=None in begun.values(), key=f"lab-meanings-{bool(unknown)}"):
        for value in values:
            left, right = st.columns([2, 5], gap="medium")
            key = begin(f"means-{task.name}-{value}", begun[value])
            if st.session_state[key] not in options:
                st.session_state[key] = begun[value]
            words = f"“{plain(value[:VALUE_MAX_CHARS])}” means"
            chosen[value] = left.selectbox(words, options, format_func=label_words, key=key, placeholder=UNDECIDED)
            rows = [k for k, cell in enumerate(cells) if cell == value][:PREVIEWED]
            texts = (" / ".join(table.column(name)[k] for name in columns.text) for k in rows)
            right.markdown("\n".join(f"- :small[{plain(_short(text))}]" for text in texts))
    if undecided := [f"“{value[:VALUE_MAX_CHARS]}”" for value in values if chosen[value] is None]:
        more = " …" if len(undecided) > 5 else ""
        st.info(plain(f"Say what each of these means, or leave its rows out: {', '.join(undecided[:5])}{more}."))
        return None
    return {value: None if meaning == LEFT_OUT else meaning for value, meaning in chosen.items()}


def _named(value: str, task: Task) -> str | None:
    """Return the label whose name a value is."""
    index = label_of(value, task)
    return None if index is None else task.label_names[index]


def _short(text: str) -> str:
    return text if len(text) <= PREVIEW_MAX_CHARS else f"{text[:PREVIEW_MAX_CHARS]}…"
