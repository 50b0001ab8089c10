"""Where in depth the change lies: for each layer its share of what all layers lose, a bar for each pruning compared."""

from collections.abc import Mapping, Sequence
from math import ceil

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.stack import LABEL_ROOM
from core.charts.view import Numbers, View
from core.findings.words.numbers import percent
from core.results.names import point_names
from core.sweep.statistics import Array

BAND = (0.05, 0.95)  # bottom and top, of a layer's row
ROOM = 1.4  # for the number behind a bar, in margins


def shares_view(points: Sequence[str], losses: Mapping[str, Array], title: str | list[str], skip: int = 0) -> View:
    """Draw the share of each layer in the sum over the layers.

    Args:
        points: The points, in depth order.
        losses: What each layer loses of its similarity under each pruning, (frames, points); NaN is unknown.
        title: The words above.
        skip: How many colours are left to other pictures.
    """
    rows, most = [], 0.25
    slot = (BAND[1] - BAND[0]) / len(losses)  # the height of a bar
    for place, (name, values) in enumerate(losses.items()):
        shares = values / np.where((total := values.sum(1, keepdims=True)) > 0, total, np.nan)  # (frames, points)
        most = max(most, float(np.nanmax(shares, initial=0.0)))
        for k, (layer, own) in enumerate(zip(point_names(points), shares.T, strict=True)):
            top = k + BAND[1] - place * slot
            rows.append(
                {
                    "layer": layer.label,
                    "name": layer.title,
                    "series": name,
                    "y": round(top - slot, 6),
                    "y2": round(top, 6),
                    "v": list(map(g.rounded, own.tolist())),
                    "text": [percent(share) if share == share else "" for share in own.tolist()],
                }
            )
    numbers = Numbers("shares", "layer", {"Share": "text"}, column="series", named="Layer")
    return View(_shares, (tuple(points), tuple(losses), ceil(4 * most) / 4, skip), {"shares": rows}, title, numbers)


def _shares(points: tuple[str, ...], names: tuple[str, ...], most: float, skip: int) -> g.LayerChart:
    """Draw the bars, and behind each its number."""
    bars = g.moving("shares", value="v", words="text").transform_filter("isValid(datum.value)")
    bars = bars.transform_calculate(middle="(datum.y + datum.y2) / 2")
    end, axis = alt.ExprRef(f"width - {ROOM} * margin"), alt.Axis(format=".0%", grid=False, title=None, tickCount=4)
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, most], range=[0, end], nice=False), axis=axis)
    y = alt.Y("y:Q", title=None, **g.layers_axis(points, "Layer ", alt.ExprRef(LABEL_ROOM)))
    legend = alt.Legend(title=None, symbolType="square", direction="vertical") if len(names) > 1 else None
    fill = g.by_series("series", legend, names, fill=g.COLOURS[skip:])
    height = f"({(BAND[1] - BAND[0]) / len(points) / len(names)} * height)"  # of a bar, and of the letters behind it
    fit, size = f"{height} >= 0.85 * {g.LETTER}", alt.ExprRef(f"min({g.LETTER}, 0.95 * {height})")
    tooltip = g.tooltip({"Layer": "name:N", "Pruning": "series:N", "Share": "words:N"})
    return alt.layer(
        bars.mark_rect().encode(x=x, x2=alt.X2Datum(0), y=y, y2="y2:Q", tooltip=tooltip, **fill),
        bars.transform_filter(fit)
        .mark_text(style="note", align="left", dx=4, fontSize=size)
        .encode(x=x, y="middle:Q", text="words:N"),
    )
