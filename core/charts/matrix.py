"""Every layer of the unpruned model against every layer of the pruned one: similarity, or how two results differ.

Rows of data are cells; `v` holds a cell's values over the frames, unclamped, null where similarity is undefined.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from core.charts import grammar as g
from core.charts.view import Numbers, Title, View
from core.request.catalog import MEASURES
from core.results.names import hundredths, point_labels, point_names
from core.results.schema import Frame, SweepResult

MAX_PRINTED = 12  # points; with more, a cell has no room for a number
MAX_PRINTED_SIGNED = 8  # points; with more, a cell has no room for a number with its sign
LIGHT_FROM = 0.555  # magma is light from here on: black text has the better contrast, above 4.5 on both sides
DARK_BEYOND = {"orange": 0.875, "blue": 0.79}  # of a difference: from here on white text has the better contrast
SIGNED = "(datum.value > 0 ? '+' : '') + format(datum.value, '.2f')"  # the Vega expression of a cell; 0 has no sign
AXIS = alt.Axis(labelAngle=0, ticks=False, domain=False, labelOverlap=True, labelSeparation=4)
STROKES = (
    ((0.0, 0.5), (0.5, 0.0)),
    ((0.0, 1.0), (1.0, 0.0)),
    ((0.5, 1.0), (1.0, 0.5)),
)  # from x, y to x, y: hatching of a cell

Points = tuple[str, ...]


def heatmap_view(
    result: SweepResult,
    frames: Sequence[Frame],
    reduction: str,
    title: Title = "Similarity (CKA) of every pair of layers",
    dataset: str = "cells",
    annotated: bool = False,
) -> View:
    """Draw the similarity of every pair of layers.

    Args:
        result: The result; its rows are another checkpoint's layers where it is compared with one.
        frames: Those that the player shows.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        title: What stands above the heatmap.
        dataset: Tells several heatmaps of a page apart.
        annotated: Whether the picture itself says what the outlined cells are, and from where on a layer is intact.

    Raises:
        KeyError: The frames have no such matrix.
    """
    cells = [{**cell, "v": _values(frames, reduction, *place)} for *place, cell in _cells(result)]
    arguments = (result.points, result.baseline_points if result.against else None, dataset, annotated)
    return View(_heatmap, arguments, {dataset: cells}, title, _size(result), numbers=_numbers_of(dataset))


def difference_view(result: SweepResult, pairs: Sequence[tuple[Frame, Frame]], reduction: str, title: Title) -> View:
    """Draw how much more similar (orange) or less (blue) the first of two results stays, cell by cell.

    The difference is that of the numbers on screen: rounded by itself, 0.20 less 0.50 could read −0.29.

    Args:
        result: The first result; the other one has the same rows and columns.
        pairs: The frames that the player shows together.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        title: What stands above it.
    """
    cells = []
    for i, j, cell in _cells(result):
        first, second = (
            [None if value is None else hundredths(value) for value in _values(frames, reduction, i, j)]
            for frames in zip(*pairs, strict=True)
        )
        differences = [
            None if a is None or b is None else hundredths(a - b) for a, b in zip(first, second, strict=True)
        ]
        cells.append({**cell, "v": differences, "first": first, "second": second})
    arguments = (result.points, result.baseline_points if result.against else None)
    numbers = _numbers_of("differences")
    return View(_difference, arguments, {"differences": cells}, title, _size(result), numbers=numbers)


def _numbers_of(dataset: str) -> Numbers:
    return Numbers(dataset, "baseline", {"Similarity": "v"}, column="pruned", named="Layer")


def _size(result: SweepResult) -> int:
    return max(len(result.baseline_points), len(result.points))


def _cells(result: SweepResult) -> list[tuple[int, int, dict[str, Any]]]:
    """Return every cell with its row and column, named as in the picture and as in a tooltip."""
    return [
        (i, j, {"baseline": a.label, "pruned": b.label, "baseline_name": a.title, "pruned_name": b.title})
        for i, a in enumerate(point_names(result.baseline_points))
        for j, b in enumerate(point_names(result.points))
    ]


def _values(frames: Sequence[Frame], reduction: str, i: int, j: int) -> list[float | None]:
    return [g.rounded(frame.matrix(reduction)[i][j]) for frame in frames]


# ---------------------------------------------------------------- drawings


def _heatmap(points: Points, rows: Points | None, dataset: str, annotated: bool) -> g.LayerChart:
    cells = _base(points, rows, dataset).transform_calculate(text=g.value_text("datum.value"))
    colour = g.similarity_colour(legend="threshold" if annotated else "scale")
    filled, *hatching = _matrix(cells, colour, {MEASURES["cka"].symbol: "text:N"})
    outline = cells.transform_filter("datum.baseline === datum.pruned").mark_rect(
        filled=False, stroke=g.OUTLINE_COLOUR, strokeWidth=alt.ExprRef("margin / 20")
    )
    layers = [filled, *([outline] if rows in (None, points) else []), *hatching]  # each point has its own
    if annotated:
        last = point_names(points)[-1].label
        x, y = cells.encoding.x.bandPosition(1), cells.encoding.y.bandPosition(0)
        named = cells.transform_filter(f"datum.baseline === '{last}' && datum.pruned === '{last}'").encode(x=x, y=y)
        layers.append(named.mark_text(style="note", text="same layer ↓", align="right", baseline="bottom", dy=-4))
    if max(len(rows or points), len(points)) <= MAX_PRINTED:
        low, high = MEASURES["cka"].domain
        layers.append(_numbers(cells, f"datum.value > {low + LIGHT_FROM * (high - low)}", "black", "white"))
    return _framed(layers)


def _difference(points: Points, rows: Points | None) -> g.LayerChart:
    cells = _base(points, rows, "differences").transform_calculate(
        text=f"isValid(datum.value) ? {SIGNED} : '{g.UNDEFINED}'",
        first_text=g.value_text("datum.first[frame]"),
        second_text=g.value_text("datum.second[frame]"),
    )
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(domain=[-1, 1], scheme="blueorange", clamp=True),  # two values in [0, 1] do not differ by more
        legend=g.scale_legend(f"{MEASURES['cka'].symbol}, first − second", [-1, 0, 1]),
    )
    layers = _matrix(cells, colour, {"Difference": "text:N", "First": "first_text:N", "Second": "second_text:N"})
    if max(len(rows or points), len(points)) <= MAX_PRINTED_SIGNED:
        dark = f"datum.value > {DARK_BEYOND['orange']} || datum.value < -{DARK_BEYOND['blue']}"
        layers.append(_numbers(cells, dark, "white", "black"))
    return _framed(layers)


def _base(points: Points, rows: Points | None, dataset: str) -> alt.Chart:
    """Place the cells; `value` is a cell's value at the frame on show."""
    order, order_of_rows = point_labels(points), point_labels(rows or points)
    note = " (1a: attention block, 1: output)" if "1a" in order else ""
    unpruned = "Unpruned model, layer" if rows is None else "Other model, unpruned, layer"
    upwards = alt.Scale(reverse=True)  # not a reversed order: where labels are left out, both axes keep the same ones
    return (
        g.data(dataset)
        .transform_calculate(value="datum.v[frame]")
        .encode(
            x=alt.X("pruned:N", sort=order, title=f"Pruned model, layer{note}", axis=AXIS),
            y=alt.Y("baseline:N", sort=order_of_rows, title=unpruned, axis=AXIS, scale=upwards),
        )
    )


def _matrix(cells: alt.Chart, colour: alt.Color, fields: dict[str, str]) -> list[alt.Chart]:
    """Colour the cells and draw three diagonal strokes over those that are undefined."""
    tooltip = g.told({"Unpruned": "baseline_name:N", "Pruned": "pruned_name:N", **fields})
    filled = cells.mark_rect(invalid="show").encode(color=colour, tooltip=tooltip)
    undefined, (x, y) = cells.transform_filter("!isValid(datum.value)"), (cells.encoding.x, cells.encoding.y)
    strokes = [
        undefined.mark_rule(color="white").encode(
            x=x.bandPosition(left),
            x2=alt.X2("pruned:N", bandPosition=right),
            y=y.bandPosition(low),
            y2=alt.Y2("baseline:N", bandPosition=high),
        )
        for (left, low), (right, high) in STROKES
    ]
    return [filled, *strokes]


def _numbers(cells: alt.Chart, condition: str, ink: str, otherwise: str) -> alt.Chart:
    colour = alt.condition(condition, alt.value(ink), alt.value(otherwise))
    defined = cells.transform_filter("isValid(datum.value)")
    return defined.mark_text(style="number").encode(text="text:N", color=colour)


def _framed(layers: list[alt.Chart]) -> g.LayerChart:
    return alt.layer(*layers).properties(view=alt.ViewBackground(style="frame"))
