"""The layers of one result, a row each: similarity over the amounts, and how far it stays intact; one layer as a curve.

In each row a strip of cells is coloured by the layer's similarity to itself before pruning, and a bar below it ends
where the layer falls: it fades once the amount has passed its end. Both share the axis of amounts with the curve of the
selected layer. A row of data with `pick` can be clicked; it names the point that is then selected.
"""

from collections.abc import Sequence

import altair as alt

from core.charts import grammar as g
from core.charts import strips as s
from core.charts.result import player_frames
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.accuracy import beyond_from
from core.findings.layers import floor_of, layers_of, own_similarity
from core.findings.words.layers import interval_text, layers_heading, survival_text
from core.findings.words.numbers import decimals, two_places
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import PointLabel, amount_name, origins, point_names, units_name
from core.results.schema import SweepResult

BESIDE = (0.7, 0.2)  # heights of the numbers beside strip and bar, apart enough for low rows
STRIP, BAR = (0.38, 0.94), (0.12, 0.26)  # bottom and top of the cells and of the bar, in a layer's row
BY_CONSTRUCTION = "*"  # after a number: a layer that stays above the threshold with everything removed
FLOOR_GAP = 0.008  # between the last amount's cell and the floor's
COLUMN = "Intact up to"  # above the numbers beside the bars
ROW_HEIGHT, HEIGHT_BESIDE_ROWS, USUAL_HEIGHT = 1.75, 6.0, 26  # in rem: the least of a row, of title and axis, of all
DOMAIN = (-0.05, 1.12)  # of similarity; above 1 is room for a number
WORD_GAP = 0.1  # between two words beside the curve, in units of similarity


def layer_scene(result: SweepResult, reduction: str, chosen: PointLabel, controls: Sequence[SweepResult] = ()) -> Scene:
    """Show every layer in a row, and the selected one as a curve.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the selected point.
        controls: The seeds of the random control, see `core.findings.comparable.controls_of`.

    Returns:
        The pictures `rows` and `curve`; the title is the finding.
    """
    names, removed = point_names(result.points), units_name(result)
    k = [name.label for name in names].index(chosen)
    own, floor = own_similarity(result, reduction), floor_of(result, reduction)
    amounts, beyond = g.amount_rows(result.amounts), g.beyond_rows(beyond_from(result))
    everything = (max(s.EVERYTHING[0], s.edges(result.amounts)[-1]) + FLOOR_GAP, s.EVERYTHING[1])
    order = layers_of(result, reduction)
    every = order.every
    strips = [
        {
            "pick": layer.label,
            "apart": g.apart(row, every.index(order.selected), len(every)),
            "name": f"{layer.title}, intact up to {survival_text(layer)}" if layer.is_defined else layer.title,
            "title": layer.title,
            "chosen": layer.label == chosen,
            "y": row,
            "y2": row + 1,
            "v": list(map(two_places, layer.own)),
            "intact": survival_text(layer) + (f" {BY_CONSTRUCTION}" if layer.by_construction else ""),
            "survival": g.rounded(layer.value),
            **g.interval_fields(layer.interval),
            "interval": interval_text(layer.interval, result.amounts[-1]),
            "floor": "unknown" if layer.floor is None else decimals(layer.floor, 2),
            "ends": sum(amount <= layer.value for amount in result.amounts),  # the first frame beyond
        }
        for row, layer in enumerate(every)
    ]
    floors = [  # at the end of the axis, apart from the others
        {**s.cell(names[row], value, everything, row, STRIP), "amount": "everything"}
        for row, value in enumerate(floor or ())
        if value is not None
    ]
    cells = s.cell_rows(result, own, STRIP)
    rows = {"amounts": amounts, "beyond": beyond, "strips": strips, "cells": cells, "floors": floors}
    seeds = [row for control in controls for row in _curve_rows(control, reduction, k)]
    curve = {
        "amounts": amounts,
        "beyond": beyond,
        "own": _curve_rows(result, reduction, k),
        "seeds": seeds,
        "lines": _line_rows(floor[k] if floor else None, seeds),
    }
    title = [
        "How much each layer still resembles its unpruned self: similarity (CKA); "
        f"bars end where it falls below {SURVIVAL_THRESHOLD}"
    ]
    if any(layer.by_construction for layer in every):
        title.append(f"{BY_CONSTRUCTION} still at least {SURVIVAL_THRESHOLD} with everything removed")
    numbers = Numbers("strips", "pick", {"Similarity": "v", "Intact up to": "intact"}, named="Layer")
    name = f"{names[k].title}: similarity (CKA) to its unpruned self{f'; shaded: {g.BEYOND}' if beyond else ''}"
    views = {
        "rows": View(_rows, (result.points, removed), rows, title, numbers=numbers, picks="strips"),
        "curve": View(_curve, (removed,), curve, name, numbers=Numbers("own", None, {"Similarity": "text"})),
    }
    heading = layers_heading(result, reduction)
    return Scene(heading, origins((result,), reduction), views, player_frames(result), _layout(len(names)))


def _layout(rows: int) -> Layout:
    """Place the rows beside the curve, or above it on a telephone, and give each row the height that it needs."""
    lowest = ROW_HEIGHT * rows + HEIGHT_BESIDE_ROWS
    height = f"{lowest}rem" if lowest > USUAL_HEIGHT else str(USUAL_HEIGHT)
    return Layout(
        "layers",
        wide=f'"rows curve" {height} "bar bar" auto / 3fr 2fr',
        narrow=f'"rows" {max(lowest, 21)}rem "bar" auto "curve" 17rem / 1fr',
    )


# ---------------------------------------------------------------- data of the curve


def _curve_rows(result: SweepResult, reduction: str, point: int) -> g.Rows:
    """Return one row per amount: a point's similarity, with its interval where it is known."""
    known, values = result.statistics_of(reduction), own_similarity(result, reduction)[:, point]
    return [
        {
            "k": k,
            "series": result.pruning.seed,
            "amount": amount,
            "removed": amount_name(amount),
            "value": g.rounded(values[k]),
            "text": two_places(values[k]),
            **g.interval_fields(known.own[k][point] if known and known.own else None),
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
    known = sorted((value, role, words) for role, (value, words) in lines.items() if value is not None)
    heights = g.spread((value for value, *_ in known), WORD_GAP)
    return [
        {
            "role": role,
            "value": g.rounded(value),
            "end": last[0] if role == "seeds" else s.AMOUNTS_SHOWN[1],
            "text": words,
            "at": g.rounded(height),
        }
        for (value, role, words), height in zip(known, heights, strict=True)
    ]


# ---------------------------------------------------------------- drawings


def _rows(points: tuple[str, ...], removed: str) -> g.LayerChart:
    """Draw the rows: strip, floor, bar and numbers; the selected row is tinted."""
    style = g.layers_axis(points, labels=False, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    y = alt.Y("y:Q", title=" ".join(("Layer", *g.labels_note(points))), **style)
    strips, told = g.data("strips"), {s.removed_title(removed): "amount:N"}
    tinted = alt.condition("datum.chosen", alt.value(0.22), alt.value(0))
    bars = strips.transform_calculate(bottom=f"datum.y + {BAR[0]}", top=f"datum.y + {BAR[1]}")
    bars = bars.transform_filter("isValid(datum.survival)").encode(y="bottom:Q", y2="top:Q")
    intervals = strips.transform_filter("isValid(datum.low)").transform_calculate(middle=f"datum.y + {sum(BAR) / 2}")
    intervals = intervals.encode(x="low:Q", x2="high:Q", y="middle:Q")
    fields = {"Stays intact up to": "intact:N", "95 % interval": "interval:N"}
    tooltip = g.told({"Layer": "title:N", **fields, "Similarity with everything removed": "floor:N"})
    bright, marker = alt.condition("frame < datum.ends", alt.value(1), alt.value(0.35)), g.current_amount_rule()
    lines = f"(height / {len(points)} / ({g.LETTER}))"  # of text, for which a row has room
    two, (_, named, size) = f"{lines} >= 2", g.letters_of(len(points))
    label = strips.transform_filter(named).transform_calculate(middle=f"datum.y + {sum(STRIP) / 2}")
    label = label.encode(x=alt.value(0), y="middle:Q", text="pick:N")
    places = ((two, "datum.v[frame]", f"{BESIDE[0]}"), (named, "datum.intact", f"({two} ? {BESIDE[1]} : 0.5)"))
    heads = f"{two} ? 'Similarity\\n{COLUMN}' : '{COLUMN}'"
    above = alt.ExprRef(f"-3 - ({two} ? 1.2 * {g.LETTER} : 0)")
    floors = g.data("floors").mark_rect(style="floor", filled=False).encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    return alt.layer(
        strips.mark_rect(style="band", cursor="pointer").encode(y=y, y2="y2:Q", opacity=tinted),
        g.beyond_shade(s.AMOUNTS_SHOWN[1]),
        *s.strip_layers("cells", {**told, "Predictions changed": "changed:N"}),
        s.strip_layers("floors", told)[0],
        floors,
        bars.mark_rect(style="bar", cursor="pointer").encode(
            x="survival:Q", x2=alt.datum(0), opacity=bright, tooltip=tooltip
        ),
        intervals.mark_rule(style="halo", strokeWidth=4),
        intervals.mark_rule(style="current", strokeWidth=2),
        marker.mark_rule(style="halo", strokeWidth=4),
        marker.encode(x=s.worded_axis(removed)),
        *(
            strips.transform_filter(shown)
            .transform_calculate(text=text, middle=f"datum.y + {height}")
            .mark_text(style="note", align="left", dx=s.WORDS_GAP, cursor="pointer", fontSize=size)
            .encode(x=alt.datum(s.AMOUNTS_SHOWN[1]), y="middle:Q", text="text:N")
            for shown, text, height in places
        ),
        label.mark_text(style="note", align="right", dx=-s.WORDS_GAP, cursor="pointer", fontSize=size),
        strips.transform_filter(f"datum.y2 === {len(points)}")
        .transform_calculate(text=heads)
        .mark_text(style="note", align="left", baseline="bottom", lineBreak="\n", dx=s.WORDS_GAP, dy=above)
        .encode(x=alt.datum(s.AMOUNTS_SHOWN[1]), y="y2:Q", text="text:N"),
    )


def _curve(removed: str) -> g.LayerChart:
    """Draw the selected layer's similarity with its interval, its control and its floor, over the amounts."""
    start, end = s.AMOUNTS_SHOWN
    x, y = s.worded_axis(removed), g.share_axis("value:Q", "Similarity", DOMAIN)
    own, seeds = (g.data(name).encode(x=x, y=y) for name in ("own", "seeds"))
    across = {"x": alt.datum(start), "x2": alt.datum(end)}
    told = g.told({s.removed_title(removed): "removed:N", "Similarity": "text:N", "95 % interval": "interval:N"})
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
        leaders.mark_rule(style="chance", strokeDash=[1, 4], x2Offset=2 * s.WORDS_GAP),
        *g.haloed_text(names, baseline="middle", dx=2 * s.WORDS_GAP + 3),
        g.current_amount_marker(own),
        *g.haloed_text(g.on_show(own).encode(text="text:N"), dx=8, dy=-10),
        own.mark_point(opacity=0, size=200).encode(tooltip=told),
    )
