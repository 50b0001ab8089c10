"""How far each layer stays intact: a bar, its interval, its number; a bar fades once the amount has passed its end."""

from typing import Literal

import altair as alt

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.layers import Look, interval_text, layers_of
from core.findings.words.numbers import decimals
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.schema import SweepResult

BAR = (0.14, 0.86)  # bottom and top, of a layer's row
FIRST_ALONE = "labelled: the first to fall"  # where rows are too low for all
BY_CONSTRUCTION = "*"  # after a number: a layer that stays above the threshold with everything removed


def survival_view(result: SweepResult, reduction: str) -> View:
    """Draw how far each layer stays intact."""
    bars = survival_rows(result, Look(reduction))
    title = f"Each layer stays intact (similarity ≥ {SURVIVAL_THRESHOLD}) up to"
    notes: g.Rows = [{"note": "".join(by_construction_note(bars, SURVIVAL_THRESHOLD))}]
    datasets = {"bars": bars, "notes": notes, "amounts": g.amount_rows(result.amounts)}
    values = {"Intact up to": "text", "95 % interval": "interval", "With everything removed": "floor"}
    return View(_survival, (result.points,), datasets, title, numbers=Numbers("bars", "name", values))


def by_construction_note(bars: g.Rows, threshold: float) -> list[str]:
    """Say what the mark means, where a bar has it."""
    is_marked = any(bar["text"].endswith(BY_CONSTRUCTION) for bar in bars)
    return [f"{BY_CONSTRUCTION} still at least {threshold} with everything removed"] if is_marked else []


def survival_rows(result: SweepResult, look: Look, bar: tuple[float, float] = BAR) -> g.Rows:
    """Return one row per point: how far it stays intact, with its interval, and the first frame that lies beyond."""
    found, rows = layers_of(result, look), []
    for row, layer in enumerate(found.every):
        low, high = layer.interval or (None, None)
        rows.append(
            {
                "pick": layer.label,
                "name": layer.title,
                "first": layer is found.selected,
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
    """Draw the bars with their layers and numbers, or where rows are too low for all, with those of the first to fall.

    The heatmap that stands beside it says what labels such as `1a` mean, and the curve above what the axis measures.
    """
    style = g.layers_axis(points, labels=False, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    x, y = g.amount_axis("end:Q", g.BLANK, room=g.NUMBER_ROOM), alt.Y("middle:Q", title="Layer", **style)
    roomy, size = g.letters_of(len(points))
    labelled = _bars().transform_filter(f"{roomy} || datum.first").encode(y=y)
    noted = g.data("notes").transform_calculate(words=f"{roomy} ? datum.note : '{FIRST_ALONE}'")
    return alt.layer(
        *survival_layers(),
        labelled.mark_text(style="note", align="right", dx=-6, fontSize=size).encode(x=alt.value(0), text="pick:N"),
        *g.haloed_text(labelled.encode(x=x, text="text:N"), dx=6, fontSize=size),
        g.below_axis(noted.encode(x=alt.value(0), text="words:N"), "left"),
    )


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
