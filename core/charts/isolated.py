"""How much each layer's own output changes when that layer alone is pruned, beside random removal."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from core.charts.grammar import (
    ALONE_COLOUR,
    MARGIN,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    depth_axis,
    haloed_text,
    rounded,
)
from core.charts.view import View
from core.findings.isolated import IsolatedOrder
from core.results.names import amount_name
from core.results.schema import SweepResult

STEP = 0.05  # the axis ends at a multiple of it


def isolated_view(
    result: SweepResult,
    reduction: str,
    orders: Sequence[IsolatedOrder],
    controls: Sequence[Mapping[int, SweepResult]],
) -> View:
    """Draw the isolated effect of every layer at the amount that was measured nearest to the one on show.

    Args:
        result: The whole sweep whose amounts are played.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        orders: The effects, at least one, see `core.findings.isolated.isolated_orders`.
        controls: See `core.findings.comparable.isolated_controls_of`.
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
    by_chance: Rows = [
        {"layer": str(layer), "value": [_effect_at(alone, layer, reduction, order.amount) for order in nearest]}
        for seed in controls
        for layer, alone in seed.items()
    ]
    measured: Rows = [{"v": [f"measured at {amount_name(order.amount)}" for order in nearest]}]
    known = [value for row in effects for value in row["high"]]
    known += [value for row in by_chance for value in row["value"] if value is not None]
    top = min(1.0, np.ceil(max(known) / STEP) * STEP)
    datasets = {"effects": effects, "by_chance": by_chance, "measured": measured}
    return View(
        _alone, (float(top),), datasets, "Each layer pruned alone: how much its own output changes (1 − similarity)"
    )


def _effect_at(alone: SweepResult, layer: int, reduction: str, amount: float) -> float | None:
    """Return 1 - own CKA of a layer's output; None where the amount or the value is missing."""
    point = f"layer.{layer - 1}.output"
    row = alone.frames[alone.amounts.index(amount)].own(reduction) if amount in alone.amounts else None
    value = row[alone.points.index(point)] if row else None
    return None if value is None else rounded(1 - value)


def _alone(top: float) -> LayerChart:
    """Draw a diamond with its interval for each layer, and a dot for each seed of its control."""
    x = depth_axis(None)
    axis = alt.Axis(tickCount=5, minExtent=MARGIN, maxExtent=MARGIN)
    scale = alt.Scale(type="sqrt", domain=[0, top], nice=False)  # small effects at small amounts, large ones at large
    y = alt.Y("shown:Q", title="1 − similarity", scale=scale, axis=axis)
    effects, by_chance, measured = (alt.Chart(alt.NamedData(name)) for name in ("effects", "by_chance", "measured"))
    placed = effects.transform_calculate(
        shown="datum.value[frame]", from_="datum.low[frame]", until="datum.high[frame]"
    ).encode(x=x)
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("shown:Q", title="1 − similarity, pruned alone", format=".2f"),
        alt.Tooltip("from_:Q", title="95 % interval from", format=".2f"),
        alt.Tooltip("until:Q", title="to", format=".2f"),
    ]
    told = [tooltip[0], alt.Tooltip("shown:Q", title="1 − similarity, at random", format=".2f")]
    return alt.layer(
        by_chance.transform_calculate(shown="datum.value[frame]")
        .mark_point(filled=True, color=UNDEFINED_COLOUR, size=40, opacity=0.9, xOffset=-9)
        .encode(x=x, y=y, tooltip=told),
        placed.mark_rule(color=ALONE_COLOUR, strokeWidth=1.75).encode(y=alt.Y("from_:Q"), y2="until:Q"),
        placed.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            y=y, tooltip=tooltip
        ),
        *haloed_text(
            measured.transform_calculate(text="datum.v[frame]").encode(x=alt.value(0), y=alt.value(0), text="text:N"),
            baseline="top",
            dx=4,
            dy=4,
        ),
    )
