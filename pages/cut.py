"""Cut: which layers can really go, what that gains and costs, and what similarity would have told."""

from typing import cast

import streamlit as st

from core.charts.pages import cut_shown
from core.findings.cut import By, chosen, frontier_of
from core.findings.words import cut as words
from core.findings.words import points
from core.findings.words.numbers import percent
from core.jobs.queue import queue
from core.results.names import SEPARATOR, checkpoint_name, data_name
from core.results.once import once
from ui import jobs
from ui.address import OWN, OWN_MODEL, carried, choose, picture_first, set_parameter
from ui.exports import offer_exports, offer_smaller
from ui.header import ViewState, choose_study, one_study, page_header, result_if_asked
from ui.lab.method import begin_study
from ui.player import show_answer
from ui.results import note_computed, show_upload
from ui.text import plain, refusals_shown, show_details

PAGE = "Cut"


def cut() -> None:
    """Show the study that the address names while it runs, else one at hand, else what a study is."""
    state = page_header(PAGE, one_study)
    queue.start_worker()
    job = jobs.job_in_address(PAGE)
    if job and job.key:
        note_computed(job.key)
        set_parameter("study", job.key)
        set_parameter("job", None)
        st.rerun()
    if job and job.ended:
        (st.error if job.state == "failed" else st.info)(plain(job.message))
    if state.study and not job:
        show_study(state)
    else:
        st.title(words.TITLE, anchor=False)
        st.markdown(words.EXPLANATION)
        if job and not job.ended:
            jobs.follow(job)
        elif (asked := result_if_asked().result) and (request := jobs.request_behind(asked)):
            label = f"Study {plain(checkpoint_name(asked))}"
            if st.button(label, type="primary", key="cut-study", icon=":material/content_cut:"):
                with refusals_shown():
                    jobs.start(request, study=True)
    if st.button("Study your own model", key="cut-own", icon=":material/science:"):
        begin_study()
        st.switch_page("pages/lab.py", query_params=carried(**{OWN: OWN_MODEL}, result="", job=""))
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
        by = cast(By, choose("by", words.BY, segmented=True))
        limits = {str(most): points(most) if by == "score" else percent(most) for most in words.MOST}
        most = choose("most", limits, words.USUAL, label=words.AT_MOST[by], segmented=True)
    shown = once(cut_shown, study, by, most)
    scene = show_answer(shown, title, key="cut", link=False)
    if choice := chosen(once(frontier_of, study), by, float(most)):
        offer_smaller(study, choice)
    with st.expander("Details"):
        show_details(shown)
    offer_exports(scene, study)


with picture_first():
    cut()
