"""How pages start jobs of the queue and how a visitor follows one.

A job's id stands in the address as `?job=ID`: links carry it to the other pages, and a reload finds it.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.findings.words.numbers import percent
from core.inputs import uploads
from core.inputs.hub import Report
from core.jobs.job import Job
from core.jobs.queue import queue
from core.request.limits import is_upload
from core.request.sweep_request import SweepRequest
from core.results.names import in_sentence
from core.results.provenance import can_be_found, lacks_place, request_of
from core.results.schema import SweepResult
from core.wall.turns import Visitor, address_in
from ui.address import carried
from ui.lab.state import lab
from ui.text import plain

TICK = 0.5  # seconds between two looks at a job
TICK_ELSEWHERE = 2.0  # on pages that only mention the job
UNKNOWN = "This run is no longer available. If it was finished, ask for it again in the Lab: its result opens at once."
STARTED = "started-job"  # of the session: the id of the last run, until this visitor has seen its end or left it
ASKED = "asked-jobs"  # of the session: the ids of all its runs, the newest last
QUICK_SECONDS = 0.2  # how long a click waits for a stored result, to show it at once


def visitor() -> Visitor:
    """Return who this session is to the queue: a token, and where it came from at first."""
    if "visitor" not in st.session_state:
        address = address_in(st.context.headers.get_all("X-Forwarded-For"), st.context.ip_address)
        st.session_state["visitor"] = Visitor(secrets.token_urlsafe(9), address)
    return st.session_state["visitor"]


def watch(job_id: str) -> None:
    """Count this visitor as a watcher of a job."""
    queue.watch(job_id, visitor())


def cancel(job_id: str) -> None:
    """Detach this visitor from a job, which ends with its last watcher."""
    queue.cancel(job_id, visitor())


def job_in_address() -> Job | None:
    """Return the job that the address names; None if the queue does not hold it."""
    return queue.get(st.query_params.get("job", ""))


def note_watching(page: str) -> None:
    """Count this visitor as a watcher of the job in the address, and show its progress in one line.

    A job that the queue does not hold is taken out of the address, with a note.

    Args:
        page: The page's name. The Lab, which shows the job itself, leads back to this visitor's last run where the
            address has lost it: by a step back, or for another result.
    """
    job = job_in_address()
    if job is None and "job" in st.query_params:
        del st.query_params["job"]
        st.info(UNKNOWN)
    if job and page == "Lab":
        watch(job.id)
        if job.ended:
            st.session_state.pop(STARTED, None)
    elif job := job or (queue.get(st.session_state.get(STARTED, "")) if page == "Lab" else None):
        st.fragment(_mention, run_every=None if job.ended else TICK_ELSEWHERE)(job)


def _mention(job: Job) -> None:
    """Show one line about a job, which links to it."""
    current = queue.get(job.id)
    if current is None or current.ended != job.ended:
        st.rerun()
    watch(job.id)
    words = "Your run has ended: see it in the Lab" if current.ended else f"Running: {progress_text(current)}"
    st.page_link("pages/lab.py", label=words, icon=":material/science:", query_params=carried(job=job.id))


def start(request: SweepRequest, *, fresh: bool = False, follow_ups: Sequence[SweepRequest] = ()) -> NoReturn:
    """Ask for a sweep, and put its job into the address.

    Args:
        request: What to compute.
        fresh: Whether to compute it even if its result is stored.
        follow_ups: What to compute after it, such as its control.

    Raises:
        PrunescopeError: The request is refused.
    """
    job_id = queue.submit(request, visitor(), fresh=fresh, follow_ups=follow_ups)
    st.session_state[STARTED] = job_id
    st.session_state.setdefault(ASKED, []).append(job_id)
    queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    lab().follows, lab().ended = job_id, None  # its settings are these
    st.query_params["job"] = job_id
    st.rerun()


def original_request(result: SweepResult) -> SweepRequest:
    """Return the request that led to a result: as this server remembers it, else as far as the result tells it."""
    return _remembered_request(result.key) or request_of(result)


def _remembered_request(key: str) -> SweepRequest | None:
    """Return the request that led to a result, as this server remembers it; None if it does not.

    This visit's own comes first: another may have run on the same table since, under a name that only it may use.
    """
    own = map(queue.get, reversed(st.session_state.get(ASKED, [])))
    return next((request for job in own if job and (request := job.request_for(key))), None) or queue.request_for(key)


def request_behind(result: SweepResult) -> SweepRequest | None:
    """Return the request that leads to a stored result here.

    None if it used folders or files whose place is not known, weights that have not been made here, or somebody else's
    file, to which a link may lead.
    """
    remembered = _remembered_request(result.key)
    if remembered and (not is_upload(remembered.data or "") or uploads.belongs(remembered.data or "", visitor())):
        return remembered
    request = request_of(result)
    return request if can_be_found(request) else None


def frame_fields(result: SweepResult, amount: float, request: SweepRequest) -> dict[str, Any]:
    """Return the fields of an order about one frame of a stored result.

    Args:
        result: A stored result, which names no folders.
        amount: One of its pruning amounts.
        request: What led to the result; it holds the paths of folders.
    """
    return {
        "key": result.key,
        "amount": amount,
        "checkpoint": request.checkpoint if result.checkpoint.source == "folder" else None,
        "data": request.data if lacks_place(result.task) else None,
    }


def follow(job: Job, show: Callable[[Job], None] | None = None, name: str = "") -> None:
    """Show a living job's progress, and rerun the page when the job or one of its sweeps has ended.

    Args:
        job: The job.
        show: Draws the frames so far.
        name: Of the question, see `ask`; a visitor who cancels it has not asked.
    """
    st.fragment(_look, run_every=TICK)(job.id, job.step, show, name)


def _look(job_id: str, step: int, show: Callable[[Job], None] | None, name: str) -> None:
    if name and st.session_state.get(name, (None, ""))[1] != job_id:
        return  # it was dropped; a rerun would bring back the address that this fragment was drawn with
    job = queue.get(job_id)
    if job is None or job.ended or job.step != step:
        st.rerun()  # to show the end or what is finished
    watch(job_id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(job.progress, text=progress_text(job))
        if st.button("Cancel", key=f"cancel-{job_id}", icon=":material/close:"):
            cancel(job_id)
            st.session_state.pop(name or STARTED, None)
            if not name and (left := queue.get(job_id)) and not left.ended:  # it goes on for others
                st.query_params.pop("job", None)
            st.rerun()
    if show:
        show(job)


def ask(name: str, question: object, op: str, /, wait: float = 0.0, **fields: Any) -> Job | None:
    """Ask the worker for something other than a sweep, in place of what this visitor asked last under that name.

    Args:
        name: Of what the session remembers: the question and the job's id.
        question: What is asked.
        op: The order, see `core.worker`.
        wait: How long to wait for its end, in seconds, to show the answer at once.
        fields: Of the order.

    Returns:
        The job as it is by then; None if the queue does not hold it any more.

    Raises:
        BusyError: On a hosted server, too many jobs wait.
    """
    drop_question(name)
    job_id = queue.ask(op, visitor(), **fields)
    st.session_state[name] = question, job_id
    return queue.wait(job_id, lambda job: job.ended, wait)


def job_of(name: str, question: object) -> Job | None:
    """Return the job of this question, if it is what was asked last under that name and the queue still holds it."""
    asked, job_id = st.session_state.get(name, (None, ""))
    return queue.get(job_id) if asked == question else None


def drop_question(name: str) -> None:
    """Forget what this visitor asked last under that name, and cancel it."""
    _, job_id = st.session_state.pop(name, (None, ""))
    cancel(job_id)


def answer_to(name: str, question: object) -> dict[str, Any] | None:
    """Return the worker's answer to what was asked by `ask`; show its progress, or why there will be none.

    Returns:
        None as well if something else was asked, or nothing.
    """
    job = job_of(name, question)
    if job is None:
        return None
    if not job.ended:
        follow(job, name=name)
    elif job.outcome is None:
        st.error(plain(job.message))
    return job.outcome


@contextmanager
def progress_shown() -> Iterator[Report]:
    """Show how far something is that a visitor waits for; what this yields is called meanwhile.

    It ends the script once the page is closed or runs again.
    """
    bar, context = st.empty(), get_script_run_ctx()

    def report(stage: str, done: int, total: int) -> None:
        if exists() and context and not get_instance().is_active_session(context.session_id):
            st.stop()
        bar.progress(done / total, f"{stage}: {done} of {total}" if done else stage)

    try:
        yield report
    finally:
        bar.empty()


# ---------------------------------------------------------------- a job in words


def progress_text(job: Job) -> str:
    """Return one line, escaped Markdown, that says what a living job is doing and how long it will take."""
    if job.state == "queued":
        words = f"Waiting: {job.position} to come first" if job.position else "Starting"
    else:
        left = "" if job.seconds_left is None else f", {duration(job.seconds_left)} left"
        words = f"{percent(job.progress)} done{left} ({in_sentence(job.stage)})" if job.total > 1 else job.stage
    return plain(f"Run {job.step + 1} of {len(job.follow_ups) + 1}: {words}" if job.follow_ups else words)


def duration(seconds: float) -> str:
    """Return a duration in words, rounded to what can be known."""
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} min"
