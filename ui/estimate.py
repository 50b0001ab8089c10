"""How long a run would take, shown beside the Run button."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.jobs import queue
from core.jobs.job import Job
from core.request.sweep_request import SweepRequest, source_of
from ui.jobs import ask_worker, duration, visitor
from ui.text import plain

TICK = 0.5  # seconds between two looks
QUICK_SECONDS = 0.15  # a warm worker may measure a small checkpoint by then
MAX_REMEMBERED = 50  # estimates per visitor

Sweeps = tuple[SweepRequest, ...]  # a request, and what is computed after it


def show_estimate(request: SweepRequest, asked: bool, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Show how long a run would take; for embedded checkpoints even unasked.

    Args:
        request: What would run.
        asked: Whether the visitor asked.
        follow_ups: What would run after it.
    """
    known: dict[Sweeps, str] = st.session_state.setdefault("lab-estimates", {})
    sweeps = (request, *follow_ups)
    if sweeps in known:
        st.markdown(f":small[{known[sweeps]}]")
        return
    try:
        if not asked and source_of(request.checkpoint) != "embedded":
            return
        after = [follow_up.to_json() for follow_up in follow_ups]
        job_id = ask_worker("estimate", request=request.to_json(), follow_ups=after)
    except PrunescopeError as error:
        st.markdown(f":small[{plain(str(error))}]")
        return
    st.session_state["lab-estimate"] = job_id
    job = queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    if job is not None and job.ended:
        _remember(sweeps, job, known)
        st.markdown(f":small[{known.get(sweeps, '')}]")
    else:
        st.fragment(_look, run_every=TICK)(sweeps, job_id)


def drop_estimate() -> None:
    """Cancel the measurement that this visitor waited for."""
    job_id = st.session_state.pop("lab-estimate", None)
    if job_id:
        queue.cancel(job_id, visitor())


def _look(sweeps: Sweeps, job_id: str) -> None:
    """Show whether a measurement waits or runs, and rerun the page when it has ended; ignore a dropped one.

    Run drops it, and this fragment may still carry the address from before: a rerun would lose the run's page.
    """
    if st.session_state.get("lab-estimate") != job_id:
        return
    job = queue.get(job_id)
    if job is None or job.ended:
        if job is not None:
            _remember(sweeps, job, st.session_state["lab-estimates"])
        st.rerun()
    queue.watch(job_id, visitor())
    waits = job.state == "queued" and job.position
    st.markdown(f":small[{'Measured when the run before it has ended' if waits else 'Measuring how long it takes'} …]")


def _remember(sweeps: Sweeps, job: Job, known: dict[Sweeps, str]) -> None:
    if job.state == "cancelled":
        return
    while len(known) >= MAX_REMEMBERED:
        known.pop(next(iter(known)))
    known[sweeps] = _words(job.outcome) if job.outcome else plain(job.message)


def _words(outcome: dict[str, Any]) -> str:
    if "download" in outcome:
        what = {"checkpoint": "The checkpoint is", "data": "The examples are"}[outcome["download"]]
        return f"{what} downloaded first; how long the run takes can be measured after that."
    if outcome["stored"]:
        return "Computed already: shown at once."
    return f"Takes {duration(outcome['seconds'])} on this machine."
