"""The pictures of two results that the player moves together.

A frame is a pair of frames that are shown together (`core.findings.compare.shown_together`). The first result is
orange and above zero, the second is blue, dashed and below.
"""

import textwrap
from collections.abc import Sequence

import altair as alt

from core.charts.accuracy import SCALE_WORDS, accuracies_view
from core.charts.grammar import (
    CKA_DOMAIN,
    LayerChart,
    Rows,
    amount_rows,
    capitalised,
    rounded,
    series_fill,
    series_line,
    share_axis,
    two_places,
    value_text,
)
from core.charts.matrix import difference_view, heatmap_view
from core.charts.view import Title, View
from core.findings.compare import FramePair, Scale, place, shared_scale
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import amount_name, point_names
from core.results.schema import Frame, SweepResult

BLANK = "\u00a0"  # a line of a title that takes room
TITLE_WIDTH = 30  # characters of a line over a heatmap
SIDES = ("first", "second")


def compare_views(
    first: SweepResult, second: SweepResult, reduction: str, pairs: Sequence[FramePair], names: tuple[str, str]
) -> dict[str, View]:
    """Draw two results beside each other, and what can be laid over one another.

    Returns:
        `first`, `second` and `accuracy`; where both were measured at the same points, `difference` and `own` as well.
    """
    results, points, scale = (first, second), first.points, shared_scale(first, second)
    *titles, difference_title = _titles(names)
    series = (capitalised(names[0]), capitalised(names[1]))
    amounts = amount_rows(place(frame, scale) for frame, _ in pairs)
    views = dict(zip(SIDES, heatmap_pair(results, pairs, reduction, titles), strict=True))
    views["accuracy"] = accuracies_view(results, pairs, scale, series, amounts)
    if points == second.points:
        views["difference"] = difference_view(pairs, points, reduction, difference_title)
        views["own"] = _own_view(pairs, points, reduction, series)
    return views


def heatmap_pair(
    results: tuple[SweepResult, SweepResult], pairs: Sequence[FramePair], reduction: str, titles: Sequence[Title]
) -> list[View]:
    """Draw the heatmaps of two results at the frames that are shown together."""
    return [
        heatmap_view(frames, result.points, reduction, title, f"{side}-cells")
        for side, result, frames, title in zip(SIDES, results, zip(*pairs, strict=True), titles, strict=True)
    ]


def compare_frames(pairs: Sequence[FramePair], scale: Scale, names: tuple[str, str] = ("", "")) -> Rows:
    """Return what the player says about each pair: `amount`, its `name`, and `detail`, the numbers beside it."""
    rows = []
    for pair in pairs:
        places = dict.fromkeys(_place_name(frame, scale) for frame in pair)
        accuracies = [
            f"{name} {two_places(frame.metrics.get('accuracy'))}".strip()
            for name, frame in zip(names, pair, strict=True)
        ]
        rows.append(
            {
                "amount": rounded(place(pair[0], scale)),
                "name": f"{SCALE_WORDS[scale]} {' and '.join(places)}",
                "detail": f"accuracy {' and '.join(accuracies)}",
            }
        )
    return rows


def _place_name(frame: Frame, scale: Scale) -> str:
    return amount_name(frame.amount) if scale == "amount" else two_places(frame.prunable_sparsity)


def _titles(names: tuple[str, str]) -> list[list[str]]:
    """Return the titles of both heatmaps and of their difference, in equally many lines: they are equally high."""
    texts = (f"First: {names[0]}", f"Second: {names[1]}", "First minus second")
    titles = [textwrap.wrap(text, TITLE_WIDTH) for text in texts]
    most = max(map(len, titles))
    return [title + [BLANK] * (most - len(title)) for title in titles]


# ---------------------------------------------------------------- how much every layer keeps


def _own_view(pairs: Sequence[FramePair], points: tuple[str, ...], reduction: str, series: tuple[str, str]) -> View:
    """Draw both diagonals at the frame on show, from the first layer to the last."""
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
    title = f"Each layer's CKA with its own baseline; it survives above {SURVIVAL_THRESHOLD}"
    return View(_own_chart, (points,), {"own": rows}, title)


def _own_chart(points: tuple[str, ...]) -> LayerChart:
    order = [name.label for name in point_names(points)]
    x = alt.X(
        "layer:N", sort=order, title="Layer", scale=alt.Scale(type="point", padding=0.4), axis=alt.Axis(labelAngle=0)
    )
    tooltip = [
        alt.Tooltip("series:N", title="Pruning"),
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="CKA"),
    ]
    own = alt.Chart(alt.NamedData("own"))
    curve = (
        own.transform_calculate(value="datum.v[frame]")
        .transform_calculate(text=value_text("datum.value"))
        .encode(x=x, y=share_axis("value:Q", "CKA", CKA_DOMAIN))
    )
    return alt.layer(
        own.mark_rule(style="reference").encode(y=alt.datum(SURVIVAL_THRESHOLD)),
        curve.mark_line(style="series").encode(**series_line(legend=None)),
        curve.mark_point(strokeOpacity=0, size=70, opacity=1).encode(tooltip=tooltip, **series_fill()),
    )
