"""The grammar that all pictures share: colours, axes, hatching of undefined cells, the marker of the amount on show.

Marks name their role by a style (`series`, `band`, `marker`, …), whose colours and sizes stand in `core.charts.theme`.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any, Literal

import altair as alt

# Altair looks pandas up in sys.modules, where another visitor's thread may have left it half imported: import it first.
import pandas  # noqa: F401

from core.request.catalog import MEASURES
from core.results.names import amount_name, decimals

Spec = dict[str, Any]  # a Vega-Lite specification
Rows = list[dict[str, Any]]  # a named dataset
LayerChart = alt.LayerChart | alt.FacetChart  # the declared return type of alt.layer

UNDEFINED = "undefined"  # in the place of a number
UNDEFINED_COLOUR = "#8a8a8a"
OUTLINE_COLOUR = "#2ca5b8"  # of a layer with itself: a hue that magma lacks, visible on its dark and its light end
FIRST_COLOUR, SECOND_COLOUR = "#d9670f", "#2584cf"  # of two results: differ without red and green; 3 : 1 on both themes
ALONE_COLOUR = SECOND_COLOUR  # of a layer that is pruned alone
CORRECT_COLOUR, INCORRECT_COLOUR = "#0072b2", "#cc8400"  # after Okabe and Ito; 3 : 1 on white and on black
METHOD_COLOURS = ["#d9670f", "#2584cf", "#1b9e77", "#b5367a", "#8f7a00", "#7570b3", "#7a7a7a"]  # 3 : 1 on both themes
METHOD_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right"]
# ColorBrewer's Dark2, which colour-blind readers can tell apart, and more; dashes tell every third one from the others
LABEL_COLOURS = ["#1b9e77", "#7570b3", "#d95f02", "#b5367a", "#2584cf", "#8f7a00"]
LABEL_DASHES = [[1, 0], [7, 3], [2, 2]] * 2

AMOUNT_DOMAIN = [-0.03, 1.18]  # holds the marker on the left and the bars' numbers on the right
SHARE_DOMAIN = (0, 1.03)  # of shares
SIMILARITY_DOMAIN = (-0.05, 1.05)  # of a curve of similarity; lower values are drawn at the edge
SIDES = ("first", "second")  # of two results
BLANK = "\u00a0"  # a line of a title that takes room, so that nothing moves when it says something
BEYOND = "beyond the working range"
INTACT = "intact from"  # before the threshold
CURVE_MARGIN = 40  # pixels left of all curves, so that they begin at the same place; more where text is larger
MARGIN = alt.ExprRef("margin")
REMOVED = "Removed by pruning"  # what an axis of amounts counts, whether weights or units
LOCALE = {  # how Vega writes numbers: as `core.results.names` does in sentences
    "number": {
        "decimal": ".",
        "thousands": ",",
        "grouping": [3],
        "currency": ["", ""],
        "percent": "\u00a0%",
        "minus": "−",
    }
}


def with_parameters(spec: Spec) -> Spec:
    """Add the parameters `frame` and `margin`, and a grey for cells without a value, which are not 0.

    They are added to the specification: added to the chart, Altair copies all of it for each.
    """
    return {
        **spec,
        "params": [{"name": "frame", "value": 0}, {"name": "margin", "value": CURVE_MARGIN}],
        "config": {
            **spec.get("config", {}),
            "scale": {"invalid": {"color": {"value": UNDEFINED_COLOUR}}},
            "locale": LOCALE,
        },
    }


def data(name: str) -> alt.Chart:
    """Begin a mark of a named dataset."""
    return alt.Chart(alt.NamedData(name))


# ---------------------------------------------------------------- numbers and words


def capitalised(name: str) -> str:
    """Start a name with a capital, and leave the rest of it as it is."""
    return name[0].upper() + name[1:]


def two_places(value: float | None) -> str:
    """Write a number with two decimals; None and NaN are UNDEFINED."""
    return UNDEFINED if value is None or isnan(value) else decimals(value, 2)


def value_text(field: str) -> str:
    """Return the Vega expression that writes a field with two decimals, or UNDEFINED."""
    return f"isValid({field}) ? format({field}, '.2f') : '{UNDEFINED}'"


def rounded(value: float | None) -> float | None:
    """Round to six decimals, NaN to None: a smaller page, and no change in the two decimals on screen."""
    return None if value is None or isnan(value) else round(value, 6)


def told(fields: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return what the mouse is told: titles and their fields, quantities (`:Q`) with two decimals."""
    return [
        alt.Tooltip(field, title=title, format=".2f" if field.endswith(":Q") else alt.Undefined)
        for title, field in fields.items()
    ]


# ---------------------------------------------------------------- colours


def similarity_colour(measure: str = "cka", legend: Literal["scale", "threshold"] | None = "scale") -> alt.Color:
    """Colour a cell by its `value`, on the scale of every picture of a measure.

    Args:
        measure: The measure.
        legend: The ends of the scale and its middle, or instead of the upper end where a layer is intact.
    """
    low, high = MEASURES[measure].domain
    threshold = MEASURES[measure].threshold if legend == "threshold" else high
    shown = scale_legend(MEASURES[measure].symbol, [low, (low + high) / 2, threshold])
    if legend == "threshold":
        shown.labelExpr = f"datum.value === {threshold} ? '{INTACT} {threshold}' : datum.label"
        shown.offset = 24  # leaves a line for words above the cells
        shown.gradientLength = _beside_its_title(4.5)  # for a longer label
    scale = alt.Scale(domain=[low, high], scheme="magma", clamp=True)
    return alt.Color("value:Q", scale=scale, legend=shown if legend else None)


def scale_legend(title: str, values: list[float]) -> alt.Legend:
    """Place a colour scale above a heatmap."""
    length = _beside_its_title(2.4)
    return alt.Legend(title=title, orient="top", titleOrient="left", values=values, offset=6, gradientLength=length)


def _beside_its_title(margins: float) -> alt.ExprRef:
    """Return the length of a colour scale, shorter where the heatmap below it is narrow."""
    return alt.ExprRef(f"min({margins} * margin, max(width - 2 * margin, margin))")


def series_line(legend: alt.Legend | None) -> dict[str, Any]:
    """Encode which of two results a line shows: colour and dashes, in the order of the data."""
    colours, dashes = (alt.Scale(range=ends) for ends in ([FIRST_COLOUR, SECOND_COLOUR], [[1, 0], [6, 3]]))
    return {
        "stroke": alt.Stroke("series:N", sort=None, scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash("series:N", sort=None, scale=dashes, legend=legend),
    }


def series_fill() -> dict[str, Any]:
    """Encode which of two results a point or an area shows; the legend shows the lines."""
    scale = alt.Scale(range=[FIRST_COLOUR, SECOND_COLOUR])
    return {"fill": alt.Fill("series:N", sort=None, scale=scale, legend=None)}


# ---------------------------------------------------------------- axes


def amount_axis(field: str, title: str = REMOVED, shown: Sequence[float] = AMOUNT_DOMAIN, **style: Any) -> alt.X:
    """Return the axis of pruning amounts under every curve, in percent.

    Args:
        field: The field of the data.
        title: What is removed, or what two results share instead of amounts.
        shown: Where it begins and ends.
        style: Further properties of a Vega-Lite axis.
    """
    return alt.X(
        field,
        title=title,
        scale=alt.Scale(domain=list(shown), nice=False),
        axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".0%", grid=False, **style),
    )


def share_axis(field: str, title: str, domain: tuple[float, float] = SHARE_DOMAIN) -> alt.Y:
    """Return a vertical axis for values up to 1, in quarters, or in halves where much lies below 0."""
    ticks = [tick for tick in ((0, 0.5, 1) if domain[0] < -0.1 else (0, 0.25, 0.5, 0.75, 1)) if tick <= domain[1]]
    return alt.Y(
        field,
        title=title,
        scale=alt.Scale(domain=list(domain), nice=False, clamp=True),
        axis=alt.Axis(values=ticks, format=".2f", minExtent=MARGIN, maxExtent=MARGIN),
    )


def depth_axis(order: list[str] | None, title: str = "Layer") -> alt.X:
    """Return the horizontal axis of layers; `order` lists their labels, None takes them as the data come."""
    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    return alt.X("layer:N", sort=order, title=title, scale=alt.Scale(type="point", padding=0.4), axis=axis)


# ---------------------------------------------------------------- the amount on show


def amount_rows(amounts: Iterable[float]) -> Rows:
    """Return the dataset `amounts`: one row per frame."""
    return [{"k": k, "amount": rounded(amount), "label": amount_name(amount)} for k, amount in enumerate(amounts)]


def on_show(chart: alt.Chart) -> alt.Chart:
    """Keep the rows whose `k` is the frame on show."""
    return chart.transform_filter("datum.k === frame")


def current_amount_rule(x: alt.X) -> alt.Chart:
    """Draw a vertical line at the amount on show."""
    return on_show(data("amounts")).encode(x=x).mark_rule(style="current")


def current_amount_marker(curve: alt.Chart) -> alt.Chart:
    """Draw a point on a curve at the amount on show."""
    return on_show(curve).mark_point(style="marker", filled=True)


# ---------------------------------------------------------------- where the model no longer works


def beyond_rows(start: float | None, **more: Any) -> Rows:
    """Return the dataset of what lies beyond the working range; none if the model works up to the end."""
    return [] if start is None else [{"start": rounded(start), "text": BEYOND, **more}]


def beyond_shade(dataset: str, x: alt.X, end: float) -> alt.Chart:
    """Shade what lies beyond the working range, up to the end of the axis."""
    return data(dataset).encode(x=x, x2=alt.datum(end)).mark_rect(color=UNDEFINED_COLOUR, opacity=0.17)


def beyond_words(dataset: str, y: Any, end: float) -> list[alt.Chart]:
    """Say what the shade means, in the upper right corner, where a curve has fallen."""
    words = data(dataset).encode(x=alt.datum(end), y=y, text="text:N")
    return haloed_text(words, align="right", baseline="top", dx=-4, dy=4)


def haloed_text(chart: alt.Chart, align: Literal["left", "right"] = "left", **mark: Any) -> list[alt.Chart]:
    """Draw a text twice: its halo keeps the passing line of the amount out of it."""
    return [chart.mark_text(style=style, align=align, **mark) for style in (["note", "halo"], "note")]
