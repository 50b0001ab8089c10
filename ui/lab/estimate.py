"""How long a run would take, shown beside the Run button."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.jobs import queue
from core.jobs.job import Job
from core.request.sweep_request import SweepRequest, source_of
from core.results import store
from ui.job_words import duration
from ui.jobs import ask_worker, client_address, visitor
from ui.remarks import remark
from ui.text import plain

TICK = 0.5  # seconds between two looks
QUICK_SECONDS = 0.15  # a warm worker may measure a small checkpoint by then
MAX_REMEMBERED = 50  # estimates per visitor

Question = tuple[tuple[SweepRequest, ...], int]
"""A request with what is computed after it, and the state of the results that may answer it already."""


def show_estimate(request: SweepRequest, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Show how long a run would take; for checkpoints on the Hub only when the visitor asks.

    Args:
        request: What would run.
        follow_ups: What would run after it.

    Raises:
        PrunescopeError: The request is refused.
    """
    known: dict[Question, str] = st.session_state.setdefault("lab-estimates", {})
    question = ((request, *follow_ups), _results_state())
    if question in known:
        remark(known[question])
        return
    note = "Measured on a few examples, on this machine."
    if source_of(request.checkpoint) == "hub" and not st.button("How long?", key="lab-how-long", help=note):
        return
    after = [follow_up.to_json() for follow_up in follow_ups]
    job_id = ask_worker("estimate", request=request.to_json(), follow_ups=after)
    st.session_state["lab-estimate"] = job_id
    job = queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    if job is not None and job.ended:
        _remember(question, job, known)
        remark(known.get(question, ""))
    else:
        st.fragment(_look, run_every=TICK)(question, job_id)


def _results_state() -> int:
    """Return a number that changes when a result is stored or deleted: a run that was measured may then be stored."""
    try:
        return store.user_folder().stat().st_mtime_ns
    except OSError:  # there is none yet
        return 0


def drop_estimate() -> None:
    """Cancel the measurement that this visitor waited for."""
    job_id = st.session_state.pop("lab-estimate", None)
    if job_id:
        queue.cancel(job_id, visitor(), address=client_address())


def _look(question: Question, job_id: str) -> None:
    """Show whether a measurement waits or runs, and rerun the page when it has ended; ignore a dropped one.

    Run drops it, and this fragment may still carry the address from before: a rerun would lose the run's page.
    """
    if st.session_state.get("lab-estimate") != job_id:
        return
    job = queue.get(job_id)
    if job is None or job.ended:
        if job is not None:
            _remember(question, job, st.session_state["lab-estimates"])
        st.rerun()
    queue.watch(job_id, visitor(), address=client_address())
    waits = job.state == "queued" and job.position
    remark(f"{'Measured when the run before it has ended' if waits else 'Measuring how long it takes'} …")


def _remember(question: Question, job: Job, known: dict[Question, str]) -> None:
    if job.state == "cancelled":
        return
    while len(known) >= MAX_REMEMBERED:
        known.pop(next(iter(known)))
    known[question] = _words(job.outcome) if job.outcome else plain(job.message)


def _words(outcome: dict[str, Any]) -> str:
    if "download" in outcome:
        what = {"checkpoint": "The checkpoint is", "data": "The examples are"}[outcome["download"]]
        return f"{what} downloaded first; how long the run takes can be measured after that."
    if outcome["stored"]:
        return "Already computed; opens at once."
    return f"Takes {duration(outcome['seconds'])} on this machine."
