"""Cut: which layers can really go, and what that gains and costs."""

import streamlit as st

from core.findings.cut import chosen, frontier_of
from core.findings.words.cut import EXPLANATION, save_label
from core.jobs.queue import queue
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from ui.address import picture_first
from ui.exports import offer_exports, offer_smaller
from ui.header import ViewState, choose_all, compose, link_to, page_header
from ui.player import show_answer
from ui.results import show_upload
from ui.text import plain, show_details


def cut() -> None:
    """Show the study that the address names, else an available one, else what a study is."""
    state = page_header("Cut")
    queue.start_worker()
    if state.study:
        show_study(state, state.study)
    else:
        st.title(state.page.title, anchor=False)
        st.markdown(EXPLANATION)
    show_upload(study=True)


def show_study(state: ViewState, study: CutStudy) -> None:
    """Show a study: the dial, its answer, what the chosen depth gains and costs, and the model to take away."""
    title, choices = st.container(), choose_all(state)
    shown, frontier, most = compose(state, **choices), cached_call(frontier_of, study), float(choices["most"])
    scene = show_answer(shown, title, "cut")
    choice = chosen(frontier, most, choices["keep"])
    st.markdown(plain(shown.blocks[0].finding.sentences[0]))
    offer_smaller(study, choice, save_label(frontier, choice, most))
    if link := shown.link:
        result = {"result": state.result.key} if state.result else {}
        st.markdown(plain(link.sentence))
        link_to(link.page, link.label, ":material/theaters:", **result, **link.parameters)
    with st.expander("Details"):
        show_details(shown)
    offer_exports(scene, study)


with picture_first():
    cut()
