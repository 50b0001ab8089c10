"""The layers of one result, a row each: similarity over the amounts, and how far it stays intact.

In each row a strip of cells is coloured by the layer's similarity to itself before pruning, and a
bar below it ends where the layer falls: it fades once the amount has passed its end. Both share the
axis of amounts with the curve of the selected layer. A row of data with `pick` can be clicked,
which selects the point of that label.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import altair as alt

from core.charts import grammar as g
from core.charts.accuracy import changed_words
from core.charts.result import player_frames
from core.charts.stack import TITLE
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.accuracy import beyond_from
from core.findings.layers import LayerSurvival, layers_of, own_similarity
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
FLOOR_GAP = 0.008  # between the last amount's cell and that one
FLOOR_END = 1.025  # the end of that one
WORDS_ROOM = 1.9  # for numbers and words to the right of the axis, in margins
WORDS_GAP = 6  # pixels between the axis and these
# Bottom and top of the cells and of the bar, in a layer's row.
STRIP = (0.38, 0.94)
BAR = (0.12, 0.26)
# Heights of the numbers beside strip and bar, apart enough for low rows.
BESIDE_STRIP = 0.7
BESIDE_BAR = 0.2
COLUMN = "Intact up to"  # above the numbers beside the bars
# In rem: the least height of a row, that of title and axis, that of all.
ROW_HEIGHT = 1.75
HEIGHT_BESIDE_ROWS = 6.0
USUAL_HEIGHT = 26
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
    layers = layers_of(result, reduction).every
    point = [layer.label for layer in layers].index(chosen)
    floor = layers[point].floor
    removed = f"{n.capitalised(n.units_name(result))} removed"
    shared = {
        "amounts": g.amount_rows(result.amounts),
        "beyond": g.beyond_rows(beyond_from(result)),
    }
    rows = {
        **shared,
        "strips": _strip_rows(result, layers, chosen),
        "cells": _cell_rows(result, layers),
    }
    counts = Counter(amount for seed in controls for amount in seed.amounts)
    curve = {
        **shared,
        "own": _curve_rows(result, reduction, point),
        "seeds": [
            row
            for seed in controls
            for row in _curve_rows(seed, reduction, point)
            if 2 * counts[row["amount"]] >= len(controls)
        ],
        "floor": [] if floor is None else [{"value": floor}],
    }
    key = {
        f"dashed: intact from {SURVIVAL_THRESHOLD}": True,
        "dotted: everything removed": floor is not None,
        "grey: random removal, all draws": controls,
        g.SHADED: shared["beyond"],
    }
    lines = "; ".join(line for line, is_drawn in key.items() if is_drawn)
    columns = {"Similarity": "v", "Intact up to": "intact"}
    views = {
        "rows": View(
            _rows,
            (result.points, removed),
            rows,
            f"{TITLE}: similarity (CKA); bars end where it falls below {SURVIVAL_THRESHOLD}",
            Numbers("strips", "pick", columns, named="Layer"),
            picks="strips",
        ),
        "curve": View(
            _curve,
            (removed,),
            curve,
            f"{layers[point].title}: its similarity (CKA)\n{lines}",
            Numbers("own", "", {"Similarity": "value"}),
        ),
    }
    return Scene(
        layers_heading(result, reduction),
        n.origins((result,), reduction),
        views,
        player_frames(result),
        _layout(len(layers)),
    )


def _layout(rows: int) -> Layout:
    """Place the rows, as high as they must be, beside the curve, on a telephone above it."""
    lowest = ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS
    height = f"{lowest}rem" if lowest > USUAL_HEIGHT else str(USUAL_HEIGHT)
    return Layout(
        "layers",
        wide=f'"rows curve" {height} "bar bar" auto / 3fr 2fr',
        narrow=f'"rows" {max(lowest, 21)}rem "bar" auto "curve" 17rem / 1fr',
    )


# ---------------------------------------------------------------- data of the rows


def _strip_rows(
    result: SweepResult, layers: Sequence[LayerSurvival], chosen: n.PointLabel
) -> g.Rows:
    """Return one row per point: how far it stays intact."""
    rows = []
    for y, layer in enumerate(layers):
        intact = survival_text(layer)
        low, high = layer.interval or (None, None)
        row = {
            "pick": layer.label,
            "name": f"{layer.title}, intact up to {intact}" if layer.is_defined else layer.title,
            "title": layer.title,
            "chosen": layer.label == chosen,
            "y": y,
            "y2": y + 1,
            "v": list(map(two_places, layer.own)),
            "intact": intact,
            "survival": g.rounded(layer.value),
            "low": low,
            "high": high,
            "interval": interval_text(layer.interval, result.amounts[-1]),
            # The first frame beyond.
            "ends": sum(amount <= layer.value for amount in result.amounts),
        }
        rows.append(row)
    return rows


def _cell_rows(result: SweepResult, layers: Sequence[LayerSurvival]) -> g.Rows:
    """Return one row per point and amount, and one for everything removed.

    The value is null where similarity is undefined.
    """
    ends = list(pairwise(g.edges(result.amounts)))
    rows: g.Rows = []
    for y, layer in enumerate(layers):
        place = {
            "pick": layer.label,
            "name": layer.title,
            "y": y + STRIP[0],
            "y2": y + STRIP[1],
        }
        for frame, value, (x, x2) in zip(result.frames, layer.own, ends, strict=True):
            sparsity = frame.layer_sparsity
            row = {
                "amount": n.amount_name(frame.amount),
                "removed": percent(sparsity[y * len(sparsity) // len(layers)]),
                "changed": changed_words(frame),
                "value": g.rounded(value),
                "x": x,
                "x2": x2,
            }
            rows.append(place | row)
        if layer.floor is not None:
            row = {
                "amount": EVERYTHING,
                "removed": "",
                "changed": "",
                "value": g.rounded(layer.floor),
                "x": max(g.LAST_EDGE, ends[-1][1]) + FLOOR_GAP,
                "x2": FLOOR_END,
            }
            rows.append(place | row)
    return rows


# ---------------------------------------------------------------- data of the curve


def _curve_rows(result: SweepResult, reduction: str, point: int) -> g.Rows:
    """Return one row per amount: a point's similarity, with its interval if known."""
    values = own_similarity(result, reduction)[:, point]
    statistics = result.statistics_of(reduction)
    intervals = statistics.own if statistics else None
    return [
        {
            "k": k,
            "amount": amount,
            "removed": n.amount_name(amount),
            "value": g.rounded(values[k]),
            **g.interval_fields(intervals[k][point] if intervals else None),
        }
        for k, amount in enumerate(result.amounts)
    ]


# ---------------------------------------------------------------- drawings


def _rows(points: g.Points, removed: str) -> g.LayerChart:
    """Draw the rows: strip, floor, bar and numbers; the selected row is tinted."""
    end = AMOUNTS_SHOWN[1]
    marker = g.current_amount_rule()
    strips = g.data("strips")
    title = " ".join(("Layer", *g.labels_note(points)))
    y = alt.Y("y:Q", **g.layers_axis(points, title, room=g.MARGIN))
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
    intact = {
        "Layer": "title:N",
        "Stays intact up to": "intact:N",
        "95 % interval": "interval:N",
    }
    cells = g.data("cells").transform_calculate(text=g.value_text("datum.value"))
    cells = cells.encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    similarity = {
        "Layer": "name:N",
        removed: "amount:N",
        "This layer's weights removed": "removed:N",
        "Predictions changed": "changed:N",
        "Similarity": "text:N",
    }
    return alt.layer(
        strips.mark_rect(style="band", cursor="pointer").encode(
            y=y,
            y2="y2:Q",
            opacity=tinted,
        ),
        g.beyond_shade(end),
        cells.mark_rect(invalid="show", cursor="pointer").encode(
            color=g.similarity_colour(), tooltip=g.tooltip(similarity)
        ),
        *g.hatching(cells),
        cells.transform_filter(f"datum.amount === '{EVERYTHING}'").mark_rect(
            style="floor", filled=False
        ),
        bars.mark_rect(style="bar", cursor="pointer").encode(
            x="survival:Q",
            x2=alt.datum(0),
            opacity=bright,
            tooltip=g.tooltip(intact),
        ),
        intervals.mark_rule(style="halo", strokeWidth=4),
        intervals.mark_rule(style="current", strokeWidth=2),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker.encode(
            x=g.amount_axis(removed, AMOUNTS_SHOWN, WORDS_ROOM, domain=False),
        ),
        *_words(strips.encode(x=alt.datum(end), text="text:N"), len(points)),
    )


def _words(strips: alt.Chart, count: int) -> list[alt.Chart]:
    """Write the numbers beside strips and bars, and heads above; low rows have the bars' alone."""
    fit, size = g.letters_of(count)
    two = f"(height / {count} >= 2 * {g.LETTER})"  # whether a row has room for two lines of text
    similarity = strips.transform_filter(two).transform_calculate(
        text="datum.v[frame]", middle=f"datum.y + {BESIDE_STRIP}"
    )
    intact = strips.transform_filter(fit).transform_calculate(
        text="datum.intact", middle=f"datum.y + ({two} ? {BESIDE_BAR} : 0.5)"
    )
    heads = strips.transform_filter(f"{fit} && datum.y2 === {count}").transform_calculate(
        text=f"{two} ? 'Similarity\\n{COLUMN}' : '{COLUMN}'"
    )
    numbers = [
        column.mark_text(
            style="note",
            dx=WORDS_GAP,
            cursor="pointer",
            fontSize=size,
        ).encode(y="middle:Q")
        for column in (similarity, intact)
    ]
    above = heads.mark_text(
        style="note",
        baseline="bottom",
        lineBreak="\n",
        dx=WORDS_GAP,
        dy=alt.ExprRef(f"-3 - ({two} ? 1.2 * {g.LETTER} : 0)"),
    )
    return [*numbers, above.encode(y="y2:Q")]


def _curve(removed: str) -> g.LayerChart:
    """Draw the selected layer's similarity over the amounts: interval, control, floor."""
    own = g.data("own").transform_calculate(text=g.value_text("datum.value"))
    own = own.encode(x=g.amount_axis(removed), y=g.share_axis("Similarity", DOMAIN))
    seeds = g.data("seeds").encode(x="amount:Q")
    fields = {
        removed: "removed:N",
        "Similarity": "text:N",
        "95 % interval": "interval:N",
    }
    threshold = g.at_frame(g.data("amounts")).encode(y=alt.datum(SURVIVAL_THRESHOLD))
    return alt.layer(
        g.beyond_shade(g.AMOUNT_DOMAIN[1]),
        g.band(own),
        threshold.mark_rule(style="reference"),
        g.data("floor").mark_rule(style="floor").encode(y="value:Q"),
        seeds.mark_area(style="chance", opacity=0.35).encode(y="min(value):Q", y2="max(value):Q"),
        seeds.mark_line(style="chance", strokeWidth=2).encode(y="mean(value):Q"),
        own.mark_line(style="series"),
        g.current_amount_rule(),
        g.current_amount_marker(own),
        *g.haloed_text(g.at_frame(own).encode(text="text:N"), dx=8, dy=-10),
        g.hover(own, g.tooltip(fields)),
    )
