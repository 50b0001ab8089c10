"""Every layer of the unpruned model against every layer of the pruned one: similarity, or how two results differ.

Rows of data are cells; `v` holds a cell's values over the frames, unclamped, null where similarity is undefined.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import altair as alt

from core.charts.grammar import (
    OUTLINE_COLOUR,
    LayerChart,
    Rows,
    as_shown,
    cell_axis,
    hatching,
    rounded,
    scale_legend,
    similarity_colour,
    similarity_ink,
    value_text,
)
from core.charts.view import Numbers, Title, View
from core.request.catalog import MEASURES
from core.results.names import point_labels, point_names
from core.results.schema import Frame, SweepResult

MAX_PRINTED = 12  # points; with more, a cell has no room for a number
MAX_PRINTED_SIGNED = 8  # points; with more, a cell has no room for a number with its sign
APART = 4  # pixels between labels; closer ones are left out
DIFFERENCE_SCHEME: Literal["blueorange"] = "blueorange"
DIFFERENCE_DOMAIN = [-1, 1]  # fixed around 0; two values in [0, 1] do not differ by more
SIGNED = "(datum.value > 0 ? '+' : '') + format(datum.value, '.2f')"  # the Vega expression of a cell; 0 has no sign
DARK_BEYOND = {"orange": 0.875, "blue": 0.79}  # from here on white text has the better contrast


# ---------------------------------------------------------------- views


def rows_of(result: SweepResult) -> tuple[str, ...] | None:
    """Return the points of another checkpoint that a result's are compared with; None without one."""
    return result.baseline_points if result.against else None


def heatmap_view(
    frames: Sequence[Frame],
    points: tuple[str, ...],
    reduction: str,
    title: Title = "Similarity (CKA) of every pair of layers",
    dataset: str = "cells",
    annotated: bool = False,
    rows: tuple[str, ...] | None = None,
) -> View:
    """Draw the similarity of every pair of layers.

    Args:
        frames: Those that the player shows.
        points: The points that every frame compares.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        title: What stands above the heatmap.
        dataset: Tells several heatmaps of a page apart.
        annotated: Whether the picture itself says what the outlined cells are, and from where on a layer is intact.
        rows: The points of another checkpoint, whose unpruned layers the pruned ones are compared with; None where
            they are the same model's.

    Raises:
        KeyError: The frames have no such matrix.
    """
    cells = _cells(rows or points, points, lambda i, j: {"v": _values(frames, reduction, i, j)})
    numbers, most = _numbers_of(dataset), max(len(rows or points), len(points))
    return View(_heatmap, (points, dataset, annotated, rows), {dataset: cells}, title, most, numbers=numbers)


def difference_view(
    pairs: Sequence[tuple[Frame, Frame]],
    points: tuple[str, ...],
    reduction: str,
    title: Title,
    rows: tuple[str, ...] | None = None,
) -> View:
    """Draw how much more similar (orange) or less (blue) the first of two results stays, cell by cell.

    The difference is that of the numbers on screen: rounded by itself, 0.20 less 0.50 could read −0.29.
    """

    def values(i: int, j: int) -> dict[str, Any]:
        first, second = (
            [as_shown(value) for value in _values(frames, reduction, i, j)] for frames in zip(*pairs, strict=True)
        )
        differences = [None if a is None or b is None else as_shown(a - b) for a, b in zip(first, second, strict=True)]
        return {"v": differences, "first": first, "second": second}

    cells, most = _cells(rows or points, points, values), max(len(rows or points), len(points))
    return View(_difference, (points, rows), {"differences": cells}, title, most, numbers=_numbers_of("differences"))


def _numbers_of(dataset: str) -> Numbers:
    return Numbers(dataset, "baseline", {"Similarity": "v"}, column="pruned", named="Layer")


def _cells(rows: tuple[str, ...], columns: tuple[str, ...], values: Callable[[int, int], dict[str, Any]]) -> Rows:
    return [
        {
            "baseline": row.label,
            "pruned": column.label,
            "baseline_name": row.title,
            "pruned_name": column.title,
            **values(i, j),
        }
        for i, row in enumerate(point_names(rows))
        for j, column in enumerate(point_names(columns))
    ]


def _values(frames: Sequence[Frame], reduction: str, i: int, j: int) -> list[float | None]:
    return [rounded(frame.matrix(reduction)[i][j]) for frame in frames]


# ---------------------------------------------------------------- drawings


def _heatmap(points: tuple[str, ...], dataset: str, annotated: bool, rows: tuple[str, ...] | None) -> LayerChart:
    cells = _base(points, dataset, rows).transform_calculate(text=value_text("datum.value"))
    outline = cells.transform_filter("datum.baseline === datum.pruned").mark_rect(
        filled=False, stroke=OUTLINE_COLOUR, strokeWidth=alt.ExprRef("margin / 20")
    )
    colour = similarity_colour(legend="threshold" if annotated else "scale")
    layers = _matrix(cells, colour, [alt.Tooltip("text:N", title=MEASURES["cka"].symbol)])
    if rows in (None, points):  # each point has its own
        layers.insert(1, outline)
    if annotated:
        layers.append(_same_layer(cells, points))
    if max(len(rows or points), len(points)) <= MAX_PRINTED:
        layers.append(_numbers(cells, similarity_ink()))
    return _framed(layers)


def _difference(points: tuple[str, ...], rows: tuple[str, ...] | None) -> LayerChart:
    cells = _base(points, "differences", rows).transform_calculate(
        text=f"isValid(datum.value) ? {SIGNED} : 'undefined'",
        first_text=value_text("datum.first[frame]"),
        second_text=value_text("datum.second[frame]"),
    )
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(domain=DIFFERENCE_DOMAIN, scheme=DIFFERENCE_SCHEME, clamp=True),
        legend=scale_legend(f"{MEASURES['cka'].symbol}, first − second", [-1, 0, 1]),
    )
    tooltip = [
        alt.Tooltip("text:N", title="Difference"),
        alt.Tooltip("first_text:N", title="First"),
        alt.Tooltip("second_text:N", title="Second"),
    ]
    layers = _matrix(cells, colour, tooltip)
    if max(len(rows or points), len(points)) <= MAX_PRINTED_SIGNED:
        dark = f"datum.value > {DARK_BEYOND['orange']} || datum.value < -{DARK_BEYOND['blue']}"
        layers.append(_numbers(cells, alt.condition(dark, alt.value("white"), alt.value("black"))))
    return _framed(layers)


def _base(points: tuple[str, ...], dataset: str, rows: tuple[str, ...] | None) -> alt.Chart:
    """Place the cells; `value` is a cell's value at the frame on show."""
    order, order_of_rows = (point_labels(names) for names in (points, rows or points))
    note = " (1a: attention block, 1: output)" if "1a" in order else ""
    x = alt.X("pruned:N", sort=order, title=f"Pruned model, layer{note}", axis=cell_axis(labelSeparation=APART))
    unpruned = "Unpruned model, layer" if rows is None else "Other model, unpruned, layer"
    upwards = alt.Scale(reverse=True)  # not a reversed order: where labels are left out, both axes keep the same ones
    y = alt.Y("baseline:N", sort=order_of_rows, title=unpruned, axis=cell_axis(labelSeparation=APART), scale=upwards)
    chart: alt.Chart = alt.Chart(alt.NamedData(dataset)).transform_calculate(value="datum.v[frame]").encode(x=x, y=y)
    return chart


def _matrix(cells: alt.Chart, colour: alt.Color, tooltip: list[alt.Tooltip]) -> list[alt.Chart]:
    """Colour the cells and hatch those that are undefined."""
    names = [alt.Tooltip("baseline_name:N", title="Unpruned"), alt.Tooltip("pruned_name:N", title="Pruned")]
    filled = cells.mark_rect(invalid="show").encode(color=colour, tooltip=[*names, *tooltip])
    return [filled, *hatching(cells, cells.encoding.x, cells.encoding.y)]


def _numbers(cells: alt.Chart, ink: Any) -> alt.Chart:
    defined = cells.transform_filter("isValid(datum.value)")
    chart: alt.Chart = defined.mark_text(style="number").encode(text="text:N", color=ink)
    return chart


def _same_layer(cells: alt.Chart, points: tuple[str, ...]) -> alt.Chart:
    """Name the outlined cells once, above the last of them."""
    last = point_names(points)[-1].label
    x, y = cells.encoding.x, cells.encoding.y
    chart: alt.Chart = (
        cells.transform_filter(f"datum.baseline === '{last}' && datum.pruned === '{last}'")
        .mark_text(style="note", text="same layer ↓", align="right", baseline="bottom", dy=-4)
        .encode(x=x.bandPosition(1), y=y.bandPosition(0))
    )
    return chart


def _framed(layers: list[alt.Chart]) -> LayerChart:
    return alt.layer(*layers).properties(view=alt.ViewBackground(style="frame"))
