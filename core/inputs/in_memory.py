"""Turn sentences in memory into the form in which a visitor's own come: a table like an uploaded one. No torch."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.errors import PrunescopeError
from core.inputs import uploads
from core.request.limits import limits

FILE = "sentences.jsonl"  # what results call the table
LABEL = "label"
TEXT, PAIR = ("text",), ("text1", "text2")
SHOWN_CHARS = 40  # of a value, in a message


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
    if isinstance(sentences, str):
        raise PrunescopeError("the sentences are one text: give a list of texts, or of pairs of texts")
    rows = [tuple(texts) if _is_row(texts) else (texts,) for texts in _listed(sentences, "sentences")]
    marks = [mark_of(label, f"labels[{place}]") for place, label in enumerate(_listed(labels, "labels"))]
    if not rows or len(rows) != len(marks):
        raise PrunescopeError(f"{len(rows)} sentences and {len(marks)} labels: give one label for each sentence")
    if len(rows) > limits().rows:
        raise PrunescopeError(f"{len(rows):,} sentences: give at most {limits().rows:,}, such as a sample of them")
    columns = PAIR if len(rows[0]) == 2 else TEXT
    for place, texts in enumerate(rows):
        _check(place, texts, len(columns))
    named = [dict(zip((*columns, LABEL), (*texts, mark), strict=True)) for texts, mark in zip(rows, marks, strict=True)]
    return uploads.keep(FILE, _written(named)), columns


def plain(value: Any) -> Any:
    """Return the Python value of a single one of numpy or torch, and anything else as it is."""
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
        raise PrunescopeError(f"{place} is {_shown(mark)}: give the name or the number of a label")
    return mark


def _listed(values: Iterable[Any], name: str) -> list[Any]:
    """Return the values of a list, a series or whatever gives one after the other."""
    try:
        return list(values)
    except TypeError as error:
        raise PrunescopeError(f"{name} of type {type(values).__name__}: give a list, one for each sentence") from error


def _written(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write rows as JSON lines; letters as they are, since an escape takes three times as much."""
    try:
        content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    except UnicodeEncodeError as error:
        raise PrunescopeError("a sentence holds half of a character, which no tokenizer reads: correct it") from error
    bound = limits().upload_bytes
    if len(content) > bound:
        raise PrunescopeError(
            f"sentences and labels take up {len(content) / 2**20:.0f} MiB: give at most {bound // 2**20}, such as a "
            "sample"
        )
    return content


def _is_row(texts: Any) -> bool:
    """Whether this is several texts: a pair, or the row of an array."""
    return isinstance(texts, list | tuple) or getattr(texts, "ndim", None) == 1


def _check(place: int, texts: Sequence[Any], count: int) -> None:
    """Refuse what is no text, or not as many as the first sentence has."""
    if len(texts) != count or not all(isinstance(text, str) and text.strip() for text in texts):
        shown = _shown(texts[0] if len(texts) == 1 else texts)
        raise PrunescopeError(f"sentences[{place}] is {shown}: give a text each, or a pair of texts each")


def _shown(value: Any) -> str:
    return repr(value)[:SHOWN_CHARS]
