"""Strips: cells over a fixed axis of amounts, a row a layer, the first layer at the bottom.

A cell reaches half-way to the amounts measured beside its own, so that results of any amounts stand on the same axis.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts.grammar import MARGIN, Rows, amount_axis, capitalised, rounded, similarity_colour, two_places
from core.request.catalog import MEASURES
from core.results.names import amount_name, percent, point_labels, point_names
from core.results.schema import SweepResult

AMOUNTS_SHOWN = (-0.03, 1.05)  # the axis's ends
FIRST_EDGE = -0.025  # of the cell of amount 0
EVERYTHING = (0.975, 1.025)  # the ends of the cell that stands for everything removed
WORDS_END = 1.4  # of the axis where it leaves room for numbers and words on its right
WORDS_GAP = 6  # pixels between the axis and these

Values = npt.NDArray[np.float64]


# ---------------------------------------------------------------- axes


def worded_axis(field: str, removed: str, end: float = WORDS_END) -> alt.X:
    """Return the axis of amounts with room for words on its right.

    Args:
        field: The field of the data.
        removed: What is removed, see `core.results.names.units_name`.
        end: Where it ends; what lies beyond `AMOUNTS_SHOWN` is room for words.
    """
    title, shown = f"{capitalised(removed)} removed", (AMOUNTS_SHOWN[0], end)
    return amount_axis(field, title, shown, domain=False, titleAnchor="start")


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
            minExtent=MARGIN,
            maxExtent=MARGIN,
        ),
    )


# ---------------------------------------------------------------- data


def edges(amounts: Sequence[float]) -> list[float]:
    """Return the borders of the amounts' cells, ascending, one more than there are amounts.

    The last cell is as wide as the one before, and leaves `EVERYTHING` its place.
    """
    between = [(before + after) / 2 for before, after in pairwise(amounts)]
    half = amounts[-1] - between[-1] if between else -FIRST_EDGE
    place = (1 + amounts[-1]) / 2 if amounts[-1] > EVERYTHING[0] else EVERYTHING[0]
    return [round(edge, 6) for edge in (FIRST_EDGE, *between, min(amounts[-1] + half, place))]


def cell_rows(result: SweepResult, values: Values, height: tuple[float, float]) -> Rows:
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
            **cell(name.label, name.title, value, place, row, height),
            "amount": amount_name(result.amounts[k]),
            "changed": changed[k],
        }
        for row, (name, column) in enumerate(zip(point_names(result.points), values.T.tolist(), strict=True))
        for k, (place, value) in enumerate(zip(places, column, strict=True))
    ]


def cell(
    label: str, name: str, value: float, place: tuple[float, float], row: int, height: tuple[float, float]
) -> dict[str, Any]:
    """Return one cell; NaN is a value of its own, undefined."""
    known = None if np.isnan(value) else value
    return {
        "pick": label,
        "name": name,
        "x": place[0],
        "x2": place[1],
        "y": row + height[0],
        "y2": row + height[1],
        "value": rounded(known),
        "text": two_places(known),
    }


def hatches(cells: Rows) -> Rows:
    """Return three strokes over every cell without a value."""
    return [stroke for cell in cells if cell["value"] is None for stroke in _strokes(cell)]


def _strokes(cell: Mapping[str, Any]) -> Rows:
    x, x2, y, y2 = (cell[name] for name in ("x", "x2", "y", "y2"))
    middle, centre = (x + x2) / 2, (y + y2) / 2
    strokes = ((x, centre, middle, y2), (x, y, x2, y2), (middle, y, x2, centre))
    return [{"x": left, "y": low, "x2": right, "y2": high} for left, low, right, high in strokes]


# ---------------------------------------------------------------- drawings


def strip_layers(
    cells: str, hatched: str, x: alt.X, y: alt.Y, measure: str, tooltip: list[alt.Tooltip]
) -> list[alt.Chart]:
    """Draw the cells of one dataset, and the strokes of another over those that are undefined."""
    placed = {"x": x, "x2": "x2:Q", "y": y, "y2": "y2:Q"}
    filled = alt.Chart(alt.NamedData(cells)).mark_rect(invalid="show", cursor="pointer")
    strokes: alt.Chart = alt.Chart(alt.NamedData(hatched)).mark_rule(color="white").encode(**placed)
    symbol = alt.Tooltip("text:N", title=MEASURES[measure].symbol)
    names = [alt.Tooltip("name:N", title="Layer"), *tooltip, symbol]
    return [filled.encode(**placed, color=similarity_colour(measure), tooltip=names), strokes]
