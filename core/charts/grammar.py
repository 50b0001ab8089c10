"""The grammar that all pictures share: colours, axes, hatching of undefined cells, the marker of the amount on show.

Marks name their role by a style (`series`, `band`, `marker`, …), whose colours and sizes stand in `core.charts.theme`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import isnan
from typing import Any, Literal

import altair as alt

# Altair looks pandas up in sys.modules, where another visitor's thread may have left it half imported: import it first.
import pandas  # noqa: F401

from core.findings.words.numbers import UNDEFINED, decimals
from core.results.names import capitalised, point_labels, point_names

Spec = dict[str, Any]  # a Vega-Lite specification
Rows = list[dict[str, Any]]  # a named dataset
LayerChart = alt.LayerChart | alt.FacetChart  # the declared return type of alt.layer

UNDEFINED_COLOUR = "#8a8a8a"
OUTLINE_COLOUR = "#2ca5b8"  # of a layer with itself: a hue that magma lacks, visible on its dark and its light end
# Of series: 3 : 1 on both themes, the first two differ without red and green; dashes tell every third from the others.
COLOURS = ["#d9670f", "#2584cf", "#1b9e77", "#b5367a", "#8f7a00", "#7570b3", "#7a7a7a"]
DASHES = [[1, 0], [6, 3], [2, 2]] * 2
FIRST_COLOUR, SECOND_COLOUR = COLOURS[:2]  # of two results
ALONE_COLOUR = SECOND_COLOUR  # of a visitor's own result
CORRECT_COLOUR, INCORRECT_COLOUR = "#0072b2", "#cc8400"  # after Okabe and Ito; 3 : 1 on white and on black

AMOUNT_DOMAIN = (-0.03, 1)  # holds the marker on the left
LETTER = "round(margin / 3.3)"  # the height of letters in pixels
SHARE_DOMAIN = (0, 1.03)  # of shares
SIMILARITY_DOMAIN = (-0.05, 1.05)  # of a curve of similarity; lower values are drawn at the edge
SIDES = ("first", "second")  # of two results
BLANK = "\u00a0"  # a line of a title that takes room, so that nothing moves when it says something
BEYOND = "beyond the working range"
CURVE_MARGIN = 40  # pixels left of all curves, so that they begin at the same place; more where text is larger
MARGIN = alt.ExprRef("margin")
BARE: dict[str, Any] = {"ticks": False, "domain": False, "grid": False}  # an axis of nothing but names
REMOVED = "Removed by pruning"  # what an axis of amounts counts, whether weights or units
STROKES = (("x", "centre", "middle", "y2"), ("x", "y", "x2", "y2"), ("middle", "y", "x2", "centre"))  # of hatching


def data(name: str) -> alt.Chart:
    """Begin a mark of a named dataset."""
    return alt.Chart(alt.NamedData(name))


def moving(name: str, **fields: str) -> alt.Chart:
    """Begin a mark of a dataset with fields that list a value for each frame: names for those on show, and fields."""
    return data(name).transform_calculate(**{shown: f"datum.{field}[frame]" for shown, field in fields.items()})


def step(amount: float | None, name: str, detail: str) -> dict[str, Any]:
    """Return what the player says about a frame: its name, and the numbers beside it."""
    return {"amount": amount, "name": name, "detail": detail}


def layer_rows(points: Sequence[str], **values: Iterable[Any]) -> Rows:
    """Return a row for each layer that lists values over the frames.

    Args:
        points: The points, in depth order.
        values: By field, of every frame its value for each point, or None where it has none.
    """
    tables = {field: list(table) for field, table in values.items()}  # each (frames, points)
    return [
        {
            "layer": name.label,
            "name": name.title,
            **{field: [rounded(row[k]) if row else None for row in table] for field, table in tables.items()},
        }
        for k, name in enumerate(point_names(points))
    ]


# ---------------------------------------------------------------- numbers and words


def value_text(field: str) -> str:
    """Return the Vega expression that writes a field with two decimals, or UNDEFINED."""
    return f"isValid({field}) ? format({field}, '.2f') : '{UNDEFINED}'"


def rounded(value: float | None) -> float | None:
    """Round to six decimals, NaN to None: a smaller page, and no change in the two decimals on screen."""
    return None if value is None or isnan(value) else round(value, 6)


def interval_fields(bounds: Sequence[float] | None) -> dict[str, Any]:
    """Return the ends of an interval as fields of a row, and the interval in words."""
    low, high = bounds or (None, None)
    words = " to ".join(decimals(bound, 2) for bound in bounds) if bounds else "unknown"
    return {"low": low, "high": high, "interval": words}


def told(fields: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return what the mouse is told: titles and their fields, quantities (`:Q`) with two decimals."""
    return [
        alt.Tooltip(field, title=title, format=".2f" if field.endswith(":Q") else alt.Undefined)
        for title, field in fields.items()
    ]


# ---------------------------------------------------------------- colours


def similarity_colour(offset: int | None = 6) -> alt.Color:
    """Colour a cell by its `value`, on the scale of every picture.

    Args:
        offset: Pixels from the cells to the ends of the scale and its middle; without it, these are not shown.
    """
    shown = scale_legend("Similarity", [0.0, 0.5, 1.0], offset) if offset else None
    scale = alt.Scale(domain=[0.0, 1.0], scheme="magma", clamp=True)
    return alt.Color("value:Q", scale=scale, legend=shown)


def scale_legend(title: str, values: list[float], offset: int = 6) -> alt.Legend:
    """Place a colour scale above a heatmap, a shorter one where that is narrow."""
    length = alt.ExprRef("min(2.4 * margin, max(width - 2.4 * margin, margin))")
    return alt.Legend(title=title, values=values, gradientLength=length, labelSeparation=4, offset=offset)


def by_series(field: str, legend: alt.Legend | None, names: Sequence[str] | None = None, **looks: Any) -> Any:
    """Encode which series a mark shows: each channel by a list of looks, for the names, or in the order of the data."""
    domain = alt.Undefined if names is None else list(names)
    return {
        channel: getattr(alt, capitalised(channel))(
            f"{field}:N", sort=None, scale=alt.Scale(domain=domain, range=values[: names and len(names)]), legend=legend
        )
        for channel, values in looks.items()
    }


def series_line(legend: alt.Legend | None) -> Any:
    """Encode which of two results a line shows."""
    return by_series("series", legend, stroke=COLOURS[:2], strokeDash=DASHES[:2])


def series_fill() -> Any:
    """Encode which of two results a point or an area shows; the legend shows the lines."""
    return by_series("series", None, fill=COLOURS[:2])


def hatching(cells: alt.Chart) -> list[alt.Chart]:
    """Draw three diagonal strokes over the cells, from x, y to x2, y2, whose `value` is undefined."""
    undefined = cells.transform_filter("!isValid(datum.value)").transform_calculate(
        middle="(datum.x + datum.x2) / 2", centre="(datum.y + datum.y2) / 2"
    )
    return [
        undefined.mark_rule(color="white").encode(x=f"{left}:Q", x2=right, y=f"{low}:Q", y2=high)
        for left, low, right, high in STROKES
    ]


# ---------------------------------------------------------------- axes, which one mark of a picture sets for all


def amount_axis(
    field: str = "amount:Q",
    title: str | None = REMOVED,
    shown: Sequence[float] = AMOUNT_DOMAIN,
    room: float = 0,
    **style: Any,
) -> alt.X:
    """Return the axis of pruning amounts under every curve, in percent.

    Args:
        field: The field of the data.
        title: What is removed, or what two results share instead of amounts.
        shown: Where it begins and ends.
        room: What is free to its right, in margins; lines across the picture end before it.
        style: Other properties of a Vega-Lite axis.
    """
    looks = {"format": ".0%", "grid": False, "titleAnchor": "start", "labelFlush": False}
    axis = alt.Axis(**{"values": [0, 0.2, 0.4, 0.6, 0.8, 1], **looks, **style})
    scale = alt.Scale(domain=list(shown), range=[0, alt.ExprRef(f"width - {room} * margin")], nice=False)
    return alt.X(field, title=title, scale=scale, axis=axis)


def spread(heights: Iterable[float], gap: float, top: float = 1.0) -> list[float]:
    """Move names apart, keeping their order, and below the top where there is room.

    Args:
        heights: Where they belong; NaN stands at 0.
        gap: The least between two of them.
        top: The highest place.
    """
    wanted = [0.0 if isnan(height) else height for height in heights]
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    _, *moved = accumulate((wanted[k] for k in order), lambda below, at: max(at, below + gap), initial=-gap)
    above = max(moved[-1] - top, 0.0)
    places = dict(zip(order, moved, strict=True))
    return [places[k] - above for k in range(len(wanted))]


def letters_of(rows: int, taken: str = "0") -> tuple[str, str, alt.ExprRef]:
    """Return Vega expressions: whether every row has a line of text, whether a row has one, the height of its letters.

    Letters are smaller in low rows, but not smaller than the share `least`: then few rows have a line, see `apart`.

    Args:
        rows: The rows.
        taken: The expression of what is not theirs of the picture's height.
    """
    room = f"((height - {taken}) / {rows})"
    fit = f"({room} >= 0.8 * least * {LETTER})"
    size = alt.ExprRef(f"{fit} ? min({LETTER}, {room} / 0.8) : {LETTER}")
    return fit, f"({fit} || datum.apart * {room} > {LETTER})", size


def apart(row: int, first: int, rows: int) -> int:
    """Return how many rows a row is from the first to fall, for a line where not all rows have one.

    That one has a line, for which this is `rows`, and both ends where they are far enough from it; 0 for all others.
    """
    return (abs(row - first) or rows) if row in (first, 0, rows - 1) else 0


def share_axis(field: str, title: str | None, domain: tuple[float, float] = SHARE_DOMAIN, **style: Any) -> alt.Y:
    """Return a vertical axis for values up to 1, in quarters, or in halves where much lies below 0."""
    ticks = [tick for tick in ((0, 0.5, 1) if domain[0] < -0.1 else (0, 0.25, 0.5, 0.75, 1)) if tick <= domain[1]]
    axis = alt.Axis(values=ticks, format=".2f", minExtent=MARGIN, maxExtent=MARGIN, **style)
    return alt.Y(field, title=title, scale=alt.Scale(domain=list(domain), nice=False, clamp=True), axis=axis)


def depth_axis(order: list[str], title: str = "Layer") -> alt.X:
    """Return the horizontal axis of layers; `order` lists their labels."""
    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    return alt.X("layer:N", sort=order, title=title, scale=alt.Scale(type="point", padding=0.4), axis=axis)


def layers_axis(points: Sequence[str], middle: float = 0.5, **style: Any) -> dict[str, Any]:
    """Return the scale and the axis of layers, each one unit long, for rows or columns of cells.

    Args:
        points: The points, from the bottom to the top, or from the left to the right.
        middle: Where in its unit a label stands.
        style: Further properties of a Vega-Lite axis.
    """
    labels = point_labels(points)
    written, places = f"{labels}[floor(datum.value)]", [k + middle for k in range(len(labels))]
    axis = alt.Axis(values=places, labelExpr=written, labelOverlap=True, **BARE, **style)
    return {"scale": alt.Scale(domain=[0, len(labels)], nice=False), "axis": axis}


def labels_note(points: Sequence[str]) -> list[str]:
    """Say what labels such as `1a` mean, where there are any."""
    return ["(1a: attention block, 1: output)"] if "1a" in point_labels(points) else []


# ---------------------------------------------------------------- the amount on show


def amount_rows(amounts: Iterable[float]) -> Rows:
    """Return the dataset `amounts`: one row per frame."""
    return [{"k": k, "amount": rounded(amount)} for k, amount in enumerate(amounts)]


def on_show(chart: alt.Chart) -> alt.Chart:
    """Keep the rows whose `k` is the frame on show."""
    return chart.transform_filter("datum.k === frame")


def current_amount_rule() -> alt.Chart:
    """Draw a vertical line at the amount on show."""
    return on_show(data("amounts")).encode(x="amount:Q").mark_rule(style="current")


def current_amount_marker(curve: alt.Chart) -> alt.Chart:
    """Draw a point on a curve at the amount on show."""
    return on_show(curve).mark_point(style="marker", filled=True)


# ---------------------------------------------------------------- beyond the working range


def beyond_rows(start: float | None) -> Rows:
    """Return the dataset `beyond`: what lies beyond the working range; none if the model works up to the end."""
    return [] if start is None else [{"start": rounded(start), "text": BEYOND}]


def beyond_shade(end: float) -> alt.Chart:
    """Shade what lies beyond the working range, up to the end of the axis."""
    return data("beyond").encode(x="start:Q", x2=alt.datum(end)).mark_rect(color=UNDEFINED_COLOUR, opacity=0.17)


def beyond_words(end: float) -> alt.Chart:
    """Name that shade below it, beside the axis's title, where no curve passes."""
    named = data("beyond").encode(x=alt.datum(end), y=alt.value("height"), text="text:N")
    return named.mark_text(style="note", align="right", baseline="top", dy=alt.ExprRef(f"12 + 1.1 * {LETTER}"))


def reference_words(line: alt.Chart) -> list[alt.Chart]:
    """Write the words of a reference line at its `value` below it, or above it where there is no room."""
    dy = alt.ExprRef(f"(height - scale('y', datum.value) > {LETTER} ? 0.8 : -0.8) * {LETTER}")
    return haloed_text(line.encode(text="text:N"), dx=4, baseline="middle", dy=dy)


def haloed_text(chart: alt.Chart, align: Literal["left", "right"] = "left", **mark: Any) -> list[alt.Chart]:
    """Draw a text twice: its halo keeps the passing line of the amount out of it."""
    return [chart.mark_text(style=style, align=align, **mark) for style in (["note", "halo"], "note")]
