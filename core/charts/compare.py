"""The pictures of two results that the player moves together.

A frame is a pair of frames that are shown together (`core.findings.compare.shown_together`). The first result is
orange and above zero, the second is blue, dashed and below.
"""

import textwrap
from collections.abc import Mapping, Sequence

import altair as alt

from core.charts.accuracy import SCALE_TITLES, accuracies_view
from core.charts.grammar import (
    BLANK,
    FIRST_COLOUR,
    SECOND_COLOUR,
    SIDES,
    SIMILARITY_DOMAIN,
    LayerChart,
    Rows,
    amount_rows,
    capitalised,
    depth_axis,
    rounded,
    series_fill,
    series_line,
    share_axis,
    two_places,
    value_text,
)
from core.charts.layout import Layout
from core.charts.matrix import difference_view, heatmap_view, rows_of
from core.charts.view import AMOUNTS, Numbers, Scene, Title, View
from core.findings.accuracy import metric_of
from core.findings.compare import (
    Axis,
    FramePair,
    Scale,
    Together,
    distinguishing_names,
    place,
    same_rows,
    shown_together,
)
from core.findings.survival import floor_of
from core.request.catalog import MEASURES, METRICS
from core.results.names import (
    amount_name,
    origins,
    percent,
    place_name,
    point_labels,
    point_names,
    unpruned_name,
    whose_units,
)
from core.results.schema import Frame, SweepResult

TITLE_WIDTH = 26  # characters of a line over a heatmap that is half as wide as a telephone
LEGEND_WIDTH = 42  # characters of a line in a legend or over a heatmap, on a telephone
FLOOR_NOTE = "dotted: the floor, with everything removed"
MATCHED: Mapping[Scale, str] = {"damage": ", at equal overall change", "divergence": ", at equal divergence"}

WIDEST_HALVED = 8  # points of a model whose heatmap is legible on half a telephone


def is_halved(results: tuple[SweepResult, SweepResult]) -> bool:
    """Whether the heatmaps of two results stand beside each other on a telephone."""
    points = [len(points) for result in results for points in (result.points, result.baseline_points)]
    return max(points) <= WIDEST_HALVED


def on_telephone(names: tuple[str, str], results: tuple[SweepResult, SweepResult], below: str) -> str:
    """Write a grid for a telephone: two heatmaps beside each other, or one above the other where layers are many.

    Args:
        names: The heatmaps' areas.
        results: What they show.
        below: The rows below, of two columns.
    """
    first, second = names
    heatmaps = f'"{first} {second}" min(62cqw, 26rem) "bar bar" auto'
    if not is_halved(results):
        heatmaps = f'"{first} {first}" min(104cqw, 28rem) "bar bar" auto "{second} {second}" min(104cqw, 28rem)'
    return f"{heatmaps} {below} / minmax(0, 1fr) minmax(0, 1fr)"


def compare_layout(results: tuple[SweepResult, SweepResult]) -> Layout:
    """Place both heatmaps and their difference, over what can be laid over one another."""
    below = """
        "difference difference" min(100cqw, 34rem)
        "accuracy accuracy" 18rem
        "own own" 16rem"""
    return Layout(
        "compare",
        wide="""
            "first first second second difference difference" clamp(17rem, 46vh, 30rem)
            "bar bar bar bar bar bar" auto
            "accuracy accuracy accuracy own own own" 16.5rem
            / minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1fr)""",
        medium="""
            "first second" 50cqw
            "bar bar" auto
            "difference own" 50cqw
            "accuracy accuracy" 16.5rem / minmax(0, 1fr) minmax(0, 1fr)""",
        narrow=on_telephone(SIDES, results, below),
    )


def beside_layout(results: tuple[SweepResult, SweepResult]) -> Layout:
    """Place the heatmaps of two results whose rows do not correspond."""
    return Layout(
        "beside",
        wide="""
            "first second" clamp(17rem, 46vh, 34rem)
            "bar bar" auto
            "accuracy accuracy" 16.5rem / minmax(0, 1fr) minmax(0, 1fr)""",
        narrow=on_telephone(SIDES, results, '"accuracy accuracy" 18rem'),
    )


def compare_scene(first: SweepResult, second: SweepResult, reduction: str, axis: Axis = "amount") -> Scene:
    """Show two results beside each other, and what can be laid over one another; see `shown_together` for the axis."""
    results, names = (first, second), distinguishing_names(first, second)
    together = shown_together(first, second, axis, reduction)
    views = compare_views(first, second, reduction, together, names)
    title = f"{capitalised(names[0])} beside {names[1]}{MATCHED.get(together.scale, '')}"
    layout = (compare_layout if "difference" in views else beside_layout)(results)
    frames = compare_frames(results, together)
    steps = AMOUNTS if together.scale == "amount" else SCALE_TITLES[together.scale]
    return Scene(title, origins(results, reduction), views, frames, layout, steps)


def compare_views(
    first: SweepResult, second: SweepResult, reduction: str, together: Together, names: tuple[str, str]
) -> dict[str, View]:
    """Draw two results beside each other, and what can be laid over one another.

    Returns:
        `first`, `second` and `accuracy`; where both were measured at the same points, `difference` and `own` as well.
    """
    results, points, pairs = (first, second), first.points, together.pairs
    *titles, difference_title = _titles(names, TITLE_WIDTH if is_halved(results) else LEGEND_WIDTH)
    series = (_series_name(names[0]), _series_name(names[1]))
    amounts = amount_rows(together.places)
    views = dict(zip(SIDES, heatmap_pair(results, pairs, reduction, titles), strict=True))
    views["accuracy"] = accuracies_view(results, together, series, amounts)
    if same_rows(first, second):
        views["difference"] = difference_view(pairs, points, reduction, difference_title, rows_of(first))
        if first.has_own:
            views["own"] = _own_view(results, pairs, reduction, series)
    return views


def heatmap_pair(
    results: tuple[SweepResult, SweepResult], pairs: Sequence[FramePair], reduction: str, titles: Sequence[Title]
) -> list[View]:
    """Draw the heatmaps of two results at the frames that are shown together."""
    return [
        heatmap_view(frames, result.points, reduction, title, f"{side}-cells", rows=rows_of(result))
        for side, result, frames, title in zip(SIDES, results, zip(*pairs, strict=True), titles, strict=True)
    ]


def compare_frames(
    results: tuple[SweepResult, SweepResult],
    together: Together,
    names: tuple[str, str] = ("", ""),
    metrics: tuple[str, str] | None = None,
) -> Rows:
    """Return what the player says about each pair: `amount`, its `name`, and `detail`, the numbers beside it.

    Args:
        results: Both results.
        together: Their frames.
        names: What stands before each number.
        metrics: One of each result; None is one that both have.
    """
    shown = metrics or (metric_of(*results),) * 2
    symbols = [METRICS[metric].symbol for metric in shown]
    words = (
        names if len(set(symbols)) == 1 else [f"{name} {symbol}" for name, symbol in zip(names, symbols, strict=True)]
    )
    rows = []
    for shared, (first, second) in zip(together.places, together.pairs, strict=True):
        numbers = (first.metrics.get(shown[0]), second.metrics.get(shown[1]))
        values = " and ".join(f"{word} {two_places(value)}".strip() for word, value in zip(words, numbers, strict=True))
        told = f"{symbols[0]} {values}" if len(set(symbols)) == 1 else values
        amounts = _removed(results, [percent(frame.amount) for frame in (first, second)])
        rows.append(
            {
                "amount": rounded(shared),
                "name": _place_name(shared, (first, second), results, together.scale),
                "detail": f"{amounts} · {told}" if together.is_interpolated else told,
            }
        )
    return rows


def _place_name(
    shared: float, frames: tuple[Frame, Frame], results: tuple[SweepResult, SweepResult], scale: Scale
) -> str:
    """Say where two frames are shown together."""
    if scale == "damage":
        return f"Overall change {place_name(shared)}"
    if scale == "divergence":
        return f"Divergence {place_name(shared)}"
    if scale == "amount":
        return _removed(results, [amount_name(frame.amount) for frame in frames])
    shares = dict.fromkeys(percent(place(frame, scale)) for frame in frames)
    return f"{' and '.join(shares)} of the encoder's weights removed"


def _removed(results: tuple[SweepResult, SweepResult], shares: Sequence[str]) -> str:
    """Say how much of each of two models is removed: `25 % and 30 % of weights removed`."""
    units = [whose_units(result) for result in results]
    if units[0] != units[1]:
        return f"{shares[0]} of {units[0]} and {shares[1]} of {units[1]} removed"
    return f"{' and '.join(dict.fromkeys(shares))} of {units[0]} removed"


def _titles(names: tuple[str, str], width: int) -> list[list[str]]:
    """Return the titles of both heatmaps and of their difference, in equally many lines: they are equally high."""
    texts = (f"First: {names[0]}", f"Second: {names[1]}", "First minus second")
    titles = [textwrap.wrap(text.replace("(seed ", f"(seed{BLANK}"), width) for text in texts]
    most = max(map(len, titles))
    return [title + [BLANK] * (most - len(title)) for title in titles]


def _series_name(name: str) -> str:
    """Return a result's name with line breaks, as a legend shows it; elsewhere they read as spaces."""
    return textwrap.fill(capitalised(name), LEGEND_WIDTH)


# ---------------------------------------------------------------- how much every layer keeps


def _own_view(
    results: tuple[SweepResult, SweepResult], pairs: Sequence[FramePair], reduction: str, series: tuple[str, str]
) -> View:
    """Draw both diagonals at the frame on show, from the first layer to the last, and the floor."""
    points, cka = results[0].points, MEASURES["cka"]
    rows = [
        {
            "series": name,
            "layer": point.label,
            "name": point.title,
            "v": [rounded(pair[side].matrix(reduction)[k][k]) for pair in pairs],
        }
        for side, name in enumerate(series)
        for k, point in enumerate(point_names(points))
    ]
    floors = _floor_rows(results, reduction)
    title = [
        f"Similarity (CKA) of each layer to the same number of {unpruned_name(results[0])}"
        if results[0].against
        else f"Similarity (CKA) that each layer keeps; intact above {cka.threshold}",
        FLOOR_NOTE if floors else BLANK,  # words beside the line would meet a curve
    ]
    numbers = Numbers("own", "layer", {"Similarity": "v"}, column="series", named="Layer")
    return View(_own_chart, (points,), {"own": rows, "floor": floors}, title, numbers=numbers)


def _floor_rows(results: tuple[SweepResult, SweepResult], reduction: str) -> Rows:
    """Return a row per layer of each floor that differs, `both` where they have one; none where it is unknown."""
    floors = [floor_of(result, reduction) for result in results]
    lines = {"both": floors[0]} if floors[0] == floors[1] else dict(zip(SIDES, floors, strict=True))
    return [
        {"line": line, "layer": point.label, "value": rounded(value)}
        for line, floor in lines.items()
        if floor
        for point, value in zip(point_names(results[0].points), floor, strict=True)
        if value is not None
    ]


def _own_chart(points: tuple[str, ...]) -> LayerChart:
    x = depth_axis(point_labels(points))
    tooltip = [
        alt.Tooltip("series:N", title="Pruning"),
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="Similarity"),
    ]
    own = alt.Chart(alt.NamedData("own"))
    curve = (
        own.transform_calculate(value="datum.v[frame]")
        .transform_calculate(text=value_text("datum.value"))
        .encode(x=x, y=share_axis("value:Q", "Similarity", SIMILARITY_DOMAIN))
    )
    floor = alt.Chart(alt.NamedData("floor")).encode(
        x=x,
        y=share_axis("value:Q", "Similarity", SIMILARITY_DOMAIN),
        stroke=alt.when("datum.line === 'first'")
        .then(alt.value(FIRST_COLOUR))
        .when("datum.line === 'second'")
        .then(alt.value(SECOND_COLOUR)),
        detail="line:N",
    )
    return alt.layer(
        own.mark_rule(style="reference").encode(y=alt.datum(MEASURES["cka"].threshold)),
        floor.mark_line(style="floor"),
        curve.mark_line(style="series").encode(**series_line(legend=None)),
        curve.mark_point(strokeOpacity=0, size=70, opacity=1).encode(tooltip=tooltip, **series_fill()),
    )
