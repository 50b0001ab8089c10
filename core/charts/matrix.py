"""Every unpruned layer against every pruned one: similarity, or how two results differ.

Rows of data are cells; `v` holds a cell's values over the frames, unclamped, null where similarity
is undefined.
"""

from collections.abc import Sequence
from math import isnan

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.compare import FramePair
from core.findings.layers import similarities
from core.findings.rounding import hundredths
from core.findings.words.numbers import UNDEFINED
from core.results.names import point_names
from core.results.schema import Header, Measured
from core.sweep.statistics import Array

# Black text has the better contrast, above 4.5 on both sides, on magma from here on,
IS_LIGHT = "datum.value > 0.555"
# and on a difference between these.
IS_PALE = "datum.value > -0.79 && datum.value < 0.875"
# The Vega expression of a difference; 0 has no sign.
SIGNED = "(datum.value > 0 ? '+' : '') + format(datum.value, '.2f')"
NEAREST = "Similarity (CKA) of every pair of layers; disc: the highest of a column"
NUMBERS = Numbers(
    "cells",
    "baseline",
    {"Similarity": "v"},
    column="pruned",
    named="Layer",
)


def heatmap_view(
    result: Header,
    frames: Sequence[Measured],
    reduction: str,
    title: str = "Similarity (CKA) of every pair of layers",
    nearest: npt.NDArray[np.int64] | None = None,
) -> View:
    """Draw the similarity of every pair of layers.

    Args:
        result: The result.
        frames: The frames to play.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        title: The words above the heatmap.
        nearest: (frames, points) the row to mark in each column, in the place of the numbers; -1
            marks none.

    Raises:
        KeyError: The frames have no such matrix.
    """
    datasets = {"cells": _cells(result, v=similarities(frames, reduction))}
    if nearest is not None:
        datasets["nearest"] = [{"x": j, "v": rows} for j, rows in enumerate(nearest.T.tolist())]
    return View(
        _heatmap,
        (result.points, nearest is not None),
        datasets,
        title,
        NUMBERS,
    )


def difference_view(
    result: Header,
    pairs: Sequence[FramePair],
    reduction: str,
    title: str,
) -> View:
    """Draw how much more similar (orange) or less (blue) the first of two results stays.

    The difference is that of the numbers on screen: rounded by itself, 0.20 less 0.50 could read
    −0.29.

    Args:
        result: The first result; the other one has the same rows and columns.
        pairs: The frames to play together.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        title: The words above the heatmap.
    """
    first, second = (_shown(similarities(frames, reduction)) for frames in zip(*pairs, strict=True))
    cells = _cells(result, v=_shown(first - second), first=first, second=second)
    return View(_difference, (result.points,), {"cells": cells}, title, NUMBERS)


@np.vectorize(otypes=[float])
def _shown(value: float) -> float:
    """Round a number as on screen; NaN stays."""
    return value if isnan(value) else hundredths(round(value, 6))


def _cells(result: Header, **values: Array) -> g.Rows:
    """Return every cell with its column and row, named as in the picture and as in a tooltip.

    Args:
        result: The result.
        values: Fields of a cell over the frames, (frames, rows, columns); NaN becomes null.
    """
    names = point_names(result.points)
    return [
        {
            "x": j,
            "y": i,
            "baseline": a.label,
            "pruned": b.label,
            "baseline_name": a.title,
            "pruned_name": b.title,
            **{name: list(map(g.rounded, cell[:, i, j].tolist())) for name, cell in values.items()},
        }
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]


# ---------------------------------------------------------------- drawings


def _heatmap(points: g.Points, has_nearest: bool) -> g.LayerChart:
    """Draw the cells, with an outline where a layer meets itself, and discs or numbers."""
    cells = _cells_of(points)
    own = cells.transform_filter("datum.baseline === datum.pruned")
    outline = own.mark_rect(
        filled=False,
        stroke=g.OUTLINE_COLOUR,
        strokeWidth=alt.ExprRef("margin / 20"),
    )
    marks = _nearest(len(points))
    if not has_nearest:
        marks = _numbers(cells, len(points), IS_LIGHT)
    return _drawn(
        cells,
        g.similarity_colour(),
        {"Similarity": "text:N"},
        outline.encode(x2="x2:Q", y2="y2:Q"),
        marks,
    )


def _nearest(columns: int) -> alt.Chart:
    """Mark one cell in each column, so that it is seen on dark and on light cells."""
    size = alt.ExprRef(f"pow(0.45 * min(width, height) / {columns}, 2)")
    marks = g.moving("nearest", middle="datum.x + 0.5", centre="datum.value + 0.5")
    disc = marks.transform_filter("datum.value >= 0").mark_point(
        filled=True,
        fill="white",
        stroke="black",
        strokeWidth=2,
        opacity=1,
        size=size,
    )
    return disc.encode(x="middle:Q", y="centre:Q")


def _difference(points: g.Points) -> g.LayerChart:
    first, second = (g.value_text(f"datum.{side}[frame]") for side in g.SIDES)
    text = f"isValid(datum.value) ? {SIGNED} : '{UNDEFINED}'"
    cells = _cells_of(points).transform_calculate(
        text=text,
        first_text=first,
        second_text=second,
    )
    legend = g.scale_legend("Similarity, first − second", [-1, 0, 1])
    # Two values in [0, 1] do not differ by more.
    scale = alt.Scale(domain=[-1, 1], scheme="blueorange")
    fields = {
        "Difference": "text:N",
        "First": "first_text:N",
        "Second": "second_text:N",
    }
    return _drawn(
        cells,
        alt.Color("value:Q", scale=scale, legend=legend),
        fields,
        _numbers(cells, len(points), IS_PALE),
    )


def _cells_of(points: g.Points) -> alt.Chart:
    """Place the cells; `value` is a cell's value at the current frame."""
    pruned = ["Pruned model, layer", *g.labels_note(points)]  # wider than the cells on a slide
    cells = g.moving(
        "cells",
        x2="datum.x + 1",
        y2="datum.y + 1",
        middle="datum.x + 0.5",
        centre="datum.y + 0.5",
    )
    return cells.encode(
        x=alt.X("x:Q", **g.layers_axis(points, pruned)),
        y=alt.Y("y:Q", **g.layers_axis(points, "Unpruned model, layer")),
    )


def _drawn(
    cells: alt.Chart, colour: alt.Color, fields: dict[str, str], *marks: alt.Chart
) -> g.LayerChart:
    """Draw the cells, marks on them, and strokes on those that are undefined."""
    tooltip = g.tooltip(
        {
            "Unpruned": "baseline_name:N",
            "Pruned": "pruned_name:N",
            **fields,
        }
    )
    filled = cells.mark_rect(invalid="show").encode(
        x2="x2:Q", y2="y2:Q", color=colour, tooltip=tooltip
    )
    layers = alt.layer(filled, *marks, *g.hatching(cells))
    return layers.properties(view=alt.ViewBackground(style="frame"))


def _numbers(cells: alt.Chart, columns: int, is_light: str) -> alt.Chart:
    """Write the numbers of cells that have room, in black on light ones, else in white."""
    # "-0.05" is 2.8 times as wide as high.
    size = f"floor(min(0.35 * width / {columns}, 0.6 * height / {columns}, 1.25 * {g.LETTER}))"
    written = cells.transform_filter(f"isValid(datum.value) && {size} >= least * {g.LETTER}")
    colour = alt.condition(is_light, alt.value("black"), alt.value("white"))
    encoded = written.encode(x="middle:Q", y="centre:Q", text="text:N", color=colour)
    return encoded.mark_text(fontSize=alt.ExprRef(size))
