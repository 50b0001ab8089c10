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
    AMOUNT_DOMAIN,
    EVERYTHING_REMOVED,
    MARGIN,
    OUTLINE_COLOUR,
    REMOVED,
    STRIP_HEIGHT,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    amount_axis,
    amount_rows,
    beyond_rows,
    beyond_shade,
    beyond_words,
    cell_axis,
    current_amount_marker,
    current_amount_rule,
    haloed_text,
    hatching,
    on_show,
    rounded,
    row_axis,
    share_axis,
    similarity_colour,
    two_places,
)
from core.charts.layout import Layout
from core.charts.overview import player_frames
from core.charts.survival import survival_layers, survival_rows, survival_title
from core.charts.view import Scene, View
from core.findings.isolated import IsolatedOrder
from core.findings.overview import beyond_from, floor_of, own_similarity
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import PointName, amount_name, in_sentence, origins, point_names, pruning_name
from core.results.schema import SweepResult

ALONE_STEP = 0.05  # the axis of isolated effects ends at a multiple of it
ROOM_FOR_WORDS = 0.45  # height in a strip at which words below a line meet no curve near amount 0

# The layers below each other, and one in close-up.
LAYERS = Layout(
    "layers",
    wide="""
        "curves survival" clamp(22rem, 56vh, 42rem)
        "bar bar" auto
        "row sparsity" 18rem / minmax(0, 3fr) minmax(0, 2fr)""",
    narrow="""
        "curves" 30rem
        "bar" auto
        "survival" 20rem
        "row" 20rem
        "sparsity" 14rem / minmax(0, 1fr)""",
)
# With each layer pruned alone.
LAYERS_AND_ALONE = Layout(
    "layers",
    wide="""
        "curves survival" clamp(22rem, 56vh, 42rem)
        "bar bar" auto
        "row alone" 18rem
        "sparsity sparsity" 11rem / minmax(0, 3fr) minmax(0, 2fr)""",
    narrow="""
        "curves" 30rem
        "bar" auto
        "survival" 20rem
        "row" 20rem
        "alone" 16rem
        "sparsity" 14rem / minmax(0, 1fr)""",
)


def layer_scene(
    result: SweepResult,
    reduction: str,
    chosen: str,
    threshold: float = SURVIVAL_THRESHOLD,
    controls: Sequence[SweepResult] = (),
    isolated: Mapping[int, SweepResult] | None = None,
    measure: str = "cka",
    orders: Sequence[IsolatedOrder] = (),
    isolated_controls: Sequence[Mapping[int, SweepResult]] = (),
) -> Scene:
    """Show how each layer changes under pruning.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the point in close-up.
        threshold: The similarity that a layer must keep to survive.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.
        isolated: Each layer pruned alone, by layer counted from 1, see `core.findings.comparable.isolated_of`.
        measure: What similarity is measured by; one that has no heatmap leaves the close-up to CKA.
        orders: The isolated effects, see `core.findings.isolated.isolated_orders`.
        isolated_controls: The random controls of `isolated`, see `core.findings.comparable.isolated_controls_of`.

    Returns:
        The pictures `curves`, `survival`, `row` and `sparsity`; where the effects have no strip of their own, `alone`
        as well.
    """
    points, amounts = result.points, amount_rows(result.amounts)
    names = point_names(points)
    strips = _strip_rows(names, chosen, threshold)
    curves = {
        "strips": strips,
        "amounts": amounts,
        "own": _curve_rows(result, reduction, measure),
        "controls": [row for control in controls for row in _curve_rows(control, reduction, measure)],
        "alone": _alone_rows(names, points, reduction, isolated or {}, measure),
        "floors": _floor_rows(result, reduction, measure),
        "beyond": beyond_rows(beyond_from(result)),
    }
    survivals = survival_rows(result, reduction, threshold, measure)
    bars = {"strips": strips, "amounts": amounts, "bars": survivals}
    known, in_cells = MEASURES[measure], "cka" if MEASURES[measure].own_only else measure
    cells = {"amounts": amounts, "row": _cell_rows(result, reduction, chosen, in_cells)}
    sparsities = {"amounts": amounts, "layers": _sparsity_rows(result, chosen), "all": _total_sparsity_rows(result)}
    near = next(name.title for name in names if name.label == chosen)
    views = {
        "curves": View(
            _curves, (points, measure), curves, f"{known.symbol} of each layer with its own baseline, from 0 to 1"
        ),
        "survival": View(_survival, (points,), bars, survival_title(result, threshold, measure)),
        "row": View(_row, (points, in_cells), cells, f"{near}, with every pruned layer"),
        "sparsity": View(_sparsity, (), sparsities, "Share of its weights removed (dashed: of all layers)"),
    }
    if orders and not any(map(is_output, points)):
        views["alone"] = _alone_view(result, reduction, orders, isolated_controls)
    layout = LAYERS_AND_ALONE if "alone" in views else LAYERS
    title = f"The layers under {in_sentence(pruning_name(result))}"
    return Scene(title, origins((result,), reduction), views, player_frames(result), layout)


def is_output(point: str) -> bool:
    """Whether a point is a layer's output, which reflects all of its weights."""
    return point.endswith(".output")


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


def _curve_rows(result: SweepResult, reduction: str, measure: str) -> Rows:
    """Return one row per point and amount: its similarity to its own baseline, and that value's height in the strip."""
    changes = [
        ("not measured" if frame.changed is None else f"{100 * frame.changed.share:.0f} %") for frame in result.frames
    ]
    return [
        {
            "row": row,
            "series": result.pruning.seed,
            "pick": name.label,
            "name": name.title,
            "k": k,
            "amount": amount,
            "changed": changes[k],
            **_in_strip(row, value),
        }
        for row, (name, values) in enumerate(
            zip(point_names(result.points), own_similarity(result, reduction, measure).T.tolist(), strict=True)
        )
        for k, (amount, value) in enumerate(zip(result.amounts, values, strict=True))
    ]


def _in_strip(row: int, value: float) -> dict[str, Any]:
    """Return a similarity's text and height; NaN has no height."""
    known = None if np.isnan(value) else value
    return {"text": two_places(known), "y": None if known is None else rounded(row + STRIP_HEIGHT * known)}


def _floor_rows(result: SweepResult, reduction: str, measure: str) -> Rows:
    """Return one row per point whose floor is known: its height in the strip, and words where there is most room."""
    floor = floor_of(result, reduction, measure) or ()
    known = {row: value for row, value in enumerate(floor) if value is not None}
    named = min(known, key=lambda row: abs(known[row] - ROOM_FOR_WORDS), default=None)
    return [
        {"row": row, **_in_strip(row, value), "label": EVERYTHING_REMOVED if row == named else None}
        for row, value in known.items()
    ]


def _alone_rows(
    names: Sequence[PointName],
    points: tuple[str, ...],
    reduction: str,
    isolated: Mapping[int, SweepResult],
    measure: str,
) -> Rows:
    """Return one row per layer and amount at which it was pruned alone, where its output has a strip."""
    return [
        {"pick": name.label, "name": name.title, "amount": amount, **_in_strip(row, value)}
        for row, (name, point) in enumerate(zip(names, points, strict=True))
        if is_output(point) and (result := isolated.get(_layer_of(point) + 1))
        for amount, value in zip(
            result.amounts,
            own_similarity(result, reduction, measure)[:, result.points.index(point)].tolist(),
            strict=True,
        )
        if amount
    ]


def _alone_view(
    result: SweepResult,
    reduction: str,
    orders: Sequence[IsolatedOrder],
    controls: Sequence[Mapping[int, SweepResult]],
) -> View:
    """Draw how much each layer's output changes when it alone is pruned, beside its controls.

    Shown is the amount that was measured nearest to the one on show.
    """
    nearest = [min(orders, key=lambda order: abs(order.amount - amount)) for amount in result.amounts]
    effects: Rows = [
        {
            "layer": str(effect.layer),
            **{
                name: [rounded(getattr(order.effects[k], name)) for order in nearest]
                for name in ("value", "low", "high")
            },
        }
        for k, effect in enumerate(orders[0].effects)
    ]
    seeds: Rows = [
        {"layer": str(layer), "value": [_effect_at(alone, layer, reduction, order.amount) for order in nearest]}
        for seed in controls
        for layer, alone in seed.items()
    ]
    measured: Rows = [{"v": [f"measured at {amount_name(order.amount)}" for order in nearest]}]
    known = [value for row in effects for value in row["high"]]
    by_chance = [value for row in seeds for value in row["value"] if value is not None]
    top = min(1.0, np.ceil(max(known + by_chance) / ALONE_STEP) * ALONE_STEP)
    datasets = {"effects": effects, "seeds": seeds, "measured": measured}
    return View(_alone, (float(top),), datasets, "Each layer pruned alone: change of its output, 1 − own CKA")


def _effect_at(alone: SweepResult, layer: int, reduction: str, amount: float) -> float | None:
    """Return 1 - own CKA of a layer's output; None where the amount or the value is missing."""
    point = f"layer.{layer - 1}.output"
    row = alone.frames[alone.amounts.index(amount)].own(reduction) if amount in alone.amounts else None
    value = row[alone.points.index(point)] if row else None
    return None if value is None else rounded(1 - value)


def _layer_of(point: str) -> int:
    """Return the layer of a point such as `layer.0.attention`, counted from 0."""
    return int(point.split(".")[1])


def _cell_rows(result: SweepResult, reduction: str, chosen: str, measure: str) -> Rows:
    """Return one row per pruned point and amount: its similarity to the chosen point of the baseline."""
    names = point_names(result.points)
    i = [name.label for name in names].index(chosen)
    return [
        {
            "amount": amount_name(frame.amount),
            "pruned": name.label,
            "name": name.title,
            "value": rounded(row[j]),
            "text": two_places(row[j]),
            "outlined": name.label == chosen and frame is result.frames[0],
        }
        for frame in result.frames
        for row in [frame.matrix(reduction, measure)[i]]
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


def _curves(points: tuple[str, ...], measure: str) -> LayerChart:
    """Draw every layer's similarity to its own baseline over the amount, in a strip that reaches from 0 to 1."""
    symbol = MEASURES[measure].symbol
    x, y = amount_axis("amount:Q"), row_axis("y:Q", points)
    floors = alt.Chart(alt.NamedData("floors")).encode(y=y)
    end = AMOUNT_DOMAIN[1]
    names = [alt.Tooltip("name:N", title="Layer"), alt.Tooltip("amount:Q", title=REMOVED, format="~%")]
    strips = alt.Chart(alt.NamedData("strips"))
    controls, own, alone = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("controls", "own", "alone"))
    return alt.layer(
        _strips(points),
        beyond_shade("beyond", amount_axis("start:Q"), end),
        strips.mark_rule(style="reference", strokeWidth=0.75).encode(y="keeps:Q"),
        strips.mark_rule(style="frame", color=UNDEFINED_COLOUR, strokeWidth=0.5).encode(y=y),
        controls.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1, opacity=0.8).encode(detail=["row:N", "series:N"]),
        own.mark_line(style="series").encode(detail="row:N"),
        floors.mark_rule(style="floor"),
        current_amount_rule(x),
        *haloed_text(
            floors.transform_filter("isValid(datum.label)").encode(x=alt.datum(0), text="label:N"),
            baseline="top",
            dx=4,
            dy=3,
        ),
        *beyond_words("beyond", alt.datum(len(points)), end),
        alone.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            tooltip=[*names, alt.Tooltip("text:N", title=f"{symbol}, pruned alone")]
        ),
        current_amount_marker(own, size=45),
        on_show(own)
        .mark_text(style="note", align="left", baseline="middle")
        .encode(x=alt.datum(1), y=alt.Y("label_y:Q"), text="text:N")
        .transform_calculate(label_y=f"datum.row + {STRIP_HEIGHT / 2}"),
        own.mark_point(opacity=0, size=200, cursor="pointer").encode(
            tooltip=[
                *names,
                alt.Tooltip("text:N", title=f"{symbol} with its own baseline"),
                alt.Tooltip("changed:N", title="Predictions changed"),
            ]
        ),
    )


def _survival(points: tuple[str, ...]) -> LayerChart:
    """Draw how far each layer survives, over strips that can be clicked like the curves'."""
    return alt.layer(_strips(points), *survival_layers(points, numbered=True, cursor="pointer"))


def _row(points: tuple[str, ...], measure: str) -> LayerChart:
    """Draw one row of the heatmap over the amount: the chosen layer of the baseline against every pruned layer."""
    order = [name.label for name in point_names(points)]
    x = alt.X("amount:N", sort=None, title=REMOVED, axis=cell_axis())
    y = alt.Y(
        "pruned:N",
        sort=order[::-1],
        title="Pruned model, layer",
        axis=cell_axis(minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("amount:N", title=REMOVED),
        alt.Tooltip("name:N", title="Pruned"),
        alt.Tooltip("text:N", title=MEASURES[measure].symbol),
    ]
    cells = alt.Chart(alt.NamedData("row"))
    placed = cells.encode(x=x, y=y)
    current = on_show(alt.Chart(alt.NamedData("amounts")))
    return alt.layer(
        placed.mark_rect(invalid="show").encode(color=similarity_colour(measure), tooltip=tooltip),
        *hatching(placed, x, y),
        cells.transform_filter("datum.outlined")
        .mark_rect(filled=False, stroke=OUTLINE_COLOUR, strokeWidth=2)
        .encode(y=y),
        current.mark_rect(style="current", filled=False, strokeWidth=2).encode(x=alt.X("label:N", sort=None)),
    ).properties(view=alt.ViewBackground(style="frame"))


def _alone(top: float) -> LayerChart:
    """Draw a diamond with its interval for each layer, and a dot for each seed of its control."""
    axis = alt.Axis(labelAngle=0)
    x = alt.X("layer:N", title="Layer", sort=None, scale=alt.Scale(type="point", padding=0.5), axis=axis)
    axis = alt.Axis(tickCount=5, minExtent=MARGIN, maxExtent=MARGIN)
    scale = alt.Scale(type="sqrt", domain=[0, top], nice=False)  # small effects at small amounts, large ones at large
    y = alt.Y("shown:Q", title="1 − own CKA", scale=scale, axis=axis)
    effects, seeds, measured = (alt.Chart(alt.NamedData(name)) for name in ("effects", "seeds", "measured"))
    placed = effects.transform_calculate(
        shown="datum.value[frame]", from_="datum.low[frame]", until="datum.high[frame]"
    ).encode(x=x)
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("shown:Q", title="1 − own CKA, pruned alone", format=".3f"),
        alt.Tooltip("from_:Q", title="95 % interval from", format=".3f"),
        alt.Tooltip("until:Q", title="to", format=".3f"),
    ]
    by_chance = [tooltip[0], alt.Tooltip("shown:Q", title="1 − own CKA, at random", format=".3f")]
    return alt.layer(
        seeds.transform_calculate(shown="datum.value[frame]")
        .mark_point(filled=True, color=UNDEFINED_COLOUR, size=40, opacity=0.9, xOffset=-9)
        .encode(x=x, y=y, tooltip=by_chance),
        placed.mark_rule(color=ALONE_COLOUR, strokeWidth=1.75).encode(y=alt.Y("from_:Q"), y2="until:Q"),
        placed.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            y=y, tooltip=tooltip
        ),
        *(
            measured.transform_calculate(text="datum.v[frame]")
            .mark_text(style=style, align="left", baseline="top", dx=4, dy=4)
            .encode(x=alt.value(0), y=alt.value(0), text="text:N")
            for style in (["note", "halo"], "note")
        ),
    )


def _sparsity() -> LayerChart:
    """Draw how much of each layer's weights is removed; the chosen layer stands out, all together are dashed."""
    x, y = amount_axis("amount:Q"), share_axis("sparsity:Q", "Share removed")
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("amount:Q", title=REMOVED, format="~%"),
        alt.Tooltip("sparsity:Q", title="Of this layer's weights", format=".0%"),
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
