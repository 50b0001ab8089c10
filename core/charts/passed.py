"""Some layers pruned alone: what each passes on, a line a layer, and which half of them matters.

In the lines, every column has a scale of its own, up to the largest of all layers at the current amount, so that lines
cross where the order of layers changes. Random removal of as many weights stands beside the method, drawn alike: what
both show is the model's doing and not the method's.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.stack import stack_view
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.passed import Alone, ByAmount, PassedOn, halves_of
from core.findings.words import numbered, share_with_interval
from core.findings.words.numbers import percent, two_places
from core.findings.words.passed import ENDS
from core.request.catalog import METHODS
from core.results.names import PointLabel, amount_name, layer_number, listed, origins
from core.results.schema import SweepResult

COLUMNS = {  # as the axis writes them, in lines
    "loss, all layers pruned": ["loss,", "all layers", "pruned"],
    "own loss, pruned alone": ["own loss,", "pruned", "alone"],
    "loss at the end": ["loss", "at the", "end"],
    "predictions changed": ["predic-", "tions", "changed"],
}
HALVES = ("lower half", "upper half", "all layers")
BLANKS = {"v": None, "words": ""}  # at amounts at which layers were not measured
BESIDE = 14  # pixels from a line's end to its name
GAP = 0.075  # between two names, at most, of the height
BOTH = Layout("halves", '"stack harm" 23 "bar bar" auto / 1fr 1fr', '"stack" 12rem "harm" 15rem "bar" auto / 1fr')


def passed_scene(result: SweepResult, reduction: str, chosen: PointLabel, passed: PassedOn) -> Scene:
    """Show what each layer passes on, at every amount by which all layers were pruned alone.

    Args:
        result: The whole sweep.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The label of the selected point.
        passed: See `core.findings.passed.passed_on`.

    Returns:
        The picture `passed`, and `by-chance` if random removal is known.
    """
    title = [METHODS[result.pruning.method].title, f"loss: 1 − similarity; the end: {ENDS[passed.is_read]}"]
    views, second = {"passed": _lines_view(passed.method, layer_number(chosen), title)}, "."
    if passed.seeds:
        second = "by-chance"
        title = [f"Random removal of as many weights, mean of {numbered(passed.seeds, 'draw')}", g.BLANK]
        views[second] = _lines_view(passed.by_chance, layer_number(chosen), title)
    layout = Layout(
        "passed",
        wide=f'"passed {second}" 23.5 "bar bar" auto / 1fr 1fr',
        narrow=f'"passed" 21rem "bar" auto "{second}" 21rem / 1fr',
    )
    frames = [g.step(amount, f"{amount_name(amount)} of one layer's weights removed", "") for amount in passed.method]
    return Scene("What each layer passes on", origins((result,), reduction), views, frames, layout)


def _lines_view(tables: ByAmount, chosen: int, title: list[str]) -> View:
    numbers = np.array(list(tables.values()))  # (frames, layers, columns, 3)
    values = numbers[..., 0]
    heights = values / np.fmax(np.nan_to_num(values).max(1, keepdims=True), 1e-9)  # (frames, layers, columns)
    layers, first = values.shape[1], int(np.isnan(values[..., 0]).all())  # an empty column is left out
    gap = min(GAP, 1 / (layers - 1))
    places = np.array([[g.spread(column, gap) for column in frame.T] for frame in heights])  # (frames, columns, layers)
    rows = [
        {
            "layer": str(layer + 1),
            "half": HALVES[2 * layer >= layers],
            "chosen": layer + 1 == chosen,
            "column": column - first,
            "quantity": quantity,
            "v": list(map(g.rounded, heights[:, layer, column])),
            "at": list(map(g.rounded, places[:, column, layer])),
            "number": [_number(column, value) for value in values[:, layer, column].tolist()],
            "text": [_text(column, *frame) for frame in numbers[:, layer, column].tolist()],
        }
        for layer in range(layers)
        for column, quantity in list(enumerate(COLUMNS))[first:]
    ]
    table = Numbers("lines", "layer", {"Value": "text"}, column="quantity", named="Layer")
    return View(_lines, (tuple(COLUMNS)[first:], layers), {"lines": rows}, title, table)


def _number(column: int, value: float) -> str:
    return percent(value) if column == len(COLUMNS) - 1 else two_places(value)


def _text(column: int, value: float, low: float, high: float) -> str:
    if column == len(COLUMNS) - 1:
        return share_with_interval(value, None if np.isnan(low) else (low, high))
    return two_places(value) + ("" if np.isnan(low) else f" ({two_places(low)} to {two_places(high)})")


def _lines(columns: tuple[str, ...], layers: int) -> g.LayerChart:
    """Draw a line for each layer through all columns, thick for the selected one, and its name at both ends."""
    last, room = len(columns) - 1, [alt.ExprRef("margin"), alt.ExprRef("width - 1.7 * margin")]
    written = f"{[COLUMNS[column] for column in columns]}[datum.value]"
    axis = alt.Axis(
        values=list(range(last + 1)), labelExpr=written, domain=False, ticks=False, labelFlush=False, labelOverlap=False
    )
    x = alt.X("column:Q", scale=alt.Scale(domain=[0, last], range=room, nice=False), axis=axis, title=None)
    bare = alt.Axis(labels=False, **g.BARE)
    y = alt.Y("height:Q", scale=alt.Scale(domain=[-0.06, 1.06], nice=False), axis=bare, title=None)
    tooltip = g.tooltip({"Layer": "layer:N", "Quantity": "quantity:N", "Value": "words:N"})
    named = "datum.column ? datum.layer + ': ' + datum.number : datum.layer"
    lines = g.moving("lines", height="v", place="at", words="text", number="number")
    lines = lines.transform_filter("isValid(datum.height)").transform_calculate(name=named)
    lines = lines.encode(x=x, tooltip=tooltip)
    colour = g.by_series("half", alt.Legend(title=None, symbolType="stroke"), HALVES[:2], stroke=g.COLOURS)
    width = alt.condition("datum.chosen", alt.value(4), alt.value(1.75))
    first, final = (lines.transform_filter(f"datum.column === {column}") for column in (0, last))
    size = g.letters_of(layers)[1]
    before, after = (side.encode(y="place:Q", text="name:N") for side in (first, final))
    return alt.layer(
        lines.mark_rule(style="reference").encode(y=alt.datum(0), y2=alt.datum(1)),
        lines.mark_line().encode(y=y, detail="layer:N", strokeWidth=width, **colour),
        final.mark_rule(style="chance", opacity=0.7, x2Offset=BESIDE).encode(x2="column:Q", y=y, y2="place:Q"),
        before.mark_text(style="note", align="right", dx=-BESIDE, fontSize=size),
        after.mark_text(style="note", align="left", dx=1.3 * BESIDE, fontSize=size),
        lines.mark_point(opacity=0, size=150).encode(y=y),
    )


# ---------------------------------------------------------------- halves


def halves_scene(result: SweepResult, reduction: str, alone: Alone, drawn: Sequence[Alone], title: str) -> Scene:
    """Show which layers fade if all are pruned, and what pruning one half of them alone by as much changes.

    Amounts are shares of the weights of the pruned layers.

    Args:
        result: A whole sweep, of all layers.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        alone: See `core.findings.comparable.isolated_of`; both halves are in it.
        drawn: Its random controls.
        title: The finding.

    Returns:
        The pictures `stack`, undefined at amounts at which the halves alone were measured, and `harm`; both move
        through the amounts at which both halves were measured.
    """
    lower, upper = halves = halves_of(alone)
    rows = _harm_rows([*halves, result]) + [
        row for seed, pair in enumerate(drawn) for row in _harm_rows(halves_of(pair), seed)
    ]
    frames = [_halves_frame(amount, halves) for amount in lower.amounts if amount in upper.amounts]
    by_chance = f"; thin: at random, mean of {len(drawn)}" if drawn else ""
    most = max(ceil(4 * max((max(row["changed"], row["high"]) for row in rows), default=0.0)), 1) / 4
    datasets = {"harm": rows, "amounts": g.amount_rows(frame["amount"] for frame in frames)}
    stack = stack_view(result, reduction, has_floor=False)
    places = [result.amounts.index(frame["amount"]) if frame["amount"] in result.amounts else None for frame in frames]
    faded = [
        {**row, **{field: [blank if k is None else row[field][k] for k in places] for field, blank in BLANKS.items()}}
        for row in stack.datasets["stack"]
    ]
    views = {
        "stack": replace(stack, datasets={"stack": faded}, title="All layers pruned: their similarity"),
        "harm": View(_harm, (most,), datasets, f"Predictions changed, one half pruned or all{by_chance}"),
    }
    return Scene(title, origins((result,), reduction), views, frames, BOTH)


def _harm_rows(sweeps: Sequence[SweepResult], seed: int | None = None) -> g.Rows:
    """Return the predictions that pruning each of HALVES changes, at every amount; a seed marks random removal."""
    return [
        {
            "seed": seed,
            "series": series,
            "amount": frame.amount,
            "changed": frame.changed.share,
            "low": interval[0],
            "high": interval[1],
            "text": share_with_interval(frame.changed.share, interval),
        }
        for series, sweep in zip(HALVES, sweeps, strict=False)
        for frame in sweep.frames
        if frame.changed and (interval := frame.changed.interval or (0.0, 0.0))
    ]


def _halves_frame(amount: float, halves: Sequence[SweepResult]) -> dict[str, Any]:
    """Return what the player says about an amount: which predictions change if either half is pruned alone."""
    both = zip(("lower", "upper"), (half.frames[half.amounts.index(amount)].changed for half in halves), strict=True)
    changed = [f"{percent(record.share)} ({name})" for name, record in both if record]
    detail = f"{listed(changed)} of predictions change" if changed else ""
    return g.step(amount, f"{percent(amount)} of weights removed", detail)


def _harm(most: float) -> g.LayerChart:
    """Draw the method's curves with their intervals over thin ones of random removal, up to a multiple of a quarter."""
    x = g.amount_axis(title="Removed from the layers that are pruned")
    y = g.share_axis("changed:Q", "Predictions changed", (0, most * g.SHARE_DOMAIN[1]))
    legend = alt.Legend(title=None, symbolType="stroke")
    fill = g.by_series("series", legend, HALVES, fill=g.COLOURS)
    line = g.by_series("series", legend, HALVES, stroke=g.COLOURS, strokeDash=g.DASHES)
    curves = g.data("harm").encode(x=x, y=y)
    tooltip = g.tooltip({"Pruned": "series:N", "Predictions changed": "text:N"})
    own, drawn = (curves.transform_filter(f"{sign}isValid(datum.seed)") for sign in ("!", ""))
    return alt.layer(
        drawn.mark_line(strokeWidth=1, opacity=0.65).encode(y=alt.Y("mean(changed):Q", title=None), **line),
        own.mark_area(opacity=0.2).encode(y="low:Q", y2="high:Q", **fill),
        g.current_amount_rule(),
        own.mark_line(strokeWidth=2.5).encode(**line),
        own.mark_point(opacity=0, size=200).encode(tooltip=tooltip),
    )
