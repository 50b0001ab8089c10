"""Write text, tables, remarks and refusals on a page; foreign text is never markup."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import streamlit as st

from core.charts.pages import Shown
from core.errors import PrunescopeError
from core.findings.words import narrow
from core.findings.words.numbers import unbroken

# A row of fields and buttons, which stand on one line.
field_row = partial(st.container, horizontal=True, vertical_alignment="bottom")
_SPECIAL = re.compile(r"([\\`*_\[\]<>&$~|:#]|^[-+=])")
# Streamlit turns these into links, icons and arrows even when they are escaped: a word joiner
# breaks them up.
_REWRITTEN = re.compile(
    r"(?<=:)(?=//|[\w/+-]+:)|(?<=@)|(?<=www)(?=\.)|(?<=[-<>=!])(?=[-<>=])",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")


def plain(text: str) -> str:
    """Escape a text so that Streamlit's Markdown shows it literally, on one line."""
    joined = _REWRITTEN.sub("\u2060", unbroken(" ".join(text.split())))
    return _NUMBERED.sub(r"\1\\", _SPECIAL.sub(r"\\\1", joined))


def markdown_table(rows: Sequence[dict[str, str]], write: Callable[[str], str] = plain) -> str:
    """Write rows with the same keys, at least one, as a Markdown table."""
    first, *lines = (list(map(write, line)) for line in (rows[0], *(row.values() for row in rows)))
    return "\n".join(f"| {' | '.join(line)} |" for line in (first, ["---"] * len(first), *lines))


def show_details(shown: Shown) -> None:
    """Show the text below a page's picture, and its tables in parts that fit on a telephone."""
    st.markdown(shown.text)
    for table in shown.tables.values():
        for part in narrow(table):
            st.markdown(markdown_table(part))


def remark(words: str) -> None:
    """Write small Markdown text; that of `st.caption` is too faint for a projector."""
    st.markdown(f":small[{words}]")


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show a refusal raised inside as an error on the page."""
    try:
        yield
    except PrunescopeError as error:
        st.error(plain(str(error)))
