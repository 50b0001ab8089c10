"""A visitor's own labelled table: the file, and the meaning of its columns and labels."""

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
from core.inputs.tables import TABLE, DataFile, Table, content_key
from core.request.catalog import Task
from core.request.limits import TABLE_SUFFIXES, is_hosted, is_upload, limits
from core.request.sweep_request import AUTO, MAX_LABELS, DataRequest, LabelMap
from core.results.names import brief_label
from core.wall.reading import read
from ui.jobs import progress_shown, visitor
from ui.lab.state import choose_setting, lab, setting
from ui.text import plain, remark

UNDECIDED, LEFT_OUT = "undecided", "left out"  # choices in place of a label
MAX_LISTED, VALUE_MAX_CHARS = 8, 40  # labels in a sentence, and characters of a value
PREVIEW_MAX_CHARS = 120  # of an example
PRIVACY_HOSTED = (
    "It is kept on this server for your runs only, and lost when it restarts. Others never see its "
    "texts; whoever has "
    "the link to a result sees the names of its columns and labels."
)
PRIVACY_LOCAL = "It stays on this computer, in Prunescope's cache."

# The fields of a request that say where a table is and what it means, and ROWS.
Fields = dict[str, Any]
ROWS = "rows"  # the numbers of labelled rows and of those without a label


@cached(
    LRUCache(4),
    content_key,
    Lock(),
)  # each has at most `core.wall.reading.MOST_CHARS`
def read_preview(files: Sequence[DataFile], limit: int) -> Table:
    """Read the first rows of a table in a confined process; cached.

    Args:
        files: The files of the table, at least one.
        limit: The most rows to read.

    Raises:
        BusyError: They were not read in time, or too many others are being read.
        PrunescopeError: A file is unreadable, or takes too much memory.
    """
    with progress_shown() as report:

        def look(ahead: int) -> None:
            report(f"Waiting to read your file: {ahead} to come first", 0, 1)

        paths = [(file.path, file.name) for file in files]
        return TABLE.validate_json(
            read(
                "table",
                paths,
                limit,
                holder=visitor().holder,
                look=look,
            )
        )


def ask_file(label: str, key: str) -> str | None:
    """Ask for a table, store it, and return its name for a request."""
    megabytes = limits().upload_bytes // 2**20
    privacy = PRIVACY_HOSTED if is_hosted() else PRIVACY_LOCAL
    file = st.file_uploader(
        label,
        TABLE_SUFFIXES,
        key=key,
        max_upload_size=megabytes,
        help=privacy,
    )
    return uploads.keep(file.name, file.getvalue(), visitor()) if file else None


def choose_table(task: Task, before: DataRequest | None) -> Fields | str | None:
    """Ask for a file and for the meaning of its columns and labels, and store it.

    Args:
        task: The task, a preset or made from the checkpoint's labels.
        before: The run on show if its labels are the same, for its table to be used again.

    Returns:
        The fields of the request; what the visitor has still to do; None if that is to choose a
        file.

    Raises:
        PrunescopeError: The file cannot be read, or is no longer stored.
    """
    label = (
        f"Your file: {', '.join(TABLE_SUFFIXES)}; of a long one, the first {limits().rows:,} rows "
        "are read"
    )
    last = (before and before.data) or ""
    data = lab().file or (last if is_upload(last) and uploads.belongs(last, visitor()) else "")
    file = ask_file(label, "lab-upload")
    if file:
        data = lab().file = file
    elif data:
        remark("The file that you chose last is used again.")
    else:
        texts = len(task.text_columns) or "one or two"
        labels = first_few([f"“{name}”" for name in task.label_names], MAX_LISTED)
        needs = f"Your file needs a label column and {texts} with text, of any names."
        remark(plain(f"{needs} The model's labels: {labels}."))
        return None
    table = read_preview((uploads.find(data),), limits().rows)
    return ask_meaning(data, table, task, before=before if data == last else None)


def ask_meaning(
    data: str,
    table: Table,
    task: Task,
    split: str | None = None,
    before: DataRequest | None = None,
) -> Fields | str:
    """Ask for the meaning of a table's columns and labels.

    Args:
        data: The table, as a request names it.
        table: Its rows.
        task: The task.
        split: The split of a data set on the Hub.
        before: An earlier run on the table, whose choices replace the guesses.

    Returns:
        The fields of the request; what the visitor has still to do.

    Raises:
        PrunescopeError: The label column holds no labels.
    """
    record = lab()
    about = f"{data} {split}"
    if record.about not in ("", about):  # the same names may mean something else there
        record.forget("texts", "column-", "means-")
    record.about = about
    first = likely_columns(table, task)
    meant: dict[str, str | None] = {}
    if before and before.label:
        first = Columns(before.text, before.label)
        meant = dict(before.label_map)
    counts = (1, 2) if task.name == AUTO else (len(task.text_columns),)
    ending = f"s ({', '.join(task.text_columns)})" if counts == (2,) else "s" if 2 in counts else ""
    chosen = setting("texts", first.text, "default")
    texts = st.multiselect(f"Text column{ending}", [*table.cells], **chosen)
    names = {name: name for name in table.cells}
    label = choose_setting("Label column", names, first.label, "column-label")
    if len(texts) not in counts or label in texts:
        return (
            f"{len(texts)} text columns: choose {' or '.join(map(str, counts))}, other than the "
            "label column"
        )
    label_map = _ask_labels(table, task, Columns(tuple(texts), label), meant)
    if isinstance(label_map, str):
        return label_map
    cells = table.column(label)
    labels = meanings(cells, task, label_map, label)
    rows = [*zip(cells, *map(table.column, texts), strict=True)]
    examples = Counter(labels.get(row[0]) if all(row) else None for row in rows)
    left_out = examples.pop(None, 0)
    parts = ", ".join(
        f"{examples[index]} {brief_label(name)}" for index, name in enumerate(task.label_names)
    )
    parts += f"; {left_out} left out" if left_out else ""
    further = "" if split else " By default, at most half are evaluated."
    further += " Further rows of the file are not read." if table.is_cut else ""
    st.markdown(plain(f"{examples.total()} examples: {parts}.{further}"))
    return {
        "data": data,
        "split": split,
        "text": tuple(texts),
        "label": label,
        "label_map": label_map,
        ROWS: (examples.total(), sum(all(row[1:]) and not row[0] for row in rows)),
    }


def _ask_labels(
    table: Table, task: Task, columns: Columns, before: Mapping[str, str | None]
) -> LabelMap | str:
    """Ask for the meaning of each value of the label column, ignoring case and spaces.

    Args:
        table: The rows.
        task: The task.
        columns: The chosen columns.
        before: The meanings in an earlier run; other values begin with the label of their name.

    Returns:
        The values whose meaning is not the label of their name; what the visitor has still to do.
    """
    cells = table.column(columns.label)
    spellings: dict[str, list[str]] = {}  # of each value, the commonest first
    for cell, _ in Counter(filter(None, cells)).most_common():
        spellings.setdefault(folded(cell), []).append(cell)
    if len(spellings) > MAX_LABELS:
        raise PrunescopeError(
            f"column '{columns.label[:VALUE_MAX_CHARS]}' has {len(spellings):,} different values, "
            f"more than {MAX_LABELS}: choose the column that holds the labels"
        )
    first = {}
    for _, alike in sorted(spellings.items()):
        earlier = [before[spelling] or LEFT_OUT for spelling in alike if spelling in before]
        first[alike[0]] = earlier[0] if earlier else _label_named(alike[0], task)
    unknown = sum(name not in (*task.label_names, LEFT_OUT) for name in first.values())
    asks = "isn't a model label. Match it" if unknown == 1 else "aren't model labels. Match them"
    title = f"{numbered(unknown, 'value')} {asks}" if unknown else "All values are matched"
    options = {
        UNDECIDED: "Choose its meaning",
        **{name: brief_label(name) for name in task.label_names},
        LEFT_OUT: "Nothing: leave its rows out",
    }
    choices = {}
    with st.expander(plain(title), expanded=unknown > 0, key=f"lab-meanings-{unknown > 0}"):
        for value, name in first.items():
            quoted = [f"“{spelling[:VALUE_MAX_CHARS]}”" for spelling in spellings[folded(value)]]
            words = plain(f"{first_few(quoted)} {'means' if len(quoted) == 1 else 'mean'}")
            choices[value] = choose_setting(
                words,
                options,
                name,
                f"means-{task.name}-{value}",
            )
            example = " / ".join(table.column(text)[cells.index(value)] for text in columns.text)
            remark(plain(example[:PREVIEW_MAX_CHARS]))
    undecided = [*choices.values()].count(UNDECIDED)
    if undecided:
        return f"Match {numbered(undecided, 'label value')} to continue"
    means = {value: None if choice == LEFT_OUT else choice for value, choice in choices.items()}
    return tuple(
        (value, name)
        for value, name in means.items()
        if name is None or name != _label_named(value, task)
    )


def _label_named(value: str, task: Task) -> str | None:
    index = label_of(value, task)
    return None if index is None else task.label_names[index]
