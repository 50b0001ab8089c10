"""A visitor's own labelled sentences: a file, and what its columns and labels mean."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import PrunescopeError
from core.inputs.own_table import (
    MAX_MEGABYTES,
    MAX_ROWS,
    OwnSentences,
    Table,
    default_examples,
    keep,
    label_values,
    likely_columns,
    likely_label,
    read_table,
    sentences_from,
)
from core.request.catalog import Task
from core.request.limits import is_hosted
from ui.text import plain

LEFT_OUT = "left out"
PREVIEWED = 3  # examples
PREVIEW_MAX_CHARS = 120  # characters
PRIVACY_HOSTED = "They are kept on this server for your runs only, shown to nobody, and lost when it restarts."
PRIVACY_LOCAL = "They stay on this computer, in Prunescope's cache."


def choose_sentences(task: Task, before: str | None) -> str | None:
    """Ask for a file and for the meaning of its columns, and store the sentences.

    Args:
        task: What they are for.
        before: Sentences that serve until a file is chosen.

    Returns:
        Their name for a request's `data`; None if there are none yet, which the page says.
    """
    file = st.file_uploader(
        f"Your sentences: CSV or TSV with a header, at most {MAX_ROWS:,} rows",
        ["csv", "tsv", "txt"],
        key="lab-upload",
        max_upload_size=MAX_MEGABYTES,
        help=PRIVACY_HOSTED if is_hosted() else PRIVACY_LOCAL,
    )
    if file is None:
        words = "The sentences of the run on show are used again." if before else _what_is_needed(task)
        st.markdown(f":small[{words}]")
        return before
    try:
        table = read_table(file.name, file.getvalue())
        sentences = _ask_columns(table, task)
        name = keep(sentences) if sentences else None
    except PrunescopeError as error:
        st.error(plain(f"{error}. The header is row 1."))
        return None
    if sentences:
        _tell(sentences, table, task)
    else:
        st.info("Say what the labels of your file mean; rows whose label means nothing here are left out.")
    return name


def _what_is_needed(task: Task) -> str:
    columns = " and ".join(f"one for the {_words(name)}" for name in task.text_columns)
    labels = " or ".join(_words(name) for name in task.label_names)
    return f"Needed are columns: {columns}, and one that labels it as {labels}. They can be called anything."


def _ask_columns(table: Table, task: Task) -> OwnSentences | None:
    """Draw the boxes for columns and labels, which start with a guess; None as long as no label has a meaning."""
    texts, label = likely_columns(table, task)
    boxes = st.columns(len(texts) + 1, gap="medium")
    chosen = [
        _choose_column(box, table, f"The {_words(name)} is in", guess, name)
        for box, name, guess in zip(boxes, task.text_columns, texts, strict=False)
    ]
    label_column = _choose_column(boxes[-1], table, "The label is in", label, "label")
    means = _ask_labels(table, task, label_column)
    if set(means.values()) <= {None}:
        return None
    return sentences_from(table, task, chosen, label_column, means)


def _choose_column(box: DeltaGenerator, table: Table, label: str, guess: str, name: str) -> str:
    key = f"lab-column-{name}"
    if st.session_state.get(key) not in table.columns:
        st.session_state[key] = guess
    return box.selectbox(label, table.columns, key=key)


def _ask_labels(table: Table, task: Task, column: str) -> dict[str, int | None]:
    """Ask what each value of the label column means."""
    options = [*range(len(task.label_names)), None]
    means: dict[str, int | None] = {}
    with st.container(horizontal=True):
        for value in label_values(table, column):
            key = f"lab-means-{task.name}-{value}"
            if key not in st.session_state:
                st.session_state[key] = likely_label(value, task)
            means[value] = st.selectbox(
                f"“{plain(value[:40])}” means",
                options,
                format_func=lambda index: LEFT_OUT if index is None else _words(task.label_names[index]),
                key=key,
                width=200,
            )
    return means


def _tell(sentences: OwnSentences, table: Table, task: Task) -> None:
    """Say what was understood: counts, the split, the first examples."""
    total = len(sentences.gold)
    evaluated = default_examples(total)
    counts = Counter(sentences.gold)
    parts = ", ".join(f"{counts[index]} {_words(name)}" for index, name in enumerate(task.label_names))
    out = len(table.rows) - total
    st.markdown(
        plain(
            f"{total} examples: {parts}{f'; {out} rows are left out' if out else ''}. {evaluated} of them, drawn at "
            f"random, are evaluated; the other {total - evaluated} are kept for methods that score on examples, "
            "disjoint from those."
        )
    )
    st.markdown("\n".join(f"- {line}" for line in _preview(sentences, task)))


def _preview(sentences: OwnSentences, task: Task) -> Sequence[str]:
    examples = zip(sentences.texts[:PREVIEWED], sentences.gold, strict=False)
    return [plain(f"{_short(' / '.join(texts))} → {_words(task.label_names[label])}") for texts, label in examples]


def _short(text: str) -> str:
    return text if len(text) <= PREVIEW_MAX_CHARS else f"{text[:PREVIEW_MAX_CHARS]}…"


def _words(name: str) -> str:
    """Write a name of the catalog as words."""
    return name.replace("_", " ").replace("1", " 1").replace("2", " 2")
