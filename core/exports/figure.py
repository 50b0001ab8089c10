"""Figures for print: the player's pictures side by side, of fixed size, on white, with a title that tells them apart.

A figure is one Vega-Lite specification with a parameter `frame`, like the pictures that it is made of
(`core.charts.overview`, `core.charts.compare`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.charts.compare import compare_frames, compare_views
from core.charts.grammar import Rows, Spec
from core.charts.overview import player_frames, player_views
from core.findings.compare import names_apart, shared_scale, shown_together
from core.request.catalog import REDUCTIONS
from core.results.names import checkpoint_name, data_name, pruning_name
from core.results.schema import SweepResult

SQUARE = (360, 360)  # pixels, width and height of the heatmap
CURVE = (380, 145)  # pixels, width and height of a curve beside it
SMALL_SQUARE = (280, 280)  # pixels, one of three heatmaps
LOW_CURVE = (400, 170)  # pixels, a curve below them
LARGEST_NUMBER, SMALLEST_NUMBER = 13, 8  # pixels; a cell that has no room for a number shows its colour alone
WIDEST_TEXT = 820  # pixels; a longer title is cut, so that the picture keeps its size

INK, GRID, ACCENT = "#1f2028", "#d5d6da", "#b5367a"
# The roles that core.charts.overview names and core/charts/player.js paints on a page, here for white paper.
PRINT: Spec = {
    "background": "white",
    "padding": 14,
    "font": "sans-serif",
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 6,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12},
    "title": {"color": INK, "fontSize": 13, "fontWeight": "bold", "anchor": "start", "frame": "bounds", "offset": 8},
    "view": {"stroke": None},
    "style": {
        "frame": {"stroke": GRID},
        "halo": {"stroke": "white", "strokeWidth": 5, "strokeJoin": "round"},
        "band": {"color": ACCENT, "opacity": 0.22},
        "series": {"color": ACCENT, "strokeWidth": 2.5},
        "bar": {"color": ACCENT},
        "reference": {"color": INK, "strokeDash": [5, 4], "opacity": 0.7},
        "note": {"color": INK, "fontSize": 12},
        "here": {"color": INK, "strokeWidth": 1.5},
        "marker": {"color": ACCENT, "stroke": INK, "strokeWidth": 1.5, "size": 90, "opacity": 1},
    },
}

TITLE: Spec = {
    "limit": WIDEST_TEXT,
    "fontSize": 18,
    "subtitleFontSize": 13,
    "subtitleColor": INK,
    "subtitlePadding": 6,
    "offset": 14,
}
OF_THE_WHOLE = ("$schema", "config", "datasets", "params", "usermeta")  # what a part leaves to its figure
CHANNELS = ("color", "stroke", "fill", "strokeDash")  # those that have a legend
OWN_SCALES: Spec = {of: dict.fromkeys(CHANNELS, "independent") for of in ("scale", "legend")}
LONGEST_TITLE = 80  # characters on one line of WIDEST_TEXT


def frames_of(results: Sequence[SweepResult]) -> Rows:
    """Names what can be shown of one result, or of two together: `amount`, `name` and `detail` of every frame.

    Args:
        results: One or two whole sweeps.
    """
    if len(results) == 1:
        return player_frames(results[0])
    one, other = results
    return compare_frames(shown_together(one, other), shared_scale(one, other))


def views_of(results: Sequence[SweepResult], reduction: str) -> dict[str, Spec]:
    """Draws the pictures of one result, or of two together.

    Args:
        results: One or two whole sweeps.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
    """
    if len(results) == 1:
        return player_views(results[0], reduction)
    one, other = results
    return compare_views(one, other, reduction, shown_together(one, other), names_apart(one, other))


def figure_of(results: Sequence[SweepResult], reduction: str) -> Spec:
    """Draws one result, or two beside each other, as one picture of fixed size.

    Args:
        results: One or two whole sweeps.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
    """
    views = views_of(results, reduction)
    some = next(iter(views.values()))
    title = title_of(results)
    lines = [title] if len(title) <= LONGEST_TITLE else _named(results)
    return {
        "$schema": some["$schema"],
        "title": {
            "text": {"expr": "titles[frame]"},
            "subtitle": [*origins_of(results), REDUCTIONS[reduction].title],
            **TITLE,
        },
        **(_single(views) if len(results) == 1 else _comparison(views)),
        "resolve": OWN_SCALES,
        "params": [
            *{parameter["name"]: parameter for view in views.values() for parameter in view["params"]}.values(),
            {"name": "titles", "value": [[*lines, f"{one['name']} · {one['detail']}"] for one in frames_of(results)]},
        ],
        "datasets": {f"{name}-{data}": rows for name, view in views.items() for data, rows in view["datasets"].items()},
        "config": {**some["config"], **PRINT, "style": {**PRINT["style"], "number": _numbers(views, len(results))}},
    }


def _numbers(views: Mapping[str, Spec], num_results: int) -> Spec:
    """Numbers in cells, as large as the smallest cell allows: "-0.05" is less than three times as wide as high."""
    side = SQUARE[0] if num_results == 1 else SMALL_SQUARE[0]
    columns = max(view.get("usermeta", {}).get("columns", 1) for view in views.values())
    size = int(min(0.35 * side / columns, LARGEST_NUMBER))
    return {"fontSize": size, "opacity": int(size >= SMALLEST_NUMBER)}


def title_of(results: Sequence[SweepResult]) -> str:
    """Names one pruning, or two beside each other.

    Args:
        results: One or two whole sweeps.
    """
    return " ".join(_named(results))


def _named(results: Sequence[SweepResult]) -> list[str]:
    """A title's words on each result."""
    if len(results) == 1:
        return [pruning_name(results[0])]
    one, other = names_apart(*results)
    return [f"{one[0].upper()}{one[1:]}", f"beside {other}"]


def origins_of(results: Sequence[SweepResult]) -> list[str]:
    """Names what the numbers were measured on, once where it is the same.

    Args:
        results: One or two whole sweeps.
    """
    return list(dict.fromkeys(f"{checkpoint_name(result)}; {data_name(result)}" for result in results))


def _single(views: Mapping[str, Spec]) -> Spec:
    """The heatmap, beside it accuracy over survival."""
    curves = [_part(views, name, *CURVE) for name in ("accuracy", "survival")]
    return {"hconcat": [_part(views, "heatmap", *SQUARE), {"vconcat": curves}]}


def _comparison(views: Mapping[str, Spec]) -> Spec:
    """Both heatmaps and, where both were measured at the same points, their difference; below, the curves."""
    heatmaps = [_part(views, name, *SMALL_SQUARE) for name in ("one", "other", "difference") if name in views]
    curves = [_part(views, name, *LOW_CURVE) for name in ("accuracy", "own") if name in views]
    return {"vconcat": [{"hconcat": row, "resolve": OWN_SCALES} for row in (heatmaps, curves)]}


def _part(views: Mapping[str, Spec], name: str, width: int, height: int) -> Spec:
    """One view as a part of a figure, which has one parameter `frame` and names its data for all parts."""
    part = {key: value for key, value in views[name].items() if key not in OF_THE_WHOLE}
    return {**_renamed(part, name), "width": width, "height": height}


def _renamed(node: Any, name: str) -> Any:
    """Puts a view's name before the names of its data."""
    if isinstance(node, list):
        return [_renamed(one, name) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {"name": f"{name}-{value['name']}"} if key == "data" else _renamed(value, name)
        for key, value in node.items()
    }
