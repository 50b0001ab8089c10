"""The Lab: prune a checkpoint on demand, and watch every frame arrive."""

from collections.abc import Sequence

import streamlit as st

from core.charts.result import result_scene
from core.findings.choices import middle_of, settings
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
from core.results.names import amount_name, brief_name
from core.results.provenance import request_of
from core.results.schema import SweepResult
from ui import jobs
from ui.address import DECIDE, OWN, OWN_MODEL, amount_in_address, picture_first, set_parameter, show
from ui.exports import offer_exports
from ui.header import link_to_control, page_header
from ui.lab.data import OWN_REQUEST, chosen_checkpoint
from ui.lab.history import show_history
from ui.lab.settings import offer_recovery, offer_sweep
from ui.lab.state import lab as remembered
from ui.player import choose_reduction, show_pictures
from ui.results import at_hand, by_key, companions_of, note_computed, own_methods, show_upload
from ui.text import markdown_table, plain, refusals_shown, remark

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
    state = page_header("Lab")
    record = remembered()
    queue.start_worker()
    job = jobs.job_in_address("Lab")
    if job:
        set_parameter(DECIDE, None)
        for key in (*job.keys[1:], *job.keys[:1]):
            note_computed(key)
        record.follow(job.id)
        shown = job.key or (state.result and state.result.key)
        if (
            job.ended and shown
        ):  # the result of its own sweep replaces it, else the result on show stays
            record.follows = shown
            record.ended = None if job.state == "done" else job
            set_parameter("job", None)
            show(shown)
            st.rerun()
    result = state.result if not job else None
    if job or result:
        set_parameter(OWN, None)
    elif record.follows == OWN_MODEL:
        set_parameter(
            OWN, OWN_MODEL
        )  # links do not carry it: its settings are back after a look at another page
    if not job:
        record.follow(
            result.key + st.query_params.get(DECIDE, "") if result else st.query_params.get(OWN, "")
        )
    if ended := record.ended or (job if job and job.ended else None):
        kept = " What was finished before is kept." if ended.key else ""
        (st.error if ended.state == "failed" else st.info)(plain(ended.message + kept))
    finished = by_key(job.key) if job and job.key else result
    if finished:
        show_result(finished, job)
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
    st.title(
        "Pruning step by step", anchor=False
    )  # a new heading makes the browser show the page from its top
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
    with st.container(
        border=True,
        height=WAITING_HEIGHT,
        horizontal_alignment="center",
        vertical_alignment="center",
    ):
        st.markdown(
            "The picture appears here once the unpruned model has been measured.", width="content"
        )


def show_example(checkpoint: str) -> None:
    """Show an available result of the chosen checkpoint, or a box in place of its picture."""
    entries = settings([entry for entry in at_hand() if entry.checkpoint == checkpoint])
    if entries and (example := by_key(entries[0].key)):
        st.markdown(f"**Example:** {plain(entries[0].name)}")
        show_pictures(
            cached_call(result_scene, example, next(iter(REDUCTIONS))),
            key="lab-example",
            group="example",
        )
    else:
        draw(None, "")


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
    chance = cached_call(chance_finding, result, companions_of(result, at_hand()))
    head.markdown(plain(f"{chance.heading}."))
    show_finding(result, " ".join(chance.sentences))
    name = plain(entry_of(result).name)
    to_decide = DECIDE in st.query_params
    key = f"lab-settings-{to_decide}-{result.key}"
    with settings:
        panel = st.expander(
            name, expanded=to_decide, key=key, icon=":material/tune:", on_change="rerun"
        )
    if panel.open:  # its many fields are drawn on demand
        with panel:
            ask(jobs.request_behind(result) or request_of(result))
    offer_exports(cached_call(result_scene, result, reduction)._replace(title=heading), result)
    if (
        store.find(result.key) and len(result.frames) > 1
    ):  # a result opened for this visit alone is no file
        offer_recovery(result)
    with st.expander("Check and recompute", key=f"lab-check-{result.key}"):
        check_and_recompute(result)


def show_methods(results: Sequence[SweepResult], reduction: str, on_show: str) -> None:
    """Tabulate results, and lead to those not on show: a link in a table would open a new tab."""
    rows = methods_table(results, reduction)
    names = {result.key: brief_name(result.pruning) for result in results}
    st.markdown(markdown_table([*rows.values()]))
    with st.container(horizontal=True, key="lab-methods"):
        for key in rows:
            if key != on_show:
                st.button(
                    plain(names[key]),
                    f"lab-method-{key}",
                    type="tertiary",
                    on_click=show,
                    args=(key,),
                )


def show_finding(result: SweepResult, finding: str) -> None:
    """Show a caution, if there is one, the finding, and how the table was read."""
    if words := caution(result):
        st.warning(plain(words))
    st.markdown(plain(finding))
    if note := reading_note(result.task):
        remark(plain(note))


# ---------------------------------------------------------------- behind a result


def check_and_recompute(result: SweepResult) -> None:
    """Offer to check a frame of a result, and to rerun its sweep."""
    request = jobs.request_behind(result)
    if request is None:
        remark(
            "The result does not say where its weights or data are: choose them again in the "
            "settings."
        )
        return
    if store.find(result.key):
        st.markdown(SECOND_OPINION)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            middle = result.amounts.index(middle_of(result.amounts))
            amount = st.selectbox(
                "Amount", result.amounts, middle, amount_name, key="lab-check-amount", width=180
            )
            if st.button("Check this frame", key="lab-check"):
                with refusals_shown():
                    jobs.ask(
                        "lab-checking",
                        result.key,
                        "verify",
                        **jobs.frame_fields(result, amount, request),
                    )
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
