"""The pictures of two results that the player moves together.

A frame is a pair of frames (`core.findings.compare.shown_together`). The first result is orange and
above zero, the second is blue, dashed and below.
"""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from core.charts import grammar as g
from core.charts.accuracy import Metrics, accuracies_view
from core.charts.matrix import difference_view, heatmap_view
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.accuracy import metric_of
from core.findings.compare import (
    Axis,
    FramePair,
    Together,
    Two,
    distinguishing_names,
    same_model,
    shown_together,
)
from core.findings.layers import floor_of
from core.findings.words import numbers as num
from core.findings.words.compare import compare_heading, equal_heading
from core.request.catalog import METRICS, SURVIVAL_THRESHOLD
from core.results import names as n
from core.results.schema import SweepResult

TITLE_WIDTH = 26  # characters of a line over a heatmap that is half as wide as a telephone
WIDEST_HALVED = 8  # points of a model whose heatmap is legible on half a telephone
LEGEND_WIDTH = 38  # characters of a line in a legend on a telephone
DOMAIN = (-0.05, 1.05)  # of a curve of similarity; lower values are drawn at the edge
KEPT = f"Similarity (CKA) that each layer keeps; level line: intact from {SURVIVAL_THRESHOLD}"
FLOOR_NOTE = "dotted: the floor, with everything removed"


def _layout(results: Two, overlaid: bool) -> Layout:
    """Place both heatmaps and their accuracy, and what is laid over one another below.

    On a telephone heatmaps stand beside each other, or one above the other if layers are many.
    """
    both = '"first second accuracy" 1fr / 1fr 1fr 1fr'
    heatmaps = '"first second" min(62cqw, 26rem) "bar bar" auto'
    if max(len(result.points) for result in results) > WIDEST_HALVED:
        heatmaps = (
            '"first first" min(104cqw, 28rem) "bar bar" auto "second second" min(104cqw, 28rem)'
        )
    if not overlaid:
        return Layout(
            "beside",
            wide='"first second" 23 "bar bar" auto "accuracy accuracy" 16.5rem / 1fr 1fr',
            narrow=f'{heatmaps} "accuracy accuracy" 18rem / 1fr 1fr',
            slide=both,
        )
    return Layout(
        "compare",
        wide='"first first second second difference difference" 23 "bar bar bar bar bar bar" auto '
        '"accuracy accuracy accuracy own own own" 16.5rem / 1fr 1fr 1fr 1fr 1fr 1fr',
        narrow=f'{heatmaps} "difference difference" min(100cqw, 34rem) '
        '"accuracy accuracy" 18rem "own own" 16rem / 1fr 1fr',
        slide='"difference accuracy" 1fr / 1fr 1fr' if same_model(results) else both,
    )


def compare_scene(
    first: SweepResult,
    second: SweepResult,
    reduction: str,
    axis: Axis = "amount",
    metric: str | None = None,
) -> Scene:
    """Show two results beside each other, and laid over one another where they can be.

    Args:
        first: A whole sweep.
        second: Another one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        axis: The scale that both share: see `shown_together`.
        metric: The metric to draw; None is each task's main one.

    Returns:
        The pictures `first`, `second` and `accuracy`; if both were measured at the same points,
        `difference` and `own` as well.
    """
    results = (first, second)
    names = distinguishing_names(results)
    together = shown_together(results, axis, reduction)
    metrics = (metric_of(first, metric), metric_of(second, metric))
    texts = (f"First: {names[0]}", f"Second: {names[1]}", "First minus second")
    lines = [wrap(num.unbroken(text), TITLE_WIDTH) for text in texts]
    for part in lines:  # equally many: all are equally high
        part += [g.BLANK] * (max(map(len, lines)) - len(part))
    titles = list(map("\n".join, lines))
    # A legend shows the line breaks; elsewhere they read as spaces.
    series, other = (
        "\n".join(wrap(num.unbroken(n.capitalised(name)), LEGEND_WIDTH)) for name in names
    )
    views = {}
    frames = zip(*together.pairs, strict=True)
    for side, result, played, title in zip(
        g.SIDES,
        results,
        frames,
        titles,
        strict=False,
    ):
        views[side] = heatmap_view(result, played, reduction, title)
    views["accuracy"] = accuracies_view(results, together, (series, other), metrics)
    overlaid = first.points == second.points  # the cells compare the same layers
    if overlaid:
        views["difference"] = difference_view(
            first,
            together.pairs,
            reduction,
            titles[2],
        )
        views["own"] = _own_view(results, together, reduction, (series, other))
    return Scene(
        equal_heading(results, axis, reduction) or compare_heading(results, metric),
        n.origins(results, reduction),
        views,
        [
            _frame(results, together, shared, pair, metrics)
            for shared, pair in zip(together.places, together.pairs, strict=True)
        ],
        _layout(results, overlaid),
    )


def _frame(
    results: Two,
    together: Together,
    shared: float,
    pair: FramePair,
    metrics: Metrics,
) -> dict[str, Any]:
    """Return a pair's place on the shared scale, its name, and the numbers beside it."""
    scores = [
        f"{METRICS[metric].symbol} {num.two_places(frame.metrics.get(metric))}"
        for frame, metric in zip(pair, metrics, strict=True)
    ]
    if metrics[0] == metrics[1]:
        scores[1] = num.two_places(pair[1].metrics.get(metrics[1]))
    detail = " and ".join(scores)
    match together.scale:
        case "damage":
            removed = _removed(results, [num.percent(frame.amount) for frame in pair])
            name = f"Overall change {num.place_name(shared)}"
            detail = f"{removed} · {detail}"
        case "amount":
            name = _removed(results, [n.amount_name(frame.amount) for frame in pair])
        case _:
            shares = dict.fromkeys(num.percent(frame.prunable_sparsity) for frame in pair)
            name = f"{' and '.join(shares)} of the encoder's weights removed"
    return g.step(g.rounded(shared), name, detail)


def _removed(results: Two, shares: Sequence[str]) -> str:
    """Say how much of each of two models is removed: `25 % and 30 % of weights removed`."""
    units = [n.whose_units(result) for result in results]
    if units[0] != units[1]:
        return f"{shares[0]} of {units[0]} and {shares[1]} of {units[1]} removed"
    return f"{' and '.join(dict.fromkeys(shares))} of {units[0]} removed"


# ---------------------------------------------------------------- how much every layer keeps


def _own_view(results: Two, together: Together, reduction: str, series: tuple[str, str]) -> View:
    """Draw both diagonals at the current frame, from the first layer to the last, and the floor."""
    points = results[0].points
    rows = [
        {"series": name, **row}
        for name, frames in zip(series, zip(*together.pairs, strict=True), strict=True)
        for row in g.layer_rows(points, [frame.own(reduction) for frame in frames])
    ]
    floors = [floor_of(result, reduction) for result in results]
    lines = dict(zip(g.SIDES, floors, strict=True))
    if floors[0] == floors[1]:
        lines = {"both": floors[0]}
    floor_rows = [
        {"line": line, "layer": label, "value": g.rounded(value)}
        for line, floor in lines.items()
        for label, value in zip(n.point_labels(points), floor or (), strict=False)
        if value is not None
    ]
    # In the title: words beside the line would meet a curve.
    title = f"{KEPT}\n{FLOOR_NOTE if floor_rows else g.BLANK}"
    numbers = Numbers(
        "own",
        "layer",
        {"Similarity": "v"},
        column="series",
        named="Layer",
    )
    return View(_own, (points,), {"own": rows, "floor": floor_rows}, title, numbers)


def _own(points: g.Points) -> g.LayerChart:
    x = alt.X(
        "layer:N",
        sort=n.point_labels(points),
        title="Layer",
        scale=alt.Scale(type="point", padding=0.4),
        axis=alt.Axis(labelAngle=0, labelOverlap=True),
    )
    y = g.share_axis("Similarity", DOMAIN)
    curve = g.moving("own").encode(x=x, y=y)
    colour = alt.when("datum.line === 'first'").then(alt.value(g.FIRST_COLOUR))
    colour = colour.when("datum.line === 'second'").then(alt.value(g.SECOND_COLOUR))
    tooltip = g.tooltip(
        {
            "Pruning": "series:N",
            "Layer": "name:N",
            "Similarity": "text:N",
        }
    )
    return alt.layer(
        g.data("own").mark_rule(style="reference").encode(y=alt.datum(SURVIVAL_THRESHOLD)),
        g.data("floor")
        .mark_line(style="floor")
        .encode(
            x=x,
            y=y,
            stroke=colour,
            detail="line:N",
        ),
        curve.mark_line(style="series").encode(**g.series_line(legend=None)),
        curve.mark_point(strokeOpacity=0, size=70, opacity=1).encode(
            tooltip=tooltip, **g.series_fill()
        ),
    )
