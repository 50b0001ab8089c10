"""Methods: what every word and number of the other pages means, where it comes from, and when not to trust it."""

from collections.abc import Sequence

import streamlit as st

from core.findings.words.methods import MORE, TITLE, Section, contents, methods_said
from ui.header import page_header
from ui.player import component, pause_after_first_picture
from ui.text import plain

STYLE = """<style>
.stMain .katex { font-size: min(1.06em, 4vw); } /* a telephone shows every formula whole */
.stMain .katex-display { text-align: left; padding: 0.1rem 0; }
.stMain .katex-display > .katex { text-align: left; }
.stMain .stMarkdown p, .stMain .stMarkdown li { max-width: 46rem; }
</style>"""

_picture = component("methods")


def methods() -> None:
    """Show the picture, what to know first, and more."""
    page_header("Methods")
    st.html(STYLE)
    st.title(TITLE, anchor=False)
    _picture(key="explanation")
    pause_after_first_picture()
    introduction, first, more = methods_said(plain)
    st.markdown(introduction)
    show_sections(first)
    with st.expander(MORE):
        show_sections(more)


def show_sections(sections: Sequence[Section]) -> None:
    """Show a table of contents, and the sections."""
    st.markdown(contents(sections))
    for anchor, title, body in sections:
        st.subheader(title, anchor=anchor, divider="gray")
        st.markdown(body)


methods()
