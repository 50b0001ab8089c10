"""The forest plot: a dot with its interval for every cell, the estimate over all as a diamond below, for each method.

All stand on one axis: the share of the change in the upper half of the layers, minus that under random removal.
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
CAPTION = "Share of the change in the upper half of the layers under each method, minus that under random removal"
KEY = "Dots: one task and depth, in brackets how many checkpoints. Diamonds: all. Grey: too small to count."
AXIS = "Points, minus random removal"


def forest_scene(table: Sequence[Pooled], title: str) -> Scene:
    """Draw all methods.

    Args:
        table: The pooled methods, at least one.
        title: The finding over all methods.
    """
    rows = [_rows(pooled) for pooled in table]
    most = max(map(len, rows))
    views = {
        f"forest-{k}": _view(name_of(pooled.pruning), cells, most)
        for k, (pooled, cells) in enumerate(zip(table, rows, strict=True), start=1)
    }
    height = f"{ROW_REM * most + AXIS_REM:g}rem"
    wide, narrow = (
        _grid(list(views), columns, height) for columns in (min(COLUMNS, len(views)), 1)
    )
    return Scene(title, (CAPTION, KEY), views, STILL, Layout("forest", wide, narrow))


def _grid(areas: Sequence[str], columns: int, height: str) -> str:
    """Write pictures row by row as a grid below the player's bar; `.` is an empty cell."""
    filled = [*areas, *["."] * (-len(areas) % columns)]
    rows = " ".join(
        f'"{" ".join(filled[k : k + columns])}" {height}' for k in range(0, len(filled), columns)
    )
    return f'"{" ".join(["bar"] * columns)}" auto {rows} / {" ".join(["1fr"] * columns)}'


def _rows(pooled: Pooled) -> g.Rows:
    """Return a row for each cell and for the estimate over all, from top to bottom."""
    cells = [
        (
            f"{cell.task}, {cell.layers} layers{f' ({len(cell.keys)})' if len(cell.keys) > 1 else ''}",
            (cell.contrast.difference, *cell.contrast.mean_interval()),
            f"{len(cell.by_seed)} of {cell.needed}",
        )
        for cell in pooled.cells
    ]
    estimate = pooled.estimates[ALL]
    return [
        {
            "y": row,
            "pooled": row == len(cells),
            "label": label,
            "text": f"{signed_points(ends[0])} ({points_span(*ends[1:])})",
            "seeds": seeds,
            **{
                name: round(100 * end, 3)
                for name, end in zip(("value", "low", "high"), ends, strict=True)
            },
        }
        for row, (label, ends, seeds) in enumerate(
            [*cells, ("All", (estimate.value, *estimate.interval), "")]
        )
    ]


def _view(title: str, rows: g.Rows, most: int) -> View:
    numbers = Numbers("forest", "label", {DIFFERENCE: "text", "Seeds": "seeds"})
    labels = tuple(str(row["label"]) for row in rows)
    return View(
        _forest,
        (labels, most),
        {"forest": rows, "margin": BAND},
        title,
        numbers,
    )


def _forest(labels: tuple[str, ...], most: int) -> g.LayerChart:
    """Draw, from back to front: the margin, zero, the intervals, the dots, the diamond, the numbers."""
    ticks = alt.Axis(
        values=[-20, 0, 20],
        format="+d",
        labelExpr="replace(datum.label, '+0', '0')",
        grid=False,
    )
    end = alt.ExprRef(f"width - {NUMBERS} * margin")
    scale = alt.Scale(domain=[-END, END], range=[0, end], nice=False, clamp=True)
    x = alt.X("low:Q", title=AXIS, axis=ticks, scale=scale)
    numbers = list(range(len(labels)))
    written = f"{list(labels)}[datum.value]"
    names = alt.Axis(
        values=numbers,
        labelExpr=written,
        labelLimit=1000,
        labelPadding=8,
        **g.BARE,
    )
    y = alt.Y(
        "y:Q",
        title=None,
        axis=names,
        scale=alt.Scale(domain=[most - 0.5, -0.5], nice=False, zero=False),
    )
    fields = {
        "Difference in points": "value:Q",
        "95 % interval from": "low:Q",
        "to": "high:Q",
        "Seeds": "seeds:N",
    }
    rows = g.data("forest")
    tooltip = g.tooltip({"Task and depth": "label:N", **fields})
    cells, pooled = (rows.transform_filter(f"{sign}datum.pooled") for sign in ("!", ""))
    return alt.layer(
        g.data("margin").mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15).encode(x=x, x2="high:Q"),
        g.data("margin").mark_rule(style="reference").encode(x=alt.datum(0)),
        rows.mark_rule(style="current").encode(x="low:Q", x2="high:Q", y="y:Q"),
        cells.mark_point(style="marker", filled=True, size=32).encode(
            x="value:Q", y=y, tooltip=tooltip
        ),
        pooled.mark_point(style="marker", filled=True, size=160, shape="diamond").encode(
            x="value:Q", y="y:Q", tooltip=tooltip
        ),
        rows.mark_text(style="note", align="left", dx=8).encode(
            x=alt.datum(END), y="y:Q", text="text:N"
        ),
    )
