"""Compare: any two results, played together, laid over one another and tested."""

import streamlit as st

from core.findings.words.compare import PAIRED
from ui.address import picture_first
from ui.exports import offer_exports
from ui.header import choose_all, compose, link_to_control, page_header
from ui.player import show_answer
from ui.text import markdown_table, plain, remark


def compare() -> None:
    """Show how two results differ: the answer, the pictures, then the details."""
    state = page_header("Compare")
    title = st.container(key="compare-title")
    shown = compose(state, **choose_all(state))
    scene = show_answer(shown, title, "compare")
    for note in shown.notes:
        st.info(plain(note))
    if tests := shown.tables[PAIRED]:
        with st.expander("The paired tests as a table"):
            remark(PAIRED)
            st.markdown(markdown_table(tests))
    with st.expander("How to read the pictures"):
        st.markdown(shown.text)
    results = [result for result in (state.result, state.other) if result]
    link_to_control(*results)
    offer_exports(scene, *results)


with picture_first():
    compare()
