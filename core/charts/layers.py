"""SweepResult -> Vega-Lite, by Altair: what becomes of each layer, as pictures that the player moves.

Like those of `core.charts.overview`, every picture is a template with a parameter `frame`, drawn once for a depth, and
named data. Layers stand below each other as in the heatmap, the first one at the bottom. A row of data with `pick` can
be clicked; it names the point that is then chosen.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from core.charts.grammar import (
    MARGIN,
    OWN_COLOUR,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    Spec,
    amount_axis,
    cka_colour,
    finished,
    hatching,
    here,
    rounded,
)
from core.findings.overview import layer_survivals, own_cka
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import PointName, amount_name, point_names
from core.results.schema import SweepResult

STRIP = 0.84  # of a layer's height: CKA from 0 to 1
BAR = (0.2, 0.64)  # of a layer's height
ALONE_COLOUR = "#2584cf"  # of a layer that is pruned alone; 3 : 1 on white and on dark


def layer_views(
    result: SweepResult,
    reduction: str,
    chosen: str,
    threshold: float = SURVIVAL_THRESHOLD,
    controls: Sequence[SweepResult] = (),
    isolated: Mapping[int, SweepResult] | None = None,
) -> dict[str, Spec]:
    """Draws what becomes of each layer.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the point that is looked at closely.
        threshold: The CKA that a layer must keep to survive.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.
        isolated: Each layer pruned alone, by layer counted from 1, see `core.findings.comparable.isolated_of`.

    Returns:
        `curves`, `survival`, `row` and `sparsity`, each with its data under `datasets`.
    """
    points = result.cka.points
    names = point_names(points)
    strips = [
        {"y": k, "y2": k + STRIP, "keeps": k + STRIP * threshold, "pick": name.label, "chosen": name.label == chosen}
        for k, name in enumerate(names)
    ]
    amounts = [{"k": k, "amount": amount, "label": amount_name(amount)} for k, amount in enumerate(result.amounts)]
    datasets = {
        "curves": {
            "strips": strips,
            "amounts": amounts,
            "own": _curves(result, reduction),
            "controls": [row for other in controls for row in _curves(other, reduction)],
            "alone": _alone(names, points, reduction, isolated or {}),
        },
        "survival": {"strips": strips, "amounts": amounts, "bars": _bars(result, reduction, threshold)},
        "row": {"amounts": amounts, "cells": _row(result, reduction, chosen)},
        "sparsity": {"amounts": amounts, "layers": _sparsities(result, chosen), "all": _sparsity_of_all(result)},
    }
    title = next(name.title for name in names if name.label == chosen)
    titles = {
        "survival": f"Own CKA stays at or above {threshold} up to",
        "row": f"{title}, with every pruned layer",
    }
    return {
        name: {**_spec(name, points), "datasets": rows, **({"title": titles[name]} if name in titles else {})}
        for name, rows in datasets.items()
    }


# ---------------------------------------------------------------- data


def _curves(result: SweepResult, reduction: str) -> Rows:
    """One row a point and amount: its CKA with its own baseline, and where that stands in the point's strip."""
    return [
        {
            "row": row,
            "series": result.pruning.seed,
            "pick": name.label,
            "name": name.title,
            "k": k,
            "amount": amount,
            **_in_strip(row, value),
        }
        for row, (name, values) in enumerate(
            zip(point_names(result.cka.points), own_cka(result, reduction).T.tolist(), strict=True)
        )
        for k, (amount, value) in enumerate(zip(result.amounts, values, strict=True))
    ]


def _in_strip(row: int, value: float) -> dict[str, Any]:
    """A CKA value as it is told, and its height; without a height where it is undefined."""
    if np.isnan(value):
        return {"text": "undefined", "y": None}
    return {"text": f"{value:.3f}", "y": rounded(row + STRIP * value)}


def _alone(
    names: Sequence[PointName], points: tuple[str, ...], reduction: str, isolated: Mapping[int, SweepResult]
) -> Rows:
    """One row a point and amount at which its layer was pruned alone."""
    return [
        {"pick": name.label, "name": name.title, "amount": amount, **_in_strip(row, value)}
        for row, (name, point) in enumerate(zip(names, points, strict=True))
        if (result := isolated.get(_layer_of(point) + 1))
        for amount, value in zip(result.amounts, own_cka(result, reduction)[:, row].tolist(), strict=True)
        if amount
    ]


def _layer_of(point: str) -> int:
    """The layer of `layer.0.attention`, counted from 0."""
    return int(point.split(".")[1])


def _bars(result: SweepResult, reduction: str, threshold: float) -> Rows:
    """One row a point: how far it survives, with its interval, and the first frame that lies beyond."""
    rows = []
    for row, one in enumerate(layer_survivals(result, reduction, threshold)):
        low, high = one.interval or (None, None)
        rows.append(
            {
                "pick": one.label,
                "name": one.title,
                "survival": rounded(one.value),
                "y": row + BAR[0],
                "y2": row + BAR[1],
                "middle": row + sum(BAR) / 2,
                "low": low,
                "high": high,
                "end": max(one.value, high or 0),
                "interval": _interval(one.interval, result.amounts[-1]),
                "text": one.text,
                "ends": next((k for k, amount in enumerate(result.amounts) if amount > one.value), len(result.amounts)),
            }
        )
    return rows


def _interval(interval: tuple[float, float] | None, largest: float) -> str:
    if interval is None:
        return "unknown"
    low, high = interval
    return f"{low:.2f} to {high:.2f}{' or beyond' if high >= largest else ''}"


def _row(result: SweepResult, reduction: str, chosen: str) -> Rows:
    """One row a pruned point and amount: CKA with the chosen point of the baseline."""
    names = point_names(result.cka.points)
    i = [name.label for name in names].index(chosen)
    return [
        {
            "amount": amount_name(frame.amount),
            "pruned": name.label,
            "name": name.title,
            "cka": rounded(frame.cka[reduction][i][j]),
            "text": "undefined" if frame.cka[reduction][i][j] is None else f"{frame.cka[reduction][i][j]:.3f}",
            "outlined": name.label == chosen and frame is result.frames[0],
        }
        for frame in result.frames
        for j, name in enumerate(names)
    ]


def _sparsities(result: SweepResult, chosen: str) -> Rows:
    """One row an encoder layer and amount: the share of its weights that is removed."""
    own = next(
        _layer_of(point)
        for point, name in zip(result.cka.points, point_names(result.cka.points), strict=True)
        if name.label == chosen
    )
    return [
        {
            "layer": f"Layer {layer + 1}",
            "k": k,
            "amount": frame.amount,
            "sparsity": rounded(frame.layer_sparsity[layer]),
            "chosen": layer == own,
        }
        for layer in range(result.checkpoint.num_layers)
        for k, frame in enumerate(result.frames)
    ]


def _sparsity_of_all(result: SweepResult) -> Rows:
    return [{"amount": frame.amount, "sparsity": rounded(frame.prunable_sparsity)} for frame in result.frames]


# ---------------------------------------------------------------- drawings


@lru_cache(maxsize=64)
def _spec(name: str, points: tuple[str, ...]) -> Spec:
    return finished(DRAWINGS[name](points))


def _layer_axis(field: str, points: tuple[str, ...]) -> alt.Y:
    """The layers below each other, the first one at the bottom, each one unit high."""
    labels = [name.label for name in point_names(points)]
    return alt.Y(
        field,
        title="Layer",
        scale=alt.Scale(domain=[0, len(labels)], nice=False),
        axis=alt.Axis(
            values=[k + STRIP / 2 for k in range(len(labels))],
            labelExpr=f"{labels}[floor(datum.value)]",
            ticks=False,
            domain=False,
            grid=False,
            labelOverlap=True,
            minExtent=MARGIN,
            maxExtent=MARGIN,
        ),
    )


def _strips(y: alt.Y) -> alt.Chart:
    """What is clicked; the chosen one is tinted."""
    strips = alt.Chart(alt.NamedData("strips")).mark_rect(style="band", cursor="pointer")
    chart: alt.Chart = strips.encode(
        y=y, y2="y2:Q", opacity=alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
    )
    return chart


def _curves_drawn(points: tuple[str, ...]) -> LayerChart:
    """Every layer's CKA with its own baseline over the amount, one strip a layer, from 0 to 1."""
    x, y = amount_axis("amount:Q"), _layer_axis("y:Q", points)
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("amount:Q", title="Pruning amount", format=".2f"),
        alt.Tooltip("text:N", title="CKA with its own baseline"),
    ]
    strips = alt.Chart(alt.NamedData("strips"))
    controls, own, alone = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("controls", "own", "alone"))
    now = own.transform_filter("datum.k === frame")
    return alt.layer(
        _strips(y),
        strips.mark_rule(style="reference", strokeWidth=0.75).encode(y="keeps:Q"),
        strips.mark_rule(style="frame", color=UNDEFINED_COLOUR, strokeWidth=0.5).encode(y=y),
        controls.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1, opacity=0.8).encode(detail=["row:N", "series:N"]),
        own.mark_line(style="series").encode(detail="row:N"),
        here(x),
        alone.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            tooltip=[tooltip[0], tooltip[1], alt.Tooltip("text:N", title="CKA, pruned alone")]
        ),
        now.mark_point(style="marker", filled=True, size=45),
        now.mark_text(style="note", align="left", baseline="middle")
        .encode(x=alt.datum(1), y=alt.Y("label_y:Q"), text="text:N")
        .transform_calculate(label_y=f"datum.row + {STRIP / 2}"),
        own.mark_point(opacity=0, size=200, cursor="pointer").encode(tooltip=tooltip),
    ).properties(title="CKA of each layer with its own baseline, from 0 to 1")


def _survival(points: tuple[str, ...]) -> LayerChart:
    """How far each layer survives, with its interval; a bar fades when the frame has passed its end."""
    x, y = amount_axis("survival:Q"), _layer_axis("y:Q", points)
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="Survives up to"),
        alt.Tooltip("interval:N", title="95 % interval"),
    ]
    base = alt.Chart(alt.NamedData("bars"))
    bar = base.mark_rect(style="bar", cursor="pointer").encode(
        x=x,
        x2=alt.datum(0),
        y=y,
        y2="y2:Q",
        opacity=alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35)),
        tooltip=tooltip,
    )
    interval = base.transform_filter("isValid(datum.low)").encode(
        x=amount_axis("low:Q"), x2="high:Q", y=_layer_axis("middle:Q", points)
    )
    labels = [
        base.mark_text(style=style, align="left", dx=6).encode(
            x=amount_axis("end:Q"), y=_layer_axis("middle:Q", points), text="text:N"
        )
        for style in (["note", "halo"], "note")  # the halo keeps the passing line out of the number
    ]
    return alt.layer(
        _strips(y),
        bar,
        interval.mark_rule(style="halo", strokeWidth=4),
        interval.mark_rule(style="here", strokeWidth=2),
        here(amount_axis("amount:Q")),
        *labels,
    ).properties(title=f"Own CKA stays at or above {SURVIVAL_THRESHOLD} up to")


def _row_drawn(points: tuple[str, ...]) -> LayerChart:
    """One row of the heatmap over the amount: the chosen layer of the baseline against every pruned layer."""
    order = [name.label for name in point_names(points)]
    axis = alt.Axis(labelAngle=0, ticks=False, domain=False, labelOverlap=True)
    x = alt.X("amount:N", sort=None, title="Pruning amount", axis=axis)
    y = alt.Y(
        "pruned:N",
        sort=order[::-1],
        title="Layer of the pruned model",
        axis=alt.Axis(ticks=False, domain=False, labelOverlap=True, minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("amount:N", title="Pruning amount"),
        alt.Tooltip("name:N", title="Pruned"),
        alt.Tooltip("text:N", title="CKA"),
    ]
    base = alt.Chart(alt.NamedData("cells")).encode(x=x, y=y)
    outlined = alt.Chart(alt.NamedData("cells")).transform_filter("datum.outlined")
    now = alt.Chart(alt.NamedData("amounts")).transform_filter("datum.k === frame")
    return alt.layer(
        base.mark_rect(invalid="show").encode(color=cka_colour(), tooltip=tooltip),
        *hatching(base, x, y),
        outlined.mark_rect(filled=False, stroke=OWN_COLOUR, strokeWidth=2).encode(y=y),
        now.mark_rect(style="here", filled=False, strokeWidth=2).encode(x=alt.X("label:N", sort=None)),
    ).properties(title="One layer of the baseline with every pruned layer", view=alt.ViewBackground(style="frame"))


def _sparsity(points: tuple[str, ...]) -> LayerChart:
    """How much of each layer's weights is removed; the chosen one stands out, all together are dashed."""
    x = amount_axis("amount:Q")
    y = alt.Y(
        "sparsity:Q",
        title="Share removed",
        scale=alt.Scale(domain=[0, 1.03], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("amount:Q", title="Pruning amount", format=".2f"),
        alt.Tooltip("sparsity:Q", title="Share of its weights removed", format=".3f"),
    ]
    base = alt.Chart(alt.NamedData("layers")).encode(x=x, y=y)
    chosen = base.transform_filter("datum.chosen")
    return alt.layer(
        base.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1.25).encode(detail="layer:N"),
        alt.Chart(alt.NamedData("all")).mark_line(style="reference").encode(x=x, y=y),
        chosen.mark_line(style="series"),
        here(x),
        chosen.transform_filter("datum.k === frame").mark_point(style="marker", filled=True),
        base.mark_point(opacity=0, size=120).encode(tooltip=tooltip),
    ).properties(title="Share of its weights removed (dashed: of all layers)")


DRAWINGS: dict[str, Callable[[tuple[str, ...]], LayerChart]] = {
    "curves": _curves_drawn,
    "survival": _survival,
    "row": _row_drawn,
    "sparsity": _sparsity,
}
