"""How much each layer's own output changes when that layer alone is pruned, beside random removal."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import View
from core.findings.isolated import IsolatedOrder, own_of_alone
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
    outputs = [f"layer.{k}.output" for k in range(len(orders[0].effects))]
    ends = {
        name: [[getattr(effect, name) for effect in order.effects] for order in nearest]
        for name in ("value", "low", "high")
    }
    by_chance: g.Rows = []
    for layer, alone in (drawn for seed in controls for drawn in seed.items()):
        own = [own_of_alone(alone, layer, reduction, order.amount) for order in nearest]
        by_chance.append({"layer": str(layer), "value": [v if v is None else g.rounded(1 - v) for v in own]})
    measured: g.Rows = [{"v": [f"measured at {amount_name(order.amount)}" for order in nearest]}]
    known = [value for row in by_chance for value in row["value"] if value is not None]
    top = float(min(1.0, np.ceil(max(*known, *np.ravel(ends["high"])) / STEP) * STEP))
    datasets = {"effects": g.layer_rows(outputs, **ends), "by_chance": by_chance, "measured": measured}
    return View(_alone, (top,), datasets, "Each layer pruned alone: how much its own output changes (1 − similarity)")


def _alone(top: float) -> g.LayerChart:
    """Draw a diamond with its interval for each layer, and a dot for each seed of its control."""
    x, axis = g.depth_axis(None), alt.Axis(tickCount=5, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    scale = alt.Scale(type="sqrt", domain=[0, top], nice=False)  # small effects at small amounts, large ones at large
    y = alt.Y("shown:Q", title="1 − similarity", scale=scale, axis=axis)
    effects = g.moving("effects", shown="value", from_="low", until="high").encode(x=x)
    by_chance = g.moving("by_chance", shown="value").encode(x=x, y=y)
    measured = g.moving("measured", text="v").encode(x=alt.value(0), y=alt.value(0), text="text:N")
    alone = {"1 − similarity, pruned alone": "shown:Q", "95 % interval from": "from_:Q", "to": "until:Q"}
    random = g.told({"Layer": "layer:N", "1 − similarity, at random": "shown:Q"})
    return alt.layer(
        by_chance.mark_point(style="chance", filled=True, size=40, opacity=0.9, xOffset=-9).encode(tooltip=random),
        effects.mark_rule(style="alone").encode(y="from_:Q", y2="until:Q"),
        effects.mark_point(style="alone", shape="diamond", size=60).encode(
            y="shown:Q", tooltip=g.told({"Layer": "layer:N", **alone})
        ),
        *g.haloed_text(measured, baseline="top", dx=4, dy=4),
    )
