"""The forest plot of each method: dots with intervals for its cells, a diamond below for all.

All stand on one axis: the share of the change in the upper half of the layers, minus that under
random removal.
"""

from collections.abc import Sequence

import altair as alt

from core.charts import grammar as g
from core.charts.view import STILL, Layout, Numbers, Scene, View
from core.findings.pooled import ALL, Pooled
from core.findings.words import points_span, signed_points
from core.results.names import name_of
from core.sweep.control_contrast import MARGIN

END = 40  # points, where the axis ends: longer lines are cut off there
COLUMNS = 3  # pictures beside each other
ROW_REM = 1.15  # the height of a row
AXIS_REM = 6.2  # of the title above and the axis below
NUMBERS = 2.7  # the room for a row's numbers, in margins
BAND: g.Rows = [{"low": -100 * MARGIN, "high": 100 * MARGIN}]
DIFFERENCE = "Difference in points (95 % interval)"
CAPTION = (
    "Share of the change in the upper half of the layers under each method, "
    "minus that under random removal"
)
KEY = (
    "Dots: one task and depth, in brackets how many checkpoints. "
    "Diamonds: all. Grey: too small to count."
)
AXIS = "Points, minus random removal"


def forest_scene(table: Sequence[Pooled], title: str) -> Scene:
    """Draw all methods.

    Args:
        table: The pooled methods, at least one.
        title: The finding over all methods.
    """
    tables = [_rows(pooled) for pooled in table]
    most = max(map(len, tables))
    numbers = Numbers("forest", "label", {DIFFERENCE: "text", "Seeds": "seeds"})
    views = {}
    for k, (pooled, rows) in enumerate(zip(table, tables, strict=True), start=1):
        arguments = (tuple(row["label"] for row in rows), most)
        datasets = {"forest": rows, "margin": BAND}
        views[f"forest-{k}"] = View(
            _forest,
            arguments,
            datasets,
            name_of(pooled.pruning),
            numbers,
        )
    height = f"{ROW_REM * most + AXIS_REM:g}rem"
    wide, narrow = (
        _grid(list(views), columns, height) for columns in (min(COLUMNS, len(views)), 1)
    )
    return Scene(title, (CAPTION, KEY), views, STILL, Layout("forest", wide, narrow))


def _grid(areas: Sequence[str], columns: int, height: str) -> str:
    """Write pictures row by row as a grid below the player's bar; `.` is an empty cell."""
    filled = [*areas, *["."] * (-len(areas) % columns)]
    rows = " ".join(
        f'"{" ".join(filled[k : k + columns])}" {height}'
        for k in range(
            0,
            len(filled),
            columns,
        )
    )
    return f'"{" ".join(["bar"] * columns)}" auto {rows} / {" ".join(["1fr"] * columns)}'


def _rows(pooled: Pooled) -> g.Rows:
    """Return a row for each cell and for the estimate over all, from top to bottom."""
    rows = []
    for cell in pooled.cells:
        checkpoints = f" ({len(cell.keys)})" if len(cell.keys) > 1 else ""
        label = f"{cell.task}, {cell.layers} layers{checkpoints}"
        ends = (cell.contrast.difference, *cell.contrast.mean_interval())
        rows.append((label, ends, f"{len(cell.by_seed)} of {cell.needed}"))
    estimate = pooled.estimates[ALL]
    rows.append(("All", (estimate.value, *estimate.interval), ""))
    return [
        {
            "y": y,
            "pooled": label == "All",
            "label": label,
            "text": f"{signed_points(value)} ({points_span(low, high)})",
            "seeds": seeds,
            "value": round(100 * value, 3),
            "low": round(100 * low, 3),
            "high": round(100 * high, 3),
        }
        for y, (label, (value, low, high), seeds) in enumerate(rows)
    ]


def _forest(labels: tuple[str, ...], most: int) -> g.LayerChart:
    """Draw, from back to front: the margin, zero, intervals, dots, the diamond, numbers."""
    ticks = alt.Axis(
        values=[-20, 0, 20],
        format="+d",
        labelExpr="replace(datum.label, '+0', '0')",
    )
    x = alt.X(
        "low:Q",
        title=AXIS,
        axis=ticks,
        scale=g.scale_before((-END, END), NUMBERS),
    )
    names = alt.Axis(
        values=list(range(len(labels))),
        labelExpr=f"{list(labels)}[datum.value]",
        labelLimit=1000,
        labelPadding=8,
        **g.BARE,
    )
    scale = alt.Scale(domain=[most - 0.5, -0.5], nice=False, zero=False)
    y = alt.Y("y:Q", title=None, axis=names, scale=scale)
    fields = {
        "Task and depth": "label:N",
        "Difference in points": "value:Q",
        "95 % interval from": "low:Q",
        "to": "high:Q",
        "Seeds": "seeds:N",
    }
    margin = g.data("margin")
    rows = g.data("forest").encode(y=y)
    dots = rows.encode(x="value:Q", tooltip=g.tooltip(fields))
    return alt.layer(
        margin.mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15).encode(x=x, x2="high:Q"),
        margin.mark_rule(style="reference").encode(x=alt.datum(0)),
        rows.mark_rule(style="current").encode(x="low:Q", x2="high:Q"),
        dots.transform_filter("!datum.pooled").mark_point(
            style="marker",
            filled=True,
            size=32,
        ),
        dots.transform_filter("datum.pooled").mark_point(
            style="marker", filled=True, size=160, shape="diamond"
        ),
        rows.mark_text(style="note", dx=8).encode(x=alt.datum(END), text="text:N"),
    )
