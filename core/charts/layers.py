"""The pictures of single layers: each layer's curve and survival, and one layer in close-up.

Layers stand below each other as in the heatmap, the first at the bottom. A row of data with `pick` can be clicked; it
names the point that is then chosen.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from core.charts.grammar import (
    ALONE_COLOUR,
    MARGIN,
    OUTLINE_COLOUR,
    STRIP_HEIGHT,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    amount_axis,
    amount_rows,
    cell_axis,
    cka_colour,
    current_amount_marker,
    current_amount_rule,
    hatching,
    on_show,
    rounded,
    row_axis,
    share_axis,
    three_places,
)
from core.charts.survival import survival_layers, survival_rows, survival_title
from core.charts.view import View
from core.findings.overview import own_similarity
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import PointName, amount_name, point_names
from core.results.schema import SweepResult


def layer_views(
    result: SweepResult,
    reduction: str,
    chosen: str,
    threshold: float = SURVIVAL_THRESHOLD,
    controls: Sequence[SweepResult] = (),
    isolated: Mapping[int, SweepResult] | None = None,
) -> dict[str, View]:
    """Draw how each layer changes under pruning.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the point in close-up.
        threshold: The CKA that a layer must keep to survive.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.
        isolated: Each layer pruned alone, by layer counted from 1, see `core.findings.comparable.isolated_of`.

    Returns:
        `curves`, `survival`, `row` and `sparsity`.
    """
    points, amounts = result.points, amount_rows(result.amounts)
    names = point_names(points)
    strips = _strip_rows(names, chosen, threshold)
    curves = {
        "strips": strips,
        "amounts": amounts,
        "own": _curve_rows(result, reduction),
        "controls": [row for control in controls for row in _curve_rows(control, reduction)],
        "alone": _alone_rows(names, points, reduction, isolated or {}),
    }
    bars = {"strips": strips, "amounts": amounts, "bars": survival_rows(result, reduction, threshold)}
    cells = {"amounts": amounts, "row": _cell_rows(result, reduction, chosen)}
    sparsities = {"amounts": amounts, "layers": _sparsity_rows(result, chosen), "all": _total_sparsity_rows(result)}
    title = next(name.title for name in names if name.label == chosen)
    return {
        "curves": View(_curves, (points,), curves, "CKA of each layer with its own baseline, from 0 to 1"),
        "survival": View(_survival, (points,), bars, survival_title(threshold)),
        "row": View(_row, (points,), cells, f"{title}, with every pruned layer"),
        "sparsity": View(_sparsity, (), sparsities, "Share of its weights removed (dashed: of all layers)"),
    }


# ---------------------------------------------------------------- data


def _strip_rows(names: Sequence[PointName], chosen: str, threshold: float) -> Rows:
    """Return one row per point: its strip, and the height at which it stops to survive."""
    return [
        {
            "y": row,
            "y2": row + STRIP_HEIGHT,
            "keeps": row + STRIP_HEIGHT * threshold,
            "pick": name.label,
            "chosen": name.label == chosen,
        }
        for row, name in enumerate(names)
    ]


def _curve_rows(result: SweepResult, reduction: str) -> Rows:
    """Return one row per point and amount: its CKA with its own baseline, and that value's height in the strip."""
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
            zip(point_names(result.points), own_similarity(result, reduction).T.tolist(), strict=True)
        )
        for k, (amount, value) in enumerate(zip(result.amounts, values, strict=True))
    ]


def _in_strip(row: int, value: float) -> dict[str, Any]:
    """Return a CKA value's text and height; NaN has no height."""
    known = None if np.isnan(value) else value
    return {"text": three_places(known), "y": None if known is None else rounded(row + STRIP_HEIGHT * known)}


def _alone_rows(
    names: Sequence[PointName], points: tuple[str, ...], reduction: str, isolated: Mapping[int, SweepResult]
) -> Rows:
    """Return one row per layer and amount at which it was pruned alone, measured at its output.

    It stands in the strip of that output, or of the attention block where outputs are not measured.
    """
    layers = [_layer_of(point) for point in points]
    return [
        {"pick": name.label, "name": name.title, "amount": amount, **_in_strip(row, value)}
        for row, (name, layer) in enumerate(zip(names, layers, strict=True))
        if layer not in layers[row + 1 :] and (result := isolated.get(layer + 1))
        for amount, value in zip(
            result.amounts,
            own_similarity(result, reduction)[:, result.points.index(f"layer.{layer}.output")].tolist(),
            strict=True,
        )
        if amount
    ]


def _layer_of(point: str) -> int:
    """Return the layer of a point such as `layer.0.attention`, counted from 0."""
    return int(point.split(".")[1])


def _cell_rows(result: SweepResult, reduction: str, chosen: str) -> Rows:
    """Return one row per pruned point and amount: its CKA with the chosen point of the baseline."""
    names = point_names(result.points)
    i = [name.label for name in names].index(chosen)
    return [
        {
            "amount": amount_name(frame.amount),
            "pruned": name.label,
            "name": name.title,
            "value": rounded(frame.matrix(reduction)[i][j]),
            "text": three_places(frame.matrix(reduction)[i][j]),
            "outlined": name.label == chosen and frame is result.frames[0],
        }
        for frame in result.frames
        for j, name in enumerate(names)
    ]


def _sparsity_rows(result: SweepResult, chosen: str) -> Rows:
    """Return one row per encoder layer and amount: the share of its weights that is removed."""
    labels = [name.label for name in point_names(result.points)]
    chosen_layer = _layer_of(result.points[labels.index(chosen)])
    return [
        {
            "layer": f"Layer {layer + 1}",
            "k": k,
            "amount": frame.amount,
            "sparsity": rounded(frame.layer_sparsity[layer]),
            "chosen": layer == chosen_layer,
        }
        for layer in range(result.checkpoint.num_layers)
        for k, frame in enumerate(result.frames)
    ]


def _total_sparsity_rows(result: SweepResult) -> Rows:
    return [{"amount": frame.amount, "sparsity": rounded(frame.prunable_sparsity)} for frame in result.frames]


# ---------------------------------------------------------------- drawings


def _strips(points: tuple[str, ...]) -> alt.Chart:
    """Draw what a click finds; the chosen strip is tinted."""
    strips = alt.Chart(alt.NamedData("strips")).mark_rect(style="band", cursor="pointer")
    chart: alt.Chart = strips.encode(
        y=row_axis("y:Q", points), y2="y2:Q", opacity=alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
    )
    return chart


def _curves(points: tuple[str, ...]) -> LayerChart:
    """Draw every layer's CKA with its own baseline over the amount, in a strip that reaches from 0 to 1."""
    x, y = amount_axis("amount:Q"), row_axis("y:Q", points)
    names = [alt.Tooltip("name:N", title="Layer"), alt.Tooltip("amount:Q", title="Pruning amount", format=".2f")]
    strips = alt.Chart(alt.NamedData("strips"))
    controls, own, alone = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("controls", "own", "alone"))
    return alt.layer(
        _strips(points),
        strips.mark_rule(style="reference", strokeWidth=0.75).encode(y="keeps:Q"),
        strips.mark_rule(style="frame", color=UNDEFINED_COLOUR, strokeWidth=0.5).encode(y=y),
        controls.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1, opacity=0.8).encode(detail=["row:N", "series:N"]),
        own.mark_line(style="series").encode(detail="row:N"),
        current_amount_rule(x),
        alone.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            tooltip=[*names, alt.Tooltip("text:N", title="CKA, pruned alone")]
        ),
        current_amount_marker(own, size=45),
        on_show(own)
        .mark_text(style="note", align="left", baseline="middle")
        .encode(x=alt.datum(1), y=alt.Y("label_y:Q"), text="text:N")
        .transform_calculate(label_y=f"datum.row + {STRIP_HEIGHT / 2}"),
        own.mark_point(opacity=0, size=200, cursor="pointer").encode(
            tooltip=[*names, alt.Tooltip("text:N", title="CKA with its own baseline")]
        ),
    )


def _survival(points: tuple[str, ...]) -> LayerChart:
    """Draw how far each layer survives, over strips that can be clicked like the curves'."""
    return alt.layer(_strips(points), *survival_layers(points, numbered=True, cursor="pointer"))


def _row(points: tuple[str, ...]) -> LayerChart:
    """Draw one row of the heatmap over the amount: the chosen layer of the baseline against every pruned layer."""
    order = [name.label for name in point_names(points)]
    x = alt.X("amount:N", sort=None, title="Pruning amount", axis=cell_axis())
    y = alt.Y(
        "pruned:N",
        sort=order[::-1],
        title="Layer of the pruned model",
        axis=cell_axis(minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("amount:N", title="Pruning amount"),
        alt.Tooltip("name:N", title="Pruned"),
        alt.Tooltip("text:N", title="CKA"),
    ]
    cells = alt.Chart(alt.NamedData("row"))
    placed = cells.encode(x=x, y=y)
    current = on_show(alt.Chart(alt.NamedData("amounts")))
    return alt.layer(
        placed.mark_rect(invalid="show").encode(color=cka_colour(), tooltip=tooltip),
        *hatching(placed, x, y),
        cells.transform_filter("datum.outlined")
        .mark_rect(filled=False, stroke=OUTLINE_COLOUR, strokeWidth=2)
        .encode(y=y),
        current.mark_rect(style="current", filled=False, strokeWidth=2).encode(x=alt.X("label:N", sort=None)),
    ).properties(view=alt.ViewBackground(style="frame"))


def _sparsity() -> LayerChart:
    """Draw how much of each layer's weights is removed; the chosen layer stands out, all together are dashed."""
    x, y = amount_axis("amount:Q"), share_axis("sparsity:Q", "Share removed")
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("amount:Q", title="Pruning amount", format=".2f"),
        alt.Tooltip("sparsity:Q", title="Share of its weights removed", format=".3f"),
    ]
    layers, total = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("layers", "all"))
    chosen = layers.transform_filter("datum.chosen")
    return alt.layer(
        layers.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1.25).encode(detail="layer:N"),
        total.mark_line(style="reference"),
        chosen.mark_line(style="series"),
        current_amount_rule(x),
        current_amount_marker(chosen),
        layers.mark_point(opacity=0, size=120).encode(tooltip=tooltip),
    )
