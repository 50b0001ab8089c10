"""The player on a page: core.charts' pictures driven by core/player.js, without a message to the server."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
import vl_convert

from core.catalog import METHODS, REDUCTIONS, ROOT, TASKS
from core.charts import player_views
from core.results import SweepResult, write_atomically

CORE = ROOT / "core"
STATIC = ROOT / "static"  # served by Streamlit under app/static


def vega_file(folder: Path = STATIC) -> Path | None:
    """Lays Vega's script where the server can hand it out, once per version.

    Args:
        folder: The folder that is served.

    Returns:
        The file, or None where the folder cannot be written.
    """
    path = folder / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        try:
            folder.mkdir(exist_ok=True)
            write_atomically(path, vl_convert.javascript_bundle())
        except OSError:
            return None
    return path


def _component() -> tuple[Any, str | None]:
    """Registers the component: with Vega behind an address that browsers cache, else with Vega inside."""
    script, styles = (CORE / "player.js").read_text(), (CORE / "player.css").read_text()
    path = vega_file()
    if path is None:
        script = f"{vl_convert.javascript_bundle()}\n{script}"
    address = path and "/".join(part for part in (st.get_option("server.baseUrlPath"), "app/static", path.name) if part)
    return st.components.v2.component("prunescope_player", js=script, css=styles), address and f"/{address}"


_PLAYER, _VEGA = _component()


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
    views = player_views(result, reduction)
    title = f"{METHODS[result.pruning.method].title} pruning on {TASKS[result.task.name].title}"
    data = {
        "title": title,
        "group": group,
        "autoplay": autoplay,
        "vega": _VEGA,
        "frames": _frames(result),
        "views": views,
    }
    _PLAYER(key=key, data=data)


def _frames(result: SweepResult) -> list[dict[str, Any]]:
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {frame.amount:.2f}",
            "detail": f"sparsity {frame.sparsity:.2f} · accuracy {frame.metrics['accuracy']:.2f}",
        }
        for frame in result.frames
    ]


def choose_reduction(key: str = "reduction") -> str:
    """Asks how tokens become one vector; the choice is in the address."""
    chosen: str = st.segmented_control(
        "How a sentence becomes one vector",
        list(REDUCTIONS),
        format_func=lambda name: REDUCTIONS[name].title,
        default="mean",
        key=key,
        bind="query-params",
        required=True,
    )
    return chosen
