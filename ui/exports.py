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
from core.exports.figure import figure_of
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
from core.results.library import entry_of
from core.results.names import amount_name, pruning_name
from core.results.provenance import can_be_found, recompute_script, request_of
from core.results.schema import SweepResult
from ui import jobs
from ui.address import amount_in_address, choose_amount
from ui.text import field_row, plain, refusals_shown, remark

MAX_TITLE_CHARS = 300
ENDINGS: dict[ThemeName, str] = {"light": "", "dark": "-dark"}  # of a file's name
STILLS: tuple[Picture, ...] = ("png", "svg")
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
    with_numbers: bool = True,
) -> None:
    """Offer the downloads of a page, folded away below its picture.

    Args:
        scene: The scene on the page, if there is one.
        results: The results on show: whole sweeps, or one study of cuts or recovery.
        choices: See `offer_pictures`.
        label: The panel's title.
        with_numbers: Whether to offer the results themselves as well.
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
        for result in by_key.values() if with_numbers else ():
            suffix = f": {plain(entry_of(result).name)}" if len(by_key) > 1 else ""
            st.markdown(f"**Numbers{suffix}**")
            with st.container(horizontal=True):
                name = file_name([result])
                if isinstance(result, SweepResult):
                    numbers = cached_call(numbers_csv, result)
                    download("All numbers (CSV)", numbers, f"{name}-numbers.csv")
                download("Result as JSON", cached_call(_json, result), f"{name}.json")
            if isinstance(result, SweepResult):
                st.markdown(f"**Command{suffix}**")
                _show_recipe(result)
                st.markdown(f"**Pruned checkpoint{suffix}**")
                _offer_checkpoint(result)


def download(
    label: str,
    content: str | bytes,
    name: str,
    note: str | None = None,
) -> None:
    """Draw a button that downloads a file."""
    mime = guess_type(name)[0]
    key = f"export-{name}"
    icon = ":material/download:"
    st.download_button(label, content, name, mime, key, note, "ignore", icon=icon)


# ---------------------------------------------------------------- pictures


@st.fragment  # the numbers of the results are written once, whatever is chosen here
def offer_pictures(
    scene: Scene, results: Sequence[Result], choices: Mapping[str, Scene] | None
) -> None:
    """Offer a scene as the page shows it: as a player, films, stills and a table.

    A press on a film or a still draws it, with a progress bar, and then offers the file.

    Args:
        scene: The scene on the page.
        results: The results that it shows.
        choices: The scenes by reduction, between which the page's player switches.
    """
    layout = scene.layout.name
    key = f"export-{layout}"
    name = file_name(results, layout)
    scene = scene._replace(title=_ask_title(scene.title, key))
    moves = len(scene.frames) > 1
    frame = 0
    amount = ""
    with field_row():
        theme = _ask_theme(key)
        ending = ENDINGS[theme]
        if moves:
            sweeps = [result for result in results if isinstance(result, SweepResult)]
            page = player_page(scene, sweeps, theme, choices)
            download("HTML player", page, f"{name}{ending}.html", PLAYER)
    with field_row():
        if moves:
            names = [str(frame["name"]) for frame in scene.frames]
            frame = st.selectbox(
                "Frame (PNG, SVG)",
                range(len(names)),
                frame_of(scene.amounts, amount_in_address()),
                names.__getitem__,
                f"{name}-frame",
                width=260,
            )
            amount = f"-{place_name(round(scene.amounts[frame], 3))}"
        pressed = [
            kind
            for kind in (NOTES if moves else STILLS)
            if st.button(kind.upper(), f"{name}-{kind}", NOTES[kind], icon=":material/image:")
        ]
    drawn = st.container()
    download("Numbers shown (CSV)", shown_csv(scene), f"{name}-shown.csv", NUMBERS)
    for kind in pressed:  # last: the rest of the page waits for no drawing
        frames: Sequence[int] = range(len(scene.frames))
        if kind in STILLS:
            frames = [frame]
            ending += amount
        with drawn, refusals_shown(), jobs.progress_shown() as report:
            figure = figure_of(scene, theme)
            content = draw(
                figure,
                kind,
                frames,
                report=report,
                holder=jobs.visitor().holder,
            )
            download(f"Save {kind.upper()}", content, f"{name}{ending}.{kind}")


@st.fragment
def offer_story(steps: Sequence[Step], result: SweepResult) -> None:
    """Offer a story as one page for a talk, folded away.

    Args:
        steps: The scenes.
        result: The whole sweep that the story is about.
    """
    key = f"talk-{result.key}"
    icon = ":material/slideshow:"
    panel = st.expander("Take it to a talk", key=key, icon=icon, on_change="rerun")
    if not panel.open:
        return
    with panel:
        title = _ask_title(pruning_name(result), "talk")
        with field_row():
            theme = _ask_theme("talk")
            page = story_page(steps, result, title, theme)
            download(
                "HTML",
                page,
                f"{file_name([result], 'talk')}{ENDINGS[theme]}.html",
                TALK,
            )
        remark(PRINTED)


def _ask_title(first: str, key: str) -> str:
    key = f"{key}-title-{first}"
    icon = ":material/edit:"
    title = st.text_input(
        "Title",
        first[:MAX_TITLE_CHARS],
        MAX_TITLE_CHARS,
        key,
        icon=icon,
    )
    return title.strip() or first


def _ask_theme(key: str) -> ThemeName:
    is_dark = st.toggle("Dark colours", st.context.theme.type == "dark", f"{key}-dark")
    return "dark" if is_dark else "light"


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
    with field_row():
        amount = choose_amount(result.amounts, f"export-amount-{result.key}")
        if st.button("Save checkpoint", key=f"export-write-{result.key}", icon=":material/save:"):
            with refusals_shown():
                fields = jobs.frame_fields(result, amount, request)
                jobs.ask("export-checkpoint", (result.key, amount), "export", **fields)
    if answer := jobs.answer_to("export-checkpoint", (result.key, amount)):
        st.success(f"The checkpoint pruned by {amount_name(amount)} is in this folder:")
        st.code(
            LOADING.format(folder=answer["path"]),
            language="python",
            wrap_lines=True,
        )


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
            order = {"key": result.key, "request": vars(request), **choice}
            jobs.ask(name, model, "export-trained", **order)
        answer = jobs.answer_to(name, model)
        job = jobs.job_of(name, model)
        if request is None or (job and job.state == "failed"):
            remark(AT_HAND if can_refit else LACKING)
            if can_refit and st.button(REFIT, key="cut-at-hand", icon=":material/replay:"):
                jobs.start(
                    CutRequest(
                        result.checkpoint.id,
                        result.task.name,
                        data="written",
                    )
                )
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
