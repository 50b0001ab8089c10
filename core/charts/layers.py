"""The layers of one result, a row each: similarity over the amounts, and how far it stays intact; one layer as a curve.

In each row a strip of cells is coloured by the layer's similarity to itself before pruning, and a bar below it ends
where the layer falls: it fades once the amount has passed its end. Both share the axis of amounts with the curve of the
selected layer. A row of data with `pick` can be clicked, which selects the point of that label.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt

from core.charts import grammar as g
from core.charts.result import player_frames
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.accuracy import beyond_from
from core.findings.layers import floor_of, interval_text, layers_of, own_similarity
from core.findings.words.layers import layers_heading
from core.findings.words.numbers import decimals, percent, two_places
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results import names as n
from core.results.schema import SweepResult

AMOUNTS_SHOWN = (-0.03, 1.05)  # the axis's ends
EVERYTHING_END = 1.025  # of the cell that stands for everything removed
FLOOR_GAP = 0.008  # between the last amount's cell and that one
WORDS_ROOM = 1.9  # for numbers and words to the right of the axis, in margins
WORDS_GAP = 6  # pixels between the axis and these
STRIP, BAR = (0.38, 0.94), (0.12, 0.26)  # bottom and top of the cells and of the bar, in a layer's row
BESIDE = (0.7, 0.2)  # heights of the numbers beside strip and bar, apart enough for low rows
BY_CONSTRUCTION = "*"  # after a number: a layer that stays above the threshold with everything removed
COLUMN = "Intact up to"  # above the numbers beside the bars
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, USUAL_HEIGHT = 1.75, 6.0, 26  # in rem: the least of a row, of title and axis, of all
DOMAIN = (-0.05, 1.12)  # of similarity; above 1 is room for a number
WORD_GAP = 0.1  # between two words beside the curve, in units of similarity


def layer_scene(
    result: SweepResult, reduction: str, chosen: n.PointLabel, controls: Sequence[SweepResult] = ()
) -> Scene:
    """Show every layer in a row, and the selected one as a curve.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the selected point.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.

    Returns:
        The pictures `rows` and `curve`; the title is the finding.
    """
    names, removed = n.point_names(result.points), f"{n.capitalised(n.units_name(result))} removed"
    point = [name.label for name in names].index(chosen)
    floor = floor_of(result, reduction)
    shared = {"amounts": g.amount_rows(result.amounts), "beyond": g.beyond_rows(beyond_from(result))}
    strips = _strip_rows(result, reduction, chosen)
    rows = {
        **shared,
        "strips": strips,
        "cells": _cell_rows(result, reduction),
        "floors": _floor_rows(result, reduction),
    }
    seeds = [row for control in controls for row in _curve_rows(control, reduction, point)]
    curve = {
        **shared,
        "own": _curve_rows(result, reduction, point),
        "seeds": seeds,
        "lines": _line_rows(floor[point] if floor else None, seeds),
    }
    title = [
        "How much each layer still resembles its unpruned self: similarity (CKA); "
        f"bars end where it falls below {SURVIVAL_THRESHOLD}"
    ]
    if any(layer.by_construction for layer in every):
        title.append(f"{BY_CONSTRUCTION} still at least {SURVIVAL_THRESHOLD} with everything removed")
    numbers = Numbers("strips", "pick", {"Similarity": "v", "Intact up to": "intact"}, named="Layer")
    shade = f"; shaded: {g.BEYOND}" if shared["beyond"] else ""
    name = f"{names[point].title}: similarity (CKA) to its unpruned self{shade}"
    views = {
        "rows": View(_rows, (result.points, removed), rows, title, numbers, picks="strips"),
        "curve": View(_curve, (removed,), curve, name, Numbers("own", None, {"Similarity": "text"})),
    }
    heading, origins = layers_heading(result, reduction), n.origins((result,), reduction)
    return Scene(heading, origins, views, player_frames(result), _layout(len(names)))


def _layout(rows: int) -> Layout:
    """Place the rows beside the curve, or above it on a telephone, and give each row the height that it needs."""
    lowest = ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS
    height = f"{lowest}rem" if lowest > USUAL_HEIGHT else str(USUAL_HEIGHT)
    return Layout(
        "layers",
        wide=f'"rows curve" {height} "bar bar" auto / 3fr 2fr',
        narrow=f'"rows" {max(lowest, 21)}rem "bar" auto "curve" 17rem / 1fr',
    )


# ---------------------------------------------------------------- data of the rows


def _strip_rows(result: SweepResult, reduction: str, chosen: n.PointLabel) -> g.Rows:
    """Return one row per point: how far it stays intact."""
    return [
        {
            "pick": layer.label,
            "name": f"{layer.title}, intact up to {layer.text}" if layer.is_defined else layer.title,
            "title": layer.title,
            "chosen": layer.label == chosen,
            "y": row,
            "y2": row + 1,
            "v": list(map(two_places, layer.own)),
            "intact": f"{layer.text} {BY_CONSTRUCTION}" if layer.by_construction else layer.text,
            "survival": g.rounded(layer.value),
            **g.interval_fields(layer.interval),
            "interval": interval_text(layer.interval, result.amounts[-1]),
            "floor": "unknown" if layer.floor is None else decimals(layer.floor, 2),
            "ends": sum(amount <= layer.value for amount in result.amounts),  # the first frame beyond
        }
        for row, layer in enumerate(layers_of(result, reduction).every)
    ]


def _cell_rows(result: SweepResult, reduction: str) -> g.Rows:
    """Return one row per point and amount: the place of its cell, its value, and the words of its tooltip."""
    own, ends = own_similarity(result, reduction), list(pairwise(g.edges(result.amounts)))
    return [
        {
            **_cell(name, own[k, row], ends[k], row),
            "amount": n.amount_name(frame.amount),
            "removed": percent(frame.layer_sparsity[n.layer_number(name.label) - 1]),
            "changed": "not measured" if frame.changed is None else percent(frame.changed.share),
        }
        for row, name in enumerate(n.point_names(result.points))
        for k, frame in enumerate(result.frames)
    ]


def _floor_rows(result: SweepResult, reduction: str) -> g.Rows:
    """Return one cell per point for everything removed, at the end of the axis, apart from the others."""
    start = max(g.LAST_EDGE, g.edges(result.amounts)[-1]) + FLOOR_GAP
    values = zip(n.point_names(result.points), floor_of(result, reduction) or (), strict=False)
    return [
        {**_cell(name, value, (start, EVERYTHING_END), row), "amount": "everything"}
        for row, (name, value) in enumerate(values)
        if value is not None
    ]


def _cell(name: n.PointName, value: float, ends: tuple[float, float], row: int) -> dict[str, Any]:
    """Return one cell of a strip; its value is null where similarity is undefined."""
    place = {"x": ends[0], "x2": ends[1], "y": row + STRIP[0], "y2": row + STRIP[1]}
    return {**place, "pick": name.label, "name": name.title, "value": g.rounded(value), "text": two_places(value)}


# ---------------------------------------------------------------- data of the curve


def _curve_rows(result: SweepResult, reduction: str, point: int) -> g.Rows:
    """Return one row per amount: a point's similarity, with its interval if known."""
    statistics, values = result.statistics_of(reduction), own_similarity(result, reduction)[:, point]
    return [
        {
            "k": k,
            "series": result.pruning.seed,
            "amount": amount,
            "removed": n.amount_name(amount),
            "value": g.rounded(values[k]),
            "text": two_places(values[k]),
            **g.interval_fields(statistics.own[k][point] if statistics and statistics.own else None),
        }
        for k, amount in enumerate(result.amounts)
    ]


def _line_rows(floor: float | None, seeds: g.Rows) -> g.Rows:
    """Return one row per line that is named beside it, with its end and the height of its words."""
    last = max(((row["amount"], row["value"]) for row in seeds if row["value"] is not None), default=(0.0, None))
    lines = {  # by their roles
        "threshold": (SURVIVAL_THRESHOLD, f"intact: {SURVIVAL_THRESHOLD}"),
        "floor": (floor, "all removed"),
        "seeds": (last[1], "at random"),
    }
    ascending = sorted((value, role, words) for role, (value, words) in lines.items() if value is not None)
    heights = g.spread((value for value, *_ in ascending), WORD_GAP)
    return [
        {
            "role": role,
            "value": g.rounded(value),
            "end": last[0] if role == "seeds" else AMOUNTS_SHOWN[1],
            "text": words,
            "at": g.rounded(height),
        }
        for (value, role, words), height in zip(ascending, heights, strict=True)
    ]


# ---------------------------------------------------------------- drawings


def _axis(removed: str) -> alt.X:
    """Return the axis of amounts with room for words on its right."""
    return g.amount_axis(title=removed, ends=AMOUNTS_SHOWN, room=WORDS_ROOM, domain=False)


def _strips(dataset: str, fields: dict[str, str]) -> list[alt.Chart]:
    """Draw cells with a tooltip of these fields, by their titles, and strokes over each that is undefined."""
    cells = g.data(dataset).encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    tooltip = g.tooltip({"Layer": "name:N", **fields, "Similarity": "text:N"})
    filled = cells.mark_rect(invalid="show", cursor="pointer")
    return [filled.encode(color=g.similarity_colour(), tooltip=tooltip), *g.hatching(cells)]


def _rows(points: tuple[str, ...], removed: str) -> g.LayerChart:
    """Draw the rows: strip, floor, bar and numbers; the selected row is tinted."""
    end, marker, strips = AMOUNTS_SHOWN[1], g.current_amount_rule(), g.data("strips")
    fit, size = g.letters_of(len(points))
    two = f"(height / {len(points)} >= 2 * {g.LETTER})"  # whether a row has room for two lines of text
    style = g.layers_axis(points, size=size, labelPadding=WORDS_GAP, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    y = alt.Y("y:Q", title=" ".join(("Layer", *g.labels_note(points))), **style)
    tinted = alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
    bright = alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35))
    rows = strips.transform_calculate(
        bottom=f"datum.y + {BAR[0]}", top=f"datum.y + {BAR[1]}", middle=f"datum.y + {sum(BAR) / 2}"
    )
    bars = rows.transform_filter("isValid(datum.survival)").encode(y="bottom:Q", y2="top:Q")
    intervals = rows.transform_filter("isValid(datum.low)").encode(x="low:Q", x2="high:Q", y="middle:Q")
    fields = {"Stays intact up to": "intact:N", "95 % interval": "interval:N"}
    tooltip = g.tooltip({"Layer": "title:N", **fields, "Similarity with everything removed": "floor:N"})
    floors = g.data("floors").mark_rect(style="floor", filled=False).encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    shares = {removed: "amount:N", "This layer's weights removed": "removed:N", "Predictions changed": "changed:N"}
    places = ((two, "datum.v[frame]", f"{BESIDE[0]}"), (fit, "datum.intact", f"({two} ? {BESIDE[1]} : 0.5)"))
    above = alt.ExprRef(f"-3 - ({two} ? 1.2 * {g.LETTER} : 0)")
    return alt.layer(
        strips.mark_rect(style="band", cursor="pointer").encode(y=y, y2="y2:Q", opacity=tinted),
        g.beyond_shade(end),
        *_strips("cells", shares),
        _strips("floors", {removed: "amount:N"})[0],
        floors,
        bars.mark_rect(style="bar", cursor="pointer").encode(
            x="survival:Q", x2=alt.datum(0), opacity=bright, tooltip=tooltip
        ),
        intervals.mark_rule(style="halo", strokeWidth=4),
        intervals.mark_rule(style="current", strokeWidth=2),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker.encode(x=_axis(removed)),
        *(
            strips.transform_filter(has_room)
            .transform_calculate(text=text, middle=f"datum.y + {height}")
            .mark_text(style="note", align="left", dx=WORDS_GAP, cursor="pointer", fontSize=size)
            .encode(x=alt.datum(end), y="middle:Q", text="text:N")
            for has_room, text, height in places
        ),
        strips.transform_filter(f"datum.y2 === {len(points)}")
        .transform_calculate(text=f"{two} ? 'Similarity\\n{COLUMN}' : '{COLUMN}'")
        .mark_text(style="note", align="left", baseline="bottom", lineBreak="\n", dx=WORDS_GAP, dy=above)
        .encode(x=alt.datum(end), y="y2:Q", text="text:N"),
    )


def _curve(removed: str) -> g.LayerChart:
    """Draw the selected layer's similarity with its interval, its control and its floor, over the amounts."""
    start, end = AMOUNTS_SHOWN
    x, y = _axis(removed), g.share_axis("value:Q", "Similarity", DOMAIN)
    own, seeds = (g.data(name).encode(x=x, y=y) for name in ("own", "seeds"))
    across = {"x": alt.datum(start), "x2": alt.datum(end)}
    tooltip = g.tooltip({removed: "removed:N", "Similarity": "text:N", "95 % interval": "interval:N"})
    threshold, floor = (
        g.data("lines").transform_filter(f"datum.role === '{role}'").encode(y="value:Q", **across)
        for role in ("threshold", "floor")
    )
    names = g.data("lines").encode(x=alt.datum(end), y="at:Q", text="text:N")
    leaders = g.data("lines").encode(x="end:Q", x2=alt.datum(end), y="value:Q", y2="at:Q")
    return alt.layer(
        g.beyond_shade(end),
        own.transform_filter("isValid(datum.low)").mark_area(style="band").encode(y="low:Q", y2="high:Q"),
        threshold.mark_rule(style="reference"),
        floor.mark_rule(style="floor"),
        seeds.mark_line(style="chance", opacity=0.8).encode(detail="series:N"),
        own.mark_line(style="series"),
        g.current_amount_rule(),
        leaders.mark_rule(style="chance", strokeDash=[1, 4], x2Offset=2 * WORDS_GAP),
        *g.haloed_text(names, baseline="middle", dx=2 * WORDS_GAP + 3),
        g.current_amount_marker(own),
        *g.haloed_text(g.at_frame(own).encode(text="text:N"), dx=8, dy=-10),
        own.mark_point(opacity=0, size=200).encode(tooltip=tooltip),
    )
