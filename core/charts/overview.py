"""SweepResult -> Vega-Lite, by Altair: the pictures that the player moves through the pruning amounts.

Every picture has a parameter `frame`, the index of the pruning amount on show. A
script sets it (core/charts/player.js); nothing else about a picture changes while it
plays, so every axis and scale is fixed. `margin` is the room left of the curves
and grows with the text. A picture is a template, drawn once for a depth, and
named data: new frames are new data in the same picture. Colours and fonts come
from the script, which knows the visitor's theme; marks name their role by a style.
"""

from collections.abc import Callable
from functools import lru_cache

import altair as alt

# Altair takes pandas from sys.modules as it is there: half imported by another visitor's thread, it fails.
import pandas  # noqa: F401

from core.charts.grammar import (
    HALOED,
    LIGHT_FROM,
    MARGIN,
    MOST_LABELLED_BARS,
    MOST_PRINTED,
    OWN_COLOUR,
    LayerChart,
    Rows,
    Spec,
    amount_axis,
    cka_colour,
    finished,
    hatching,
    here,
    majority,
    reference_words,
    rounded,
    two_places,
)
from core.findings.overview import layer_survivals
from core.request.catalog import REDUCTIONS, SURVIVAL_THRESHOLD
from core.results.names import amount_name, point_names
from core.results.schema import SweepResult


def player_views(result: SweepResult, reduction: str) -> dict[str, Spec]:
    """Draws the player's three pictures, each by itself.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.

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
        reduction: A name from `core.request.catalog.REDUCTIONS`.
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
    return [two_places(frame.metrics.get("accuracy")) for frame in result.frames]


def player_frames(result: SweepResult) -> Rows:
    """Gives what the player says about each frame: `amount`, its `name`, and `detail`, the numbers beside it."""
    return [
        {
            "amount": frame.amount,
            "name": f"Pruning amount {amount_name(frame.amount)}",
            "detail": f"sparsity {frame.sparsity:.2f} · accuracy {two_places(frame.metrics.get('accuracy'))}",
        }
        for frame in result.frames
    ]


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


# ---------------------------------------------------------------- drawings


@lru_cache(maxsize=64)
def _view_spec(name: str, points: tuple[str, ...]) -> Spec:
    columns = {"columns": len(points)}  # by which the player makes numbers as large as their cells allow
    return {**finished(DRAWINGS[name](points)), "usermeta": columns}


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


DRAWINGS: dict[str, Callable[[tuple[str, ...]], LayerChart]] = {
    "heatmap": _heatmap,
    "accuracy": _accuracy,
    "survival": _survival,
}
DATA_OF = {"heatmap": ("cells",), "accuracy": ("amounts", "reference"), "survival": ("bars", "amounts")}
