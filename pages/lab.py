"""The Lab: prune a checkpoint on demand, and watch every frame arrive."""

from collections.abc import Sequence

import streamlit as st

from core.charts.result import result_scene
from core.findings.choices import settings
from core.findings.words.lab import caution, check_sentence, methods_table, reading_note
from core.findings.words.layers import layers_heading
from core.findings.words.story import chance_finding
from core.jobs.job import Job
from core.jobs.queue import queue
from core.request.catalog import REDUCTIONS
from core.request.controls import deciding, judged_beside
from core.request.pages import PAGES
from core.request.sweep_request import DEFAULT_REQUEST, SweepRequest
from core.results import store
from core.results.cached_call import cached_call
from core.results.library import entry_of
from core.results.names import brief_name
from core.results.provenance import request_of
from core.results.schema import SweepResult
from ui import jobs
from ui.address import (
    DECIDE,
    OWN,
    OWN_MODEL,
    amount_in_address,
    choose_amount,
    picture_first,
    set_parameter,
    show,
)
from ui.exports import offer_exports
from ui.header import link_to_control, page_header
from ui.lab.data import OWN_REQUEST, chosen_checkpoint
from ui.lab.settings import offer_recovery, offer_sweep
from ui.lab.state import lab as remembered
from ui.player import choose_reduction, show_pictures
from ui.results import (
    at_hand,
    companions_of,
    note_computed,
    own_methods,
    read_all,
    read_stored,
    show_history,
    show_upload,
)
from ui.text import field_row, markdown_table, plain, refusals_shown, remark

EXPLANATION = (
    "A run prunes a model step by step, and shows how similar its layers stay and how well it "
    "classifies."
)
DEFAULT = " **Press Run** to begin: the default checkpoint works offline."
WAITING_HEIGHT = 540  # pixels: about the height of the picture, so that nothing moves when it comes
SECOND_OPINION = (
    "**A second opinion:** compute one frame again, with this program and with the published "
    "torch-cka."
)


def lab() -> None:
    """Show the run or the result that the address names, else the settings beside an example."""
    result = page_header("Lab").result
    record = remembered()
    queue.start_worker()
    job = jobs.job_in_address("Lab")
    if job:
        set_parameter(DECIDE, None)
        set_parameter(OWN, None)
        note_computed(*job.keys)
        record.follow(job.id)
        shown = job.key or (result and result.key)
        if job.ended and shown:
            # The result of its own sweep replaces it, else the result on show stays.
            record.follows, record.ended = shown, None if job.state == "done" else job
            set_parameter("job", None)
            show(shown)
            st.rerun()
        result = read_stored(job.key, SweepResult) if job.key else None
        record.ended = job if job.ended else None
    elif result:
        set_parameter(OWN, None)
        record.follow(result.key + st.query_params.get(DECIDE, ""))
    else:
        if record.follows == OWN_MODEL:
            # Links do not carry it: its settings are back after a look at another page.
            set_parameter(OWN, OWN_MODEL)
        record.follow(st.query_params.get(OWN, ""))
    ended = record.ended
    if ended:
        kept = " What was finished before is kept." if ended.key else ""
        (st.error if ended.state == "failed" else st.info)(plain(ended.message + kept))
    if result:
        show_result(result, job)
    elif job and not job.ended:
        show_running(job)
    else:
        show_beginning(job)
    show_history(result.key if result else None)
    show_upload()


def ask(shown: SweepRequest, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Draw the settings and the Run bar, starting from a request or from its remedy."""
    remedy = st.query_params.get(DECIDE, "")
    request = deciding(shown, remedy)
    offer_sweep(request, judged_beside(request) if remedy else follow_ups)


# ---------------------------------------------------------------- before, during and after a run


def show_beginning(job: Job | None) -> None:
    """Show the settings beside the frames of a run that ended early, else beside an example."""
    partial = job.partial_result if job else None
    usual = OWN_REQUEST if OWN in st.query_params else DEFAULT_REQUEST
    request = job.request if job and isinstance(job.request, SweepRequest) else usual
    chosen = chosen_checkpoint(request)
    st.title(PAGES["Lab"].title, anchor=False)
    st.markdown(EXPLANATION + (DEFAULT if chosen == DEFAULT_REQUEST.checkpoint else ""))
    settings, beside = st.columns([5, 6], gap="large")
    with beside:
        if partial:
            reduction = choose_reduction()
            draw(partial, reduction)
            show_finding(partial, layers_heading(partial, reduction))
        else:
            show_example(chosen)
    with settings:
        ask(request, job.follow_ups if job else ())


def show_running(job: Job) -> None:
    """Show a job's progress and its frames as they arrive.

    Settings are hidden meanwhile: uncommitted text in a field would swallow the next click.
    """
    # A new heading makes the browser show the page from its top.
    st.title("Pruning step by step", anchor=False)
    picture = st.container()
    reduction = choose_reduction()
    with picture:
        jobs.follow(job, lambda current: draw(current.partial_result, reduction))


def draw(result: SweepResult | None, reduction: str) -> None:
    """Draw a result's picture, or a box in its place."""
    if result:
        start = amount_in_address() if result.key else None
        show_pictures(cached_call(result_scene, result, reduction), key="lab", start=start)
        return
    box = st.container(
        border=True,
        height=WAITING_HEIGHT,
        horizontal_alignment="center",
        vertical_alignment="center",
    )
    box.markdown(
        "The picture appears here once the unpruned model has been measured.", width="content"
    )


def show_example(checkpoint: str) -> None:
    """Show an available result of the chosen checkpoint, or a box in place of its picture."""
    entries = settings([entry for entry in at_hand() if entry.checkpoint == checkpoint])
    examples = read_all(entries[:1])
    if not examples:
        draw(None, "")
        return
    st.markdown(f"**Example:** {plain(entries[0].name)}")
    scene = cached_call(result_scene, examples[0], next(iter(REDUCTIONS)))
    show_pictures(scene, key="lab-example")


def show_result(result: SweepResult, job: Job | None) -> None:
    """Show a stored result; offer actions on it unless a job still runs."""
    head, settings, picture, choices = (st.container() for _ in range(4))
    with choices:
        reduction = choose_reduction()
    heading = cached_call(layers_heading, result, reduction)
    head.title(plain(heading), anchor=False)
    with picture:
        if len(result.frames) > 1:
            show_methods(own_methods(result) or [result], reduction, result.key)
        if job:
            jobs.follow(job)
        draw(result, reduction)
        if job:
            return
        link_to_control(result)
    chance = cached_call(chance_finding, result, companions_of(result))
    head.markdown(plain(f"{chance.heading}."))
    show_finding(result, " ".join(chance.sentences))
    name = plain(entry_of(result).name)
    request = jobs.request_behind(result)
    to_decide = DECIDE in st.query_params
    key = f"lab-settings-{to_decide}-{result.key}"
    with settings:
        panel = st.expander(
            name, expanded=to_decide, key=key, icon=":material/tune:", on_change="rerun"
        )
    if panel.open:  # its many fields are drawn on demand
        with panel:
            ask(request or request_of(result))
    offer_exports(cached_call(result_scene, result, reduction)._replace(title=heading), result)
    if len(result.frames) > 1:
        offer_recovery(result)
    with st.expander("Check and recompute", key=f"lab-check-{result.key}"):
        check_and_recompute(result, request)


def show_methods(results: Sequence[SweepResult], reduction: str, on_show: str) -> None:
    """Tabulate results, and lead to those not on show: a link in a table would open a new tab."""
    rows = methods_table(results, reduction)
    names = {result.key: brief_name(result.pruning) for result in results}
    st.markdown(markdown_table([*rows.values()]))
    with st.container(horizontal=True):
        for key in rows:
            if key != on_show:
                label = plain(names[key])
                st.button(label, f"lab-method-{key}", type="tertiary", on_click=show, args=(key,))


def show_finding(result: SweepResult, finding: str) -> None:
    """Show a caution, if there is one, the finding, and how the table was read."""
    if words := caution(result):
        st.warning(plain(words))
    st.markdown(plain(finding))
    if note := reading_note(result.task):
        remark(plain(note))


# ---------------------------------------------------------------- behind a result


def check_and_recompute(result: SweepResult, request: SweepRequest | None) -> None:
    """Offer to check a frame of a result, and to rerun its sweep."""
    if request is None:
        remark(
            "The result does not say where its weights or data are: choose them again in the "
            "settings."
        )
        return
    st.markdown(SECOND_OPINION)
    with field_row():
        amount = choose_amount(result.amounts, "lab-check-amount")
        if st.button("Check this frame", key="lab-check"):
            with refusals_shown():
                fields = jobs.frame_fields(result, amount, request)
                jobs.ask("lab-checking", result.key, "verify", **fields)
    if check := jobs.answer_to("lab-checking", result.key):
        (st.success if check["within_tolerance"] else st.error)(check_sentence(check))
    label = (
        "Recompute; the bundled file stays"
        if store.is_shipped(result.key)
        else "Recompute and replace this result"
    )
    if st.button(label, key="lab-again", icon=":material/replay:"):
        with refusals_shown():
            jobs.start(request, fresh=True)


with picture_first():
    lab()
