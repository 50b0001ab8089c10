"""Methods: what the words and numbers of the other pages mean, and their limits."""

import streamlit as st

from core.charts.vega import text_of
from core.findings.words.methods import Part, methods_parts
from ui.address import picture_first
from ui.header import page_header
from ui.player import pause_after_first_picture

STYLE = """<style>
.stMain .katex { font-size: min(1.06em, 4vw); } /* a telephone shows every formula whole */
.stMain .katex-display { text-align: left; padding: 0.1rem 0; }
.stMain .katex-display > .katex { text-align: left; }
.stMain .stMarkdown p, .stMain .stMarkdown li { max-width: 46rem; }
</style>"""

# A component, since st.html would take drawings out.
_picture = st.components.v2.component(
    "prunescope_methods", html=text_of("steps.html"), css=text_of("steps.css")
)


def methods() -> None:
    """Show the picture, what to know first, and more."""
    page_header("Methods")
    st.html(STYLE)
    first, more = methods_parts()
    st.title(first.title, anchor=False)
    _picture(key="explanation")
    pause_after_first_picture()
    show_part(first)
    with st.expander(more.title):
        show_part(more)


def show_part(part: Part) -> None:
    """Show an introduction, a table of contents and the sections."""
    st.markdown(part.introduction)
    st.markdown(part.contents())
    for title, anchor, body in part.sections:
        st.subheader(title, anchor=anchor, divider="gray")
        st.markdown(body)


with picture_first():
    methods()
