"""Compare: any two results, played together, laid over one another and tested."""

import streamlit as st

from core.findings.words.compare import PAIRED
from ui.address import picture_first
from ui.exports import offer_exports
from ui.header import link_to_control, page_header, show_view
from ui.text import markdown_table, plain, remark


def compare() -> None:
    """Show how two results differ: the answer, the pictures, then the details."""
    state = page_header("Compare")
    shown, scene = show_view(state)
    for note in shown.notes:
        st.info(plain(note))
    if tests := shown.tables[PAIRED]:
        with st.expander("The paired tests as a table"):
            remark(PAIRED)
            st.markdown(markdown_table(tests))
    with st.expander("How to read the pictures"):
        st.markdown(shown.text)
    link_to_control(*state.subjects)
    offer_exports(scene, *state.subjects)


with picture_first():
    compare()
