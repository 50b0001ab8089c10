"""A visitor's own labelled table: a file, and what its columns and the values of its label column mean."""

from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import streamlit as st
from cachetools import LRUCache, cached

from core.errors import PrunescopeError, first_few
from core.findings.words import numbered
from core.inputs import uploads
from core.inputs.columns import Columns, likely_columns
from core.inputs.labels import folded, label_of, meanings
from core.inputs.tables import TABLE, DataFile, Table, content_of
from core.jobs.queue import queue
from core.request.catalog import Task
from core.request.limits import TABLE_SUFFIXES, is_hosted, is_upload, limits
from core.request.sweep_request import AUTO, MAX_LABELS, LabelMap, SweepRequest
from core.results.names import brief_label
from core.wall.reading import read
from ui.jobs import progress_shown, visitor
from ui.lab.state import begun, choose_setting, lab
from ui.text import plain, remark

UNDECIDED, LEFT_OUT = "undecided", "left out"  # in place of a label
MAX_LISTED, VALUE_MAX_CHARS = 8, 40  # labels in a sentence, and characters of a value
PREVIEW_MAX_CHARS = 120  # of an example
FILE = "lab-file"  # of the settings: Streamlit forgets the file while another page is drawn
PRIVACY_HOSTED = (
    "It is kept on this server for your runs only, and lost when it restarts. Others never see its texts; whoever has "
    "the link to a result sees the names of its columns and labels."
)
PRIVACY_LOCAL = "It stays on this computer, in Prunescope's cache."

Fields = dict[str, Any]  # of a request: where a table is, and what is in it


def _key(files: Sequence[DataFile], limit: int) -> tuple[object, ...]:
    return (*((file.name, content_of(file)) for file in files), limit)


@cached(LRUCache(4), _key, Lock())  # each has at most `core.wall.reading.MOST_CHARS`
def read_preview(files: Sequence[DataFile], limit: int) -> Table:
    """Read the first rows of a table in a limited child, once for all pages that show it; see `read_table`.

    Args:
        files: At least one.
        limit: The most rows to read.

    Raises:
        BusyError: They were not read in time, or too many others are being read.
        PrunescopeError: A file is unreadable, or takes too much memory.
    """
    with progress_shown() as report:

        def look(ahead: int) -> None:
            report(f"Waiting to read your file: {ahead} to come first", 0, 1)

        paths = [(file.path, file.name) for file in files]
        return TABLE.validate_json(read("table", paths, limit, holder=visitor().holder, look=look))


def choose_table(task: Task, before: SweepRequest | None) -> Fields | str | None:
    """Ask for a file and for the meaning of its columns and labels, and store it.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The run whose table serves until a file is chosen.

    Returns:
        None if there is none yet; what has still to be done if something is undecided.

    Raises:
        PrunescopeError: The file cannot be read, or is not stored here any more.
    """
    file = st.file_uploader(
        f"Your file: {', '.join(TABLE_SUFFIXES)}; of a long one, the first {limits().rows:,} rows are read",
        [suffix.removeprefix(".") for suffix in TABLE_SUFFIXES],
        key="lab-upload",
        max_upload_size=limits().upload_bytes // 2**20,
        help=PRIVACY_HOSTED if is_hosted() else PRIVACY_LOCAL,
    )
    known = (before and before.data) or ""
    data = lab().settings.get(FILE) or (known if is_upload(known) and uploads.belongs(known, visitor()) else "")
    if file:
        data = lab().settings[FILE] = uploads.keep(file.name, file.getvalue(), visitor(), queue.uploads_in_use())
    elif data:
        remark("The file that you chose last is used again.")
    else:
        texts = len(task.text_columns) or "one or two"
        labels = first_few([f"“{name}”" for name in task.label_names], MAX_LISTED)
        needed = f"Your file needs a label column and {texts} with text, of any names."
        remark(plain(f"{needed} The model's labels: {labels}."))
        return None
    table = read_preview((uploads.find(data),), limits().rows)
    return ask_meaning(data, table, task, before=before if data == known else None)


def ask_meaning(
    data: str, table: Table, task: Task, split: str | None = None, before: SweepRequest | None = None
) -> Fields | str:
    """Ask what the columns and the labels of a table mean; return what has still to be done while they are undecided.

    Args:
        data: The table as a request names it.
        table: Its rows.
        task: What it is for.
        split: Of a data set on the Hub.
        before: A run on it, which says what to begin with instead of a guess.

    Raises:
        PrunescopeError: There are more or fewer texts than the task reads, or the label column holds no labels.
    """
    record = lab()
    if record.about not in ("", f"{data} {split}"):  # the same words may mean something else there
        record.forget("texts", "column-", "means-")
    record.about = f"{data} {split}"
    first = Columns(before.text, before.label) if before and before.label else likely_columns(table, task)
    wanted = (1, 2) if task.name == AUTO else (len(task.text_columns),)
    kinds = f"s ({', '.join(task.text_columns)})" if wanted == (2,) else "s" if 2 in wanted else ""
    texts = st.multiselect(f"Text column{kinds}", [*table.cells], **begun("texts", first.text, "default"))
    label = choose_setting("Label column", {name: name for name in table.cells}, first.label, "column-label")
    if len(texts) not in wanted or label in texts:
        counted = " or ".join(map(str, wanted))
        raise PrunescopeError(f"{len(texts)} text columns: choose {counted}, other than the label column")
    said = _ask_labels(table, task, Columns(tuple(texts), label), dict(before.label_map) if before else {})
    if isinstance(said, str):
        return said
    cells = [cell for cell in table.column(label) if cell]
    counts = Counter(map(meanings(cells, task, said, label).get, cells))
    out = counts.pop(None, 0)
    parts = ", ".join(f"{counts[index]} {brief_label(name)}" for index, name in enumerate(task.label_names))
    cut = " Further rows of the file are not read." if table.is_cut else ""
    st.markdown(plain(f"{counts.total()} examples: {parts}{f'; {out} left out' if out else ''}.{cut}"))
    return {"data": data, "split": split, "text": tuple(texts), "label": label, "label_map": said}


def _ask_labels(table: Table, task: Task, columns: Columns, said: Mapping[str, str | None]) -> LabelMap | str:
    """Ask what the values of the label column mean that are no label's name; or say what to do while one is undecided.

    Values that differ in case and spaces alone are asked for once, under the commonest, with an example.

    Args:
        table: The rows.
        task: What they are for.
        columns: The chosen columns.
        said: What values were said to mean; the others begin with the label of their name.
    """
    cells = table.column(columns.label)
    alike: dict[str, list[str]] = {}  # the spellings of a value, the commonest first
    for cell, _ in Counter(filter(None, cells)).most_common():
        alike.setdefault(folded(cell), []).append(cell)
    if len(alike) > MAX_LABELS:
        raise PrunescopeError(
            f"column '{columns.label[:VALUE_MAX_CHARS]}' has {len(alike):,} different values, more than {MAX_LABELS}: "
            "choose the column that holds the labels"
        )
    first = {}
    for _, spellings in sorted(alike.items()):
        known = [said[spelling] or LEFT_OUT for spelling in spellings if spelling in said]
        first[spellings[0]] = known[0] if known else _named(spellings[0], task)
    unknown = sum(name not in (*task.label_names, LEFT_OUT) for name in first.values())
    asks = "isn't a model label. Match it" if unknown == 1 else "aren't model labels. Match them"
    title = f"{numbered(unknown, 'value')} {asks}" if unknown else "All values are matched"
    options = {UNDECIDED: "Choose its meaning", **{name: brief_label(name) for name in task.label_names}}
    chosen = {}
    with st.expander(plain(title), expanded=unknown > 0, key=f"lab-meanings-{unknown > 0}"):
        for value, begins in first.items():
            quoted = [f"“{spelling[:VALUE_MAX_CHARS]}”" for spelling in alike[folded(value)]]
            words = plain(f"{first_few(quoted)} {'means' if len(quoted) == 1 else 'mean'}")
            names = {**options, LEFT_OUT: "Nothing: leave its rows out"}
            chosen[value] = choose_setting(words, names, begins, f"means-{task.name}-{value}")
            example = " / ".join(table.column(name)[cells.index(value)] for name in columns.text)
            remark(plain(example[:PREVIEW_MAX_CHARS]))
    if undecided := sum(meaning == UNDECIDED for meaning in chosen.values()):
        return f"Match {numbered(undecided, 'label value')} to continue"
    means = {value: None if meaning == LEFT_OUT else meaning for value, meaning in chosen.items()}
    return tuple((value, name) for value, name in means.items() if name is None or name != _named(value, task))


def _named(value: str, task: Task) -> str | None:
    """Return the label whose name a value is."""
    index = label_of(value, task)
    return None if index is None else task.label_names[index]
