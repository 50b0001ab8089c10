"""The grammar that all pictures share: colours, axes, hatching, the marker of the current amount.

Marks name their role by a style (`series`, `band`, `marker`, …), whose colours and sizes stand in
`core.charts.theme`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isnan
from typing import Any, Self

import altair as alt

# Altair looks pandas up in sys.modules, where another visitor's thread may have left it half
# imported: import it first.
import pandas  # noqa: F401

from core.findings.words.numbers import UNDEFINED, decimals
from core.results.names import capitalised, point_labels, point_names

Spec = dict[str, Any]  # a Vega-Lite specification
Rows = list[dict[str, Any]]  # a named dataset
Points = tuple[str, ...]  # in depth order
LayerChart = alt.LayerChart | alt.FacetChart  # the declared return type of alt.layer

UNDEFINED_COLOUR = "#8a8a8a"
# Where a layer meets itself: a hue that magma lacks, visible on its dark and its light end.
OUTLINE_COLOUR = "#2ca5b8"
# Contrast 3 : 1 on both themes; the first two differ without red and green.
COLOURS = [
    "#d9670f",
    "#2584cf",
    "#1b9e77",
    "#b5367a",
    "#8f7a00",
    "#7570b3",
    "#7a7a7a",
]
DASHES = [[1, 0], [6, 3], [2, 2]] * 2  # solid, dashed, dotted
FIRST_COLOUR, SECOND_COLOUR = COLOURS[:2]  # of two results

AMOUNT_TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
AMOUNT_DOMAIN = (-0.03, 1)  # holds the marker on the left
# The outer borders of cells over the amounts.
FIRST_EDGE = -0.025
LAST_EDGE = 0.975
LETTER = "round(margin / 3.3)"  # the height of letters in pixels
SHARE_DOMAIN = (0, 1.03)
SIDES = ("first", "second")  # of two results
BLANK = "\u00a0"  # an empty line of a title, so that nothing moves when words appear in it
SHADED = "shaded: beyond the working range"
# Pixels left of all curves, so that they begin at the same place; more where text is larger.
CURVE_MARGIN = 40
MARGIN = alt.ExprRef("margin")
# An axis that shows only names.
BARE: dict[str, Any] = {"ticks": False, "domain": False, "grid": False}
REMOVED = "Removed by pruning"  # the title of an axis of amounts, whether of weights or of units
# The ends of the strokes that hatch a cell.
STROKES = (
    ("x", "centre", "middle", "y2"),
    ("x", "y", "x2", "y2"),
    ("middle", "y", "x2", "centre"),
)


class _Chart(alt.Chart):
    """A chart that knows the classes of its channels.

    For a text, Altair compares the schemas of all its classes, which doubles the time.
    """

    def encode(self, *more: Any, **channels: Any) -> Self:
        for name, channel in channels.items():
            if isinstance(channel, str):
                channels[name] = getattr(alt, name[0].upper() + name[1:])(channel)
        return super().encode(*more, **channels)


def data(name: str) -> alt.Chart:
    """Begin a mark of a named dataset."""
    return _Chart(alt.NamedData(name))


def moving(name: str, **fields: str) -> alt.Chart:
    """Begin a mark of a dataset whose `v` lists a value for each frame.

    It has the current `value`, and its `text` with two decimals; `fields` are other expressions.
    """
    return data(name).transform_calculate(
        value="datum.v[frame]", text=value_text("datum.value"), **fields
    )


def step(amount: float | None, name: str, detail: str) -> dict[str, Any]:
    """Return what the player says about a frame: its name, and the numbers beside it."""
    return {"amount": amount, "name": name, "detail": detail}


def layer_rows(points: Sequence[str], frames: Iterable[Sequence[float]]) -> Rows:
    """Return a row for each layer; `v` lists its values over the frames.

    Args:
        points: The points, in depth order.
        frames: Every frame's values of the points.
    """
    columns = zip(*frames, strict=True)
    return [
        {
            "layer": name.label,
            "name": name.title,
            "v": list(map(rounded, column)),
        }
        for name, column in zip(point_names(points), columns, strict=True)
    ]


# ---------------------------------------------------------------- numbers and words


def value_text(field: str) -> str:
    """Return the Vega expression that writes a field with two decimals, or UNDEFINED."""
    return f"isValid({field}) ? format({field}, '.2f') : '{UNDEFINED}'"


def rounded(value: float | None) -> float | None:
    """Round to six decimals, and NaN to None: a smaller page, and the same on screen."""
    return None if value is None or isnan(value) else round(value, 6)


def interval_fields(bounds: Sequence[float] | None) -> dict[str, Any]:
    """Return the ends of an interval, and the interval in words, as fields of a row."""
    low, high = bounds or (None, None)
    words = " to ".join(decimals(bound, 2) for bound in bounds) if bounds else "unknown"
    return {"low": low, "high": high, "interval": words}


def tooltip(fields: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return a tooltip: fields by their titles, quantities (`:Q`) with two decimals."""
    return [
        alt.Tooltip(
            field,
            title=title,
            format=".2f" if field.endswith("Q") else alt.Undefined,
        )
        for title, field in fields.items()
    ]


# ---------------------------------------------------------------- colours


def similarity_colour(has_legend: bool = True) -> alt.Color:
    """Colour a cell by its `value`, on the scale that every picture uses."""
    legend = scale_legend("Similarity", [0.0, 0.5, 1.0]) if has_legend else None
    scale = alt.Scale(domain=[0.0, 1.0], scheme="magma")
    return alt.Color("value:Q", scale=scale, legend=legend)


def scale_legend(title: str, values: list[float]) -> alt.Legend:
    """Place a colour scale above a heatmap, shorter if the heatmap is narrow."""
    length = alt.ExprRef("min(2.4 * margin, max(width - 2.4 * margin, margin))")
    return alt.Legend(
        title=title,
        values=values,
        gradientLength=length,
        labelSeparation=4,
        offset=6,
    )


def by_series(
    field: str,
    legend: alt.Legend | None,
    names: Sequence[str] | None = None,
    **looks: Any,
) -> Any:
    """Encode the series that a mark shows.

    Args:
        field: The field that names the series.
        legend: The legend; None for no legend.
        names: The names, in the order of the looks; by default those of the data, in their order.
        looks: For each channel, a list of looks.
    """
    domain = list(names) if names else alt.Undefined
    channels = {}
    for name, values in looks.items():
        scale = alt.Scale(domain=domain, range=values)
        channel = getattr(alt, capitalised(name))
        channels[name] = channel(f"{field}:N", sort=None, scale=scale, legend=legend)
    return channels


def series_line(legend: alt.Legend | None) -> Any:
    """Encode which of two results a line shows."""
    return by_series("series", legend, stroke=COLOURS, strokeDash=DASHES)


def series_fill() -> Any:
    """Encode which of two results a point or an area shows; the legend shows the lines."""
    return by_series("series", None, fill=COLOURS)


def hatching(cells: alt.Chart) -> list[alt.Chart]:
    """Draw three strokes over each cell, from x, y to x2, y2, whose `value` is undefined."""
    undefined = cells.transform_filter("!isValid(datum.value)").transform_calculate(
        middle="(datum.x + datum.x2) / 2", centre="(datum.y + datum.y2) / 2"
    )
    return [
        undefined.mark_rule(color="white").encode(
            x=f"{left}:Q",
            x2=right,
            y=f"{low}:Q",
            y2=high,
        )
        for left, low, right, high in STROKES
    ]


# ---------------------------------------------------------------- axes: one mark sets each for all


def amount_axis(
    title: str = REMOVED,
    ends: Sequence[float] = AMOUNT_DOMAIN,
    room: float = 0,
    **style: Any,
) -> alt.X:
    """Return the axis of pruning amounts under every curve, in percent.

    Args:
        title: What is removed, or the quantity that two results share.
        ends: Where it begins and ends.
        room: The room to its right, in margins; lines across the picture end before it.
        style: Other properties of a Vega-Lite axis.
    """
    looks: Spec = {
        "values": AMOUNT_TICKS,
        "format": ".0%",
        "titleAnchor": "start",
        "labelFlush": False,
    }
    axis = alt.Axis(**(looks | style))
    return alt.X("amount:Q", title=title, scale=scale_before(ends, room), axis=axis)


def scale_before(domain: Sequence[float], room: float) -> alt.Scale:
    """Return a scale from left to right that ends `room` margins before the end of the picture."""
    end = alt.ExprRef(f"width - {room} * margin")
    return alt.Scale(domain=list(domain), range=[0, end], nice=False)


def edges(amounts: Sequence[float]) -> list[float]:
    """Return the borders of the amounts' cells, ascending, one more than there are amounts.

    A cell reaches half-way to the amounts beside its own, so that results of any amounts stand on
    the same axis. The last one is as wide as the one before, and ends before the place of a cell
    for everything removed.
    """
    between = [(before + after) / 2 for before, after in pairwise(amounts)]
    half = amounts[-1] - between[-1] if between else -FIRST_EDGE
    end = (1 + amounts[-1]) / 2 if amounts[-1] > LAST_EDGE else LAST_EDGE
    return [round(edge, 6) for edge in (FIRST_EDGE, *between, min(amounts[-1] + half, end))]


def letters_of(rows: int) -> tuple[str, alt.ExprRef]:
    """Return Vega expressions: whether rows have room for a line of text, and its letters' height.

    Letters are smaller in low rows, but not smaller than the share `least`.
    """
    room = f"(height / {rows})"
    fit = f"({room} >= 0.8 * least * {LETTER})"
    return fit, alt.ExprRef(f"{fit} ? min({LETTER}, {room} / 0.8) : {LETTER}")


def share_axis(
    title: str | None = None,
    domain: tuple[float, float] = SHARE_DOMAIN,
    field: str = "value:Q",
    **style: Any,
) -> alt.Y:
    """Return a vertical axis for values up to 1, in quarters, or in halves if much lies below 0."""
    ticks = [0, 0.5, 1] if domain[0] < -0.1 else [0, 0.25, 0.5, 0.75, 1]
    looks: Spec = {
        "values": ticks,
        "format": ".2f",
        "minExtent": MARGIN,
        "maxExtent": MARGIN,
    }
    axis = alt.Axis(**(looks | style))
    scale = alt.Scale(domain=list(domain), nice=False)
    return alt.Y(field, title=title, scale=scale, axis=axis)


def layers_axis(
    points: Sequence[str],
    title: str | list[str] | None = None,
    prefix: str = "",
    room: alt.ExprRef | None = None,
) -> Spec:
    """Return the title, the scale and the axis of layers, each one unit long.

    Args:
        points: The points, from the bottom to the top, or from the left to the right.
        title: The title.
        prefix: The words before each label.
        room: The room for the labels of rows, whose letters are smaller in low rows; None for
            cells.
    """
    labels = [prefix + label for label in point_labels(points)]
    style: Spec = {"labelSeparation": 4}
    if room is not None:
        style = {
            "labelFontSize": letters_of(len(labels))[1],
            "labelSeparation": alt.ExprRef(f"-0.25 * {LETTER}"),
            "labelPadding": 6,
            "minExtent": room,
            "maxExtent": room,
        }
    axis = alt.Axis(
        values=[k + 0.5 for k in range(len(labels))],
        labelExpr=f"{labels}[floor(datum.value)]",
        labelOverlap=True,
        **BARE,
        **style,
    )
    scale = alt.Scale(domain=[0, len(labels)], nice=False)
    return {"title": title, "scale": scale, "axis": axis}


def labels_note(points: Sequence[str]) -> list[str]:
    """Explain labels such as `1a`, if there are any."""
    if any(label.endswith("a") for label in point_labels(points)):
        return ["(1a: attention block, 1: output)"]
    return []


# ---------------------------------------------------------------- the current amount


def amount_rows(amounts: Iterable[float]) -> Rows:
    """Return the dataset `amounts`: one row per frame."""
    return [{"k": k, "amount": rounded(amount)} for k, amount in enumerate(amounts)]


def at_frame(chart: alt.Chart) -> alt.Chart:
    """Keep the rows whose `k` is the current frame."""
    return chart.transform_filter("datum.k === frame")


def current_amount_rule() -> alt.Chart:
    """Draw a vertical line at the current amount."""
    return at_frame(data("amounts")).encode(x="amount:Q").mark_rule(style="current")


def current_amount_marker(curve: alt.Chart) -> alt.Chart:
    """Draw a point on a curve at the current amount."""
    return at_frame(curve).mark_point(style="marker", filled=True)


# ---------------------------------------------------------------- shades, lines and their words


def band(curve: alt.Chart) -> alt.Chart:
    """Shade the 95 % interval around a curve."""
    return curve.mark_area(style="band").encode(y="low:Q", y2="high:Q")


def hover(curve: alt.Chart, tooltip: list[alt.Tooltip]) -> alt.Chart:
    """Show a tooltip near each point of a curve."""
    return curve.mark_point(opacity=0, size=300, filled=True).encode(tooltip=tooltip)


def beyond_rows(*starts: float | None) -> Rows:
    """Return the dataset `beyond`: where each working range ends; None if it does not."""
    return [{"start": rounded(start)} for start in starts if start is not None]


def beyond_shade(end: float) -> alt.Chart:
    """Shade the range beyond the working range, up to the end of the axis."""
    beyond = data("beyond").encode(x="start:Q", x2=alt.datum(end))
    return beyond.mark_rect(color=UNDEFINED_COLOUR, opacity=0.17)


def reference_words(line: alt.Chart) -> list[alt.Chart]:
    """Write the `text` of a line at its `value` below it, or above it if there is no room."""
    dy = alt.ExprRef(f"(height - scale('y', datum.value) > {LETTER} ? 0.8 : -0.8) * {LETTER}")
    return haloed_text(line.encode(text="text:N"), dx=4, baseline="middle", dy=dy)


def haloed_text(chart: alt.Chart, **mark: Any) -> list[alt.Chart]:
    """Draw a text twice: its halo keeps the passing line of the amount out of it."""
    return [chart.mark_text(style=style, **mark) for style in (["note", "halo"], "note")]
