"""The player on a page: the views of core.charts, moved by player.js without a message to the server."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st

from core.charts.theme import STYLE
from core.charts.vega import vega_script
from core.charts.view import Scene
from core.findings.tables import criteria_table, narrow, numbers_table
from core.findings.words.lab import reading_note
from core.findings.words.layers import layers_heading
from core.findings.words.overview import caution, length_sentence, verdict_sentence
from core.request.amounts import amount_text
from core.request.catalog import REDUCTIONS, ROOT, SINGLE_BATCH
from core.results.schema import SweepResult
from core.results.store import write_atomically
from ui.address import amount_in_address, choose, is_asked, parameters_on_show, quoted, read_choice, set_parameter
from ui.shared import once
from ui.text import markdown_table, plain, remark

CHARTS = ROOT / "core" / "charts"
STATIC = ROOT / "static"  # served by Streamlit under app/static
NEWLY_OPENED = "page-newly-opened"  # key in the session
FIRST_PICTURE_SECONDS = 0.25  # that the browser needs for the first picture of a page


def vega_file(folder: Path = STATIC) -> Path | None:
    """Write Vega's script into the served folder, once per version; return None if the folder cannot be written."""
    path = folder / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        try:
            folder.mkdir(exist_ok=True)
            write_atomically(path, vega_script())
            os.utime(path, (0, 0))  # the server sends no lifetime: browsers cache an old file for long
        except OSError:
            return None
    return path


def served_url(path: Path) -> str:
    """Return the URL of a file in the served folder."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    return "/".join(("", *([base] if base else []), "app", "static", path.name))


def component(name: str, **parts: str) -> Any:
    """Register what the files of this name in core/charts are; st.html would take drawings out.

    Args:
        name: Of its files: `.html`, `.css` and `.js`, as far as there are any.
        parts: What takes the place of a file, by its ending.
    """
    files = {part: CHARTS / f"{name}.{part}" for part in ("html", "css", "js")}
    read: dict[str, Any] = {part: file.read_text("utf-8") for part, file in files.items() if file.is_file()}
    return st.components.v2.component(f"prunescope_{name}", **{**read, **parts})


VEGA = vega_file()
# Where the file cannot be written, the component carries Vega in its own script, which is larger.
_with_vega = {} if VEGA else {"js": f"{vega_script()}\n{(CHARTS / 'player.js').read_text('utf-8')}"}
_player = component("player", **_with_vega)


def preload_vega() -> None:
    """Let the browser fetch Vega while the page is still being drawn; this takes the place of an empty element."""
    if VEGA:
        script = f"<script>import({json.dumps(served_url(VEGA))})</script>"
        st.html(script, width="content", unsafe_allow_javascript=True)


def note_opened(page: str) -> None:
    """Note whether a page, by its name in the navigation, is newly opened, for `pause_after_first_picture`."""
    if st.session_state.get("page-open") != page:
        st.session_state["page-open"] = page
        st.session_state[NEWLY_OPENED] = True


def pause_after_first_picture() -> None:
    """Pause after a newly opened page has sent its first picture.

    If the rest of the page came at once, the browser would lay out every box and table first and show the picture half
    a second later.
    """
    if st.session_state.pop(NEWLY_OPENED, False):
        time.sleep(FIRST_PICTURE_SECONDS)


def show_pictures(
    scene: Scene,
    *,
    key: str,
    group: str = "main",
    autoplay: bool = False,
    start: float | None = None,
    on_pick: Callable[[], None] | None = None,
    link: bool = True,
) -> None:
    """Show a scene that one bar moves through the pruning amounts.

    New data under the same key keep the amount, and whether it plays; frames may be appended while it plays.

    Args:
        scene: What the page shows.
        key: The element's identity on the page.
        group: Players of one group move together.
        autoplay: Whether it plays at first sight; it does not where the visitor's system asks for less motion.
        start: The amount shown first; with one, nothing plays by itself.
        on_pick: Called when a mark is clicked whose data have a `pick`; see `picked`.
        link: Whether the bar offers a link to what is shown.
    """
    _mount(
        key,
        scene,
        {"on_pick_change": on_pick} if on_pick else {},
        title=", ".join((scene.title, *scene.caption)),
        group=group,
        autoplay=autoplay,
        start=start,
        views=_written(scene),
        link=dict(parameters_on_show()) if link else None,
    )


def picked(key: str) -> str | None:
    """Return the `pick` that was clicked in the player of this key, while `on_pick` runs."""
    state: dict[str, Any] = st.session_state.get(key) or {}
    return state.get("pick")


def show_stage(
    scenes: Mapping[str, Scene],
    *,
    key: str,
    spoken: Mapping[str, str],
    hint: str,
    reduction: str,
    start: float | None,
    on_turn: Callable[[int], None],
) -> None:
    """Show a result over the whole screen, for a projector; its viewer chooses the reduction in the player.

    Args:
        scenes: The result's, by reduction, of the same frames. Title and caption, the same in all of them, stand above
            and below the pictures; they are shown as text, never as HTML.
        key: The element's identity on the page.
        spoken: A speaker's sentences by reduction, which stand below them on request.
        hint: Says what the keys do; it goes with the controls.
        reduction: The one shown first.
        start: The amount shown first; with one, nothing plays by itself.
        on_turn: Called with 1 when the visitor asks for the next result, with -1 for the previous one.
    """
    shown = scenes[reduction]
    _mount(
        key,
        shown,
        {"on_turn_change": lambda: on_turn(st.session_state[key]["turn"])},
        title=shown.title,
        group=key,
        autoplay=True,
        start=start,
        choices=[
            {"name": name, "title": REDUCTIONS[name].title, "views": _written(scene), "spoken": spoken[name]}
            for name, scene in scenes.items()
        ],
        choice=reduction,
        link=dict(parameters_on_show()),
        stage={"heading": shown.title, "caption": "; ".join(shown.caption), "hint": hint},
    )


def _written(scene: Scene) -> dict[str, str]:
    """Return the pictures as JSON by name, which the script reads: they are written once for all visitors."""
    return {name: view.written for name, view in scene.views.items()}


def _mount(key: str, scene: Scene, callbacks: Mapping[str, Callable[[], None]], **data: Any) -> None:
    """Show the player; not every one turns to other results or has something to pick."""
    of_scene = {"layout": scene.layout.css, "axis": scene.axis, "frames": scene.frames}
    of_all = {"style": STYLE, "vega": VEGA and served_url(VEGA)}
    ignored = {f"on_{event}_change": lambda: None for event in ("turn", "pick")}
    _player(key=key, data={**of_scene, **of_all, **data}, **{**ignored, **callbacks})
    pause_after_first_picture()


def middle_of(amounts: Sequence[float]) -> float:
    """Return the amount that is shown first where both ends say little."""
    return amounts[len(amounts) // 2]


def start_in_address(amounts: Sequence[float], otherwise: float | None = None) -> float | None:
    """Return the amount that a shared link shows first; a note says where that is another one than it asks for.

    Args:
        amounts: Those that can be shown, in ascending order.
        otherwise: The amount shown first without a link; None is the first one, from which it plays.
    """
    first, wanted = amounts[0] if otherwise is None else otherwise, amount_in_address()
    if wanted is None:
        wish = f"the amount “{quoted(st.query_params.get('amount', ''))}”, which is not a number from 0 to 1"
        is_asked("amount", False, wish, _percent(first))
        return otherwise
    shown = max((amount for amount in amounts if amount <= wanted), default=amounts[0])  # as the player does
    wish = f"{_percent(wanted)}, which this result does not have"
    if not is_asked("amount", shown == wanted, wish, _percent(shown)):
        set_parameter("amount", amount_text(shown))
    return shown


def _percent(amount: float) -> str:
    """Write an amount in percent, with as many decimals as it has."""
    return f"{100 * amount:.6g} %"


def show_finding(result: SweepResult, reduction: str, companions: Sequence[SweepResult] = ()) -> None:
    """Say what a result shows, in computed sentences and tables.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: What it is judged beside: see `core.results.choices.companions`.
    """
    if words := caution(result):
        st.warning(plain(words))
    if not result.key:
        st.markdown(f"**{plain(layers_heading(result, reduction))}**")
        return
    if not result.against:
        st.markdown(plain(once(verdict_sentence, result, companions)))
    with st.expander("Details"):
        show_numbers(result, companions)
        if note := reading_note(result.task):
            st.markdown(plain(note))


def show_numbers(result: SweepResult, companions: Sequence[SweepResult]) -> None:
    """Tabulate what is known of a result beside its picture, under the statistics' names."""
    if not result.against:  # there nothing is judged
        for part in narrow(once(criteria_table, result, companions)):
            st.markdown(markdown_table(part))
    if numbers := once(numbers_table, result, companions):
        st.markdown(markdown_table(numbers))


def reduction_in_address(against: bool = False) -> str:
    """Read how tokens become one vector, for a page that offers the choice elsewhere.

    Args:
        against: Whether what is shown is compared with another checkpoint, which is not done token by token.
    """
    names = _reductions(against)
    first = next(iter(names))
    return read_choice(names, "reduction", first, names[first], "reduction")


def _reductions(against: bool) -> dict[str, str]:
    return {name: REDUCTIONS[name].title for name in (SINGLE_BATCH if against else REDUCTIONS)}


def choose_reduction(*results: SweepResult | None) -> str:
    """Ask how tokens become one vector, keep the choice in the address, and explain it.

    Args:
        results: Those on show; under `tokens`, a note says what sentence length alone does to the first of them.
            Against another checkpoint there are no `tokens`.
    """
    shown = [result for result in results if result]
    names = _reductions(any(result.against for result in shown))
    chosen = choose("Sentence vector", names, "reduction", segmented=True)
    length = f" {length_sentence(shown[0])}" if shown and chosen == "tokens" else ""
    remark(f"{REDUCTIONS[chosen].explanation}{length}")
    return chosen
