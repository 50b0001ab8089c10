"""The player on a page: the views of core.charts, moved by player.js without a message to the server."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts.pages import Shown
from core.charts.story import Step, mounted
from core.charts.vega import text_of, vega_script
from core.charts.view import Scene
from core.findings.words.layers import reduction_explained
from core.request.amounts import amount_text
from core.request.catalog import REDUCTION, REDUCTION_TITLES, ROOT
from core.results.schema import SweepResult
from core.results.store import write_atomically
from ui.address import amount_in_address, choose, parameters_on_show, read_choice, refuse, set_parameter
from ui.text import plain, remark

CHARTS = ROOT / "core" / "charts"
STATIC = ROOT / "static"  # served by Streamlit under app/static
OPENED = "page-newly-opened"  # of the session: whether a page is yet to send its first picture
FIRST_PICTURE_SECONDS = 0.25  # that the browser needs for the first picture of a page


def vega_file(folder: Path = STATIC) -> Path | None:
    """Write Vega's script into the served folder, once per version; return None if the folder cannot be written."""
    path = folder / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        try:
            write_atomically(path, vega_script())
            os.utime(path, (0, 0))  # the server sends no lifetime: browsers cache an old file for long
        except OSError:
            return None
    return path


def served_url(path: Path | None) -> str | None:
    """Return the URL of a file in the served folder; None without a file."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"{base and '/'}{base}/app/static/{path.name}" if path else None


def component(name: str, **parts: str) -> Any:
    """Register what the files of this name in core/charts are; st.html would take drawings out.

    Args:
        name: Of its files: `.html`, `.css` and `.js`, as far as there are any.
        parts: What takes the place of a file, by its ending.
    """
    files = [file for file in CHARTS.glob(f"{name}.*") if file.suffix != ".py"]
    read: dict[str, Any] = {file.suffix[1:]: file.read_text("utf-8") for file in files}
    return st.components.v2.component(f"prunescope_{name}", **{**read, **parts})


VEGA = vega_file()
_script = text_of("player.js", "story.js")
# Where the file cannot be written, the component carries Vega in its own script, which is larger.
_player = component(
    "player",
    css=text_of("player.css", "story.css", "steps.css"),
    js=_script if VEGA else f"{vega_script()}\n{_script}",
)


def pause_after_first_picture() -> None:
    """Pause after a newly opened page has sent its first picture.

    If the rest of the page came at once, the browser would lay out every box and table first and show the picture half
    a second later.
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
    on_pick: Callable[[], None] = lambda: None,
    on_turn: Callable[[], None] = lambda: None,
    **more: Any,
) -> None:
    """Show a scene that one bar moves through the pruning amounts.

    New data under the same key keep the amount, and whether it plays; frames may be appended while it plays.

    Args:
        scene: What the page shows.
        key: The element's identity on the page; what it tells stands in the session under this name.
        group: Players of one group move together; the key where it moves alone.
        start: The amount shown first; with one, nothing plays by itself.
        link: Whether the bar offers a link to what is shown.
        on_pick: Called when a mark is clicked whose data have a `pick`.
        on_turn: Called when the visitor asks for the next or the previous result.
        more: What else core/charts/player.js mounts: `autoplay`, `choices`, `stage`.
    """
    data = {
        **scene.mounted,
        "layout": scene.layout.css,
        "vega": served_url(VEGA),
        "group": group or key,
        "start": start,
        "link": dict(parameters_on_show()) if link else None,
    }
    shown = more if "choices" in more else {"views": scene.written, **more}
    _player(key=key, data={**data, **shown}, on_pick_change=on_pick, on_turn_change=on_turn)
    pause_after_first_picture()


def show_answer(shown: Shown, title: DeltaGenerator, key: str, link: bool = True) -> Scene | None:
    """Show the answer of a page: its heading, the picture and the sentences.

    Args:
        shown: What the page shows, with one picture or none.
        title: Where the heading stands.
        key: See `show_pictures`.
        link: Whether the address holds the amount on show; without one to move through, sentences stand first.

    Returns:
        The picture.
    """
    title.title(plain(shown.finding.heading), anchor=False)
    place = st if link else st.container()
    for block in shown.blocks:
        start = start_in_address(block.scene.amounts, block.start) if link else block.start
        pick = partial(_note_pick, key, block.picks)
        show_pictures(block.scene, key=key, group=block.group, start=start, link=link, on_pick=pick)
    place.markdown(plain(" ".join(shown.finding.sentences)))
    return shown.blocks[0].scene if shown.blocks else None


def _note_pick(key: str, parameter: str) -> None:
    """Write what was clicked into the address."""
    set_parameter(parameter, st.session_state[key].get("pick"))


def show_story(steps: Sequence[Step], of: str) -> str | None:
    """Show the scenes of a story; address, keys and the visitor's guess are the browser's: core/charts/story.js.

    Args:
        steps: Its scenes.
        of: The key of the result that it tells of.

    Returns:
        What the visitor has asked for with a scene's button: its `action`.
    """
    told = _player(key="story", data={"key": of, "steps": mounted(steps, served_url(VEGA))}, on_go_change=lambda: None)
    pause_after_first_picture()
    return told.go


def start_in_address(amounts: Sequence[float], otherwise: float | None = None) -> float | None:
    """Return the amount that a shared link shows first; a note says where that is another one than it asks for.

    Args:
        amounts: Those that can be shown, in ascending order.
        otherwise: The amount shown first without a link; None is the first one, from which it plays.
    """
    wanted = amount_in_address()
    if wanted in amounts:
        return wanted
    if wanted is None:
        refuse("amount")
        return otherwise
    shown = max((amount for amount in amounts if amount <= wanted), default=amounts[0])  # as the player does
    refuse("amount", amount_text(shown))
    return shown


def reduction_in_address() -> str:
    """Read how tokens become one vector, for a page that offers the choice elsewhere."""
    return read_choice(REDUCTION_TITLES, "reduction", REDUCTION)


def choose_reduction(result: SweepResult | None) -> str:
    """Ask how tokens become one vector, keep the choice in the address, and explain it.

    Args:
        result: The result on show; under `tokens`, a note says what sentence length alone does to it.
    """
    chosen = choose("reduction", REDUCTION_TITLES, segmented=True)
    remark(reduction_explained(chosen, result))
    return chosen
