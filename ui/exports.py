"""The download panel: files of a result or a comparison, made only on request."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import streamlit as st

from core.charts.vega import vega_script
from core.errors import PrunescopeError
from core.exports.drawing import Drawing, Picture
from core.exports.figure import figure_of, frames_of
from core.exports.files import file_name, metrics_csv, player_html, result_json, similarity_csv
from core.findings.compare import Axis
from core.jobs import queue
from core.jobs.job import Job
from core.request.catalog import METHODS
from core.request.limits import is_hosted
from core.request.sweep_request import OWN, SweepRequest
from core.results.names import amount_name, place_name, pruning_name
from core.results.provenance import lacks_place, request_of
from core.results.schema import SweepResult
from ui.address import amount_in_address
from ui.jobs import ask_about_frame, follow
from ui.player import VEGA
from ui.recipe import show_recipe
from ui.text import plain

MILLISECONDS = (1000, 500, 250, 125)  # a frame of a GIF, as the player's speeds
USUAL_MILLISECONDS = 500
PRINTED: dict[Picture, str] = {"png": "image/png", "svg": "image/svg+xml"}
TICK = 0.4  # seconds between two looks at a drawing
LOAD = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder!r}
model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)"""

Results = tuple[SweepResult, ...]


@st.fragment
def offer_exports(
    result: SweepResult, reduction: str, others: Sequence[SweepResult] = (), axis: Axis = "amount"
) -> None:
    """Offer what can be downloaded, folded away below a page's picture.

    Args:
        result: A whole sweep; of one that still runs nothing can be taken away.
        reduction: What is on show, a name from `core.request.catalog.REDUCTIONS`.
        others: The result that it is compared with; the pictures then show both.
        axis: Where both are shown together.
    """
    results = (result, *(other for other in others[:1] if other.key != result.key))
    axis = axis if len(results) == 2 else "amount"
    # Filled when it is opened: a page's picture would have to wait for a dozen elements that nobody sees.
    panel = st.expander("Download", key=f"download-{_keys(results)}", icon=":material/download:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if not all(each.key for each in results):
            _note("Downloads are there when the run has ended.")
            return
        _offer_film(results, reduction, axis)
        _offer_frame(results, reduction, axis)
        for each in results:
            _offer_numbers(each, in_company=len(results) > 1)


# ---------------------------------------------------------------- pictures


def _offer_film(results: Results, reduction: str, axis: Axis) -> None:
    """Offer a GIF, and the player itself as a file."""
    st.markdown("**All amounts, moving**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        milliseconds = st.selectbox(
            "One frame stands for",
            MILLISECONDS,
            MILLISECONDS.index(USUAL_MILLISECONDS),
            lambda milliseconds: f"{milliseconds} ms",
            key="export-milliseconds",
            width=180,
        )
        _offer_gif(results, reduction, axis, milliseconds)
        _download(
            "Player as one HTML file",
            partial(_html, results, reduction, axis),
            file_name(results, f"{_suffix(axis)}.html"),
            "text/html",
            "Works without a network and without Prunescope; about 1 MB.",
        )


def _suffix(axis: Axis) -> str:
    """Name an axis in the name of a file; at equal amounts, nothing."""
    return "" if axis == "amount" else f"-{axis}"


def _html(results: Results, reduction: str, axis: Axis) -> str:
    return player_html(results, reduction, _vega(), axis)


@lru_cache(maxsize=1)
def _vega() -> str:
    return VEGA.read_text("utf-8") if VEGA else vega_script()


def _offer_gif(results: Results, reduction: str, axis: Axis, milliseconds: int) -> None:
    options = (tuple(result.key for result in results), reduction, axis, milliseconds)
    if st.session_state.get("export-gif") == options:
        drawing = _gif(*options, results)
        if not drawing.ended:
            st.fragment(_look, run_every=TICK)(drawing)
            return
        try:
            content = drawing.wait()
        except PrunescopeError as error:
            _gif.clear(*options, results)
            del st.session_state["export-gif"]
            st.info(plain(str(error)))
        else:
            _download("Download the GIF", content, file_name(results, f"-{reduction}{_suffix(axis)}.gif"), "image/gif")
            return
    if st.button("Make the GIF", key="export-make-gif", icon=":material/movie:"):
        st.session_state["export-gif"] = options
        st.rerun()


@st.cache_resource(show_spinner=False, max_entries=12)
def _gif(keys: tuple[str, ...], reduction: str, axis: Axis, milliseconds: int, _results: Results) -> Drawing:
    """Start a GIF, once for all visitors who ask for the same."""
    frames = range(len(frames_of(_results, reduction, axis)))
    return Drawing(figure_of(_results, reduction, axis), "gif", frames, milliseconds)


def _look(drawing: Drawing) -> None:
    """Show how far a drawing is, twice a second."""
    if drawing.ended:
        st.rerun()
    left = f", about {max(round(drawing.seconds_left), 1)} s left" if drawing.seconds_left is not None else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(drawing.done / drawing.total, f"Drawing frame {min(drawing.done + 1, drawing.total)}{left}")
        # As a callback: a click that comes while the page is drawn anew finds this fragment gone, but is not lost.
        if st.button("Cancel", key="export-cancel-gif", icon=":material/close:", on_click=drawing.cancel):
            st.rerun()


def _offer_frame(results: Results, reduction: str, axis: Axis) -> None:
    """Offer one frame for print."""
    st.markdown("**One amount, for print**")
    frames = frames_of(results, reduction, axis)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        frame = st.selectbox(
            "Frame",
            range(len(frames)),
            _place([frame["amount"] for frame in frames]),
            lambda k: str(frames[k]["name"]),
            key=f"export-frame-{_keys(results)}{_suffix(axis)}",
            width=260,
        )
        for kind, mime in PRINTED.items():
            amount = place_name(round(frames[frame]["amount"], 3))
            _download(
                kind.upper(),
                partial(_picture, results, reduction, axis, kind, frame),
                file_name(results, f"-{reduction}{_suffix(axis)}-{amount}.{kind}"),
                mime,
            )


def _picture(results: Results, reduction: str, axis: Axis, kind: Picture, frame: int) -> bytes:
    return Drawing(figure_of(results, reduction, axis), kind, [frame]).wait()


# ---------------------------------------------------------------- one result's numbers and weights


def _offer_numbers(result: SweepResult, in_company: bool) -> None:
    """Offer tables, the file itself, the command and the pruned checkpoint."""
    of = f" of {plain(pruning_name(result))}" if in_company else ""
    st.markdown(f"**All numbers{of}**")
    with st.container(horizontal=True):
        name = file_name([result], "-similarity.csv")
        _download("Similarities as CSV", partial(similarity_csv, result), name, "text/csv")
        _download("Metrics as CSV", partial(metrics_csv, result), file_name([result], "-metrics.csv"), "text/csv")
        _download("Result as JSON", partial(result_json, result), file_name([result], ".json"), "application/json")
    st.markdown(f"**The command that computes them{of}**")
    show_recipe(result)
    st.markdown(f"**A pruned checkpoint{of}**")
    _offer_checkpoint(result, queue.request_for(result.key) or request_of(result))


def _offer_checkpoint(result: SweepResult, request: SweepRequest) -> None:
    """Offer the weights of one frame, as a folder in the Hub's format."""
    if is_hosted():
        _note(
            "The pruned weights themselves are hundreds of megabytes, which this shared server does not make for every "
            "visitor: run Prunescope on your own computer to get them."
        )
        return
    if not _is_findable(result, request):
        _note("It was computed on a folder whose place is not recorded: run it in the Lab first.")
        return
    _note(
        f"A folder in the Hub's format, about {round(result.checkpoint.num_parameters * 4 / 1e6)} MB, with zeros where "
        "weights were removed; transformers loads it, and it gives the accuracy shown here."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = st.selectbox(
            "Pruning amount",
            result.amounts,
            _place(result.amounts),
            amount_name,
            key=f"export-amount-{result.key}",
            width=180,
        )
        if st.button("Write the folder", key=f"export-write-{result.key}", icon=":material/save:"):
            try:
                job_id = ask_about_frame("export", result, amount, request)
                st.session_state["export-checkpoint"] = (result.key, amount), job_id
            except PrunescopeError as error:
                st.error(plain(str(error)))
    asked, job_id = st.session_state.get("export-checkpoint", (None, ""))
    if asked == (result.key, amount):
        _show_checkpoint(amount, queue.get(job_id))


def _show_checkpoint(amount: float, job: Job | None) -> None:
    """Show the progress of writing the folder, and then its path."""
    if job and not job.ended:
        follow(job)
    elif job and job.outcome:
        st.success(f"The checkpoint pruned by {amount_name(amount)} lies in this folder:")
        st.code(LOAD.format(folder=job.outcome["folder"]), language="python", wrap_lines=True)
    elif job:
        st.error(plain(job.message))


def _is_findable(result: SweepResult, request: SweepRequest) -> bool:
    """Whether it is known where the checkpoint is and, if the method scores on some, the examples."""
    checkpoint = result.checkpoint.source != "folder" or queue.request_for(result.key) is not None
    place = request.data or ""
    data = not lacks_place(result.task) or place == "hub" or place.startswith(OWN) or Path(place).exists()
    return checkpoint and (data or not METHODS[result.pruning.method].calibrated)


def _keys(results: Results) -> str:
    """Identify these results in the keys of their widgets."""
    return "-".join(result.key for result in results)


def _place(amounts: Sequence[float]) -> int:
    """Find what a shared link shows among the amounts, as the player does; else the one in the middle."""
    asked = amount_in_address()
    return len(amounts) // 2 if asked is None else max(sum(amount <= asked for amount in amounts) - 1, 0)


def _note(words: str) -> None:
    """Write a remark; a caption would be too faint to be read on a projector."""
    st.markdown(f":small[{words}]")


def _download(
    label: str, content: bytes | Callable[[], str | bytes], name: str, mime: str, note: str | None = None
) -> None:
    """Draw a button that sends a file; what is callable is made on the click."""
    st.download_button(
        label, content, name, mime, key=f"export-{name}", help=note, on_click="ignore", icon=":material/download:"
    )
