"""Figures for print: a page's views in one picture of fixed size, on white, with a title that says what they show.

A figure is one Vega-Lite specification with a parameter `frame`, like its views (`core.charts.view`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from altair import SCHEMA_URL

from core.charts.compare import compare_scene
from core.charts.grammar import Rows, Spec, capitalised, with_parameters
from core.charts.overview import result_scene
from core.charts.view import Scene, View
from core.findings.compare import Axis, distinguishing_names, shown_together
from core.request.catalog import REDUCTIONS
from core.results.names import checkpoint_name, data_name, pruning_name
from core.results.schema import SweepResult

SQUARE = (360, 360)  # pixels, width and height of the heatmap
CURVE = (380, 145)  # pixels, width and height of a curve beside it
SMALL_SQUARE = (280, 280)  # pixels, one of three heatmaps
LOW_CURVE = (400, 170)  # pixels, a curve below them
MAX_NUMBER_SIZE, MIN_NUMBER_SIZE = 13, 8  # pixels; a cell without room for a number shows its colour alone
MAX_TITLE_WIDTH = 820  # pixels; a longer title is cut to keep the picture's size
MAX_TITLE_CHARS = 80  # that fit on one line of MAX_TITLE_WIDTH
MATCHED: Mapping[Axis, str] = {
    "amount": "",
    "damage": ", at equal overall change",
    "divergence": ", at equal divergence",
}

INK, GRID, ACCENT = "#1f2028", "#d5d6da", "#b5367a"
# The roles that core.charts.grammar names and core/charts/player.js paints on a page, here for white paper.
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
        "halo": {"color": "white", "stroke": "white", "strokeWidth": 5, "strokeJoin": "round"},
        "band": {"color": ACCENT, "opacity": 0.22},
        "series": {"color": ACCENT, "strokeWidth": 2.5},
        "bar": {"color": ACCENT},
        "floor": {"color": INK, "strokeWidth": 1, "strokeDash": [2, 2], "opacity": 0.8},
        "reference": {"color": INK, "strokeDash": [5, 4], "opacity": 0.7},
        "note": {"color": INK, "fontSize": 12},
        "current": {"color": INK, "strokeWidth": 1.5},
        "marker": {"color": ACCENT, "stroke": INK, "strokeWidth": 1.5, "size": 90, "opacity": 1},
    },
}
TITLE: Spec = {
    "limit": MAX_TITLE_WIDTH,
    "fontSize": 18,
    "subtitleFontSize": 13,
    "subtitleColor": INK,
    "subtitlePadding": 6,
    "offset": 14,
}


# ---------------------------------------------------------------- where the views of a page stand


@dataclass(frozen=True)
class Layout:
    """The places of a page's views in a figure.

    Attributes:
        sizes: Of each view, width and height in pixels.
        arrange: Joins the views' specifications, by name; some of a comparison may be missing.
    """

    sizes: Mapping[str, tuple[int, int]]
    arrange: Callable[[Mapping[str, Spec]], Spec]


def _arrange_single(parts: Mapping[str, Spec]) -> Spec:
    """Put the heatmap beside accuracy over survival."""
    return _beside(parts["heatmap"], {"vconcat": [parts["accuracy"], parts["survival"]]})


def _arrange_comparison(parts: Mapping[str, Spec]) -> Spec:
    """Put both heatmaps and their difference above the curves."""
    rows = (("first", "second", "difference"), ("accuracy", "own"))
    return {"vconcat": [_beside(*(parts[name] for name in row if name in parts)) for row in rows]}


def _beside(*parts: Spec) -> Spec:
    """Put parts side by side, each with its own colours and legend."""
    own = dict.fromkeys(("color", "stroke", "fill", "strokeDash"), "independent")
    return {"hconcat": list(parts), "resolve": {"scale": own, "legend": own}}


SINGLE = Layout({"heatmap": SQUARE, "accuracy": CURVE, "survival": CURVE}, _arrange_single)
COMPARISON = Layout(
    {
        **dict.fromkeys(("first", "second", "difference"), SMALL_SQUARE),
        **dict.fromkeys(("accuracy", "own"), LOW_CURVE),
    },
    _arrange_comparison,
)


# ---------------------------------------------------------------- what a figure shows


def frames_of(results: Sequence[SweepResult], reduction: str, axis: Axis = "amount") -> Rows:
    """Name the frames of one result, or of two together: `amount`, `name` and `detail` of each."""
    return scene_of(results, reduction, axis).frames


def scene_of(results: Sequence[SweepResult], reduction: str, axis: Axis = "amount") -> Scene:
    """Show one result, or two together."""
    if len(results) == 1:
        return result_scene(results[0], reduction)
    first, second = results
    return compare_scene(first, second, reduction, shown_together(first, second, axis, reduction))


def title_of(results: Sequence[SweepResult], axis: Axis = "amount") -> str:
    """Name one pruning, or two beside each other."""
    return " ".join(_title_lines(results, axis))


def origins_of(results: Sequence[SweepResult]) -> list[str]:
    """Name what the numbers were measured on, once if it is the same for both."""
    return list(dict.fromkeys(f"{checkpoint_name(result)}; {data_name(result)}" for result in results))


def _title_lines(results: Sequence[SweepResult], axis: Axis) -> list[str]:
    """Return a line on each result; the second says where the two are shown."""
    if len(results) == 1:
        return [pruning_name(results[0])]
    first, second = distinguishing_names(*results)
    return [capitalised(first), f"beside {second}{MATCHED[axis]}"]


# ---------------------------------------------------------------- the figure


def figure_of(results: Sequence[SweepResult], reduction: str, axis: Axis = "amount") -> Spec:
    """Draw one result, or two beside each other, as one picture of fixed size.

    Args:
        results: One or two whole sweeps.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        axis: Where two are shown together.
    """
    title = title_of(results, axis)
    lines = [title] if len(title) <= MAX_TITLE_CHARS else _title_lines(results, axis)
    titles = [[*lines, f"{frame['name']} · {frame['detail']}"] for frame in frames_of(results, reduction, axis)]
    subtitle = [*origins_of(results), REDUCTIONS[reduction].title]
    return print_figure(
        scene_of(results, reduction, axis).views, SINGLE if len(results) == 1 else COMPARISON, titles, subtitle
    )


def print_figure(
    views: Mapping[str, View], layout: Layout, titles: Sequence[Sequence[str]], subtitle: Sequence[str]
) -> Spec:
    """Join a page's views into one specification.

    Args:
        views: As the page shows them.
        layout: Their sizes and places.
        titles: Of every frame, the lines above the picture.
        subtitle: The lines below these, the same for all frames.
    """
    parts = {name: view.part(*layout.sizes[name]) for name, view in views.items()}
    spec = with_parameters(layout.arrange(parts))
    style = {**PRINT["style"], "number": _number_style(views, layout)}
    return {
        **spec,
        "$schema": SCHEMA_URL,
        "title": {"text": {"expr": "titles[frame]"}, "subtitle": list(subtitle), **TITLE},
        "params": [*spec["params"], {"name": "titles", "value": list(map(list, titles))}],
        "datasets": {name: rows for view in views.values() for name, rows in view.datasets.items()},
        "config": {**spec["config"], **PRINT, "style": style},
    }


def _number_style(views: Mapping[str, View], layout: Layout) -> Spec:
    """Size the numbers for the smallest cell ("-0.05" is less than three times as wide as high), or hide them."""
    cell = min(layout.sizes[name][0] / view.columns for name, view in views.items())
    size = int(min(0.35 * cell, MAX_NUMBER_SIZE))
    return {"fontSize": size, "opacity": int(size >= MIN_NUMBER_SIZE)}
