"""What layers pass on: a line a layer, from its loss in ordinary pruning to the predictions that it changes alone.

Every column has a scale of its own, up to the largest of all layers at the amount on show, so that lines cross where
the order of layers changes. Random removal of as many weights stands beside it, drawn alike: where its lines cross
alike, the order is the model's and not the method's doing.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.layout import Layout, in_column
from core.charts.view import Numbers, Scene, View
from core.findings.passed import ByAmount, Passed, PassedOn, values_of
from core.findings.words import numbered, share_with_interval, with_interval
from core.findings.words.numbers import UNDEFINED, decimals
from core.findings.words.passed import ENDS
from core.request.catalog import METHODS
from core.results.names import PointLabel, amount_name, layer_number, origins
from core.results.schema import SweepResult

COLUMNS = ("loss,\nall layers\npruned", "own loss,\npruned\nalone", "loss\nat the\nend", "predic-\ntions\nchanged")
LOSS = "loss: 1 − similarity; the end: "
HALVES = ("lower half of the layers", "upper half")
BESIDE = 14  # pixels from a line's end to its name
WIDE = "(width > 10 * margin)"  # there is room for the interval of the selected layer
GAP = 0.075  # between two names, at most, of the height


def passed_scene(result: SweepResult, reduction: str, chosen: PointLabel, passed: PassedOn) -> Scene:
    """Show what each layer passes on, at every amount that all layers were pruned alone by.

    Args:
        result: The whole sweep.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the selected point.
        passed: See `core.findings.passed.passed_on`.

    Returns:
        The picture `passed`, and `by-chance` where random removal is known at all of these amounts.
    """
    title = [METHODS[result.pruning.method].title, f"{LOSS}{ENDS[passed.is_read]}"]
    views = {"passed": _view(passed.method, layer_number(chosen), title)}
    if list(passed.by_chance) == list(passed.method):
        drawn = f"Random removal of as many weights, mean of {numbered(passed.seeds, 'draw')}"
        views["by-chance"] = _view(passed.by_chance, layer_number(chosen), [drawn, g.BLANK])
    frames = [g.step(amount, f"{amount_name(amount)} of one layer's weights removed", "") for amount in passed.method]
    beside = "by-chance" if "by-chance" in views else "."
    layout = Layout(
        "passed",
        wide=f'"passed {beside}" clamp(20rem, 48vh, 32rem) "bar bar" auto / minmax(0, 1fr) minmax(0, 1fr)',
        narrow=in_column({"passed": "22rem", "bar": "auto", **dict.fromkeys(list(views)[1:], "22rem")}),
    )
    return Scene("What each layer passes on", origins((result,), reduction), views, frames, layout)


def _view(passed: ByAmount, chosen: int, title: list[str]) -> View:
    values = np.array(list(map(values_of, passed.values())))  # (frames, layers, columns)
    most = np.nan_to_num(values).max(1, keepdims=True)  # (frames, 1, columns)
    heights = values / np.where(most > 0, most, 1)
    first, last = int(np.isnan(values[..., 0]).all()), len(COLUMNS) - 1  # a column of nothing is left out
    layers, lines, ends = values.shape[1], [], []
    gap = min(GAP, 1 / (layers - 1))
    places = {column: [g.spread(frame, gap) for frame in heights[..., column]] for column in (first, last)}
    for k, rows in enumerate(zip(*passed.values(), strict=True)):
        layer = {"layer": str(k + 1), "half": HALVES[2 * k >= layers], "chosen": k + 1 == chosen}
        for column, texts in list(enumerate(_texts(rows)))[first:]:
            place = {"column": column - first, "v": [g.rounded(height) for height in heights[:, k, column]]}
            line = {**layer, **place, "quantity": COLUMNS[column].replace("-\n", "").replace("\n", " "), "text": texts}
            lines.append(line)
            if column in places:
                ends.append({**line, "at": [g.rounded(frame[k]) for frame in places[column]]})
    numbers = Numbers("lines", "layer", {"Value": "text"}, column="quantity", named="Layer")
    return View(_slopes, (COLUMNS[first:], layers), {"lines": lines, "ends": ends}, title, numbers=numbers)


def _texts(rows: Sequence[Passed]) -> list[list[str]]:
    """Write the numbers of a layer over the frames, column by column, with the intervals that are known."""
    return [
        [UNDEFINED if row.faded is None else decimals(row.faded, 3) for row in rows],
        [with_interval(row.own, *row.own_interval) if row.own_interval else decimals(row.own, 3) for row in rows],
        [decimals(row.end, 3) for row in rows],
        [share_with_interval(row.changed, row.changed_interval) for row in rows],
    ]


def _slopes(columns: tuple[str, ...], layers: int) -> g.LayerChart:
    """Draw a line for each layer through all columns, thick for the selected one, and its name at both ends."""
    last = len(columns) - 1
    room = [alt.ExprRef("margin"), alt.ExprRef(f"width - ({WIDE} ? 4 : 1.7) * margin")]
    scale = alt.Scale(domain=[0, last], range=room, nice=False)
    axis = alt.Axis(
        values=list(range(len(columns))),
        labelExpr=f"split({list(columns)}[datum.value], '\\n')",
        domain=False,
        ticks=False,
        labelBound=False,
        labelFlush=False,
        labelLimit=1000,
        labelOverlap=False,
    )
    x = alt.X("column:Q", scale=scale, axis=axis, title=None)
    bare = alt.Axis(labels=False, ticks=False, domain=False, grid=False)
    y = alt.Y("height:Q", scale=alt.Scale(domain=[-0.06, 1.06], nice=False), axis=bare, title=None)
    legend = alt.Legend(title=None, symbolType="stroke")
    colour = g.told_apart("half", legend, HALVES, stroke=[g.FIRST_COLOUR, g.SECOND_COLOUR])
    lines = g.moving("lines", height="v", words="text").transform_filter("isValid(datum.height)").encode(x=x, y=y)
    told = g.told({"Layer": "layer:N", "Quantity": "quantity:N", "Value": "words:N"})
    harm = f"datum.layer + ': ' + (datum.chosen && {WIDE} ? datum.words : split(datum.words, ' (')[0])"
    ends = g.moving("ends", height="v", place="at", words="text").transform_filter("isValid(datum.height)")
    ends = ends.transform_calculate(name=f"datum.column ? {harm} : datum.layer").encode(x=x, tooltip=told)
    first, final = (ends.transform_filter(f"{sign}datum.column") for sign in ("!", ""))
    widths, size = alt.condition("datum.chosen", alt.value(4), alt.value(1.75)), g.letters_of(layers)[1]
    return alt.layer(
        lines.mark_rule(style="reference").encode(y=alt.datum(0), y2=alt.datum(1)),
        lines.mark_line().encode(detail="layer:N", strokeWidth=widths, **colour),
        *(
            leaders.mark_rule(style="chance", opacity=0.7, x2Offset=offset).encode(x2="column:Q", y=y, y2="place:Q")
            for leaders, offset in ((first, -BESIDE), (final, BESIDE))
        ),
        first.mark_text(style="note", align="right", dx=-BESIDE - 4, fontSize=size).encode(y="place:Q", text="name:N"),
        final.mark_text(style="note", align="left", dx=BESIDE + 4, fontSize=size).encode(y="place:Q", text="name:N"),
        lines.mark_point(opacity=0, size=150).encode(tooltip=told),
    )
