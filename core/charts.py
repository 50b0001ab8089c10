"""SweepResult -> Vega-Lite, by Altair: the pictures that the player moves through the pruning amounts.

Every picture has a parameter `frame`, the index of the pruning amount on show. A
script sets it (core/player.js); nothing else about a picture changes while it
plays, so every axis and scale is fixed. `margin` is the room left of the curves
and grows with the text. A picture is a template, drawn once for a depth, and
named data: new frames are new data in the same picture. Colours and fonts come
from the script, which knows the visitor's theme; marks name their role by a style.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import altair as alt

# Altair takes pandas from sys.modules as it is there: half imported by another visitor's thread, it fails.
import pandas  # noqa: F401

from core.catalog import REDUCTIONS, SURVIVAL_THRESHOLD
from core.findings import layer_survivals, majority_share
from core.names import amount_name, point_names
from core.results import SweepResult

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


def player_views(result: SweepResult, reduction: str) -> dict[str, Spec]:
    """Draws the player's three pictures, each by itself.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.catalog.REDUCTIONS`.

    Returns:
        `heatmap`, `accuracy` and `survival`, each with its data under `datasets`.
    """
    points, rows = result.cka.points, _rows(result, reduction)
    return {
        name: {**_view_spec(name, points), "datasets": {data: rows[data] for data in DATA_OF[name]}}
        for name in DRAWINGS
    }


def player_choices(result: SweepResult) -> Rows:
    """Draws a result for every reduction, for a player that lets its viewer switch: `name`, `title` and `views`."""
    return [
        {"name": one.name, "title": one.title, "views": player_views(result, one.name)} for one in REDUCTIONS.values()
    ]


def pair_views(
    results: tuple[SweepResult, SweepResult], reduction: str, titles: tuple[str, str]
) -> tuple[dict[str, Spec], Rows]:
    """Draws two results beside each other, at the amounts that both have: their heatmaps and their accuracy.

    Args:
        results: The two.
        reduction: A name from `core.catalog.REDUCTIONS`.
        titles: What they are called over their pictures.

    Returns:
        The pictures `left`, `right`, `left-accuracy` and `right-accuracy`, each with its data under `datasets`, and
        what the player says about each frame.
    """
    common = set(results[0].amounts) & set(results[1].amounts)
    left, right = (_at(common, result) for result in results)
    views: dict[str, Spec] = {}
    for side, result, title in zip(("left", "right"), (left, right), titles, strict=True):
        drawn = player_views(result, reduction)
        views[side] = {**drawn["heatmap"], "title": title}
        views[f"{side}-accuracy"] = {**drawn["accuracy"], "title": f"{title}: accuracy, 95 % interval"}
    frames = [
        {**frame, "detail": f"accuracy {' · '.join(map(' '.join, zip(titles, accuracies, strict=True)))}"}
        for frame, *accuracies in zip(player_frames(left), _accuracies(left), _accuracies(right), strict=True)
    ]
    return views, frames


def _at(amounts: set[float], result: SweepResult) -> SweepResult:
    frames = tuple(frame for frame in result.frames if frame.amount in amounts)
    return result.model_copy(update={"frames": frames})


def _accuracies(result: SweepResult) -> list[str]:
    return [_two_places(frame.metrics.get("accuracy")) for frame in result.frames]


def player_frames(result: SweepResult) -> Rows:
    """Gives what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {amount_name(frame.amount)}",
            "detail": f"sparsity {frame.sparsity:.2f} · accuracy {_two_places(frame.metrics.get('accuracy'))}",
        }
        for frame in result.frames
    ]


def _two_places(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


# ---------------------------------------------------------------- data


def _rows(result: SweepResult, reduction: str) -> dict[str, Rows]:
    return {
        "cells": _cells(result, reduction),
        "amounts": _amounts(result),
        "reference": [majority(result)],
        "bars": _bars(result, reduction),
    }


def _cells(result: SweepResult, reduction: str) -> Rows:
    """One row a cell; `v` holds its values over the amounts, unclamped, null where undefined."""
    names = point_names(result.cka.points)
    return [
        {
            "baseline": row.label,
            "pruned": column.label,
            "baseline_name": row.title,
            "pruned_name": column.title,
            "v": [rounded(frame.cka[reduction][i][j]) for frame in result.frames],
        }
        for i, row in enumerate(names)
        for j, column in enumerate(names)
    ]


def _amounts(result: SweepResult) -> Rows:
    """One row an amount, with accuracy and its interval."""
    rows = []
    for k, frame in enumerate(result.frames):
        low, high = frame.intervals.get("accuracy") or (None, None)
        interval = "unknown" if low is None else f"{low:.3f} to {high:.3f}"
        accuracy = frame.metrics.get("accuracy")
        rows.append(
            {"k": k, "amount": frame.amount, "accuracy": accuracy, "low": low, "high": high, "interval": interval}
        )
    return rows


def majority(result: SweepResult) -> dict[str, Any]:
    """The reference line of an accuracy curve, with its words."""
    share = majority_share(result)
    return {"accuracy": share, "text": f"always the majority class: {share:.2f}"}


def _bars(result: SweepResult, reduction: str) -> Rows:
    """One row a point: how far it survives, and the first frame that lies beyond."""
    return [
        {
            "layer": one.label,
            "name": one.title,
            "survival": round(one.value, 6),
            "text": one.text,
            "ends": next((k for k, amount in enumerate(result.amounts) if amount > one.value), len(result.amounts)),
        }
        for one in layer_survivals(result, reduction)
    ]


def rounded(value: float | None) -> float | None:
    """Keeps the page small without touching the three decimals on screen."""
    return None if value is None else round(value, 6)


# ---------------------------------------------------------------- drawings


@lru_cache(maxsize=64)
def _view_spec(name: str, points: tuple[str, ...]) -> Spec:
    columns = {"columns": len(points)}  # by which the player makes numbers as large as their cells allow
    return {**finished(DRAWINGS[name](points)), "usermeta": columns}


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


def _heatmap(points: tuple[str, ...]) -> LayerChart:
    """Every baseline layer against every pruned layer; cells without a value are grey and hatched."""
    names = point_names(points)
    order = [name.label for name in names]
    note = " (1a: attention block, 1: output)" if "1a" in order else ""
    axis = alt.Axis(labelAngle=0, ticks=False, domain=False, labelOverlap=True)
    x = alt.X("pruned:N", sort=order, title=f"Layer of the pruned model{note}", axis=axis)
    y = alt.Y("baseline:N", sort=order[::-1], title="Layer of the baseline", axis=axis)
    tooltip = [
        alt.Tooltip("baseline_name:N", title="Baseline"),
        alt.Tooltip("pruned_name:N", title="Pruned"),
        alt.Tooltip("text:N", title="CKA"),
    ]
    base = (
        alt.Chart(alt.NamedData("cells"))
        .transform_calculate(cka="datum.v[frame]")
        .transform_calculate(text="isValid(datum.cka) ? format(datum.cka, '.3f') : 'undefined'")
        .encode(x=x, y=y)
    )
    layers = [
        base.mark_rect(invalid="show").encode(color=cka_colour(), tooltip=tooltip),
        base.transform_filter("datum.baseline === datum.pruned").mark_rect(
            filled=False, stroke=OWN_COLOUR, strokeWidth=alt.ExprRef("margin / 20")
        ),
        *hatching(base, x, y),
    ]
    if len(names) <= MOST_PRINTED:
        ink = alt.condition(f"datum.cka > {LIGHT_FROM}", alt.value("black"), alt.value("white"))
        number = base.transform_filter("isValid(datum.cka)").mark_text(style="number")
        layers.append(number.encode(text=alt.Text("cka:Q", format=".2f"), color=ink))
    return alt.layer(*layers).properties(
        title="Similarity of every pair of layers", view=alt.ViewBackground(style="frame")
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


def _accuracy(points: tuple[str, ...]) -> LayerChart:
    """Accuracy over the pruning amount, its interval, and what answering the majority class alone would reach."""
    x = amount_axis("amount:Q")
    y = alt.Y(
        "accuracy:Q",
        title="Accuracy",
        scale=alt.Scale(domain=[0, 1.03], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("amount:Q", title="Pruning amount", format=".2f"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
        alt.Tooltip("interval:N", title="95 % interval"),
    ]
    base = alt.Chart(alt.NamedData("amounts")).encode(x=x)
    majority = alt.Chart(alt.NamedData("reference")).encode(y=y)
    return alt.layer(
        base.mark_area(style="band").encode(y="low:Q", y2="high:Q"),
        majority.mark_rule(style="reference"),
        base.mark_line(style="series").encode(y=y),
        here(x),
        *reference_words(majority),
        base.transform_filter("datum.k === frame").mark_point(style="marker", filled=True).encode(y=y),
        base.mark_rule(opacity=0, strokeWidth=20).encode(tooltip=tooltip),  # hovering anywhere above an amount tells it
    ).properties(title="Accuracy with its 95 % interval")


def reference_words(reference: alt.Chart) -> list[alt.Chart]:
    """The words under a reference line, with a halo that keeps the amount's line out of them.

    Args:
        reference: A chart whose data have `text`, with its height encoded.
    """
    return [
        reference.mark_text(style=style, align="left", baseline="top", dx=4, dy=4).encode(x=alt.datum(0), text="text:N")
        for style in HALOED
    ]


def _survival(points: tuple[str, ...]) -> LayerChart:
    """How far each layer keeps its CKA with its own baseline; a bar fades when the frame has passed its end."""
    order = [name.label for name in point_names(points)]
    x = amount_axis("survival:Q")
    y = alt.Y(
        "layer:N",
        title="Layer",
        scale=alt.Scale(domain=order[::-1], paddingInner=0.25),
        axis=alt.Axis(ticks=False, domain=False, labelOverlap=True, minExtent=MARGIN, maxExtent=MARGIN),
    )
    base = alt.Chart(alt.NamedData("bars")).encode(x=x, y=y)
    bar = base.mark_bar(style="bar").encode(
        x2=alt.datum(0),
        opacity=alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35)),
        tooltip=[alt.Tooltip("name:N", title="Layer"), alt.Tooltip("text:N", title="Survives up to")],
    )
    layers = [bar, here(amount_axis("amount:Q"))]
    if len(order) <= MOST_LABELLED_BARS:
        layers += [base.mark_text(style=style, align="left", dx=5).encode(text="text:N") for style in HALOED]
    return alt.layer(*layers).properties(title=f"Own CKA stays at or above {SURVIVAL_THRESHOLD} up to")


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


DRAWINGS: dict[str, Callable[[tuple[str, ...]], LayerChart]] = {
    "heatmap": _heatmap,
    "accuracy": _accuracy,
    "survival": _survival,
}
DATA_OF = {"heatmap": ("cells",), "accuracy": ("amounts", "reference"), "survival": ("bars", "amounts")}
