"""What a page shows, to take away: as a film, as a picture, as a page of its own; drawn on the click that downloads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from mimetypes import guess_type
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts.story import Step
from core.charts.theme import ThemeName
from core.charts.view import Scene, choice_of, frame_of
from core.exports.deck import deck_of
from core.exports.drawing import Picture, draw
from core.exports.figure import Extra, Figure, Size, figure_of
from core.exports.player_page import player_page, story_page
from core.exports.tables import file_name, shown_csv
from core.findings.words.numbers import place_name
from core.request.catalog import REDUCTIONS
from core.results.cut import Result
from core.results.names import pruning_name
from core.results.schema import SweepResult
from ui.address import amount_in_address
from ui.text import refusals_shown

N = TypeVar("N", bound=str)

MAX_TITLE_CHARS = 300
SIZES: dict[Size, str] = {"slide": "Slide, 1920 × 1080", "page": "As shown"}
EXTRAS: dict[Extra, str] = {"numbers": "Cell numbers", "footer": "Footer"}
THEMES: dict[ThemeName, str] = {"light": "Light", "dark": "Dark"}
MILLISECONDS = (1000, 500, 250, 125)  # a frame of a film, as the player's speeds
FILMS: tuple[Picture, ...] = ("gif", "mp4")
SLIDES: dict[str, Picture] = {"PDF": "pdf", "PNGs (ZIP)": "zip", "MP4 of scene 3": "mp4"}
STILLS: tuple[Picture, ...] = ("png", "svg", "pdf")
FILM = "Drawing it takes up to half a minute; whoever leaves the page ends it."
PLAYER = "Plays in any browser, without a network and without Prunescope; about 1 MB."
TALK = f"{PLAYER} The arrow keys turn to the next scene, N shows what to say, F fills the screen."
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
    with st.container(horizontal=True):  # of films and pictures
        fills_screen = scene.layout.height(scene.views) is None
        sizes = {name: words for name, words in SIZES.items() if name == "slide" or not fills_screen}
        size = _pick("Size", sizes, "slide", f"{key}-size")
        without = st.pills(
            "Leave out", EXTRAS, format_func=EXTRAS.__getitem__, selection_mode="multi", key=f"{key}-out"
        )

    def drawn(still: Picture, frame: int) -> bytes:
        return draw(figure_of(scene, size, theme, without), still, [frame])

    if moves:
        st.markdown("**All amounts, moving**")
        _offer_films(figure_of(scene, size, theme, without), name, key)
        st.markdown("**One amount**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        frame, amount = 0, ""
        if moves:
            names = [str(frame["name"]) for frame in scene.frames]
            frame_key = f"{key}-frame-{len(names)}-{results[0].key}"
            shown = frame_of(scene.amounts, amount_in_address())
            frame = st.selectbox("Amount", range(len(names)), shown, names.__getitem__, frame_key, width=260)
            amount = f"-{place_name(round(scene.amounts[frame], 3))}"
        for still in STILLS:
            download(still.upper(), partial(drawn, still, frame), name(f"{amount}.{still}"))
        numbers = file_name(results, "-shown.csv", layout)
        download("Numbers shown (CSV)", partial(shown_csv, scene), numbers, NUMBERS)


@st.fragment  # all else on the page stays as it is while a film is drawn
def _offer_films(figure: Figure, name: Callable[[str], str], key: str) -> None:
    """Draw a film under a bar that says how far it is, then offer the file."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        milliseconds = st.selectbox("Frame duration", MILLISECONDS, 1, "{} ms".format, f"{key}-milliseconds", width=180)
        asked = [film for film in FILMS if st.button(film.upper(), f"{key}-{film}", FILM, icon=":material/movie:")]
    for film in asked:
        _draw_under_a_bar(film.upper(), figure, film, name(f".{film}"), milliseconds)


def _draw_under_a_bar(label: str, figure: Figure, kind: Picture, name: str, milliseconds: int) -> None:
    bar, frames = st.progress(0.0, "Drawing"), range(len(figure.get("slides") or figure["readouts"]))
    with refusals_shown():
        content = draw(figure, kind, frames, milliseconds, partial(_tell, bar))
        download(f"Save {label}", content, name)
    bar.empty()


def _tell(bar: DeltaGenerator, stage: str, done: int, total: int) -> None:
    bar.progress(done / total, f"{stage}: {done} of {total}")


@st.fragment
def offer_story(steps: Sequence[Step], result: SweepResult) -> None:
    """Offer a story for a talk, folded away: as one page, as slides, as a film of the scene that plays.

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
            pressed = [
                label for label in SLIDES if st.button(label, f"talk-{label}", FILM, icon=":material/slideshow:")
            ]
        for label in pressed:
            kind, figure = SLIDES[label], deck_of(steps, title, theme)
            if kind == "mp4":
                (figure,) = (slide for slide in figure["slides"] if slide["name"] == "play")
            name = file_name([result], f"{ending}.{kind}", "talk")
            _draw_under_a_bar(label, figure, kind, name, MILLISECONDS[1])


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
