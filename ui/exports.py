"""Offer downloads: films, pictures and players of a page, and the numbers of its results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from mimetypes import guess_type
from pathlib import Path

import streamlit as st

from core.charts.story import Step
from core.charts.theme import ThemeName
from core.charts.view import Scene, frame_of
from core.exports.drawing import Picture, draw
from core.exports.figure import Figure, figure_of
from core.exports.model_card import LOADING, scoring_lines, upload_line
from core.exports.player_page import player_page, story_page
from core.exports.tables import file_name, numbers_csv, shown_csv
from core.findings.words.numbers import place_name
from core.jobs.queue import queue
from core.request.catalog import METHODS
from core.request.cut_request import CutRequest
from core.request.limits import is_hosted, is_upload
from core.results.cached_call import cached_call
from core.results.cut import CutStudy, Result, Trained
from core.results.key import sealed
from core.results.names import amount_name, pruning_name, result_name
from core.results.provenance import can_be_found, recompute_script, request_of
from core.results.schema import SweepResult
from ui import jobs
from ui.address import amount_in_address
from ui.text import plain, refusals_shown, remark

MAX_TITLE_CHARS = 300
ENDINGS: dict[ThemeName, str] = {"light": "", "dark": "-dark"}  # of a file's name
FILMS = ("gif", "mp4")
FILM = "Drawing takes about a second per frame, longer beside other work; leaving the page ends it."
STILL = "Drawn in a few seconds."
NOTES: dict[Picture, str] = {"gif": FILM, "mp4": FILM, "png": STILL, "svg": STILL}
PLAYER = "Plays in any browser, without a network and without Prunescope; about 1 MB."
TALK = f"{PLAYER} The arrow keys turn to the next scene, N shows what to say, F fills the screen."
PRINTED = (
    "For slides as a PDF, open the file and print it: each scene is a page. Films of the result "
    "are on *Present*."
)
NUMBERS = "The values behind these pictures, at all amounts."
ON_YOUR_OWN = (
    "A large folder, which this shared server does not make: run Prunescope on your own computer "
    "to get it."
)
LACKING = (
    "The weights or the examples are not at hand, or their place is not known: run it again here "
    "first."
)
AT_HAND = (
    "Saving this model takes rows that are not here. Refit on examples written for this project, "
    "and save that."
)
REFIT = "Refit on written examples"  # a button
WRITES = (
    "A Hub folder, as large and as fast as before: removed weights stay as zeros. In float32, it "
    "scores as shown."
)


@st.fragment
def offer_exports(
    scene: Scene | None,
    *results: Result,
    choices: Mapping[str, Scene] | None = None,
    label: str = "Download",
    numbers: bool = True,
) -> None:
    """Offer the downloads of a page, folded away below its picture.

    Args:
        scene: The scene on the page, if there is one.
        results: The results on show: whole sweeps, or one study of cuts or recovery.
        choices: See `offer_pictures`.
        label: The panel's title.
        numbers: Whether to offer the results themselves as well.
    """
    by_key = {result.key: result for result in results}
    # Filled once it is open: otherwise a dozen hidden elements would delay the page's picture.
    key = f"download-{scene.layout.name if scene else 'nothing'}-{'-'.join(by_key)}"
    panel = st.expander(label, key=key, icon=":material/download:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if scene:
            offer_pictures(scene, [*by_key.values()], choices)
        for result in by_key.values() if numbers else ():
            suffix = f": {plain(result_name(result))}" if len(by_key) > 1 else ""
            st.markdown(f"**Numbers{suffix}**")
            with st.container(horizontal=True):
                if isinstance(result, SweepResult):
                    download(
                        "All numbers (CSV)",
                        cached_call(numbers_csv, result),
                        file_name([result], "-numbers.csv"),
                    )
                download(
                    "Result as JSON",
                    cached_call(_json, result),
                    file_name([result], ".json"),
                )
            if isinstance(result, SweepResult):
                st.markdown(f"**Command{suffix}**")
                _show_recipe(result)
                st.markdown(f"**Pruned checkpoint{suffix}**")
                _offer_checkpoint(result)


def download(label: str, content: str | bytes, name: str, note: str | None = None) -> None:
    """Draw a button that downloads a file."""
    mime = guess_type(name)[0]
    icon = ":material/download:"
    st.download_button(
        label,
        content,
        name,
        mime,
        key=f"export-{name}",
        help=note,
        on_click="ignore",
        icon=icon,
    )


# ---------------------------------------------------------------- pictures


@st.fragment  # the numbers of the results are written once, whatever is chosen here
def offer_pictures(
    scene: Scene, results: Sequence[Result], choices: Mapping[str, Scene] | None
) -> None:
    """Offer a scene as the page shows it: as a player, films, stills and a table.

    Args:
        scene: The scene on the page.
        results: The results that it shows.
        choices: The scenes by reduction, between which the page's player switches.
    """
    key = f"export-{scene.layout.name}"
    layout = scene.layout.name
    scene = scene._replace(title=_ask_title(scene.title, key))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        theme = _ask_theme(key)
        ending = ENDINGS[theme]
        if len(scene.frames) > 1:
            sweeps = [result for result in results if isinstance(result, SweepResult)]
            page = player_page(scene, sweeps, theme, choices)
            download(
                "HTML player",
                page,
                file_name(results, f"{ending}.html", layout),
                PLAYER,
            )
    _offer_drawn(scene, figure_of(scene, theme), file_name(results, "", layout), ending)
    download(
        "Numbers shown (CSV)",
        shown_csv(scene),
        file_name(results, "-shown.csv", layout),
        NUMBERS,
    )


@st.fragment  # the rest of the page stays as it is while a picture is drawn
def _offer_drawn(scene: Scene, figure: Figure, name: str, ending: str) -> None:
    """Offer films and stills; a press draws one, with a progress bar, and then offers the file.

    Args:
        scene: The scene.
        figure: The same as a figure.
        name: The name of every file.
        ending: What the choices above add to it.
    """
    moves = len(scene.frames) > 1
    frame = 0
    amount = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if moves:
            names = [str(frame["name"]) for frame in scene.frames]
            first = frame_of(scene.amounts, amount_in_address())
            key = f"{name}-frame"
            frame = st.selectbox(
                "Frame (PNG, SVG)",
                range(len(names)),
                first,
                names.__getitem__,
                key,
                width=260,
            )
            amount = f"-{place_name(round(scene.amounts[frame], 3))}"
        kinds = [kind for kind in NOTES if moves or kind not in FILMS]
        icon = ":material/image:"
        pressed = [
            kind
            for kind in kinds
            if st.button(kind.upper(), f"{name}-{kind}", NOTES[kind], icon=icon)
        ]
    for kind in pressed:
        with refusals_shown(), jobs.progress_shown() as report:
            frames = range(len(scene.frames)) if kind in FILMS else [frame]
            content = draw(figure, kind, frames, report=report, holder=jobs.visitor().holder)
            file = f"{name}{ending}{'' if kind in FILMS else amount}.{kind}"
            download(f"Save {kind.upper()}", content, file)


@st.fragment
def offer_story(steps: Sequence[Step], result: SweepResult) -> None:
    """Offer a story as one page for a talk, folded away.

    Args:
        steps: The scenes.
        result: The whole sweep that the story is about.
    """
    panel = st.expander(
        "Take it to a talk",
        key=f"talk-{result.key}",
        icon=":material/slideshow:",
        on_change="rerun",
    )
    if not panel.open:
        return
    with panel:
        title = _ask_title(pruning_name(result), "talk")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            theme = _ask_theme("talk")
            page = story_page(steps, result, title, theme)
            download(
                "HTML",
                page,
                file_name([result], f"{ENDINGS[theme]}.html", "talk"),
                TALK,
            )
        remark(PRINTED)


def _ask_title(first: str, key: str) -> str:
    key = f"{key}-title-{first}"
    icon = ":material/edit:"
    return (
        st.text_input("Title", first[:MAX_TITLE_CHARS], MAX_TITLE_CHARS, key, icon=icon).strip()
        or first
    )


def _ask_theme(key: str) -> ThemeName:
    return (
        "dark"
        if st.toggle("Dark colours", st.context.theme.type == "dark", f"{key}-dark")
        else "light"
    )


# ---------------------------------------------------------------- results


def _json(result: Result) -> str:
    return sealed(result).model_dump_json()


def _show_recipe(result: SweepResult) -> None:
    """Show how to recompute a result, on one's own computer with its paths."""
    request = None if is_hosted() else queue.request_for(result.key, jobs.visitor())
    if request and is_upload(request.data or ""):
        request = None  # the visitor's own file, not the copy that is stored here
    st.code(recompute_script(result, request), language="shell", wrap_lines=True)


def _offer_checkpoint(result: SweepResult) -> None:
    """Offer the pruned model of one amount, as a folder in the Hub's format."""
    request = jobs.request_behind(result) or request_of(result)
    needed = request if METHODS[request.method].calibrated else replace(request, data=None)
    if is_hosted() or not can_be_found(needed):
        remark(ON_YOUR_OWN if is_hosted() else LACKING)
        return
    remark(WRITES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = frame_of(result.amounts, amount_in_address())
        key = f"export-amount-{result.key}"
        amount = st.selectbox("Pruning amount", result.amounts, first, amount_name, key, width=180)
        if st.button("Save checkpoint", key=f"export-write-{result.key}", icon=":material/save:"):
            with refusals_shown():
                fields = jobs.frame_fields(result, amount, request)
                jobs.ask("export-checkpoint", (result.key, amount), "export", **fields)
    if answer := jobs.answer_to("export-checkpoint", (result.key, amount)):
        st.success(f"The checkpoint pruned by {amount_name(amount)} is in this folder:")
        st.code(LOADING.format(folder=answer["path"]), language="python", wrap_lines=True)


def offer_trained(result: Trained, label: str = "Save this model", **choice: int) -> None:
    """Offer the model of a study or recovery as a folder; as a ZIP on a hosted server.

    Args:
        result: The study or the recovery.
        label: The words on the button.
        choice: Of a study, the layers `left` of the model.
    """
    request = jobs.training_behind(result)
    model = (result.key, choice)
    name = f"export-{result.kind}"
    can_refit = isinstance(result, CutStudy) and result.checkpoint.source == "embedded"
    with refusals_shown():
        if request and st.button(plain(label), key=f"{result.kind}-save", icon=":material/save:"):
            jobs.ask(
                name,
                model,
                "export-trained",
                key=result.key,
                request=vars(request),
                **choice,
            )
        answer = jobs.answer_to(name, model)
        job = jobs.job_of(name, model)
        if request is None or (job and job.state == "failed"):
            remark(AT_HAND if can_refit else LACKING)
            if can_refit and st.button(REFIT, key="cut-at-hand", icon=":material/replay:"):
                jobs.start(CutRequest(result.checkpoint.id, result.task.name, data="written"))
    if not answer:
        return
    path = Path(answer["path"])
    if is_hosted():
        download("Download it", path.read_bytes(), path.name)
    else:
        st.success("The model is in this folder:")
        st.code(str(path), language=None, wrap_lines=True)
    folder = path.stem if is_hosted() else str(path)
    st.code(scoring_lines(result, folder), language="python", wrap_lines=True)
    st.code(upload_line(folder), language="shell", wrap_lines=True)
