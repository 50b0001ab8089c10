"""What can be taken away: what a page shows, as a film, a picture or a page of its own, and all numbers of its results.

Files are made on the click that downloads.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import TypeVar

import streamlit as st

from core.charts.story import Step
from core.charts.theme import ThemeName
from core.charts.view import Scene, choice_of, frame_of
from core.errors import PrunescopeError
from core.exports.drawing import Picture, draw
from core.exports.figure import Figure, figure_of
from core.exports.player_page import player_page, story_page
from core.exports.tables import file_name, metrics_csv, shown_csv, similarity_csv
from core.findings.cut import Choice
from core.findings.words.cut import smaller_words
from core.findings.words.numbers import place_name
from core.inputs import uploads
from core.jobs.queue import queue
from core.request.catalog import METHODS, REDUCTIONS
from core.request.limits import is_hosted, is_upload
from core.request.sweep_request import SweepRequest
from core.results.cut import CutStudy, Result
from core.results.key import sealed
from core.results.names import amount_name, pruning_name, result_name
from core.results.provenance import can_be_found, checkpoint_place, recomputation
from core.results.schema import SweepResult
from ui.address import amount_in_address
from ui.jobs import answer_to, ask, frame_fields, original_request, progress_shown, visitor
from ui.text import plain, refusals_shown, remark

N = TypeVar("N", bound=str)

MAX_TITLE_CHARS = 300
THEMES: dict[ThemeName, str] = {"light": "Light", "dark": "Dark"}
MILLISECONDS = (1000, 500, 250, 125)  # a frame of a film, as the player's speeds
FILMS: tuple[Picture, ...] = ("gif", "mp4")
STILLS: tuple[Picture, ...] = ("png", "svg")
FILM = "Drawing takes up to half a minute; leaving the page ends it."
STILL = "Drawn in a few seconds."
PLAYER = "Plays in any browser, without a network and without Prunescope; about 1 MB."
TALK = f"{PLAYER} The arrow keys turn to the next scene, N shows what to say, F fills the screen."
PRINTED = "For slides as a PDF, open the file and print it: each scene is a page. Films of the result are on *Present*."
NUMBERS = "The values behind these pictures, at all amounts."


def download(label: str, make: bytes | Callable[[], str | bytes], name: str, note: str | None = None) -> None:
    """Draw a button that sends a file, which is there or is made on the click."""
    mime, icon = guess_type(name)[0], ":material/download:"
    st.download_button(label, make, name, mime, key=f"export-{name}", help=note, on_click="ignore", icon=icon)


def offer_pictures(scene: Scene, results: Sequence[Result], choices: Mapping[str, Scene] | None = None) -> None:
    """Offer what a page shows, exactly as it shows it.

    Args:
        scene: What the page shows.
        results: Whole sweeps, which it shows, or a study of cuts.
        choices: What the player on that page lets its viewer choose from, by reduction.
    """
    key, choice = f"export-{scene.layout.name}", ""
    if choices:
        first = choice_of(scene, choices)  # the one that the page opened with: the player does not say its own
        titles = {name: REDUCTIONS[name].title for name in choices}
        choice = _pick("Sentence vector", titles, first, f"export-reduction-{first}")
        scene = choices[choice]
    scene = replace(scene, title=_ask_title(scene.title, key))
    layout, moves = scene.layout.name, len(scene.frames) > 1

    def name(extension: str) -> str:
        parts = (f"-{choice}" if choice else "", "-dark" if theme == "dark" else "", extension)
        return file_name(results, "".join(parts), layout)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        theme = _pick("Colours", THEMES, st.context.theme.type or "light", f"{key}-theme")
        if moves:
            sweeps = [result for result in results if isinstance(result, SweepResult)]
            player = partial(player_page, scene, sweeps, theme, choices)
            download("HTML player", player, name(".html"), PLAYER)

    _offer_drawn(scene, figure_of(scene, theme), name, f"{key}-{results[0].key}")
    download("Numbers shown (CSV)", partial(shown_csv, scene), file_name(results, "-shown.csv", layout), NUMBERS)


@st.fragment  # all else on the page stays as it is while a picture is drawn
def _offer_drawn(scene: Scene, figure: Figure, name: Callable[[str], str], key: str) -> None:
    """Offer films and stills: a click draws one under a bar, and then offers the file."""
    films, milliseconds, frame, amount = list[Picture](), MILLISECONDS[1], 0, ""
    if len(scene.frames) > 1:
        st.markdown("**All amounts, moving**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            speed_key = f"{key}-milliseconds"
            milliseconds = st.selectbox("Frame duration", MILLISECONDS, 1, "{} ms".format, speed_key, width=180)
            films = _pressed(FILMS, key, FILM)
        st.markdown("**One amount**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(scene.frames) > 1:
            names = [str(frame["name"]) for frame in scene.frames]
            shown = frame_of(scene.amounts, amount_in_address())
            frame = st.selectbox("Amount", range(len(names)), shown, names.__getitem__, f"{key}-frame", width=260)
            amount = f"-{place_name(round(scene.amounts[frame], 3))}"
        stills = _pressed(STILLS, key, STILL)
    for kind in (*films, *stills):
        with refusals_shown(), progress_shown() as report:
            frames = range(len(scene.frames)) if kind in FILMS else [frame]
            content = draw(figure, kind, frames, milliseconds, report, visitor().holder)
            download(f"Save {kind.upper()}", content, name(f".{kind}" if kind in FILMS else f"{amount}.{kind}"))


def _pressed(kinds: Sequence[Picture], key: str, note: str) -> list[Picture]:
    """Draw a button a format, and return the one that was pressed."""
    return [kind for kind in kinds if st.button(kind.upper(), f"{key}-{kind}", note, icon=":material/image:")]


@st.fragment
def offer_story(steps: Sequence[Step], result: SweepResult) -> None:
    """Offer a story for a talk as one page, folded away.

    Args:
        steps: Its scenes.
        result: The whole sweep that it tells of.
    """
    panel = st.expander("Take it to a talk", key=f"talk-{result.key}", icon=":material/slideshow:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        title = _ask_title(pruning_name(result), "talk")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            theme = _pick("Colours", THEMES, st.context.theme.type or "light", "talk-theme")
            ending = "-dark" if theme == "dark" else ""
            page = partial(story_page, steps, result, title, theme)
            download("HTML", page, file_name([result], f"{ending}.html", "talk"), TALK)
        remark(PRINTED)


def _ask_title(first: str, key: str) -> str:
    title = st.text_input(
        "Title", first[:MAX_TITLE_CHARS], MAX_TITLE_CHARS, f"{key}-title-{first}", icon=":material/edit:"
    )
    return title.strip() or first


def _pick(label: str, names: Mapping[N, str], first: N, key: str) -> N:
    """Offer a few names side by side."""
    chosen: N = st.segmented_control(
        label, list(names), format_func=names.__getitem__, default=first, key=key, required=True
    )
    return chosen


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
        choices: See `offer_pictures`.
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
            if isinstance(result, CutStudy):
                continue
            if numbers or of:
                st.markdown(f"**Command{of}**")
                show_recipe(result)
            if numbers:
                st.markdown(f"**Pruned checkpoint{of}**")
                _offer_checkpoint(result)


def _offer_numbers(result: Result, of: str) -> None:
    st.markdown(f"**Numbers{of}**")
    with st.container(horizontal=True):
        if isinstance(result, SweepResult):
            name = partial(file_name, [result])
            download("Similarities as CSV", partial(similarity_csv, result), name("-similarity.csv"))
            download("Metrics as CSV", partial(metrics_csv, result), name("-metrics.csv"))
        download("Result as JSON", lambda: sealed(result).model_dump_json(), file_name([result], ".json"))


def show_recipe(result: SweepResult) -> None:
    """Show how to recompute a whole result; a hosted server's paths and files mean nothing to a visitor."""
    request = None
    with suppress(PrunescopeError):  # an upload is not stored here any more
        request = None if is_hosted() else queue.request_for(result.key)
        if request and is_upload(request.data or ""):  # a command line reads the file that it is kept in
            request = replace(request, data=str(uploads.find(str(request.data)).path))
    made_by = recomputation(result, request)
    st.code(made_by.script, language="shell", wrap_lines=True)
    if made_by.missing:
        remark(plain(made_by.missing))


def _offer_checkpoint(result: SweepResult) -> None:
    """Offer the weights of one frame, as a folder in the Hub's format."""
    request = original_request(result)
    needed = request if METHODS[request.method].calibrated else replace(request, data=None)
    if is_hosted() or not can_be_found(needed):
        remark(ON_YOUR_OWN if is_hosted() else LACKING)
        return
    remark(WRITES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known, key = result.working_range, f"export-amount-{result.key}"
        first = frame_of(result.amounts, amount_in_address() if not known or known.to is None else known.to)
        amount = st.selectbox("Pruning amount", result.amounts, first, amount_name, key, width=180)
        if st.button("Save checkpoint", key=f"export-write-{result.key}", icon=":material/save:"):
            with refusals_shown():
                fields = frame_fields(result, amount, request)
                ask("export-checkpoint", (result.key, amount), "export", **fields)
    if written := answer_to("export-checkpoint", (result.key, amount)):
        _say_where(f"The checkpoint pruned by {amount_name(amount)}", written["path"])


def offer_smaller(study: CutStudy, choice: Choice) -> None:
    """Offer the model that a cut leaves: a folder in the Hub's format, hosted a ZIP of it."""
    asked = study.key, len(choice.model.layers)
    if not can_be_found(SweepRequest(checkpoint_place(study.checkpoint), study.task.name)):
        remark(LACKING)
        return
    with st.container(horizontal=True, vertical_alignment="center"), refusals_shown():
        if st.button("Save the smaller model", key="cut-save", icon=":material/save:"):
            ask("export-cut", asked, "export-cut", key=asked[0], left=asked[1])
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
