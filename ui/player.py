"""Mount the player on a page: core/charts/player.js moves the pictures in the browser."""

import os
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts.pages import Shown
from core.charts.story import Step, mounted
from core.charts.vega import text_of, vega_script
from core.charts.view import Scene
from core.request.catalog import REDUCTIONS, ROOT
from core.request.pages import REDUCTION
from core.results.store import write_atomically
from ui.address import amount_in_address, choose, parameters_on_show, set_parameter
from ui.text import plain, remark

STATIC = ROOT / "static"  # served by Streamlit under app/static
OPENED = "page-newly-opened"  # session key: whether the page has still to send its first picture
FIRST_PICTURE_SECONDS = 0.25  # that a browser needs to draw it


def vega_file(folder: Path = STATIC) -> Path | None:
    """Write Vega's script into a served folder, once per version; None if not writable."""
    path = folder / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        try:
            write_atomically(path, vega_script())
            os.utime(
                path, (0, 0)
            )  # the server sends no lifetime, and browsers cache an old file for longer
        except OSError:
            return None
    return path


def served_url(path: Path | None) -> str | None:
    """Return the URL of a file in the served folder; None without a file."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"{base and '/'}{base}/app/static/{path.name}" if path else None


VEGA = served_url(vega_file())
# Without a served file, the component's own script has to carry Vega, to every page anew.
_player = st.components.v2.component(
    "prunescope_player",
    css=text_of("player.css", "story.css", "steps.css"),
    js=("" if VEGA else f"{vega_script()}\n") + text_of("player.js", "story.js"),
)


def pause_after_first_picture() -> None:
    """Pause once a newly opened page has sent its first picture.

    A browser that received the rest of the page at once would lay out every box and table first,
    and show the picture half a second later.
    """
    if st.session_state.pop(OPENED, False):
        time.sleep(FIRST_PICTURE_SECONDS)


def show_pictures(
    scene: Scene,
    *,
    key: str,
    group: str | None = None,
    start: float | None = None,
    link: bool = True,
    picks: str = "",
    on_turn: Callable[[], None] = lambda: None,
    **more: Any,
) -> None:
    """Show a scene, with one bar that moves it through the pruning amounts.

    If its data change under the same key, the amount stays and playing goes on; frames may be
    appended meanwhile.

    Args:
        scene: The scene.
        key: The element's key, under which the session holds the events of the player.
        group: The players that move together; None for a player that moves alone.
        start: The amount shown first; None plays from the first one.
        link: Whether the bar offers a link to the view.
        picks: The parameter of the address that a click on a mark sets to the mark's `pick`.
        on_turn: Called when the visitor asks for the next or the previous result.
        more: The other options of core/charts/player.js: `autoplay`, `choices`, `stage`.
    """
    data = {
        **scene.mounted,
        "layout": scene.layout.css(),
        "vega": VEGA,
        "group": group or key,
        "start": start,
        "link": dict(parameters_on_show()) if link else None,
    }
    views = {} if "choices" in more else {"views": scene.written}

    def pick() -> None:
        set_parameter(picks, st.session_state[key].get("pick"))

    _player(
        key=key,
        data={**data, **views, **more},
        on_pick_change=pick,
        on_turn_change=on_turn,
    )
    pause_after_first_picture()


def show_answer(shown: Shown, title: DeltaGenerator, key: str) -> Scene | None:
    """Show the answer of a page: its heading, its first picture and its sentences.

    Args:
        shown: The content of the page.
        title: The place of the heading.
        key: See `show_pictures`.

    Returns:
        The scene of the picture; None if there is none.
    """
    title.title(plain(shown.finding.heading), anchor=False)
    sentences = plain(" ".join(shown.finding.sentences))
    above = st.container()
    if not shown.blocks:
        above.markdown(sentences)
        return None
    block = shown.blocks[0]
    moves = len(block.scene.frames) > 1
    start = amount_in_address(block.start)
    show_pictures(
        block.scene,
        key=key,
        group=block.group,
        start=start,
        link=moves,
        picks=block.picks,
    )
    (st if moves else above).markdown(sentences)  # what a choice costs is read before its picture
    return block.scene


def show_story(steps: Sequence[Step], key: str) -> str | None:
    """Show a story; core/charts/story.js handles its keys, its address and the visitor's guess.

    Args:
        steps: The scenes.
        key: The key of the result that the story is about.

    Returns:
        The `action` of the button that the visitor has pressed in a scene.
    """
    data = {"key": key, "steps": mounted(steps, VEGA)}
    events = _player(key="story", data=data, on_go_change=lambda: None)
    pause_after_first_picture()
    return events.go


def choose_reduction() -> str:
    """Offer the reductions, whose choice the address keeps, and explain the one on show."""
    reduction = choose(REDUCTION)
    remark(REDUCTIONS[reduction].explanation)
    return reduction
