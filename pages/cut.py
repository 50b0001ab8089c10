"""Cut: which layers can really go, and what that gains and costs."""

from dataclasses import replace

import streamlit as st

from core.findings.cut import chosen, frontier_of
from core.findings.words.cut import EXPLANATION, OWN_STUDY, RUNNING, save_label, scores_table
from core.jobs.job import Job
from core.jobs.queue import queue
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from ui import jobs
from ui.address import parameters_on_show, picture_first
from ui.exports import offer_exports, offer_trained
from ui.header import ViewState, page_header, show_link, show_view
from ui.lab.data import OWN_REQUEST
from ui.lab.settings import offer_study
from ui.lab.state import lab
from ui.results import show_training, show_upload
from ui.text import markdown_table, plain, show_details


def cut() -> None:
    """Show a running study, else the one in the address or an available one; offer another."""
    state = page_header("Cut")
    queue.start_worker()
    job = jobs.job_in_address("Cut")
    if job and show_training(job, "study", RUNNING, show_scores):
        return
    if state.study:
        show_study(state, state.study)
    else:
        st.title(state.page.title, anchor=False)
        st.markdown(EXPLANATION)
    begin_study(state, job)
    show_upload("study")


def show_scores(job: Job) -> None:
    """Tabulate the depths of a running study that are known so far."""
    if job.scores:
        st.markdown(markdown_table(scores_table(job.scores)))


def begin_study(state: ViewState, ended: Job | None) -> None:
    """Offer a study: an ended one again, one of a result, or one of the visitor's own model."""
    expanded = not state.study or ended is not None
    panel = st.expander(
        OWN_STUDY, expanded=expanded, key="cut-own", icon=":material/tune:", on_change="rerun"
    )
    if panel.open:  # its many fields are drawn on demand
        result = None if state.study else state.result
        request = (
            (ended and ended.request) or (result and jobs.request_behind(result)) or OWN_REQUEST
        )
        lab().follow(ended.id if ended else f"cut {result.key if result else ''}")
        with panel:
            offer_study(replace(request, num_examples=request.num_examples if ended else None))


def show_study(state: ViewState, study: CutStudy) -> None:
    """Show a study: the dial, its answer, the chosen depth, and the model to save."""
    shown, scene = show_view(state)
    frontier = cached_call(frontier_of, study)
    choices = parameters_on_show()
    most = float(choices["most"])
    choice = chosen(frontier, most, choices["keep"])
    st.markdown(plain(shown.blocks[0].finding.sentences[0]))
    offer_trained(study, save_label(frontier, choice, most), left=choice.depth.layers)
    show_link(state, shown)
    with st.expander("Details"):
        show_details(shown)
    offer_exports(scene, study)


with picture_first():
    cut()
