"""Strips: cells over a fixed axis of amounts, a row a layer, the first layer at the bottom.

A cell reaches half-way to the amounts measured beside its own, so that results of any amounts stand on the same axis.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts import grammar as g
from core.findings.words.numbers import percent, two_places
from core.results.names import PointName, amount_name, capitalised, point_names
from core.results.schema import SweepResult

AMOUNTS_SHOWN = (-0.03, 1.05)  # the axis's ends
FIRST_EDGE = -0.025  # of the cell of amount 0
EVERYTHING = (0.975, 1.025)  # the ends of the cell that stands for everything removed
WORDS_ROOM = 1.9  # for numbers and words to the right of the axis, in margins
WORDS_GAP = 6  # pixels between the axis and these


def worded_axis(removed: str, room: float = WORDS_ROOM) -> alt.X:
    """Return the axis of amounts with room for words on its right.

    Args:
        removed: What is removed, see `core.results.names.units_name`.
        room: For words, in margins.
    """
    return g.amount_axis(title=removed_title(removed), shown=AMOUNTS_SHOWN, room=room, domain=False)


def removed_title(removed: str) -> str:
    """Name the amount, on an axis and to the mouse."""
    return f"{capitalised(removed)} removed"


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
    places, names = list(pairwise(edges(result.amounts))), point_names(result.points)
    changed = ["not measured" if frame.changed is None else percent(frame.changed.share) for frame in result.frames]
    return [
        {**cell(name, values[k, row], place, row, height), "amount": amount_name(amount), "changed": changed[k]}
        for row, name in enumerate(names)
        for k, (place, amount) in enumerate(zip(places, result.amounts, strict=True))
    ]


def cell(
    name: PointName, value: float, ends: tuple[float, float], row: int, height: tuple[float, float]
) -> dict[str, Any]:
    """Return one cell; NaN is a value of its own, undefined."""
    told = {"pick": name.label, "name": name.title, "value": g.rounded(value), "text": two_places(value)}
    return {**told, "x": ends[0], "x2": ends[1], "y": row + height[0], "y2": row + height[1]}


def strip_layers(dataset: str, fields: dict[str, str]) -> list[alt.Chart]:
    """Draw cells, and strokes over each that is undefined.

    Args:
        dataset: From `cell_rows`.
        fields: What the mouse is told besides, by its titles.
    """
    cells = g.data(dataset).encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    tooltip = g.told({"Layer": "name:N", **fields, "Similarity": "text:N"})
    filled = cells.mark_rect(invalid="show", cursor="pointer")
    return [filled.encode(color=g.similarity_colour(), tooltip=tooltip), *g.hatching(cells)]
