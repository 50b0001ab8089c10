"""The Lab: prunes a checkpoint on demand and shows every frame as it arrives."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.charts.overview import result_scene
from core.errors import PrunescopeError
from core.findings.lab import check_in_words
from core.jobs import queue
from core.jobs.job import Job
from core.request.catalog import REDUCTIONS
from core.request.controls import SMALL_STEP, small_steps
from core.request.limits import LOCAL_LIMITS, is_hosted, limits
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.names import amount_name
from core.results.provenance import request_of
from core.results.schema import SweepResult
from ui.address import picture_first, show
from ui.controls import offer_control
from ui.estimate import drop_estimate, show_estimate
from ui.exports import offer_exports
from ui.header import link_to_views, page_header
from ui.history import show_history
from ui.jobs import (
    ask_about_frame,
    follow,
    has_just_left,
    job_in_address,
    partial_result,
    request_behind,
    start,
    was_started_here,
    what_is_kept,
)
from ui.player import choose_reduction, show_finding, show_pictures, start_in_address
from ui.presets import offer_presets, preset_chosen
from ui.recipe import show_recipe
from ui.results import at_hand, by_key, companions_of, note_computed
from ui.selectors import DEFAULT_REQUEST, Asked, choose_sweep
from ui.settings import forget_settings
from ui.text import plain
from ui.upload import show_upload
from ui.view_state import result_if_asked, shipped_example

EXPLANATION = (
    "A run prunes the checkpoint step by step and measures how similar its layers still are to those of the unpruned "
    "model (CKA) and how well it still classifies."
)
INVITATION = "**Press Run** to begin: the checkpoint chosen at first lies in this project and needs no network."
KEPT = "A finished run is kept: asked for again, it is there at once."
EXAMPLE = "**What a run shows**, by the example of a result that comes with this copy:"
NO_PLACE = (
    "It was computed on a folder or a file of your own, whose place is not recorded: choose it again under Settings, "
    "or give it to the command line."
)
KEPT_OF_JOB = "lab-kept-of-job"  # of the session: what is left of a job that ended before its control was finished
INSTALL = "pip install -r requirements.txt && streamlit run app.py"


def lab() -> None:
    """Show the settings, and below them the run or the result that the address names."""
    state = page_header("Lab", result_if_asked)
    queue.start_worker()
    job = job_in_address()
    if job:
        note_results(job)
        if job.ended and job.key:
            show_result_of(job)
    result = by_key(state.result.key) if state.result and not job else None
    shown = job.id if job else result.key if result else ""
    reset_settings_for(shown)
    st.title("Prune a checkpoint and watch its layers", anchor=False)
    if has_just_left():
        st.info("Cancelled.")
    if kept_of_job := st.session_state.pop(KEPT_OF_JOB, ""):
        st.info(kept_of_job)
    if not shown:
        st.markdown(f"{EXPLANATION} {INVITATION}")
    if shown:
        settings, picture = st.container(), st.container()
    else:
        picture, settings = st.columns([6, 5], gap="medium")
    with picture:
        if job:
            show_job(job)
        elif result:
            show_result(result)
        else:
            show_example()
    with settings, st.expander("Settings", expanded=not shown, key=f"lab-settings-{shown}"):
        ask(preset_chosen() or remembered(job, result), busy=job is not None and not job.ended)
    show_history(result)
    with st.expander("Open a result file", key="lab-open", icon=":material/upload_file:"):
        show_upload()
    if shown:
        st.markdown(f":small[{EXPLANATION} {KEPT}]")


# ---------------------------------------------------------------- the address and the session


def note_results(job: Job) -> None:
    """Note what a job has computed so far, its own sweep's result as the newest."""
    for key in (*job.follow_up_keys, *([job.key] if job.key else [])):
        note_computed(key)


def show_result_of(job: Job) -> None:
    """Replace an ended job in the address by its own sweep's result, whose address stays valid."""
    assert job.key is not None
    if job.state != "done":
        st.session_state[KEPT_OF_JOB] = what_is_kept(job)
    del st.query_params["job"]
    show(job.key)
    st.session_state["lab-filled-for"] = job.key  # the settings are its own already
    st.rerun()


def reset_settings_for(shown: str) -> None:
    """Let the settings follow what is on show, unless it was started from them."""
    before = st.session_state.get("lab-filled-for", shown)
    st.session_state["lab-filled-for"] = shown
    if before != shown:
        st.session_state.pop("lab-start", None)
        if not was_started_here():
            forget_settings()


def remembered(job: Job | None, result: SweepResult | None) -> SweepRequest:
    """Return the request behind what is shown, for the settings and the command line."""
    if job and job.request:
        return job.request
    if result:
        return queue.request_for(result.key) or request_of(result)
    return DEFAULT_REQUEST


# ---------------------------------------------------------------- the parts of the page


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show what is refused inside, as plain text."""
    try:
        yield
    except PrunescopeError as error:
        st.error(plain(str(error)))


def ask(shown: SweepRequest, busy: bool) -> None:
    """Draw the settings and start what was asked for."""
    offer_presets(shown)
    with refusals_shown():
        asked = choose_sweep(shown, busy)
        if is_hosted():
            show_limits()
        if asked.run:
            request = asked.request()
            drop_estimate()
            start(request, follow_ups=asked.follow_ups(request))
        if not busy:
            with asked.beside:
                estimate(asked)


def estimate(asked: Asked) -> None:
    """Say how long a run takes; incomplete settings are an error only for those who ask."""
    try:
        request = asked.request()
    except PrunescopeError:
        if asked.measure:
            raise
        return
    show_estimate(request, asked.measure, asked.follow_ups(request))


def show_limits() -> None:
    """Say what a shared server cannot do, and how to do it all the same."""
    bound, own = limits(), LOCAL_LIMITS
    with st.expander("Limits of this public copy", icon=":material/info:", key="lab-limits"):
        st.markdown(
            f"Many visitors share two processors here: at most **{bound.examples} examples**, **{bound.amounts} "
            f"pruning amounts**, checkpoints of **{bound.parameters // 10**6} million parameters** and "
            f"**{bound.download_bytes // 2**20} MiB**, {bound.rows:,} rows of a file, one run at a time, no folders; "
            f"random controls take steps of {small_steps()[1]:.0%}; a run that nobody watches ends after a minute. On "
            f"your own computer a run may take {own.examples:,} examples, {own.amounts} amounts and "
            f"{own.parameters // 10**9} billion parameters, random controls take steps of {SMALL_STEP:.0%}, and "
            "folders serve as checkpoints and data. In a copy of this project's files:"
        )
        st.code(INSTALL, language="shell", wrap_lines=True)


def show_job(job: Job) -> None:
    """Show a job's progress, or what had arrived when it ended."""
    if job.state == "failed":
        st.error(plain(job.message))
    elif job.state == "cancelled":
        st.info(plain(job.message))
    picture, choices = st.container(), st.container()
    finished = by_key(job.key) if job.key else None
    with choices:
        reduction = choose_reduction(finished or partial_result(job))
    with picture:
        if job.ended:
            draw_frames(job, reduction)
        elif finished:
            follow(job)
            draw(finished, reduction)
        else:
            follow(job, lambda current: draw_frames(current, reduction))


def draw_frames(job: Job, reduction: str) -> None:
    """Draw the frames that have arrived."""
    partial = partial_result(job)
    if partial:
        draw(partial, reduction)


def draw(result: SweepResult, reduction: str) -> None:
    """Draw a result: the picture, and what it says beside its controls."""
    start = start_in_address(result.amounts) if result.key else None
    show_pictures(result_scene(result, reduction), key="lab", group="lab", start=start)
    show_finding(result, reduction, companions_of(result, at_hand()) if result.key else ())


def show_example() -> None:
    """Show a shipped result where there is no run to show yet."""
    entry = shipped_example()
    example = entry and by_key(entry.key)
    if entry and example:
        st.markdown(EXAMPLE)
        show_pictures(result_scene(example, next(iter(REDUCTIONS))), key="lab-example", group="example")
        st.markdown(f":small[{plain(entry.name)}]")


def show_result(result: SweepResult) -> None:
    """Show a stored result and what can be done with it."""
    picture, choices = st.container(), st.container()
    with choices:
        reduction = choose_reduction(result)
    with picture:
        draw(result, reduction)
        with refusals_shown():
            offer_control(result, at_hand())
    with st.container(horizontal=True):
        link_to_views(result, from_lab=True)
    offer_exports(result, reduction)
    with st.expander("Check and recompute", key=f"lab-check-{result.key}"):
        show_command_and_file(result)
        if request_behind(result):
            offer_check(result)
            offer_recomputation(result)
        else:
            st.markdown(f":small[{NO_PLACE}]")


def show_command_and_file(result: SweepResult) -> None:
    """Show the command that computes the result, and where its file is."""
    st.markdown("**On the command line**, this computes it:")
    show_recipe(result)
    if not is_hosted():
        st.markdown("**The file** with all numbers:")
        st.code(str(store.find(result.key)), language=None, wrap_lines=True)


def offer_recomputation(result: SweepResult) -> None:
    """Let the sweep be run once more, to watch it."""
    file = "the bundled file stays" if store.is_shipped(result.key) else "this replaces the file"
    st.markdown(f"**All of it** can be computed anew; {file}.")
    if st.button("Run it again", key="lab-again", icon=":material/replay:"):
        with refusals_shown():
            start(remembered(None, result), fresh=True)


def offer_check(result: SweepResult) -> None:
    """Let one frame be computed anew, by this program and by torch-cka."""
    st.markdown("**A second opinion:** one frame is computed anew, by this program and by the published torch-cka.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        middle = len(result.amounts) // 2
        amount = st.selectbox("Pruning amount", result.amounts, middle, amount_name, key="lab-check-amount", width=180)
        pressed = st.button("Check this frame", key="lab-check")
    if pressed:
        with refusals_shown():
            job_id = ask_about_frame("verify", result, amount, remembered(None, result))
            st.session_state["lab-checking"] = result.key, job_id
    key, job_id = st.session_state.get("lab-checking", ("", ""))
    job = queue.get(job_id) if key == result.key else None
    if job and not job.ended:
        follow(job)
    elif job and job.outcome:
        (st.success if job.outcome["within_tolerance"] else st.error)(check_in_words(job.outcome))
    elif job:
        st.error(plain(job.message))


with picture_first():
    lab()
