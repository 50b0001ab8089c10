"""How far each layer stays intact: a bar, its interval, its number; a bar fades once the amount has passed its end."""

from typing import Literal

import altair as alt

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.survival import interval_text, layer_survivals
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import decimals
from core.results.schema import SweepResult

BAR = (0.12, 0.72)  # bottom and top, of a layer's row
LINE = "margin / 3.1"  # the height of a number in pixels
BY_CONSTRUCTION = "*"  # after a number: a layer that stays above the threshold with everything removed


def survival_view(result: SweepResult, reduction: str) -> View:
    """Draw how far each layer stays intact."""
    note = by_construction_note(result, SURVIVAL_THRESHOLD)
    title = [f"Each layer stays intact (similarity ≥ {SURVIVAL_THRESHOLD}) up to", *note]
    datasets = {"bars": survival_rows(result, reduction), "amounts": g.amount_rows(result.amounts)}
    values = {"Intact up to": "text", "95 % interval": "interval", "With everything removed": "floor"}
    return View(_survival, (result.points,), datasets, title, numbers=Numbers("bars", "name", values))


def by_construction_note(result: SweepResult, threshold: float, measure: str = "cka") -> list[str]:
    """Say what the mark means, where a floor is known; it does not change with the reduction, so that nothing moves."""
    note = f"{BY_CONSTRUCTION} still at least {threshold} with everything removed"
    return [note] if result.floor and measure == "cka" else []


def survival_rows(
    result: SweepResult,
    reduction: str,
    threshold: float = SURVIVAL_THRESHOLD,
    measure: str = "cka",
    bar: tuple[float, float] = BAR,
) -> g.Rows:
    """Return one row per point: how far it stays intact, with its interval, and the first frame that lies beyond."""
    rows = []
    for row, layer in enumerate(layer_survivals(result, reduction, threshold, measure)):
        low, high = layer.interval or (None, None)
        rows.append(
            {
                "pick": layer.label,
                "name": layer.title,
                "survival": g.rounded(layer.value),
                "y": row + bar[0],
                "y2": row + bar[1],
                "low": low,
                "high": high,
                "end": max(layer.value, high or 0) if layer.is_defined else 0,
                "interval": interval_text(layer.interval, result.amounts[-1]),
                "text": f"{layer.text} {BY_CONSTRUCTION}" if layer.by_construction else layer.text,
                "floor": "unknown" if layer.floor is None else decimals(layer.floor, 2),
                "ends": sum(amount <= layer.value for amount in result.amounts),
            }
        )
    return rows


def _survival(points: tuple[str, ...]) -> g.LayerChart:
    """Draw the bars, with the numbers of all for which there is room, or of every second, fourth, … one.

    The heatmap that stands beside it says what labels such as `1a` mean.
    """
    axis = g.layers_axis(points, sum(BAR) / 2, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    every = f"pow(2, ceil(log(max({LINE} / (height / {len(points)}), 1)) / LN2))"  # as Vega leaves labels out
    numbers = _bars().transform_filter(f"floor(datum.y) % {every} === 0")
    numbers = numbers.encode(x=g.amount_axis("end:Q"), y=alt.Y("middle:Q", title="Layer", **axis), text="text:N")
    return alt.layer(*survival_layers(), *g.haloed_text(numbers, dx=6))


def survival_layers(cursor: Literal["default", "pointer"] = "default") -> list[alt.Chart]:
    """Return the bars, their intervals and the line at the amount on show, from back to front.

    Args:
        cursor: Of the mouse, over a bar.
    """
    fields = {"Stays intact up to": "text:N", "95 % interval": "interval:N"}
    tooltip = g.told({"Layer": "name:N", **fields, "Similarity with everything removed": "floor:N"})
    bar = _bars().transform_filter("isValid(datum.survival)").mark_rect(style="bar", cursor=cursor)
    bright = alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35))
    interval = _bars().transform_filter("isValid(datum.low)").encode(x="low:Q", x2="high:Q", y="middle:Q")
    return [
        bar.encode(x="survival:Q", x2=alt.datum(0), y="y:Q", y2="y2:Q", opacity=bright, tooltip=tooltip),
        interval.mark_rule(style="halo", strokeWidth=4),
        interval.mark_rule(style="current", strokeWidth=2),
        g.current_amount_rule(),
    ]


def _bars() -> alt.Chart:
    return g.data("bars").transform_calculate(middle="(datum.y + datum.y2) / 2")
