"""Text from a visitor or a checkpoint, shown as it is; tables in Markdown; remarks, and what a page refuses."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from core.charts.pages import Shown
from core.errors import PrunescopeError
from core.findings.words import narrow
from core.findings.words.numbers import unbroken

_SPECIAL = re.compile(r"([\\`*_\[\]<>&$~|:#]|^[-+=])")
# Streamlit turns these into links, pictures and arrows even when they are escaped: a word joiner keeps them apart.
_REWRITTEN = re.compile(r"(?<=:)(?=//|[\w/+-]+:)|(?<=@)|(?<=www)(?=\.)|(?<=[-<>=!])(?=[-<>=])", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")
_WORD_JOINER = "\u2060"


def plain(text: str) -> str:
    """Escape a text so that Streamlit's Markdown shows it literally, in one line."""
    joined = _REWRITTEN.sub(_WORD_JOINER, unbroken(" ".join(text.split())))
    return _NUMBERED.sub(r"\1\\", _SPECIAL.sub(r"\\\1", joined))


def markdown_table(rows: list[dict[str, str]], write: Callable[[str], str] = plain) -> str:
    """Write rows of equal keys, at least one, as a Markdown table; pages show every cell literally."""
    first, *lines = (list(map(write, line)) for line in (rows[0], *(row.values() for row in rows)))
    return "\n".join(f"| {' | '.join(line)} |" for line in (first, ["---"] * len(first), *lines))


def show_details(shown: Shown, naming: int = 1) -> None:
    """Show how to read what a page shows, and its tables; see `show_table`."""
    st.markdown(shown.text)
    for table in shown.tables.values():
        show_table(table, naming)


def show_table(rows: list[dict[str, str]], naming: int = 1) -> None:
    """Show a table in parts that are narrow enough for a telephone, each with the columns that name a row.

    Nothing is shown where it has no rows.
    """
    for part in narrow(rows, naming):
        st.markdown(markdown_table(part))


def remark(words: str) -> None:
    """Write a remark in Markdown; a caption would be too faint to be read on a projector."""
    st.markdown(f":small[{words}]")


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show what is refused inside, as plain text."""
    try:
        yield
    except PrunescopeError as error:
        st.error(plain(str(error)))
