"""The layers of one result, a row each: similarity over the amounts, and how far it stays intact; one layer as a curve.

In each row a strip of cells is coloured by the layer's similarity to itself before pruning, and a bar below it ends
where the layer falls: it fades once the amount has passed its end. Both share the axis of amounts with the curve of the
selected layer. A row of data with `pick` can be clicked, which selects the point of that label.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt

from core.charts import grammar as g
from core.charts.accuracy import changed_words
from core.charts.result import player_frames
from core.charts.stack import TITLE
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.accuracy import beyond_from
from core.findings.layers import floor_of, layers_of, own_similarity
from core.findings.words.layers import (
    interval_text,
    layers_heading,
    survival_text,
)
from core.findings.words.numbers import percent, two_places
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results import names as n
from core.results.schema import SweepResult

AMOUNTS_SHOWN = (-0.03, 1.05)  # the axis's ends
EVERYTHING = "everything"  # the amount of the last cell, whose value is the floor
FLOOR_GAP, FLOOR_END = (
    0.008,
    1.025,
)  # between the last amount's cell and that one, and where it ends
WORDS_ROOM = 1.9  # for numbers and words to the right of the axis, in margins
WORDS_GAP = 6  # pixels between the axis and these
STRIP, BAR = (
    (0.38, 0.94),
    (0.12, 0.26),
)  # bottom and top of the cells and of the bar, in a layer's row
BESIDE = (
    0.7,
    0.2,
)  # heights of the numbers beside strip and bar, apart enough for low rows
COLUMN = "Intact up to"  # above the numbers beside the bars
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, USUAL_HEIGHT = (
    1.75,
    6.0,
    26,
)  # in rem: the least of a row, of title and axis, of all
DOMAIN = (-0.05, 1.12)  # of similarity; above 1 is room for a number


def layer_scene(
    result: SweepResult,
    reduction: str,
    chosen: n.PointLabel,
    controls: Sequence[SweepResult] = (),
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
    names = n.point_names(result.points)
    removed = f"{n.capitalised(n.units_name(result))} removed"
    point = [name.label for name in names].index(chosen)
    floor = (floor_of(result, reduction) or [None] * len(names))[point]
    shared = {
        "amounts": g.amount_rows(result.amounts),
        "beyond": g.beyond_rows(beyond_from(result)),
    }
    strips = _strip_rows(result, reduction, chosen)
    cells = _cell_rows(result, reduction)
    rows = {**shared, "strips": strips, "cells": cells}
    has_holes = any(cell["value"] is None for cell in cells)
    counts = Counter(amount for seed in controls for amount in seed.amounts)
    by_most = {amount for amount, count in counts.items() if 2 * count >= len(controls)}
    curve = {
        **shared,
        "own": _curve_rows(result, reduction, point),
        "seeds": [
            row
            for seed in controls
            for row in _curve_rows(seed, reduction, point)
            if row["amount"] in by_most
        ],
        "floor": [] if floor is None else [{"value": floor}],
    }
    title = f"{TITLE}: similarity (CKA); bars end where it falls below {SURVIVAL_THRESHOLD}"
    numbers = Numbers(
        "strips",
        "pick",
        {"Similarity": "v", "Intact up to": "intact"},
        named="Layer",
    )
    key = {
        f"dashed: intact from {SURVIVAL_THRESHOLD}": True,
        "dotted: everything removed": floor is not None,
        "grey: random removal, all draws": controls,
        g.SHADED: shared["beyond"],
    }
    words = [
        f"{names[point].title}: its similarity (CKA)",
        "; ".join(line for line, is_drawn in key.items() if is_drawn),
    ]
    views = {
        "rows": View(
            _rows,
            (result.points, removed, has_holes),
            rows,
            title,
            numbers,
            picks="strips",
        ),
        "curve": View(
            _curve,
            (removed,),
            curve,
            words,
            Numbers("own", None, {"Similarity": "value"}),
        ),
    }
    heading = layers_heading(result, reduction)
    origins = n.origins((result,), reduction)
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
            "name": f"{layer.title}, intact up to {survival_text(layer)}"
            if layer.is_defined
            else layer.title,
            "title": layer.title,
            "chosen": layer.label == chosen,
            "y": row,
            "y2": row + 1,
            "v": list(map(two_places, layer.own)),
            "intact": survival_text(layer),
            "survival": g.rounded(layer.value),
            **g.interval_fields(layer.interval),
            "interval": interval_text(layer.interval, result.amounts[-1]),
            "ends": sum(
                amount <= layer.value for amount in result.amounts
            ),  # the first frame beyond
        }
        for row, layer in enumerate(layers_of(result, reduction).every)
    ]


def _cell_rows(result: SweepResult, reduction: str) -> g.Rows:
    """Return one row per point and amount, and one for everything removed: a cell's place, value, and tooltip."""
    own = own_similarity(result, reduction)
    ends = list(pairwise(g.edges(result.amounts)))
    floor = floor_of(result, reduction) or (None,) * len(result.points)
    rows: g.Rows = []
    for row, name in enumerate(n.point_names(result.points)):
        place = {
            "pick": name.label,
            "name": name.title,
            "y": row + STRIP[0],
            "y2": row + STRIP[1],
        }
        for k, frame in enumerate(result.frames):
            words = {
                "amount": n.amount_name(frame.amount),
                "removed": percent(
                    frame.layer_sparsity[row * len(frame.layer_sparsity) // len(own[0])]
                ),
                "changed": changed_words(frame),
            }
            rows.append({**place, **words, **_cell(own[k, row], ends[k])})
        if (left := floor[row]) is not None:
            words = {"amount": EVERYTHING, "removed": "", "changed": ""}
            beyond = max(g.LAST_EDGE, ends[-1][1]) + FLOOR_GAP, FLOOR_END
            rows.append({**place, **words, "is_floor": True, **_cell(left, beyond)})
    return rows


def _cell(value: float, ends: tuple[float, float]) -> dict[str, Any]:
    """Return the value of a cell, null where similarity is undefined, and its ends."""
    return {"value": g.rounded(value), "x": ends[0], "x2": ends[1]}


# ---------------------------------------------------------------- data of the curve


def _curve_rows(result: SweepResult, reduction: str, point: int) -> g.Rows:
    """Return one row per amount: a point's similarity, with its interval if known."""
    statistics = result.statistics_of(reduction)
    values = own_similarity(result, reduction)[:, point]
    return [
        {
            "k": k,
            "series": result.pruning.seed,
            "amount": amount,
            "removed": n.amount_name(amount),
            "value": g.rounded(values[k]),
            **g.interval_fields(
                statistics.own[k][point] if statistics and statistics.own else None
            ),
        }
        for k, amount in enumerate(result.amounts)
    ]


# ---------------------------------------------------------------- drawings


def _rows(points: tuple[str, ...], removed: str, has_holes: bool) -> g.LayerChart:
    """Draw the rows: strip, floor, bar and numbers; the selected row is tinted."""
    end = AMOUNTS_SHOWN[1]
    marker = g.current_amount_rule()
    strips = g.data("strips")
    fit, size = g.letters_of(len(points))
    two = f"(height / {len(points)} >= 2 * {g.LETTER})"  # whether a row has room for two lines of text
    y = alt.Y(
        "y:Q",
        title=" ".join(("Layer", *g.labels_note(points))),
        **g.layers_axis(points, room=g.MARGIN),
    )
    tinted = alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
    bright = alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35))
    rows = strips.transform_calculate(
        bottom=f"datum.y + {BAR[0]}",
        top=f"datum.y + {BAR[1]}",
        middle=f"datum.y + {sum(BAR) / 2}",
    )
    bars = rows.transform_filter("isValid(datum.survival)").encode(y="bottom:Q", y2="top:Q")
    intervals = rows.transform_filter("isValid(datum.low)").encode(
        x="low:Q", x2="high:Q", y="middle:Q"
    )
    tooltip = g.tooltip(
        {
            "Layer": "title:N",
            "Stays intact up to": "intact:N",
            "95 % interval": "interval:N",
        }
    )
    cells = g.data("cells").transform_calculate(text=g.value_text("datum.value"))
    cells = cells.encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    shares = {
        removed: "amount:N",
        "This layer's weights removed": "removed:N",
        "Predictions changed": "changed:N",
    }
    similarity = g.tooltip({"Layer": "name:N", **shares, "Similarity": "text:N"})
    places = (
        (two, "datum.v[frame]", f"{BESIDE[0]}"),
        (fit, "datum.intact", f"({two} ? {BESIDE[1]} : 0.5)"),
    )
    above = alt.ExprRef(f"-3 - ({two} ? 1.2 * {g.LETTER} : 0)")
    return alt.layer(
        strips.mark_rect(style="band", cursor="pointer").encode(y=y, y2="y2:Q", opacity=tinted),
        g.beyond_shade(end),
        cells.mark_rect(invalid="show", cursor="pointer").encode(
            color=g.similarity_colour(), tooltip=similarity
        ),
        *(g.hatching(cells) if has_holes else ()),
        cells.transform_filter("datum.is_floor").mark_rect(style="floor", filled=False),
        bars.mark_rect(style="bar", cursor="pointer").encode(
            x="survival:Q", x2=alt.datum(0), opacity=bright, tooltip=tooltip
        ),
        intervals.mark_rule(style="halo", strokeWidth=4),
        intervals.mark_rule(style="current", strokeWidth=2),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker.encode(
            x=g.amount_axis(title=removed, ends=AMOUNTS_SHOWN, room=WORDS_ROOM, domain=False)
        ),
        *(
            strips.transform_filter(has_room)
            .transform_calculate(text=text, middle=f"datum.y + {height}")
            .mark_text(
                style="note",
                align="left",
                dx=WORDS_GAP,
                cursor="pointer",
                fontSize=size,
            )
            .encode(x=alt.datum(end), y="middle:Q", text="text:N")
            for has_room, text, height in places
        ),
        strips.transform_filter(f"{fit} && datum.y2 === {len(points)}")
        .transform_calculate(text=f"{two} ? 'Similarity\\n{COLUMN}' : '{COLUMN}'")
        .mark_text(
            style="note",
            align="left",
            baseline="bottom",
            lineBreak="\n",
            dx=WORDS_GAP,
            dy=above,
        )
        .encode(x=alt.datum(end), y="y2:Q", text="text:N"),
    )


def _curve(removed: str) -> g.LayerChart:
    """Draw the selected layer's similarity with its interval, its control and its floor, over the amounts."""
    x = g.amount_axis(title=removed)
    y = g.share_axis("value:Q", "Similarity", DOMAIN)
    text = g.value_text("datum.value")
    own, seeds = (
        g.data(name).transform_calculate(text=text).encode(x=x, y=y) for name in ("own", "seeds")
    )
    fields = {
        removed: "removed:N",
        "Similarity": "text:N",
        "95 % interval": "interval:N",
    }
    return alt.layer(
        g.beyond_shade(g.AMOUNT_DOMAIN[1]),
        own.transform_filter("isValid(datum.low)")
        .mark_area(style="band")
        .encode(y="low:Q", y2="high:Q"),
        g.at_frame(g.data("amounts"))
        .mark_rule(style="reference")
        .encode(y=alt.datum(SURVIVAL_THRESHOLD)),
        g.data("floor").mark_rule(style="floor").encode(y="value:Q"),
        seeds.mark_area(style="chance", opacity=0.35).encode(
            y=alt.Y("min(value):Q"), y2=alt.Y2("max(value):Q")
        ),
        seeds.mark_line(style="chance", strokeWidth=2).encode(y=alt.Y("mean(value):Q")),
        own.mark_line(style="series"),
        g.current_amount_rule(),
        g.current_amount_marker(own),
        *g.haloed_text(g.at_frame(own).encode(text="text:N"), dx=8, dy=-10),
        own.mark_point(opacity=0, size=200).encode(tooltip=g.tooltip(fields)),
    )
