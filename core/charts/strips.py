"""Strips: cells over a fixed axis of amounts, a row a layer, the first layer at the bottom.

A cell reaches half-way to the amounts measured beside its own, so that results of any amounts stand on the same axis.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts import grammar as g
from core.request.catalog import MEASURES
from core.results.names import PointName, amount_name, percent, point_labels, point_names
from core.results.schema import SweepResult

AMOUNTS_SHOWN = (-0.03, 1.05)  # the axis's ends
FIRST_EDGE = -0.025  # of the cell of amount 0
EVERYTHING = (0.975, 1.025)  # the ends of the cell that stands for everything removed
WORDS_END = 1.4  # of the axis where it leaves room for numbers and words on its right
WORDS_GAP = 6  # pixels between the axis and these
STROKES = (
    ("x", "centre", "middle", "y2"),
    ("x", "y", "x2", "y2"),
    ("middle", "y", "x2", "centre"),
)  # of a hatched cell


def worded_axis(field: str, removed: str, end: float = WORDS_END) -> alt.X:
    """Return the axis of amounts with room for words on its right.

    Args:
        field: The field of the data.
        removed: What is removed, see `core.results.names.units_name`.
        end: Where it ends; what lies beyond `AMOUNTS_SHOWN` is room for words.
    """
    title = f"{g.capitalised(removed)} removed"
    return g.amount_axis(field, title, (AMOUNTS_SHOWN[0], end), domain=False, titleAnchor="start")


def layers_axis(
    field: str, points: tuple[str, ...], middle: float, title: str = "Layer", explained: bool = True
) -> alt.Y:
    """Return the axis of rows, each one unit high.

    Args:
        field: The field of the data.
        points: The points, from the bottom to the top.
        middle: The height in a row at which its label stands.
        title: Beside the labels.
        explained: Whether it also says what labels such as `1a` mean, where rows are high enough for that.
    """
    labels = point_labels(points)
    note = " (1a: attention block, 1: output)" if explained and "1a" in labels else ""
    return alt.Y(
        field,
        title=f"{title}{note}",
        scale=alt.Scale(domain=[0, len(labels)], nice=False),
        axis=alt.Axis(
            values=[row + middle for row in range(len(labels))],
            labelExpr=f"{labels}[floor(datum.value)]",
            ticks=False,
            domain=False,
            grid=False,
            labelOverlap=True,
            minExtent=g.MARGIN,
            maxExtent=g.MARGIN,
        ),
    )


def edges(amounts: Sequence[float]) -> list[float]:
    """Return the borders of the amounts' cells, ascending, one more than there are amounts.

    The last cell is as wide as the one before, and leaves `EVERYTHING` its place.
    """
    between = [(before + after) / 2 for before, after in pairwise(amounts)]
    half = amounts[-1] - between[-1] if between else -FIRST_EDGE
    place = (1 + amounts[-1]) / 2 if amounts[-1] > EVERYTHING[0] else EVERYTHING[0]
    return [round(edge, 6) for edge in (FIRST_EDGE, *between, min(amounts[-1] + half, place))]


def cell_rows(result: SweepResult, values: npt.NDArray[np.float64], height: tuple[float, float]) -> g.Rows:
    """Return one row per point and amount: the place of its cell, its value, and what is said about it.

    Args:
        result: The result.
        values: (frames, points); NaN where undefined.
        height: The bottom and the top of a cell in its row.
    """
    places = list(pairwise(edges(result.amounts)))
    changed = ["not measured" if frame.changed is None else percent(frame.changed.share) for frame in result.frames]
    return [
        {
            **cell(name, value, place, (row + height[0], row + height[1])),
            "amount": amount_name(result.amounts[k]),
            "changed": changed[k],
        }
        for row, (name, column) in enumerate(zip(point_names(result.points), values.T.tolist(), strict=True))
        for k, (place, value) in enumerate(zip(places, column, strict=True))
    ]


def cell(name: PointName, value: float, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """Return one cell; NaN is a value of its own, undefined."""
    told = {"pick": name.label, "name": name.title, "value": g.rounded(value), "text": g.two_places(value)}
    return told | dict(zip(("x", "x2", "y", "y2"), (*x, *y), strict=True))


def strip_layers(
    dataset: str, x: Callable[[str], alt.X], y: Callable[[str], alt.Y], measure: str, fields: dict[str, str]
) -> list[alt.Chart]:
    """Draw cells, and three diagonal strokes over each that is undefined.

    Args:
        dataset: From `cell_rows`.
        x: Makes the axis of amounts for a field.
        y: Makes the axis of rows for a field.
        measure: What their values are, which colours them.
        fields: What the mouse is told besides, by its titles.
    """
    cells = g.data(dataset)
    undefined = cells.transform_filter("!isValid(datum.value)").transform_calculate(
        middle="(datum.x + datum.x2) / 2", centre="(datum.y + datum.y2) / 2"
    )
    tooltip = g.told({"Layer": "name:N", **fields, MEASURES[measure].symbol: "text:N"})
    return [
        cells.mark_rect(invalid="show", cursor="pointer").encode(
            x=x("x:Q"), x2="x2:Q", y=y("y:Q"), y2="y2:Q", color=g.similarity_colour(measure), tooltip=tooltip
        ),
        *(
            undefined.mark_rule(color="white").encode(
                x=x(f"{left}:Q"), x2=f"{right}:Q", y=y(f"{low}:Q"), y2=f"{high}:Q"
            )
            for left, low, right, high in STROKES
        ),
    ]
