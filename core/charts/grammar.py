"""What all charts share: axes, colours, hatching, the marker."""

from typing import Any

import altair as alt

# Altair takes pandas from sys.modules as it is there: half imported by another visitor's thread, it fails.
import pandas  # noqa: F401

from core.findings.overview import majority_share
from core.results.schema import SweepResult

Spec = dict[str, Any]  # a Vega-Lite specification
Rows = list[dict[str, Any]]
LayerChart = alt.LayerChart | alt.FacetChart  # what altair says that alt.layer gives

MOST_PRINTED = 12  # more points than this leave no room for a number in a cell
MOST_LABELLED_BARS = 14
LIGHT_FROM = 0.555  # magma is light from here on: black text has the better contrast, above 4.5 on both sides
UNDEFINED_COLOUR = "#8a8a8a"
OWN_COLOUR = "#2ca5b8"  # the diagonal's outline: a hue that magma has not, seen on its dark and its light end
AMOUNT_DOMAIN = [-0.03, 1.18]  # the marker stays inside on the left, the bars' numbers on the right
CURVE_MARGIN = 40  # pixels left of both curves, so that they start at the same place; more where text is larger
MARGIN = alt.ExprRef("margin")
HALOED = (["note", "halo"], "note")  # styles of a text drawn twice: its halo keeps the passing line out of it


def two_places(value: float | None) -> str:
    """Writes a number with two decimals, or that it is undefined."""
    return "undefined" if value is None else f"{value:.2f}"


def majority(result: SweepResult) -> dict[str, Any]:
    """The reference line of an accuracy curve, with its words."""
    share = majority_share(result)
    return {"accuracy": share, "text": f"always the majority class: {share:.2f}"}


def rounded(value: float | None) -> float | None:
    """Keeps the page small without touching the three decimals on screen."""
    return None if value is None else round(value, 6)


def finished(chart: LayerChart) -> Spec:
    """Makes a template: adds frame and margin; gives cells without a value their own grey, because they are no zeros.

    Args:
        chart: A picture of named data.
    """
    grey = alt.ScaleInvalidDataShowAsValuecolor(value=UNDEFINED_COLOUR)
    chart = chart.add_params(alt.param(name="frame", value=0), alt.param(name="margin", value=CURVE_MARGIN))
    spec: Spec = chart.configure_scale(invalid=alt.ScaleInvalidDataConfig(color=grey)).to_dict()
    return spec


def cka_colour() -> alt.Color:
    """Colours a cell by `cka`, on the one scale that every heatmap has."""
    return alt.Color(
        "cka:Q",
        scale=alt.Scale(domain=[0, 1], scheme="magma", clamp=True),
        legend=alt.Legend(
            title="CKA",
            orient="top",
            titleOrient="left",
            values=[0, 0.5, 1],
            offset=6,
        ),
    )


def hatching(base: alt.Chart, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Three diagonal strokes over every cell without a value.

    Args:
        base: A chart of cells whose data have `cka`.
        x: Its columns.
        y: Its rows.
    """
    undefined = base.transform_filter("!isValid(datum.cka)").mark_rule(color="white")
    strokes = (((0.0, 0.5), (0.5, 0.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.5, 1.0), (1.0, 0.5)))
    return [
        undefined.encode(
            x=x.bandPosition(left),
            x2=alt.X2(x["shorthand"], bandPosition=right),
            y=y.bandPosition(low),
            y2=alt.Y2(y["shorthand"], bandPosition=high),
        )
        for (left, low), (right, high) in strokes
    ]


def reference_words(reference: alt.Chart) -> list[alt.Chart]:
    """The words under a reference line, with a halo that keeps the amount's line out of them.

    Args:
        reference: A chart whose data have `text`, with its height encoded.
    """
    return [
        reference.mark_text(style=style, align="left", baseline="top", dx=4, dy=4).encode(x=alt.datum(0), text="text:N")
        for style in HALOED
    ]


def here(x: alt.X) -> alt.Chart:
    """A line at the amount on show: of the data `amounts`, the row whose `k` is the frame.

    Args:
        x: The axis of amounts.
    """
    amounts = alt.Chart(alt.NamedData("amounts")).transform_filter("datum.k === frame")
    line: alt.Chart = amounts.mark_rule(style="here").encode(x=x)
    return line


def amount_axis(field: str, title: str = "Pruning amount") -> alt.X:
    """An axis of pruning amounts, the same under every curve.

    Args:
        field: Altair's shorthand of the field.
        title: Other words, where it is not amounts that are shared.
    """
    return alt.X(
        field,
        title=title,
        scale=alt.Scale(domain=AMOUNT_DOMAIN, nice=False),
        axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f", grid=False),
    )
