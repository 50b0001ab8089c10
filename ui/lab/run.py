"""The settings of a sweep, in the order in which one decides them, and the bar below them that runs it."""

from collections.abc import Sequence

import streamlit as st

from core.errors import PrunescopeError
from core.jobs.job import Job
from core.request.limits import is_hosted, limits, source_of
from core.request.sweep_request import SweepRequest
from core.results import store
from ui.jobs import ask, drop_question, duration, follow, job_of, start
from ui.lab.data import choose_data, choose_model
from ui.lab.method import choose_method
from ui.lab.state import Asked
from ui.text import plain, remark

ESTIMATE = "lab-estimate"  # of the session: how long what would take, and the job that measures it
QUICK_SECONDS = 0.15  # a warm worker may measure a small checkpoint by then

# Streamlit wraps every container; the wrapper is what sticks, to the lower edge of the window. The colours are those of
# its themes, which it offers to components only.
STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-lab-run) {
  position: sticky; bottom: 0; z-index: 1; padding: 0.5rem 0 0.75rem;
  background: light-dark(#ffffff, #171614); border-top: 1px solid light-dark(#d5d5d5, #42413e);
}
</style>"""


def offer_sweep(shown: SweepRequest, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Draw the settings of a sweep, and the bar that stays in sight: Run, and how long that takes or what is missing.

    Args:
        shown: What they say at first.
        follow_ups: What is run after it at first: its control, or the other methods.
    """
    asked = Asked()
    st.markdown("**1 · Model**")
    task = choose_model(shown, asked)
    st.markdown("**2 · Data**")
    choose_data(shown, asked, task)
    st.markdown("**3 · Method**")
    choose_method(shown, asked, follow_ups)
    if is_hosted():
        bound = limits()
        remark(
            f"Visitors of this public copy take turns. A run has at most {bound.examples} examples, "
            f"{bound.amounts} amounts and {bound.parameters / 1e6:.0f} million parameters. On your computer: more."
        )
    st.html(STYLE)
    with st.container(key="lab-run"):
        refused = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Run", type="primary", key="lab-run-now", icon=":material/play_arrow:")
            beside = st.container(horizontal=True, vertical_alignment="center")
    try:
        sweeps = asked.sweeps()
        if pressed:
            drop_question(ESTIMATE)
            start(sweeps[0], follow_ups=sweeps[1:], study=asked.study)
        with beside:
            show_estimate(sweeps[0], sweeps[1:], study=asked.study)
    except PrunescopeError as error:
        with refused if pressed else beside:
            (st.error if pressed else remark)(plain(str(error)))


def show_estimate(request: SweepRequest, follow_ups: Sequence[SweepRequest] = (), *, study: bool = False) -> None:
    """Show how long a run and what follows it would take; for checkpoints on the Hub only when the visitor asks.

    Raises:
        PrunescopeError: The request is refused.
    """
    folder = store.user_folder()  # a result that is stored or deleted there may answer the request
    question = request, *follow_ups, study, folder.stat().st_mtime_ns if folder.exists() else 0
    job = job_of(ESTIMATE, question)
    if job is None or job.state == "cancelled":
        note = "Measured on a few examples, on this machine."
        if source_of(request.checkpoint) == "hub" and not st.button("How long?", key="lab-how-long", help=note):
            return
        runs = {"request": vars(request), "follow_ups": [vars(further) for further in follow_ups]}
        job = ask(ESTIMATE, question, "estimate", wait=QUICK_SECONDS, study=study, **runs)
    if job is not None and job.ended:
        remark(_words(job))
    elif job is not None:
        follow(job, name=ESTIMATE, says="Measuring how long it takes …")


def _words(job: Job) -> str:
    """Say what a measurement has found."""
    found = job.outcome
    if found is None:
        return plain(job.message)
    if "download" in found:
        return "Something is downloaded first; how long the run takes can be measured after that."
    if found.get("stored"):
        return "Already computed; opens at once."
    return f"Takes about {duration(found['seconds'])} on this machine."
