"""What a page shows, to take away: as a film, as a picture, as a page of its own; drawn only on request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256

import streamlit as st

from core.charts.theme import ThemeName
from core.charts.vega import vega_script
from core.charts.view import Scene, choice_of
from core.errors import PrunescopeError
from core.exports.drawing import Drawing, Picture
from core.exports.figure import Figure, Size, figure_of
from core.exports.player_page import player_page
from core.exports.shown_numbers import shown_csv
from core.exports.tables import file_name
from core.request.catalog import REDUCTIONS
from core.results.names import place_name
from core.results.schema import SweepResult
from ui.address import amount_in_address
from ui.downloads import download
from ui.jobs import visitor
from ui.player import VEGA
from ui.text import plain

Results = Sequence[SweepResult]
Order = tuple[str, Picture, int]  # a figure's digest, the format, milliseconds

MAX_TITLE_CHARS = 300
SIZES: dict[Size, str] = {"slide": "Slide, 1920 × 1080", "page": "As shown"}
THEMES: dict[ThemeName, str] = {"light": "Light", "dark": "Dark"}
MILLISECONDS = (1000, 500, 250, 125)  # a frame of a film, as the player's speeds
USUAL_MILLISECONDS = 500
FILMS: dict[Picture, str] = {"gif": "image/gif", "mp4": "video/mp4"}
STILLS: dict[Picture, str] = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
TICK = 0.4  # seconds between two looks at a drawing


@dataclass(frozen=True)
class Look:
    """What is drawn, and how.

    Attributes:
        scene: The scene.
        size: The size of pictures.
        theme: Their colours.
        choice: The name of the scene among those that a page lets its viewer choose from; empty without a choice.
    """

    scene: Scene
    size: Size
    theme: ThemeName
    choice: str = ""

    @property
    def figure(self) -> Figure:
        """The scene, arranged."""
        return figure_of(self.scene, self.size, self.theme)


def offer_pictures(scene: Scene, results: Results, choices: Mapping[str, Scene] | None = None) -> None:
    """Offer what a page shows, exactly as it shows it.

    Args:
        scene: What the page shows; its layout has a name of its own on that page.
        results: Whole sweeps, which it shows.
        choices: What the player on that page lets its viewer choose from, by reduction.
    """
    choice = _choose_reduction(choices, choice_of(scene, choices)) if choices else ""
    look = replace(_choose_look(choices[choice] if choices else scene), choice=choice)
    _offer_films(look, results, choices)
    _offer_stills(look, results)


def _choose_reduction(choices: Mapping[str, Scene], first: str) -> str:
    """Ask which of the scenes is drawn, at first the one that the page opened with: the player does not say its own."""
    reduction: str = st.segmented_control(
        "Sentence vector",
        list(choices),
        format_func=lambda name: REDUCTIONS[name].title,
        default=first,
        key=f"export-reduction-{first}",
        required=True,
    )
    return reduction


def _choose_look(scene: Scene) -> Look:
    """Ask for the title, the size and the colours; the colours are at first those of the page."""
    key, fills_screen = f"export-{scene.layout.name}", scene.layout.height(scene.views) is None
    title = st.text_input(
        "Title",
        scene.title[:MAX_TITLE_CHARS],
        MAX_TITLE_CHARS,
        key=f"{key}-title-{scene.title}",
        icon=":material/edit:",
    )
    with st.container(horizontal=True):
        sizes: list[Size] = ["slide"] if fills_screen else ["slide", "page"]
        size = st.segmented_control(
            "Size", sizes, format_func=lambda name: SIZES[name], default="slide", key=f"{key}-size", required=True
        )
        theme: ThemeName = st.segmented_control(
            "Colours",
            list(THEMES),
            format_func=lambda name: THEMES[name],
            default=st.context.theme.type or "light",
            key=f"{key}-theme",
            required=True,
        )
    return Look(replace(scene, title=title.strip() or scene.title), size, theme)


def _name(look: Look, results: Results, extension: str) -> str:
    dark = "-dark" if look.theme == "dark" else ""
    choice = f"-{look.choice}" if look.choice else ""
    return file_name(results, f"{choice}{dark}{extension}", look.scene.layout.name)


# ---------------------------------------------------------------- what moves


def _offer_films(look: Look, results: Results, choices: Mapping[str, Scene] | None) -> None:
    """Offer a GIF, an MP4, and the player itself as a file."""
    st.markdown("**All amounts, moving**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        milliseconds = st.selectbox(
            "Frame duration",
            MILLISECONDS,
            MILLISECONDS.index(USUAL_MILLISECONDS),
            lambda milliseconds: f"{milliseconds} ms",
            key=f"export-{look.scene.layout.name}-milliseconds",
            width=180,
        )
        for kind, mime in FILMS.items():
            _offer_film(look, results, kind, mime, milliseconds)
        download(
            "HTML player",
            partial(_page, look, results, choices),
            _name(look, results, ".html"),
            "text/html",
            "Plays in any browser, without a network and without Prunescope; about 1 MB.",
        )


def _page(look: Look, results: Results, choices: Mapping[str, Scene] | None) -> str:
    return player_page(look.scene, results, _vega(), look.theme, choices)


@lru_cache(maxsize=1)
def _vega() -> str:
    return VEGA.read_text("utf-8") if VEGA else vega_script()


def _offer_film(look: Look, results: Results, kind: Picture, mime: str, milliseconds: int) -> None:
    """Offer to make a film; then show how far it is; then offer it."""
    word, key = kind.upper(), f"export-{look.scene.layout.name}-{kind}"
    order = _order(look, kind, milliseconds) if key in st.session_state else None
    if order and st.session_state[key] == order:
        drawing = _film(*order, look)
        if not drawing.ended:
            drawing.wanted_by.add(visitor())
            st.fragment(_watch, run_every=TICK)(drawing, key)
            return
        try:
            content = drawing.wait()
        except PrunescopeError as error:
            _film.clear(*order, look)
            del st.session_state[key]
            st.info(plain(str(error)))
        else:
            label = f"Download {word} ({len(content) / 1e6:.1f} MB)"
            download(label, content, _name(look, results, f".{kind}"), mime)
            return
    st.button(
        f"Make {word}",
        key=f"{key}-make",
        icon=":material/movie:",
        on_click=_ask,
        args=(key, look, kind, milliseconds),
    )


def _ask(key: str, look: Look, kind: Picture, milliseconds: int) -> None:
    """Note in the session which film is wanted."""
    st.session_state[key] = _order(look, kind, milliseconds)


def _order(look: Look, kind: Picture, milliseconds: int) -> Order:
    """Identify a film by its content, so that nothing is drawn twice and nothing stale is offered."""
    content = json.dumps(look.figure.plain()).encode()
    return sha256(content).hexdigest(), kind, milliseconds


@st.cache_resource(show_spinner=False, max_entries=12)
def _film(digest: str, kind: Picture, milliseconds: int, _look: Look) -> Drawing:
    """Start a film, once for all visitors who ask for the same."""
    return Drawing(_look.figure, kind, range(len(_look.scene.frames)), milliseconds)


def _cancel(drawing: Drawing, key: str) -> None:
    """Want a film no more; it ends with the last visitor who does."""
    drawing.wanted_by.discard(visitor())
    if drawing.wanted_by:
        st.session_state.pop(key, None)  # a second click finds it gone
    else:
        drawing.cancel()


def _watch(drawing: Drawing, key: str) -> None:
    """Show how far a drawing is, twice a second."""
    if drawing.ended:
        st.rerun()
    left = f", about {max(round(drawing.seconds_left), 1)} s left" if drawing.seconds_left is not None else ""
    words = f"Drawing frame {drawing.done + 1}{left}" if drawing.done < drawing.total else "Writing the file"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(drawing.done / drawing.total, words)
        # As a callback: a click that comes while the page is drawn anew finds this fragment gone, but is not lost.
        if st.button("Cancel", key=f"{key}-cancel", icon=":material/close:", on_click=_cancel, args=(drawing, key)):
            st.rerun()


# ---------------------------------------------------------------- what stands still


def _offer_stills(look: Look, results: Results) -> None:
    """Offer one frame as a picture, and the numbers that the page shows."""
    st.markdown("**One amount**")
    frames = look.scene.frames
    with st.container(horizontal=True, vertical_alignment="bottom"):
        frame = st.selectbox(
            "Amount",
            range(len(frames)),
            place_in_address(look.scene.amounts),
            lambda k: str(frames[k]["name"]),
            key=f"export-{look.scene.layout.name}-frame-{len(frames)}-{results[0].key}",
            width=260,
        )
        amount = place_name(round(frames[frame]["amount"], 3))
        for kind, mime in STILLS.items():
            still = partial(_still, look, kind, frame)
            download(kind.upper(), still, _name(look, results, f"-{amount}.{kind}"), mime)
        download(
            "Numbers shown (CSV)",
            partial(shown_csv, look.scene),
            file_name(results, "-shown.csv", look.scene.layout.name),
            "text/csv",
            "The values behind these pictures, at all amounts.",
        )


def _still(look: Look, kind: Picture, frame: int) -> bytes:
    return Drawing(look.figure, kind, [frame]).wait()


def place_in_address(amounts: Sequence[float]) -> int:
    """Find what a shared link shows among the amounts, as the player does; else the one in the middle."""
    asked = amount_in_address()
    return len(amounts) // 2 if asked is None else max(sum(amount <= asked for amount in amounts) - 1, 0)
