"""The download panel: what a page shows, and all numbers of its results; files are made only on request."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import streamlit as st

from core.charts.view import Scene
from core.errors import PrunescopeError
from core.exports.tables import file_name, metrics_csv, result_json, similarity_csv
from core.inputs.uploads import placed
from core.jobs import queue
from core.request.catalog import METHODS, RECIPE
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest, is_made
from core.results.choices import task_title
from core.results.names import amount_name, pruning_name, result_name
from core.results.provenance import can_be_found, recipe
from core.results.schema import SweepResult
from ui.jobs import answer_to, ask_about_frame, ask_anew, original_request
from ui.pictures import download, offer_pictures, place_in_address
from ui.text import plain, refusals_shown, remark

# What is made on the click may fail: drawing takes a process, and where the page has been drawn anew meanwhile,
# Streamlit has dropped what the button refers to. No code of ours runs on the page then: its words are replaced.
FAILED = "This file was not made. Press the button again; if that fails too, reload the page."
STYLE = f"""<style>
[data-testid="stDownloadButtonError"] {{ font-size: 0; }}
[data-testid="stDownloadButtonError"]::after {{
  content: "{FAILED}"; display: block; max-width: 18rem; font-size: 0.875rem; line-height: 1.4;
}}
</style>"""
LOAD = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder!r}
model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)"""


@st.fragment
def offer_exports(
    scene: Scene | None,
    *results: SweepResult,
    choices: Mapping[str, Scene] | None = None,
    label: str = "Download",
    numbers: bool = True,
) -> None:
    """Offer what can be downloaded, folded away below a page's picture.

    Args:
        scene: What the page shows; None where it has no picture.
        results: Those on show, whole sweeps; of one that still runs nothing can be taken away.
        choices: See `ui.pictures.offer_pictures`.
        label: Says what, where a page has several panels.
        numbers: Whether to offer all numbers of every result as well; several have their commands without them too.
    """
    several = tuple({result.key: result for result in results}.values())
    # Filled when it is opened: a page's picture would have to wait for a dozen elements that nobody sees.
    shown = scene.layout.name if scene else "nothing"
    key = f"download-{shown}-{'-'.join(result.key for result in several)}"
    panel = st.expander(label, key=key, icon=":material/download:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        st.html(STYLE)
        if not all(result.key for result in several):
            remark("Downloads are there when the run has ended.")
            return
        if scene:
            offer_pictures(scene, several, choices)
        for name, result in zip(_names(several), several, strict=True):
            of = f": {name}" if len(several) > 1 else ""
            if numbers:
                st.markdown(f"**Numbers{of}**")
                with st.container(horizontal=True):
                    table, metrics = (file_name([result], ending) for ending in ("-similarity.csv", "-metrics.csv"))
                    download("Similarities as CSV", partial(similarity_csv, result), table, "text/csv")
                    download("Metrics as CSV", partial(metrics_csv, result), metrics, "text/csv")
                    file = file_name([result], ".json")
                    download("Result as JSON", partial(result_json, result), file, "application/json")
            if numbers or of:
                st.markdown(f"**Command{of}**")
                show_recipe(result)
            if numbers:
                st.markdown(f"**Pruned checkpoint{of}**")
                _offer_checkpoint(result, original_request(result))


def _names(results: Sequence[SweepResult]) -> list[str]:
    """Name results by the least that tells them apart: the task, the pruning, or all of it."""
    shortest = ([task_title(result.task.name) for result in results], [pruning_name(result) for result in results])
    names = next((names for names in shortest if len(set(names)) == len(names)), None)
    return [plain(name) for name in names or map(result_name, results)]


def show_recipe(result: SweepResult) -> None:
    """Show how to recompute a whole result; a hosted server's paths and files mean nothing to a visitor."""
    request = None
    with suppress(PrunescopeError):  # an upload is not stored here any more
        request = None if is_hosted() or not (known := queue.request_for(result.key)) else placed(known)
    made_by = recipe(result, request)
    st.code(made_by.script, language="shell", wrap_lines=True)
    if made_by.missing:
        remark(plain(made_by.missing))


def _offer_checkpoint(result: SweepResult, request: SweepRequest) -> None:
    """Offer the weights of one frame, as a folder in the Hub's format."""
    megabytes = round(result.checkpoint.num_parameters * 4 / 1e6)  # in float32
    needed = request if METHODS[request.method].calibrated else replace(request, data=None)
    lacks = ""
    if is_hosted():
        lacks = (
            f"The pruned weights themselves take about {megabytes} MB, which this shared server does not make for "
            "every visitor: run Prunescope on your own computer to get them."
        )
    elif request.checkpoint.startswith(RECIPE) and not is_made(request.checkpoint):
        lacks = (
            "The unpruned weights are not shipped: make them first, as described under *Command*, and run it in the "
            "Lab."
        )
    elif not can_be_found(replace(needed, against=None)):
        lacks = "It was computed on a folder or a file whose location is not recorded: run it in the Lab first."
    if lacks:
        remark(lacks)
        return
    remark(
        f"A folder in the Hub's format, about {megabytes} MB, with zeros where "
        "weights were removed; transformers loads it, and it gives the accuracy shown here."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = st.selectbox(
            "Pruning amount",
            result.amounts,
            place_in_address(result.amounts),
            amount_name,
            key=f"export-amount-{result.key}",
            width=180,
        )
        if st.button("Save checkpoint", key=f"export-write-{result.key}", icon=":material/save:"):
            with refusals_shown():
                frame = result.key, amount
                ask_anew("export-checkpoint", frame, lambda: ask_about_frame("export", result, amount, request))
    if written := answer_to("export-checkpoint", (result.key, amount)):
        st.success(f"The checkpoint pruned by {amount_name(amount)} lies in this folder:")
        st.code(LOAD.format(folder=written["folder"]), language="python", wrap_lines=True)
