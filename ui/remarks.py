"""What a page says in small type, and what it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import PrunescopeError
from ui.text import plain


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
