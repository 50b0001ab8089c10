"""The layers of one result, a row each: similarity over the amounts, and how far it stays intact; one layer as a curve.

In each row a strip of cells is coloured by the layer's similarity to itself before pruning, and a bar below it ends
where the layer falls. Both share the axis of amounts with the curve of the selected layer. A row of data with `pick`
can be clicked; it names the point that is then selected.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from core.charts.grammar import (
    ALONE_COLOUR,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    amount_rows,
    beyond_rows,
    beyond_shade,
    beyond_words,
    capitalised,
    current_amount_marker,
    current_amount_rule,
    haloed_text,
    on_show,
    rounded,
    share_axis,
    two_places,
)
from core.charts.layout import Layout
from core.charts.overview import player_frames
from core.charts.strips import (
    AMOUNTS_SHOWN,
    EVERYTHING,
    WORDS_GAP,
    cell,
    cell_rows,
    edges,
    hatches,
    layers_axis,
    strip_layers,
    worded_axis,
)
from core.charts.survival import by_construction_note, survival_layers, survival_rows
from core.charts.view import Numbers, Scene, View
from core.findings.accuracy import beyond_from
from core.findings.layers import title_finding
from core.findings.survival import floor_of, layer_survivals, own_similarity
from core.findings.yardstick import OTHER_SEEDS, Yardstick
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, amount_name, decimals, in_sentence, origins, point_names, units_name
from core.results.schema import SweepResult

BESIDE = (0.7, 0.2)  # heights of the numbers beside strip and bar, apart enough for low rows
STRIP, BAR = (0.38, 0.94), (0.12, 0.26)  # bottom and top of the cells and of the bar, in a layer's row
FLOOR_GAP = 0.008  # between the last amount's cell and the floor's
BROKEN = "beyond its range"  # in which the model works, where the shade is as narrow as on a telephone
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, TALLEST = 1.75, 6.0, 36.0  # in rem: the least of a row, of title and axis, the most
CURVE_DOMAIN = (-0.05, 1.12)  # of similarity; above 1 is room for the number at the marker
LETTER = "margin / 3.3"  # the height of letters in pixels
WORD_GAP = 0.1  # between two words beside the curve, in units of similarity


def layer_scene(
    result: SweepResult,
    reduction: str,
    chosen: PointLabel,
    threshold: float = SURVIVAL_THRESHOLD,
    controls: Sequence[SweepResult] = (),
    isolated: Mapping[int, SweepResult] | None = None,
    measure: str = "cka",
    twins: Yardstick | None = None,
) -> Scene:
    """Show every layer in a row, and the selected one as a curve.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the selected point.
        threshold: The similarity that a layer must keep to be intact.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.
        isolated: Each layer pruned alone, by layer counted from 1, see `core.findings.comparable.isolated_of`.
        measure: What similarity is measured by.
        twins: How similar seed twins are, see `core.findings.yardstick`.

    Returns:
        The pictures `rows` and `curve`; the title is the finding.
    """
    names, removed = point_names(result.points), units_name(result)
    k = [name.label for name in names].index(chosen)
    shared = {"amounts": amount_rows(result.amounts), "beyond": beyond_rows(beyond_from(result), text=BROKEN)}
    cells = cell_rows(result, own_similarity(result, reduction, measure), STRIP)
    bars = survival_rows(result, reduction, threshold, measure, BAR)
    rows = {
        **shared,
        "strips": _strip_rows(result, reduction, chosen, threshold, measure, bars),
        "cells": cells,
        "hatches": hatches(cells),
        "floors": _floor_rows(result, reduction, measure),
        "bars": bars,
    }
    seeds = [row for control in controls for row in _curve_rows(control, reduction, measure, k)]
    twin_rows = _twin_rows(twins, k)
    floor = floor_of(result, reduction, measure)
    curve = {
        **shared,
        "own": _curve_rows(result, reduction, measure, k),
        "seeds": seeds,
        "alone": _alone_rows(result.points[k], reduction, isolated or {}, measure),
        "lines": _line_rows(threshold, floor[k] if floor else None, seeds, twin_rows),
        "twins": twin_rows,
    }
    quantity = "Similarity (CKA)" if measure == "cka" else MEASURES[measure].symbol
    title = [f"{quantity} of each layer with itself, unpruned; bars end where it falls below {threshold}"]
    if any(bar["by_construction"] for bar in bars):
        title += by_construction_note(result, threshold, measure)
    views = {
        "rows": View(
            _rows,
            (result.points, measure, removed),
            rows,
            title,
            numbers=Numbers("strips", "pick", {"Similarity": "v", "Intact up to": "intact"}, named="Layer"),
            picks="strips",
        ),
        "curve": View(
            _curve,
            (measure, removed),
            curve,
            f"{names[k].title}: {in_sentence(quantity)} with itself, unpruned",
            numbers=Numbers("own", None, {"Similarity": "text"}),
        ),
    }
    heading = title_finding(result, reduction, threshold, measure)
    return Scene(heading, origins((result,), reduction), views, player_frames(result), layer_layout(len(names)))


def layer_layout(rows: int) -> Layout:
    """Place the rows beside the curve, or above it on a telephone, and give each row the height that it needs."""
    lowest = f"{ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS}rem"
    return Layout(
        "layers",
        wide=f"""
            "rows curve" clamp({lowest}, 52vh, {max(ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS, TALLEST)}rem)
            "bar bar" auto / minmax(0, 3fr) minmax(0, 2fr)""",
        narrow=f"""
            "rows" max({lowest}, 21rem)
            "bar" auto
            "curve" 17rem / minmax(0, 1fr)""",
    )


def layer_of(point: str) -> int:
    """Return the layer of a point such as `layer.0.attention`, counted from 0."""
    return int(point.split(".")[1])


def is_output(point: str) -> bool:
    """Whether a point is a layer's output, which reflects all of its weights."""
    return point.endswith(".output")


# ---------------------------------------------------------------- data of the rows


def _strip_rows(
    result: SweepResult, reduction: str, chosen: PointLabel, threshold: float, measure: str, bars: Rows
) -> Rows:
    """Return one row per point: its place, and the numbers beside it: similarity at every frame, and its bar's end."""
    own = own_similarity(result, reduction, measure).T.tolist()  # (points, frames)
    layers = layer_survivals(result, reduction, threshold, measure)
    return [
        {
            "pick": layer.label,
            "name": f"{layer.title}, intact up to {layer.text}",
            "chosen": layer.label == chosen,
            "y": row,
            "y2": row + 1,
            "v": [two_places(_known(value)) for value in values],
            "intact": bar["text"],
        }
        for row, (layer, values, bar) in enumerate(zip(layers, own, bars, strict=True))
    ]


def _floor_rows(result: SweepResult, reduction: str, measure: str) -> Rows:
    """Return one row per point whose floor is known: its cell at the end of the axis, apart from the others."""
    place = (max(EVERYTHING[0], edges(result.amounts)[-1]) + FLOOR_GAP, EVERYTHING[1])
    floor = floor_of(result, reduction, measure) or (None,) * len(result.points)
    return [
        {**cell(name.label, name.title, value, place, row, STRIP), "amount": "everything"}
        for row, (name, value) in enumerate(zip(point_names(result.points), floor, strict=True))
        if value is not None
    ]


# ---------------------------------------------------------------- data of the curve


def _curve_rows(result: SweepResult, reduction: str, measure: str, point: int) -> Rows:
    """Return one row per amount: a point's similarity, with its interval where it is known."""
    values = own_similarity(result, reduction, measure)[:, point].tolist()
    known = result.statistics_of(reduction, measure)
    intervals = [row[point] for row in known.own] if known and known.own else [None] * len(values)
    return [
        {
            "k": k,
            "series": result.pruning.seed,
            "amount": amount,
            "removed": amount_name(amount),
            "value": rounded(_known(value)),
            "text": two_places(_known(value)),
            "low": interval and rounded(interval[0]),
            "high": interval and rounded(interval[1]),
            "interval": f"{decimals(interval[0], 2)} to {decimals(interval[1], 2)}" if interval else "unknown",
        }
        for k, (amount, value, interval) in enumerate(zip(result.amounts, values, intervals, strict=True))
    ]


def _alone_rows(point: str, reduction: str, isolated: Mapping[int, SweepResult], measure: str) -> Rows:
    """Return one row per amount at which a point's layer was pruned alone, where the point is its output."""
    alone = isolated.get(layer_of(point) + 1) if is_output(point) else None
    if alone is None:
        return []
    return [row for row in _curve_rows(alone, reduction, measure, alone.points.index(point)) if row["amount"]]


def _line_rows(threshold: float, floor: float | None, seeds: Rows, twins: Rows) -> Rows:
    """Return one row per line or band that is named beside it, with the height of its words, which keep apart."""
    drawn = [(row["amount"], row["value"]) for row in seeds if row["value"] is not None]
    levels = {
        "threshold": threshold,
        "floor": floor,
        "seeds": max(drawn)[1] if drawn else None,
        "twins": (min(row["low"] for row in twins) + max(row["high"] for row in twins)) / 2 if twins else None,
    }
    words = {"threshold": f"intact: {threshold}", "floor": "all removed", "seeds": "at random", "twins": OTHER_SEEDS}
    known = sorted((value, role) for role, value in levels.items() if value is not None)
    heights: list[float] = []
    for value, _ in known:
        heights.append(max(value, heights[-1] + WORD_GAP) if heights else max(value, 0.0))
    above = max(heights[-1] - 1, 0.0)  # there is no room
    return [
        {"role": role, "value": rounded(value), "text": words[role], "at": rounded(height - above)}
        for (value, role), height in zip(known, heights, strict=True)
    ]


def _twin_rows(twins: Yardstick | None, point: int) -> Rows:
    """Return the range of a point's similarity between seed twins; with too few for one, a line a pair."""
    ranges = twins.ranges(point) if twins else []
    return [
        {"low": rounded(low), "high": rounded(high), "text": "between twins of other seeds"} for low, high in ranges
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


# ---------------------------------------------------------------- drawings


def _rows(points: tuple[str, ...], measure: str, removed: str) -> LayerChart:
    """Draw the rows: strip, floor, bar and numbers; the selected row is tinted."""

    def x(field: str) -> alt.X:
        return worded_axis(field, removed)

    def y(field: str) -> alt.Y:
        return layers_axis(field, points, sum(STRIP) / 2)

    strips, floors = (alt.Chart(alt.NamedData(name)) for name in ("strips", "floors"))
    title = f"{capitalised(removed)} removed"
    told = [alt.Tooltip("amount:N", title=title), alt.Tooltip("changed:N", title="Predictions changed")]
    *bar, marker = survival_layers(x, y, cursor="pointer")
    lines = f"(height / {len(points)} / ({LETTER}))"  # of text, for which a row has room
    numbers = (
        strips.transform_filter(f"{lines} >= 2").transform_calculate(
            text="datum.v[frame]", middle=f"datum.y + {BESIDE[0]}"
        ),
        strips.transform_filter(f"{lines} >= 1").transform_calculate(
            text="datum.intact", middle=f"datum.y + ({lines} >= 2 ? {BESIDE[1]} : 0.5)"
        ),
    )
    return alt.layer(
        strips.mark_rect(style="band", cursor="pointer").encode(
            y=y("y:Q"), y2="y2:Q", opacity=alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
        ),
        beyond_shade("beyond", x("start:Q"), AMOUNTS_SHOWN[1]),
        *strip_layers("cells", "hatches", x("x:Q"), y("y:Q"), measure, told),
        strip_layers("floors", "hatches", x("x:Q"), y("y:Q"), measure, told[:1])[0],
        floors.mark_rect(style="floor", filled=False).encode(x=x("x:Q"), x2="x2:Q", y=y("y:Q"), y2="y2:Q"),
        *bar,
        marker.mark_rule(style="halo", strokeWidth=4),
        marker,
        *(
            number.mark_text(style="note", align="left", baseline="middle", dx=WORDS_GAP, cursor="pointer").encode(
                x=alt.datum(AMOUNTS_SHOWN[1]), y=y("middle:Q"), text="text:N"
            )
            for number in numbers
        ),
    )


def _curve(measure: str, removed: str) -> LayerChart:
    """Draw the selected layer's similarity with its interval, its control and its floor, over the amounts."""
    symbol, end = MEASURES[measure].symbol, AMOUNTS_SHOWN[1]
    x, y = worded_axis("amount:Q", removed), share_axis("value:Q", symbol, CURVE_DOMAIN)
    own, seeds, alone = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("own", "seeds", "alone"))
    lines = alt.Chart(alt.NamedData("lines"))
    amount = alt.Tooltip("removed:N", title=f"{capitalised(removed)} removed")
    words = [alt.Tooltip("text:N", title=symbol), alt.Tooltip("interval:N", title="95 % interval")]

    def level(role: str, style: str) -> alt.Chart:
        chosen = lines.transform_filter(f"datum.role === '{role}'").mark_rule(style=style)
        chart: alt.Chart = chosen.encode(x=alt.datum(AMOUNTS_SHOWN[0]), x2=alt.datum(end), y=y)
        return chart

    return alt.layer(
        beyond_shade("beyond", worded_axis("start:Q", removed), end),
        alt.Chart(alt.NamedData("twins"))
        .mark_rect(color=ALONE_COLOUR, opacity=0.25, stroke=ALONE_COLOUR, tooltip={"content": "encoding"})
        .encode(
            x=alt.datum(AMOUNTS_SHOWN[0]),
            x2=alt.datum(end),
            y=alt.Y("low:Q"),
            y2="high:Q",
            tooltip=[
                alt.Tooltip("text:N", title="Similarity"),
                alt.Tooltip("low:Q", format=".2f", title="From"),
                alt.Tooltip("high:Q", format=".2f", title="To"),
            ],
        ),
        own.transform_filter("isValid(datum.low)").mark_area(style="band").encode(y=alt.Y("low:Q"), y2="high:Q"),
        level("threshold", "reference"),
        level("floor", "floor"),
        seeds.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1, opacity=0.8).encode(detail="series:N"),
        own.mark_line(style="series"),
        current_amount_rule(x),
        *beyond_words("beyond", alt.datum(CURVE_DOMAIN[1]), end),
        *haloed_text(lines.encode(x=alt.datum(end), y=alt.Y("at:Q"), text="text:N"), baseline="middle", dx=WORDS_GAP),
        alone.mark_point(shape="diamond", size=60, strokeWidth=1.75, color=ALONE_COLOUR, opacity=1).encode(
            tooltip=[amount, alt.Tooltip("text:N", title=f"{symbol}, pruned alone")]
        ),
        current_amount_marker(own),
        *haloed_text(on_show(own).encode(text="text:N"), dx=8, dy=-10),
        own.mark_point(opacity=0, size=200).encode(tooltip=[amount, *words]),
    )
