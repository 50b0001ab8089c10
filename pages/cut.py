"""Cut: which layers can really go, and what that gains and costs."""

import streamlit as st

from core.charts.pages import cut_shown
from core.findings.cut import chosen, frontier_of
from core.findings.words import cut as words
from core.findings.words import points
from core.jobs.queue import queue
from core.results.cached_call import cached_call
from core.results.names import SEPARATOR, checkpoint_name, data_name
from ui.address import choose, picture_first
from ui.exports import offer_exports, offer_smaller
from ui.header import ViewState, choose_study, one_study, page_header
from ui.player import show_answer
from ui.results import show_upload
from ui.text import plain, show_details


def cut() -> None:
    """Show the study that the address names, else one at hand, else what a study is."""
    state = page_header("Cut", one_study)
    queue.start_worker()
    if state.study:
        show_study(state)
    else:
        st.title(words.TITLE, anchor=False)
        st.markdown(words.EXPLANATION)
    show_upload(study=True)


def show_study(state: ViewState) -> None:
    """Show a study: the dial, what it chooses, what that gains and costs, and the model to take away."""
    study = state.study
    assert study is not None
    title, dial = st.container(), st.container(key="cut-dial", horizontal=True)
    name = SEPARATOR.join((checkpoint_name(study), data_name(study)))
    with st.popover(plain(name), type="tertiary", icon=":material/tune:"):
        choose_study(state)
    with dial:
        limits = {str(most): points(most) for most in words.MOST}
        most = choose("most", limits, words.USUAL, label=words.AT_MOST, segmented=True)
    scene = show_answer(shown := cached_call(cut_shown, study, most), title, key="cut", link=False)
    if choice := chosen(cached_call(frontier_of, study), float(most)):
        offer_smaller(study, choice)
    with st.expander("Details"):
        show_details(shown)
    offer_exports(scene, study)


with picture_first():
    cut()
