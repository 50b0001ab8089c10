"""Start jobs of the queue from pages, and show a visitor how they go.

A job's id stands in the address as `?job=ID`: links carry it to the other pages, and a reload finds
the job again.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import PrunescopeError
from core.findings.words.numbers import duration, percent
from core.inputs.forecast import forecast
from core.inputs.hub import Report
from core.jobs.job import Job
from core.jobs.queue import queue
from core.request.cut_request import TrainingRequest
from core.request.limits import limits
from core.request.pages import PAGES
from core.request.sweep_request import DataRequest, Request, SweepRequest
from core.results.cached_call import cached_call
from core.results.cut import Trained
from core.results.names import in_sentence
from core.results.provenance import can_be_found, lacks_place, request_of, training_of
from core.results.schema import SweepResult
from core.wall.turns import Visitor, address_in
from ui.address import carried, link_to
from ui.lab.state import lab
from ui.text import field_row, plain

TICK = 0.5  # seconds between two updates of a job on the page that shows it
TICK_ELSEWHERE = 2.0  # on the pages that only mention it
UNKNOWN = (
    "This run is no longer available. If it was finished, ask for it again in the Lab: its result "
    "opens at once."
)
# session key: the id of the last run, until this visitor has seen its end or cancelled it
STARTED = "started-job"
# How long a click waits, to show at once a stored result and the answer to a question.
QUICK_SECONDS, ANSWER_SECONDS = 0.2, 1.0


def visitor() -> Visitor:
    """Return the identity of this session: a token, and the address that it first came from."""
    if "visitor" not in st.session_state:
        address = address_in(st.context.headers.get_all("X-Forwarded-For"), st.context.ip_address)
        st.session_state["visitor"] = Visitor(secrets.token_urlsafe(9), address)
    return st.session_state["visitor"]


def job_in_address(page: str) -> Job | None:
    """Return the job in the address; None if it is unknown or belongs to another page."""
    job = queue.get(st.query_params.get("job", ""))
    return job if job and home_of(job) == page else None


def home_of(job: Job) -> str:
    """Return the name of the page that shows a job."""
    return {"cut": "Cut", "recover": "Recover"}.get(job.request.op if job.request else "", "Lab")


def note_watching(page: str) -> None:
    """Count this visitor as a watcher of the job in the address, and show its progress in one line.

    If the queue no longer holds the job, remove it from the address and say so.

    Args:
        page: The page's name. The one that shows the job itself links to this visitor's last run if
            the address has lost it: the visitor went back, or opened another result.
    """
    job = queue.get(st.query_params.get("job", ""))
    if job and home_of(job) == page:
        queue.watch(job.id, visitor())
        if job.ended:
            st.session_state.pop(STARTED, None)
        return
    if job is None:
        if "job" in st.query_params:
            del st.query_params["job"]
            st.info(UNKNOWN)
        job = queue.get(st.session_state.get(STARTED, ""))
        if job is None or home_of(job) != page:
            return
    st.fragment(_mention, run_every=None if job.ended else TICK_ELSEWHERE)(job)


def _mention(job: Job) -> None:
    """Link to a job by a line that says how far it is."""
    current = queue.get(job.id)
    home = home_of(job)
    if current is None or current.ended != job.ended:
        st.rerun()
    queue.watch(job.id, visitor())
    where = "in the Lab" if home == "Lab" else f"on {home}"
    words = (
        f"Your run has ended: see it {where}"
        if current.ended
        else f"Running: {progress_text(current)}"
    )
    link_to(home, words, ":material/science:", job=job.id)


def start(
    request: DataRequest,
    *,
    fresh: bool = False,
    follow_ups: Sequence[SweepRequest] = (),
) -> NoReturn:
    """Submit a request, and put its job into the address of the page that has begun it.

    Args:
        request: The sweep, the study of cuts or the training.
        fresh: Whether to compute it even if its result is stored.
        follow_ups: The sweeps to compute after it, such as those of its control.

    Raises:
        PrunescopeError: The request is refused.
    """
    job_id = queue.submit(request, visitor(), fresh=fresh, follow_ups=follow_ups)
    st.session_state[STARTED] = job_id
    queue.wait(job_id, QUICK_SECONDS)
    lab().follows, lab().ended = job_id, None  # the settings on the page are this run's
    if request.op == "recover":  # it begins in the Lab
        st.switch_page(PAGES["Recover"].file, query_params=carried(job=job_id))
    st.query_params["job"] = job_id
    st.rerun()


def request_behind(result: SweepResult) -> SweepRequest | None:
    """Return a request that recomputes a stored result on this server.

    None if the location of its folders or files is unknown, if its weights have not been made here,
    or if it read another visitor's file (a link may lead to such a result).
    """
    return _usable(result.key, request_of(result))


def training_behind(result: Trained) -> TrainingRequest | None:
    """Return a request that trains a stored result's models again; see `request_behind`."""
    is_allowed = len(result.task.gold) <= limits().examples
    return _usable(result.key, training_of(result)) if is_allowed else None


def _usable(key: str, recorded: Request) -> Request | None:
    """Return the request that led to a result here, else the recorded one if it can be run."""
    last: Request | None = queue.request_for(key, visitor())
    return last or (recorded if can_be_found(recorded) else None)


def frame_fields(
    result: SweepResult,
    amount: float,
    request: SweepRequest,
) -> dict[str, Any]:
    """Return the fields of an order about one frame of a stored result.

    Args:
        result: A stored result, which holds no paths.
        amount: One of its pruning amounts.
        request: The request that led to it, which holds them.
    """
    return {
        "key": result.key,
        "amount": amount,
        "checkpoint": request.checkpoint if result.checkpoint.source == "folder" else None,
        "data": request.data if lacks_place(result.task) else None,
    }


def follow(job: Job, show: Callable[[Job], None] | None = None, name: str = "") -> None:
    """Show the progress of a living job, and rerun the page when the job or one of its sweeps ends.

    Args:
        job: The job.
        show: Draws the frames so far.
        name: The name of the question that the job answers (see `ask`), which a visitor who cancels
            takes back.
    """
    st.fragment(_look, run_every=TICK)(job.id, job.step, show, name)


def _look(job_id: str, step: int, show: Callable[[Job], None] | None, name: str) -> None:
    if name and st.session_state.get(name, (None, ""))[1] != job_id:
        # the question was dropped; a rerun would restore the address that this fragment was drawn
        # with
        return
    job = queue.get(job_id)
    if job is None or job.ended or job.step != step:
        st.rerun()
    queue.watch(job_id, visitor())
    with field_row():
        st.progress(job.progress, text=progress_text(job))
        if st.button("Cancel", key=f"cancel-{job_id}", icon=":material/close:"):
            queue.cancel(job_id, visitor())
            st.session_state.pop(name or STARTED, None)
            rest = queue.get(job_id)
            if rest and not rest.ended and not name:  # it goes on for others
                st.query_params.pop("job", None)
            st.rerun()
    if show:
        show(job)


def ask(name: str, question: object, op: str, /, **fields: Any) -> None:
    """Send the worker a question, and wait a little so as to show the answer at once.

    It replaces the visitor's last one of that name.

    Args:
        name: The key of the session that remembers the question and its job.
        question: What is asked, to be compared with what is asked later.
        op: The name of the order, see `core.worker`.
        fields: The fields of the order.

    Raises:
        BusyError: On a hosted server, too many jobs wait.
    """
    drop_question(name)
    job_id = queue.ask(op, visitor(), **fields)
    st.session_state[name] = question, job_id
    queue.wait(job_id, ANSWER_SECONDS)


def job_of(name: str, question: object) -> Job | None:
    """Return the job of the last question of this name; None if it is another or forgotten."""
    last, job_id = st.session_state.get(name, (None, ""))
    return queue.get(job_id) if last == question else None


def drop_question(name: str) -> None:
    """Cancel and forget the last question that this visitor asked under a name."""
    _, job_id = st.session_state.pop(name, (None, ""))
    queue.cancel(job_id, visitor())


def answer_to(name: str, question: object) -> dict[str, Any] | None:
    """Return the worker's answer to a question; show its progress or failure until then."""
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
    """Show the progress of work that the page waits for, by the function that this yields.

    Calling it ends the script once the page is closed or runs again.
    """
    bar = st.empty()
    context = get_script_run_ctx()

    def report(stage: str, done: int, total: int) -> None:
        if exists() and context and not get_instance().is_active_session(context.session_id):
            st.stop()
        bar.progress(done / total, f"{stage}: {done} of {total}" if done else stage)

    try:
        yield report
    finally:
        bar.empty()


# ---------------------------------------------------------------- a job in words


def _seconds_after(job: Job) -> float:
    """Return how long the sweeps after a job's current one will take; 0 if that is unknown."""
    later = job.follow_ups[job.step :]
    expected = None
    with suppress(PrunescopeError):
        expected = cached_call(forecast, later) if later else None
    return expected.seconds if expected else 0.0


def progress_text(job: Job) -> str:
    """Return what a living job is doing and how long it will take: one line of escaped Markdown."""
    if job.state == "queued":
        return f"Waiting: {job.position} to come first" if job.position else "Starting"
    if job.total <= 1:
        return plain(job.stage)
    left = ""
    if job.seconds_left is not None:
        left = f", {duration(job.seconds_left + _seconds_after(job))} left"
    run = f"run {job.step + 1} of {len(job.follow_ups) + 1}, " if job.follow_ups else ""
    return plain(f"{percent(job.progress)} done{left} ({run}{in_sentence(job.stage)})")
