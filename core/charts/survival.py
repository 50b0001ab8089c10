"""How far each layer survives: a bar, its interval and its number; a bar fades once the amount has passed its end."""

from typing import Literal

import altair as alt

from core.charts.grammar import (
    LayerChart,
    Rows,
    amount_axis,
    current_amount_rule,
    haloed_text,
    rounded,
    row_axis,
    two_places,
)
from core.charts.view import View
from core.findings.overview import floor_of, layer_survivals
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import percent, percent_range
from core.results.schema import SweepResult

BAR = (0.12, 0.72)  # bottom and top, of a layer's row
MAX_NUMBERED = 14  # points; with more, bars are too thin for numbers
BY_CONSTRUCTION = "*"  # after a number: a layer that stays above the threshold with everything removed


def survival_view(result: SweepResult, reduction: str, amounts: Rows, threshold: float = SURVIVAL_THRESHOLD) -> View:
    """Draw how far each layer survives; `amounts` come from `core.charts.grammar.amount_rows`."""
    datasets = {"bars": survival_rows(result, reduction, threshold), "amounts": amounts}
    return View(survival_chart, (result.points,), datasets, survival_title(result, threshold))


def survival_title(result: SweepResult, threshold: float, measure: str = "cka") -> list[str]:
    """Say what the bars and their mark mean; the lines do not change with the reduction, so that nothing moves."""
    title = f"Own {MEASURES[measure].symbol} stays at or above {threshold} up to"
    mark = f"{BY_CONSTRUCTION} still above {threshold} with everything removed"
    return [title, mark] if result.floor and measure == "cka" else [title]


def survival_rows(
    result: SweepResult, reduction: str, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> Rows:
    """Return one row per point: how far it survives, with its interval, and the first frame that lies beyond."""
    floor = floor_of(result, reduction, measure) or (None,) * len(result.points)
    rows = []
    for row, layer in enumerate(layer_survivals(result, reduction, threshold, measure)):
        low, high = layer.interval or (None, None)
        left = floor[row]
        by_construction = left is not None and left >= threshold
        rows.append(
            {
                "pick": layer.label,
                "name": layer.title,
                "survival": rounded(layer.value) if layer.is_defined else None,
                "y": row + BAR[0],
                "y2": row + BAR[1],
                "middle": row + sum(BAR) / 2,
                "low": low,
                "high": high,
                "end": max(layer.value, high or 0) if layer.is_defined else 0,
                "interval": _interval_text(layer.interval, result.amounts[-1]),
                "text": f"{layer.text} {BY_CONSTRUCTION}" if by_construction else layer.text,
                "by_construction": by_construction,
                "floor": "unknown" if left is None else two_places(left),
                "ends": sum(amount <= layer.value for amount in result.amounts),
            }
        )
    return rows


def _interval_text(interval: tuple[float, float] | None, largest: float) -> str:
    if interval is None:
        return "unknown"
    low, high = interval
    ends = percent_range(percent(low), percent(high))
    return f"{ends} or beyond" if high >= largest else ends


def survival_chart(points: tuple[str, ...]) -> LayerChart:
    """Draw the bars, with their numbers where there is room."""
    return alt.layer(*survival_layers(points, numbered=len(points) <= MAX_NUMBERED))


def survival_layers(
    points: tuple[str, ...], numbered: bool, cursor: Literal["default", "pointer"] = "default"
) -> list[alt.Chart]:
    """Return the bars, their intervals, the line at the amount on show and the numbers, from back to front."""
    middle = row_axis("middle:Q", points)
    bars = alt.Chart(alt.NamedData("bars"))
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="Survives up to"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("floor:N", title="With everything removed"),
    ]
    bar = (
        bars.transform_filter("isValid(datum.survival)")
        .mark_rect(style="bar", cursor=cursor)
        .encode(
            x=amount_axis("survival:Q"),
            x2=alt.datum(0),
            y=row_axis("y:Q", points),
            y2="y2:Q",
            opacity=alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35)),
            tooltip=tooltip,
        )
    )
    interval = bars.transform_filter("isValid(datum.low)").encode(x=amount_axis("low:Q"), x2="high:Q", y=middle)
    number = bars.encode(x=amount_axis("end:Q"), y=middle, text="text:N")
    return [
        bar,
        interval.mark_rule(style="halo", strokeWidth=4),
        interval.mark_rule(style="current", strokeWidth=2),
        current_amount_rule(amount_axis("amount:Q")),
        *(haloed_text(number, dx=6) if numbered else []),
    ]
