"""The download panel: what a page shows, and all numbers of its results; files are made only on request."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from core.charts.view import Scene, frame_of
from core.errors import PrunescopeError
from core.exports.tables import file_name, metrics_csv, similarity_csv
from core.findings.cut import Choice
from core.findings.words.cut import smaller_words
from core.inputs import uploads
from core.jobs.queue import queue
from core.request.catalog import is_calibrated
from core.request.limits import is_hosted
from core.request.places import is_upload
from core.results.cut import CutStudy, Result
from core.results.names import amount_name, result_name
from core.results.provenance import can_be_found, recipe
from core.results.schema import SweepResult
from ui.address import amount_in_address
from ui.jobs import answer_to, ask, frame_fields, original_request
from ui.pictures import download, offer_pictures
from ui.text import plain, refusals_shown, remark

ON_YOUR_OWN = "A large folder, which this shared server does not make: run Prunescope on your own computer to get it."
LACKING = "The weights or the examples are not at hand, or their place is not known: run it in the Lab first."
WRITES = (
    "A folder in the Hub's format. It is as large and as fast as before: removed weights are zeros in place. Loaded in "
    "float32, it gives the scores shown here."
)
LOAD = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder!r}
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32")
tokenizer = AutoTokenizer.from_pretrained(folder)"""


@st.fragment
def offer_exports(
    scene: Scene | None,
    *results: Result,
    choices: Mapping[str, Scene] | None = None,
    label: str = "Download",
    numbers: bool = True,
) -> None:
    """Offer what can be downloaded, folded away below a page's picture.

    Args:
        scene: What the page shows; None where it has no picture.
        results: Those on show, whole sweeps or one study of cuts.
        choices: See `ui.pictures.offer_pictures`.
        label: Says what, where a page has several panels.
        numbers: Whether to offer all numbers of every result as well; several have their commands without them too.
    """
    several = {result.key: result for result in results}
    # Filled when it is opened: a page's picture would have to wait for a dozen elements that nobody sees.
    key = f"download-{scene.layout.name if scene else 'nothing'}-{'-'.join(several)}"
    panel = st.expander(label, key=key, icon=":material/download:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if scene:
            offer_pictures(scene, [*several.values()], choices)
        for result in several.values():
            of = f": {plain(result_name(result))}" if len(several) > 1 else ""
            if numbers:
                _offer_numbers(result, of)
            if numbers or of:
                st.markdown(f"**Command{of}**")
                show_recipe(result)
            if numbers and isinstance(result, SweepResult) and result.pruning.granularity != "layer":
                st.markdown(f"**Pruned checkpoint{of}**")
                _offer_checkpoint(result)


def _offer_numbers(result: Result, of: str) -> None:
    st.markdown(f"**Numbers{of}**")
    with st.container(horizontal=True):
        if isinstance(result, SweepResult):
            name = partial(file_name, [result])
            download("Similarities as CSV", partial(similarity_csv, result), name("-similarity.csv"))
            download("Metrics as CSV", partial(metrics_csv, result), name("-metrics.csv"))
        download("Result as JSON", result.model_dump_json, file_name([result], ".json"))


def show_recipe(result: Result) -> None:
    """Show how to recompute a whole result; a hosted server's paths and files mean nothing to a visitor."""
    request = None
    with suppress(PrunescopeError):  # an upload is not stored here any more
        request = None if is_hosted() else queue.request_for(result.key)
        if request and is_upload(request.data or ""):  # a command line reads the file that it is kept in
            request = replace(request, data=str(uploads.find(str(request.data)).path))
    made_by = recipe(result, request)
    st.code(made_by.script, language="shell", wrap_lines=True)
    if made_by.missing:
        remark(plain(made_by.missing))


def _offer_checkpoint(result: SweepResult) -> None:
    """Offer the weights of one frame, as a folder in the Hub's format."""
    request = original_request(result)
    needed = request if is_calibrated(request.method, request.control_of) else replace(request, data=None)
    if is_hosted() or not can_be_found(replace(needed, against=None)):
        remark(ON_YOUR_OWN if is_hosted() else LACKING)
        return
    remark(WRITES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known, key = result.working_range, f"export-amount-{result.key}"
        first = frame_of(result.amounts, known.to if known and known.to else amount_in_address())
        amount = st.selectbox("Pruning amount", result.amounts, first, amount_name, key, width=180)
        if st.button("Save checkpoint", key=f"export-write-{result.key}", icon=":material/save:"):
            with refusals_shown():
                fields = frame_fields(result, amount, request)
                ask("export-checkpoint", (result.key, amount), "export", **fields)
    if written := answer_to("export-checkpoint", (result.key, amount)):
        _say_where(f"The checkpoint pruned by {amount_name(amount)}", written["path"])


def offer_smaller(study: CutStudy, choice: Choice) -> None:
    """Offer the model that a cut leaves: a folder in the Hub's format, hosted a ZIP of it."""
    request, asked = original_request(study), (study.key, len(choice.model.layers), choice.model.share)
    if not can_be_found(replace(request, data=None)):
        remark(LACKING)
        return
    place = request.checkpoint if study.checkpoint.source == "folder" else None
    with st.container(horizontal=True, vertical_alignment="center"), refusals_shown():
        if st.button("Save the smaller model", key="cut-save", icon=":material/save:"):
            key, left, share = asked
            ask("export-cut", asked, "export-cut", key=key, left=left, share=share, checkpoint=place)
        remark(plain(smaller_words(choice)))
    if not (written := answer_to("export-cut", asked)):
        return
    path = Path(written["path"])
    if is_hosted():
        download("Download it", path.read_bytes, path.name)
    else:
        _say_where("The smaller model", str(path))


def _say_where(what: str, folder: str) -> None:
    st.success(f"{what} lies in this folder:")
    st.code(LOAD.format(folder=folder), language="python", wrap_lines=True)
