"""The forest plot: every cell of a method as a line, the estimates over them as diamonds below, one picture a method.

All stand on one axis: the share of the change in the upper half of the layers, minus that under random removal.
"""

from collections.abc import Mapping, Sequence

import altair as alt

from core.charts import grammar as g
from core.charts.view import STILL, Layout, Numbers, Scene, View
from core.findings.pooled import ALL, FEWEST_PREDICTED, WHOLE, Pooled
from core.findings.words import points_span, signed_points
from core.request.catalog import CONFIDENCE
from core.results.names import capitalised, name_of
from core.sweep.control_contrast import MARGIN, Contrast

END = 40  # points, where the axis ends: longer lines are cut off there
COLUMNS = 3  # pictures beside each other
ROW_REM = 1.15  # the height of a row
AXIS_REM = 6.2  # of the title above and the axis below
NUMBERS = 2.7  # the room for a row's numbers, in margins
LABEL_CHARS = 20  # of a result's name: as long as a cell's, or the axis would have less room
BAND: g.Rows = [{"low": -100 * MARGIN, "high": 100 * MARGIN}]
HALF = 0.32  # of a row, from the middle of a diamond to its upper corner
DIFFERENCE = "Difference in points (95 % interval)"
CAPTION = "Share of the change in the upper half of the layers under each method, minus that under random removal"
KEY = (
    "Squares: one task and depth, in brackets over how many checkpoints that differ only in the seed. Diamonds: all "
    "together. Dotted: where another task is expected. Grey: differences too small to count."
)
ENDS = ("value", "low", "high", "from", "to")  # of a difference, its interval, and where another task is expected
AXIS = "Points, minus random removal"

Own = Mapping[tuple[str, str | None], Sequence[tuple[str, Contrast]]]


def forest_scene(table: Sequence[Pooled], own: Own, title: str) -> Scene:
    """Draw all methods.

    Args:
        table: The pooled methods, at least one.
        own: The visitor's own results by method and scope: marks, which no estimate counts.
        title: The finding over all methods.
    """
    rows = [_rows(pooled, own.get((pooled.method, pooled.scope), ())) for pooled in table]
    most = max(map(len, rows))
    views = {
        f"forest-{k}": _view(name_of(pooled.pruning), cells, most)
        for k, (pooled, cells) in enumerate(zip(table, rows, strict=True), start=1)
    }
    height = f"{ROW_REM * most + AXIS_REM:g}rem"
    wide, narrow = (_grid(list(views), columns, height) for columns in (min(COLUMNS, len(views)), 1))
    slide = '"forest-1" 1fr / 1fr'  # has room for the method that the title is about
    return Scene(title, (CAPTION, KEY), views, STILL, Layout("forest", wide, narrow, slide))


def _grid(areas: Sequence[str], columns: int, height: str) -> str:
    """Write pictures row by row as a grid below the player's bar; `.` is an empty cell."""
    filled = [*areas, *["."] * (-len(areas) % columns)]
    rows = " ".join(f'"{" ".join(filled[k : k + columns])}" {height}' for k in range(0, len(filled), columns))
    return f'"{" ".join(["bar"] * columns)}" auto {rows} / {" ".join(["1fr"] * columns)}'


def _rows(pooled: Pooled, own: Sequence[tuple[str, Contrast]]) -> g.Rows:
    """Return a row for each cell, each estimate over cells enough, and each own result, from top to bottom."""
    rows: g.Rows = []

    def add(kind: str, label: str, ends: tuple[float, ...], seeds: str = "") -> None:
        value, low, high, *_ = ends
        text = f"{signed_points(value)} ({points_span(low, high)})"
        in_points = {name: round(100 * end, 3) for name, end in zip(ENDS, ends, strict=False)}
        rows.append({"y": len(rows), "kind": kind, "label": label, "text": text, "seeds": seeds, **in_points})

    for cell in pooled.cells:
        twins = f" ({len(cell.keys)})" if len(cell.keys) > 1 else ""
        label, seeds = f"{cell.task}, {cell.layers} layers{twins}", f"{len(cell.by_seed)} of {cell.needed}"
        add("cell", label, _ends(cell.contrast), seeds)
    for name, estimate in pooled.estimates.items():
        if name != WHOLE and (name == ALL or estimate.cells >= FEWEST_PREDICTED):
            add("pooled", capitalised(name), (estimate.value, *estimate.interval, *(estimate.predicted or ())))
    for k, (name, contrast) in enumerate(own, start=1):
        label = f"Yours{f' {k}' if len(own) > 1 else ''}: {name}"
        add("own", label if len(label) <= LABEL_CHARS else f"{label[: LABEL_CHARS - 1]}…", _ends(contrast))
    return rows


def _ends(contrast: Contrast) -> tuple[float, float, float]:
    """Return a difference and its 95 % interval, against the mean of all draws."""
    half = contrast.mean_half_width(CONFIDENCE)
    return contrast.difference, contrast.difference - half, contrast.difference + half


def _view(title: str, rows: g.Rows, most: int) -> View:
    numbers = Numbers("forest", "label", {DIFFERENCE: "text", "Seeds": "seeds"})
    labels = tuple(str(row["label"]) for row in rows)
    return View(_forest, (labels, most), {"forest": rows, "margin": BAND}, title, numbers)


def _forest(labels: tuple[str, ...], most: int) -> g.LayerChart:
    """Draw, from back to front: the margin, zero, the cells' lines and squares, the diamonds, the numbers."""
    ticks = alt.Axis(values=[-20, 0, 20], format="+d", labelExpr="replace(datum.label, '+0', '0')", grid=False)
    end = alt.ExprRef(f"width - {NUMBERS} * margin")
    scale = alt.Scale(domain=[-END, END], range=[0, end], nice=False, clamp=True)
    x = alt.X("low:Q", title=AXIS, axis=ticks, scale=scale)
    numbers, written = list(range(len(labels))), f"{list(labels)}[datum.value]"
    names = alt.Axis(values=numbers, labelExpr=written, labelLimit=1000, labelPadding=8, **g.BARE)
    y = alt.Y("y:Q", title=None, axis=names, scale=alt.Scale(domain=[most - 0.5, -0.5], nice=False, zero=False))
    fields = {"Difference in points": "value:Q", "95 % interval from": "low:Q", "to": "high:Q", "Seeds": "seeds:N"}
    rows, tooltip = g.data("forest"), g.tooltip({"Task and depth": "label:N", **fields})
    cells, pooled, own = (rows.transform_filter(f"datum.kind === '{kind}'") for kind in ("cell", "pooled", "own"))
    corners = f"[[datum.low, 0], [datum.value, {HALF}], [datum.high, 0]]"
    diamond = pooled.transform_calculate(corner=corners).transform_flatten(["corner"])
    outline = {"x": "datum.corner[0]", "top": "datum.y - datum.corner[1]", "bottom": "datum.y + datum.corner[1]"}
    line = {"x": "low:Q", "x2": "high:Q", "y": "y:Q"}
    return alt.layer(
        g.data("margin").mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15).encode(x=x, x2="high:Q"),
        g.data("margin").mark_rule(style="reference").encode(x=alt.datum(0)),
        cells.mark_rule(style="current").encode(**line),
        cells.mark_point(style="marker", shape="square", filled=True, size=24).encode(
            x="value:Q", y=y, tooltip=tooltip
        ),
        pooled.transform_filter("isValid(datum.from)").mark_rule(style="floor").encode(x="from:Q", x2="to:Q", y="y:Q"),
        diamond.transform_calculate(**outline)
        .mark_area(style="bar")
        .encode(x="x:Q", y="top:Q", y2="bottom:Q", detail="label:N", tooltip=tooltip),
        own.mark_rule(style="alone").encode(**line),
        own.mark_point(style="alone", shape="diamond", size=60).encode(x="value:Q", y="y:Q", tooltip=tooltip),
        rows.mark_text(style="note", align="left", dx=8).encode(x=alt.datum(END), y="y:Q", text="text:N"),
    )
