"""The player on a page: the pictures of core.charts, driven by player.js without a message to the server."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
import vl_convert

from core.charts.grammar import Spec
from core.charts.overview import player_choices, player_frames, player_views
from core.findings.claim import verdict_finding
from core.findings.overview import accuracy_finding, caution, finding, length_finding
from core.request.catalog import REDUCTIONS, ROOT
from core.results.names import checkpoint_name, pruning_name
from core.results.schema import SweepResult
from core.results.store import write_atomically
from ui.address import amount_in_address, choose, note_bad
from ui.text import plain

CHARTS = ROOT / "core" / "charts"
STATIC = ROOT / "static"  # served by Streamlit under app/static
NEWLY_OPENED = "page-newly-opened"  # of the session
MOMENT = 0.25  # seconds
SNIPPET = "globalThis.vegaEmbed = vegaEmbed;"  # all that the player asks for


def vega_file(folder: Path = STATIC) -> Path | None:
    """Lays Vega's script where the server can hand it out, once a version.

    Args:
        folder: The folder that is served.

    Returns:
        The file, or None where the folder cannot be written.
    """
    path = folder / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        try:
            folder.mkdir(exist_ok=True)
            write_atomically(path, vl_convert.javascript_bundle(SNIPPET))
            os.utime(path, (0, 0))  # the server sends no lifetime: browsers keep for long what has long been the same
        except OSError:
            return None
    return path


def address_of(path: Path) -> str:
    """Gives the address under which the server hands out a file of the served folder."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return "/".join(("", *([base] if base else []), "app", "static", path.name))


SCRIPT, STYLES = (CHARTS / "player.js").read_text("utf-8"), (CHARTS / "player.css").read_text("utf-8")
VEGA = vega_file()
# Without a file to point at, the component carries Vega in its own script: larger, but it works.
_player = st.components.v2.component(
    "prunescope_player", js=SCRIPT if VEGA else f"{vl_convert.javascript_bundle(SNIPPET)}\n{SCRIPT}", css=STYLES
)


def load_ahead() -> None:
    """Lets the browser fetch Vega while the page is still being drawn; it takes the place of an empty element."""
    if VEGA:
        script = f"<script>import({json.dumps(address_of(VEGA))})</script>"
        st.html(script, width="content", unsafe_allow_javascript=True)


def note_opened(page: str) -> None:
    """Notes whether a page is newly opened, for `let_draw`.

    Args:
        page: Its name in the navigation.
    """
    if st.session_state.get("page-open") != page:
        st.session_state["page-open"] = page
        st.session_state[NEWLY_OPENED] = True


def let_draw() -> None:
    """Leaves the browser alone for a moment after a newly opened page has sent its first picture.

    With the rest of the page at hand it would lay out every box and table first, and show the picture half a second
    later.
    """
    if st.session_state.pop(NEWLY_OPENED, False):
        time.sleep(MOMENT)


def show_player(
    result: SweepResult,
    reduction: str,
    *,
    key: str,
    group: str = "main",
    autoplay: bool = False,
    start: float | None = None,
) -> None:
    """Shows a result as moving pictures.

    Args:
        result: A whole sweep or the first frames of one, at least one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        key: As in `show_pictures`, like all that follows.
        group: Players of one group move together.
        autoplay: Whether it plays at first sight.
        start: The amount shown first.
    """
    show_pictures(
        player_views(result, reduction),
        player_frames(result),
        key=key,
        title=f"{pruning_name(result)}, {checkpoint_name(result)}",
        layout="single",
        group=group,
        autoplay=autoplay,
        start=start,
    )


def show_pictures(
    views: Mapping[str, Spec],
    frames: Sequence[Mapping[str, Any]],
    *,
    key: str,
    title: str,
    layout: str,
    group: str = "main",
    autoplay: bool = False,
    start: float | None = None,
    on_pick: Callable[[], None] | None = None,
) -> None:
    """Shows any pictures that have a `frame` parameter, moved by one bar through the pruning amounts.

    New data under the same key keep amount and playing; frames may be appended while it plays.

    Args:
        views: The pictures, each with its data under `datasets`; their names are the layout's grid areas.
        frames: Of each frame its `amount`, its `name` and `detail`, the numbers said beside it.
        key: The element's identity on the page.
        title: What the pictures show, for who cannot see them.
        layout: A class of core/charts/player.css.
        group: Players of one group move together.
        autoplay: Starts playing at first sight, unless the visitor's system asks for less motion.
        start: The amount shown first; then nothing plays by itself.
        on_pick: Called when a mark is clicked whose data have a `pick`; see `picked`.
    """
    _mount(
        key,
        {
            "title": title,
            "group": group,
            "autoplay": autoplay,
            "start": start,
            "layout": layout,
            "frames": frames,
            "views": views,
            "link": True,
        },
        on_pick=on_pick,
    )


def picked(key: str) -> str | None:
    """Gives what was clicked, while `on_pick` runs.

    Args:
        key: The player's.
    """
    state: dict[str, Any] = st.session_state.get(key) or {}
    return state.get("pick")


def show_stage(
    result: SweepResult,
    *,
    key: str,
    heading: str,
    caption: str,
    hint: str,
    reduction: str,
    start: float | None,
    on_turn: Callable[[int], None],
) -> None:
    """Shows a result over the whole screen, for a projector; the reduction is chosen in the player.

    Args:
        result: A whole sweep.
        key: The element's identity on the page.
        heading: Over the pictures; shown as it is, never as HTML, like all texts here.
        caption: Under them.
        hint: What the keys do; it fades.
        reduction: The one shown first.
        start: The amount shown first; then nothing plays by itself.
        on_turn: Is told by how many results the visitor goes on, 1 or -1.
    """
    data = {
        "title": heading,
        "group": key,
        "autoplay": True,
        "start": start,
        "layout": "present",
        "frames": player_frames(result),
        "choices": player_choices(result),
        "choice": reduction,
        "link": True,
        "stage": {"heading": heading, "caption": caption, "hint": hint},
    }
    _mount(key, data, lambda: on_turn(st.session_state[key]["turn"]))


def _mount(
    key: str,
    data: Mapping[str, Any],
    on_turn: Callable[[], None] | None = None,
    on_pick: Callable[[], None] | None = None,
) -> None:
    _player(
        key=key,
        data={**data, "vega": VEGA and address_of(VEGA)},
        on_turn_change=on_turn or _nothing,
        on_pick_change=on_pick or _nothing,
    )
    let_draw()


def _nothing() -> None:
    """Not every player turns to other results, or has something to pick."""


def start_in_address(otherwise: float | None = None) -> float | None:
    """Reads the amount that a shared link shows first; a bad one is told.

    Args:
        otherwise: The amount shown first where the address names none.
    """
    amount = amount_in_address()
    if amount is not None:
        return amount
    if "amount" in st.query_params:
        note_bad("pruning amount", st.query_params["amount"])
    return otherwise


def show_finding(result: SweepResult, reduction: str, companions: Sequence[SweepResult] = ()) -> None:
    """Says what a result shows, in computed sentences.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: Results of its random control and of each layer alone.
    """
    if words := caution(result):
        st.warning(plain(words))
    st.markdown(f"**{plain(finding(result, reduction))}** {plain(accuracy_finding(result))}")
    if result.key:
        st.markdown(plain(verdict_finding(result, reduction, companions)))


def choose_reduction(result: SweepResult | None = None) -> str:
    """Asks how tokens become one vector, and explains the choice, which is in the address.

    Args:
        result: What is on show, for what sentence length alone does to it.
    """
    chosen = choose(
        "A sentence becomes one vector by",
        list(REDUCTIONS),
        "reduction",
        names=lambda name: REDUCTIONS[name].title,
        word="reduction",
        segmented=True,
    )
    length = f" {length_finding(result)}" if result and chosen == "tokens" else ""
    st.markdown(f":small[{REDUCTIONS[chosen].explanation}{length}]")  # a caption is too faint to be read on a projector
    return chosen
