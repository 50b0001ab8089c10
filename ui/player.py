"""The player on a page: core.charts' pictures driven by core/player.js, without a message to the server."""

import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
import vl_convert

from core.catalog import REDUCTIONS, ROOT
from core.charts import player_views
from core.findings import accuracy_finding, caution, finding, length_finding
from core.names import amount_name, checkpoint_name, pruning_name
from core.results import SweepResult, write_atomically
from core.verdicts import verdict_finding
from ui.address import choose
from ui.text import plain

CORE = ROOT / "core"
STATIC = ROOT / "static"  # served by Streamlit under app/static
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


SCRIPT, STYLES = (CORE / "player.js").read_text("utf-8"), (CORE / "player.css").read_text("utf-8")
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


def show_player(result: SweepResult, reduction: str, *, key: str, group: str = "main", autoplay: bool = False) -> None:
    """Shows a result as moving pictures.

    New data under the same key keep amount and playing; frames may be appended while it plays.

    Args:
        result: A whole sweep or the first frames of one, at least one.
        reduction: A name from `core.catalog.REDUCTIONS`.
        key: The element's identity on the page.
        group: Players of one group move together.
        autoplay: Starts playing at first sight, unless the visitor's system asks for less motion.
    """
    title = f"{pruning_name(result)}, {checkpoint_name(result)}"
    data = {
        "title": title,
        "group": group,
        "autoplay": autoplay,
        "vega": VEGA and address_of(VEGA),
        "frames": _frames(result),
        "views": player_views(result, reduction),
    }
    _player(key=key, data=data)


def _frames(result: SweepResult) -> list[dict[str, Any]]:
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {amount_name(frame.amount)}",
            "detail": f"sparsity {frame.sparsity:.2f} · accuracy {_two_places(frame.metrics.get('accuracy'))}",
        }
        for frame in result.frames
    ]


def _two_places(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def show_finding(result: SweepResult, reduction: str, companions: Sequence[SweepResult] = ()) -> None:
    """Says what a result shows, in computed sentences.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.catalog.REDUCTIONS`.
        companions: Results of its random control and of each layer alone.
    """
    if words := caution(result):
        st.warning(plain(words))
    st.markdown(f"**{plain(finding(result, reduction))}** {plain(accuracy_finding(result))}")
    if result.key:
        st.markdown(plain(verdict_finding(result, reduction, companions, companions)))


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
