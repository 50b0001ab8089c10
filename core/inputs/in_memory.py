"""Turn sentences in memory into the form in which a visitor's own come: a table like an uploaded one. No torch."""

import json
from collections.abc import Iterable
from typing import Any

from core.errors import PrunescopeError
from core.inputs import uploads
from core.request.limits import limits

FILE = "sentences.jsonl"  # what results call the table
LABEL = "label"
TEXT, PAIR = ("text",), ("text1", "text2")
SHOWN_CHARS = 40  # of a value, in a message
MOST_BITS = 64  # of an integer; Python writes none of 4,300 digits or more


def keep_sentences(sentences: Iterable[Any], labels: Iterable[Any]) -> tuple[str, tuple[str, ...]]:
    """Store labelled sentences as `core.inputs.uploads` stores a file; their places are the numbers of its rows.

    Args:
        sentences: Texts, or pairs of texts.
        labels: For each the name or the number of its label. Both go by place: the index of a pandas series is ignored.

    Returns:
        The table's name for a request's `data`, and its text columns.

    Raises:
        PrunescopeError: They are no texts or pairs of texts, or there is not one label for each.
    """
    try:
        given = [] if isinstance(sentences, str) else sentences
        rows = [(row,) if isinstance(row, str) else tuple(row) for row in given]
        marks = [mark_of(label, f"labels[{place}]") for place, label in enumerate(labels)]
    except TypeError as error:
        raise PrunescopeError(f"sentences or labels: {error}: give lists of texts or pairs, and of labels") from error
    if not 0 < len(rows) == len(marks) <= limits().rows:
        fault = f"{len(rows):,} sentences and {len(marks):,} labels"
        raise PrunescopeError(f"{fault}: give a list of at most {limits().rows:,} texts or pairs, and their labels")
    columns = PAIR if len(rows[0]) == 2 else TEXT
    for place, texts in enumerate(rows):
        if len(texts) != len(columns) or not all(isinstance(text, str) and text.strip() for text in texts):
            shown = repr(texts[0] if len(texts) == 1 else texts)[:SHOWN_CHARS]
            raise PrunescopeError(f"sentences[{place}] is {shown}: give a text each, or a pair of texts each")
    named = (dict(zip((*columns, LABEL), (*texts, mark), strict=True)) for texts, mark in zip(rows, marks, strict=True))
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in named)
    return uploads.keep(FILE, lines.encode(errors="backslashreplace")), columns  # half a character is refused when read


def plain(value: Any) -> Any:
    """Return the Python value of a single one of numpy or torch, and anything else as it is.

    Raises:
        PrunescopeError: It is an integer too long to be written.
    """
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise PrunescopeError(f"a number has {value.bit_length():,} bits: give one of at most {MOST_BITS}")
    return value.item() if getattr(value, "ndim", None) == 0 else value


def mark_of(label: Any, place: str) -> str | int | float:
    """Return the name or the number of a label.

    Args:
        label: As it was given.
        place: What the message calls it.

    Raises:
        PrunescopeError: It is neither.
    """
    mark = plain(label)
    if not isinstance(mark, str | int | float) or mark == "" or mark != mark:  # NaN differs from itself
        raise PrunescopeError(f"{place} is {repr(mark)[:SHOWN_CHARS]}: give the name or the number of a label")
    return mark
