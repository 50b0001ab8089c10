"""How pages start jobs of the queue and how a visitor follows one.

A job's id stands in the address as `?job=ID`: the header's links carry it to the other pages, and a reload finds it.
"""

import secrets
from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from core.jobs import queue
from core.jobs.job import Job
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult
from ui.text import plain

TICK = 1.0  # seconds between two looks at a job
TICK_AT_FIRST = 0.25  # until the first frame: visitors wait for it, and a progress bar costs little
TICK_ELSEWHERE = 2.0  # on pages that only mention the job
QUICK_SECONDS = 0.2  # how long a click waits for a stored result, to show it at once


def visitor() -> str:
    """Return this session's token, which names it among the watchers of a job."""
    token: str = st.session_state.setdefault("visitor", secrets.token_urlsafe(9))
    return token


def job_in_address() -> Job | None:
    """Return the job that the address names; None if the queue does not hold it."""
    return queue.get(st.query_params.get("job", ""))


def link_parameters() -> dict[str, str]:
    """Return the parameters of links between pages, so that a job is watched on every page."""
    job = job_in_address()
    return {"job": job.id} if job else {}


def note_watching(*, at_home: bool = False) -> None:
    """Count this visitor as a watcher of the job in the address, and show its progress in one line.

    Args:
        at_home: Whether the page is the Lab, which shows the job itself.
    """
    job = job_in_address()
    if job is None:
        return
    queue.watch(job.id, visitor())
    if not at_home:
        st.fragment(_mention, run_every=None if job.ended else TICK_ELSEWHERE)(job)


def _mention(job: Job) -> None:
    """Show one line about a job, which links to it."""
    current = queue.get(job.id)
    if current is None or current.ended != job.ended:
        st.rerun()
    queue.watch(job.id, visitor())
    words = "Your run has ended: see it in the Lab" if current.ended else f"Running: {progress_text(current)}"
    st.page_link("pages/lab.py", label=words, icon=":material/science:", query_params={"job": job.id})


def start(request: SweepRequest, *, fresh: bool = False) -> NoReturn:
    """Ask for a sweep and put its job into the address.

    Args:
        request: What to compute.
        fresh: Whether to compute even if the result is stored.

    Raises:
        PrunescopeError: The request is refused.
    """
    job_id = queue.submit(request, visitor(), fresh=fresh)
    st.query_params.pop("result", None)
    st.query_params["job"] = job_id
    st.session_state["started-a-job"] = True
    queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    st.rerun()


def ask_about_frame(op: str, result: SweepResult, amount: float, request: SweepRequest) -> str:
    """Ask the worker about one frame of a stored result, and return the job's id.

    Args:
        op: `verify` or `export`.
        result: A stored result, which names no folders.
        amount: One of its pruning amounts.
        request: What led to the result; it holds the paths of folders.

    Raises:
        PrunescopeError: Too many jobs are waiting on a hosted server.
    """
    return queue.ask(
        op,
        visitor(),
        key=result.key,
        amount=amount,
        checkpoint=request.checkpoint if result.checkpoint.source == "folder" else None,
        data=request.data if result.task.source == "folder" else None,
    )


def follow(job: Job, show: Callable[[Job], None] | None = None) -> None:
    """Show a living job's progress every second, and rerun the page when the job has ended.

    Args:
        job: The job.
        show: Draws the frames so far.
    """
    st.fragment(_look, run_every=TICK_AT_FIRST if _is_eager(job) else TICK)(job.id, _is_eager(job), show)


def _is_eager(job: Job) -> bool:
    """Whether a job's first frame is still to come."""
    return job.state == "running" and not job.frames


def _look(job_id: str, eager: bool, show: Callable[[Job], None] | None) -> None:
    job = queue.get(job_id)
    if job is None or job.ended or (len(job.frames) > 1 if eager else _is_eager(job)):
        st.rerun()  # to show the end, or to change the pace
    queue.watch(job_id, visitor())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(progress(job), text=progress_text(job))
        if st.button("Cancel", key=f"cancel-{job_id}", icon=":material/close:"):
            _leave(job_id)
    if show:
        show(job)


def _leave(job_id: str) -> NoReturn:
    """Detach this visitor; a job that others watch runs on, but leaves this visitor's address."""
    queue.cancel(job_id, visitor())
    job = queue.get(job_id)
    if job is not None and not job.ended and st.query_params.get("job") == job_id:
        del st.query_params["job"]
        st.session_state["left-a-job"] = True
    st.rerun()


def has_just_left() -> bool:
    """Whether this visitor has cancelled a job that is no longer in the address; true only once."""
    left: bool = st.session_state.pop("left-a-job", False)
    return left


def was_started_here() -> bool:
    """Whether this visitor has started a job; true only once."""
    started: bool = st.session_state.pop("started-a-job", False)
    return started


def progress(job: Job) -> float:
    """Return the stage's progress from 0 to 1."""
    return min(job.done / job.total, 1.0) if job.total else 0.0


def progress_text(job: Job) -> str:
    """Return one line, escaped Markdown, that says what a living job is doing and how long it will take."""
    if job.state == "queued":
        runs = "1 run comes" if job.position == 1 else f"{job.position} runs come"
        return f"Waiting: {runs} first" if job.position else "Starting"
    percent = f", {progress(job):.0%}" if job.total > 1 else ""
    left = f", {duration(job.seconds_left)} left" if job.seconds_left is not None and job.total > 1 else ""
    return plain(f"{job.stage}{percent}{left}")


def duration(seconds: float) -> str:
    """Return a duration in words, rounded to what can be known."""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    return f"about {round(seconds / 60)} min"


def partial_result(job: Job) -> SweepResult | None:
    """Return the frames so far as a result without a key, or None before the first."""
    return SweepResult(**dict(job.header), frames=job.frames) if job.header else None
