"""How long a run will take, told beside the Run button while the visitor reads on."""

from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.jobs import queue
from core.jobs.job import Job
from core.request.sweep_request import SweepRequest, source_of
from ui.jobs import duration, visitor
from ui.text import plain

TICK = 0.5  # seconds between two looks
QUICK_SECONDS = 0.15  # a warm worker on a small checkpoint may have answered by then
MOST_REMEMBERED = 50  # estimates a visitor


def show_estimate(request: SweepRequest, asked: bool) -> None:
    """Tells how long a run takes; embedded checkpoints are measured unasked, once a setting.

    Args:
        request: What would run.
        asked: Whether the visitor wants to know.
    """
    known: dict[SweepRequest, str] = st.session_state.setdefault("lab-estimates", {})
    if request in known:
        st.markdown(f":small[{known[request]}]")
        return
    try:
        if not asked and source_of(request.checkpoint) != "embedded":
            return
        job_id = queue.ask("estimate", visitor(), request=request.to_json())
    except PrunescopeError as error:
        st.markdown(f":small[{plain(str(error))}]")
        return
    if st.session_state.get("lab-estimate") != job_id:
        drop_estimate()
        st.session_state["lab-estimate"] = job_id
    job = queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    if job is not None and job.ended:
        _remember(request, job, known)
        st.markdown(f":small[{known.get(request, '')}]")
    else:
        st.fragment(_look, run_every=TICK)(request, job_id)


def drop_estimate() -> None:
    """Ends a measurement that nobody waits for any more."""
    job_id = st.session_state.pop("lab-estimate", None)
    if job_id:
        queue.cancel(job_id, visitor())


def _look(request: SweepRequest, job_id: str) -> None:
    """Shows how a measurement goes; one that was dropped is no reason to draw the page anew.

    Run drops it, and this look may come with the address that the browser had before: the run would go out of sight.
    """
    if st.session_state.get("lab-estimate") != job_id:
        return
    job = queue.get(job_id)
    if job is None or job.ended:
        if job is not None:
            _remember(request, job, st.session_state["lab-estimates"])
        st.rerun()
    queue.watch(job_id, visitor())
    waits = job.state == "queued" and job.position
    st.markdown(f":small[{'Measured when the run before it has ended' if waits else 'Measuring how long it takes'} …]")


def _remember(request: SweepRequest, job: Job, known: dict[SweepRequest, str]) -> None:
    if job.state == "cancelled":
        return
    while len(known) >= MOST_REMEMBERED:
        known.pop(next(iter(known)))
    known[request] = _words(job.outcome) if job.outcome else plain(job.message)


def _words(outcome: dict[str, Any]) -> str:
    if "download" in outcome:
        what = {"checkpoint": "The checkpoint is", "data": "The examples are"}[outcome["download"]]
        return f"{what} downloaded first; how long the run takes can be measured after that."
    if outcome["stored"]:
        return "Computed already: shown at once."
    return f"Takes {duration(outcome['seconds'])} on this machine."
