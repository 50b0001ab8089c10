"""What a page shows, to take away: as a film, as a picture, as a page of its own; drawn only on request."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TypeVar

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
from ui.jobs import visitor
from ui.player import VEGA
from ui.text import plain

N = TypeVar("N", bound=str)
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
        results: Whole sweeps, which it shows.
        size: The size of pictures.
        theme: Their colours.
        choice: The name of the scene among those that a page lets its viewer choose from; empty without a choice.
    """

    scene: Scene
    results: Sequence[SweepResult]
    size: Size
    theme: ThemeName
    choice: str = ""

    @property
    def figure(self) -> Figure:
        """The scene, arranged."""
        return figure_of(self.scene, self.size, self.theme)

    @property
    def key(self) -> str:
        """How the names of widgets begin; a scene's layout has a name of its own on a page."""
        return f"export-{self.scene.layout.name}"

    def name(self, extension: str) -> str:
        """Name a file."""
        choice, dark = f"-{self.choice}" if self.choice else "", "-dark" if self.theme == "dark" else ""
        return file_name(self.results, f"{choice}{dark}{extension}", self.scene.layout.name)


def download(
    label: str, content: bytes | Callable[[], str | bytes], name: str, mime: str, note: str | None = None
) -> None:
    """Draw a button that sends a file; what is callable is made on the click."""
    st.download_button(
        label, content, name, mime, key=f"export-{name}", help=note, on_click="ignore", icon=":material/download:"
    )


def offer_pictures(scene: Scene, results: Sequence[SweepResult], choices: Mapping[str, Scene] | None = None) -> None:
    """Offer what a page shows, exactly as it shows it.

    Args:
        scene: What the page shows.
        results: Whole sweeps, which it shows.
        choices: What the player on that page lets its viewer choose from, by reduction.
    """
    choice = ""
    if choices:
        first = choice_of(scene, choices)  # the one that the page opened with: the player does not say its own
        titles = {name: REDUCTIONS[name].title for name in choices}
        choice = _pick("Sentence vector", titles, first, f"export-reduction-{first}")
        scene = choices[choice]
    key = f"export-{scene.layout.name}"
    title = st.text_input(
        "Title",
        scene.title[:MAX_TITLE_CHARS],
        MAX_TITLE_CHARS,
        key=f"{key}-title-{scene.title}",
        icon=":material/edit:",
    )
    with st.container(horizontal=True):
        fills_screen = scene.layout.height(scene.views) is None
        sizes = {name: words for name, words in SIZES.items() if name == "slide" or not fills_screen}
        size = _pick("Size", sizes, "slide", f"{key}-size")
        theme = _pick("Colours", THEMES, st.context.theme.type or "light", f"{key}-theme")
    look = Look(replace(scene, title=title.strip() or scene.title), results, size, theme, choice)
    _offer_films(look, choices)
    _offer_stills(look)


def _pick(label: str, names: Mapping[N, str], first: N, key: str) -> N:
    """Offer a few names side by side."""
    chosen: N = st.segmented_control(
        label, list(names), format_func=names.__getitem__, default=first, key=key, required=True
    )
    return chosen


# ---------------------------------------------------------------- what moves


def _offer_films(look: Look, choices: Mapping[str, Scene] | None) -> None:
    """Offer a GIF, an MP4, and the player itself as a file."""
    st.markdown("**All amounts, moving**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        milliseconds = st.selectbox(
            "Frame duration",
            MILLISECONDS,
            MILLISECONDS.index(USUAL_MILLISECONDS),
            lambda milliseconds: f"{milliseconds} ms",
            key=f"{look.key}-milliseconds",
            width=180,
        )
        for kind, mime in FILMS.items():
            _offer_film(look, kind, mime, milliseconds)
        note = "Plays in any browser, without a network and without Prunescope; about 1 MB."
        download("HTML player", partial(_page, look, choices), look.name(".html"), "text/html", note)


def _page(look: Look, choices: Mapping[str, Scene] | None) -> str:
    script = VEGA.read_text("utf-8") if VEGA else vega_script()
    return player_page(look.scene, look.results, script, look.theme, choices)


def _offer_film(look: Look, kind: Picture, mime: str, milliseconds: int) -> None:
    """Offer to make a film; then show how far it is; then offer it."""
    word, key = kind.upper(), f"{look.key}-{kind}"
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
            download(f"Download {word} ({len(content) / 1e6:.1f} MB)", content, look.name(f".{kind}"), mime)
            return
    wanted = (key, look, kind, milliseconds)
    st.button(f"Make {word}", key=f"{key}-make", icon=":material/movie:", on_click=_ask, args=wanted)


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


def _offer_stills(look: Look) -> None:
    """Offer one frame as a picture, and the numbers that the page shows."""
    st.markdown("**One amount**")
    frames = look.scene.frames
    with st.container(horizontal=True, vertical_alignment="bottom"):
        frame = st.selectbox(
            "Amount",
            range(len(frames)),
            place_in_address(look.scene.amounts),
            lambda k: str(frames[k]["name"]),
            key=f"{look.key}-frame-{len(frames)}-{look.results[0].key}",
            width=260,
        )
        amount = place_name(round(frames[frame]["amount"], 3))
        for kind, mime in STILLS.items():
            download(kind.upper(), partial(_still, look, kind, frame), look.name(f"-{amount}.{kind}"), mime)
        name = file_name(look.results, "-shown.csv", look.scene.layout.name)
        note = "The values behind these pictures, at all amounts."
        download("Numbers shown (CSV)", partial(shown_csv, look.scene), name, "text/csv", note)


def _still(look: Look, kind: Picture, frame: int) -> bytes:
    return Drawing(look.figure, kind, [frame]).wait()


def place_in_address(amounts: Sequence[float]) -> int:
    """Find what a shared link shows among the amounts, as the player does; else the one in the middle."""
    asked = amount_in_address()
    return len(amounts) // 2 if asked is None else max(sum(amount <= asked for amount in amounts) - 1, 0)
