"""Two SweepResults -> Vega-Lite, by Altair: the pictures that the player moves through two prunings together.

Like those of `core.charts.overview`, every picture is a template with a parameter `frame`, drawn once, and named data.
A frame is a pair of frames that are shown together (`core.findings.compare.shown_together`). The first result is
orange and above zero, the second one is blue, dashed and below.
"""

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import altair as alt

from core.charts.grammar import (
    MARGIN,
    LayerChart,
    Rows,
    Spec,
    amount_axis,
    finished,
    hatching,
    here,
    majority,
    reference_words,
    rounded,
)
from core.charts.overview import player_views
from core.findings.compare import FramePair, Scale, place, shared_scale
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import amount_name, point_names
from core.results.schema import Frame, SweepResult

FIRST_COLOUR, SECOND_COLOUR = "#d9670f", "#2584cf"  # told apart without red and green; 3 : 1 on white and on dark
DIFFERENCE_SCHEME: Literal["blueorange"] = "blueorange"
DIFFERENCE_DOMAIN = [-1, 1]  # fixed around 0: no difference is larger while both values lie in [0, 1]
DARK_BEYOND = {"orange": 0.875, "blue": 0.79}  # from here on white text has the better contrast
MOST_PRINTED = 8  # more points than this leave no room for a signed number in a cell
BLANK = "\u00a0"  # a line of a title that takes room
TITLE_WIDTH = 30  # characters of one line over a heatmap
SERIES = ("one", "other")
SCALE_TITLES: dict[Scale, str] = {
    "amount": "Pruning amount",
    "prunable_sparsity": "Share of the encoder's weights removed",
}
SCALE_WORDS: dict[Scale, str] = {"amount": "Pruning amount", "prunable_sparsity": "Prunable sparsity"}


def compare_views(
    one: SweepResult, other: SweepResult, reduction: str, pairs: Sequence[FramePair], names: tuple[str, str]
) -> dict[str, Spec]:
    """Draws two results beside each other, and what can be laid over one another.

    Args:
        one: A result.
        other: Another one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        pairs: The frames that are shown together.
        names: What the two are called.

    Returns:
        `one`, `other` and `accuracy`; where both were measured at the same points, `difference` and `own` as well.
        Each has its data under `datasets`.
    """
    scale, points = shared_scale(one, other), one.cka.points
    titles = _titles(names)
    names = (_capitalised(names[0]), _capitalised(names[1]))
    views = {
        side: {**_heatmap(_only(result, frames), reduction), "title": title}
        for side, result, frames, title in zip(SERIES, (one, other), zip(*pairs, strict=True), titles, strict=False)
    }
    amounts = [{"k": k, "amount": place(pair[0], scale)} for k, pair in enumerate(pairs)]
    curves = {
        "curve": _curve(one, other, pairs, scale, names),
        "reference": _references(one, other),
        "amounts": amounts,
    }
    views["accuracy"] = {**_accuracy_spec(scale), "datasets": curves}
    if points == other.cka.points:
        cells = _differences(pairs, points, reduction)
        views["difference"] = {**_difference_spec(points), "title": titles[2], "datasets": {"cells": cells}}
        own = _own(pairs, points, reduction, names)
        views["own"] = {**_own_spec(points), "datasets": {"own": own}}
    return views


def compare_frames(pairs: Sequence[FramePair], scale: Scale) -> Rows:
    """Gives what the player says about each pair: `amount`, its `name`, and `detail`, the numbers beside it.

    Args:
        pairs: The frames that are shown together.
        scale: What they have in common.
    """
    rows = []
    for one, other in pairs:
        places = dict.fromkeys(_place_name(frame, scale) for frame in (one, other))
        accuracies = [_two_places(frame.metrics.get("accuracy")) for frame in (one, other)]
        rows.append(
            {
                "amount": rounded(place(one, scale)),
                "name": f"{SCALE_WORDS[scale]} {' and '.join(places)}",
                "detail": f"accuracy {' and '.join(accuracies)}",
            }
        )
    return rows


def _titles(names: tuple[str, str]) -> list[list[str]]:
    """What stands over the heatmaps and their difference, in equally many lines, so that they are equally high."""
    texts = (f"First: {names[0]}", f"Second: {names[1]}", "First minus second")
    titles = [textwrap.wrap(text, TITLE_WIDTH) for text in texts]
    most = max(map(len, titles))
    return [title + [BLANK] * (most - len(title)) for title in titles]


def _capitalised(name: str) -> str:
    return name[0].upper() + name[1:]


def _place_name(frame: Frame, scale: Scale) -> str:
    return amount_name(frame.amount) if scale == "amount" else f"{frame.prunable_sparsity:.2f}"


def _two_places(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


# ---------------------------------------------------------------- data


def _only(result: SweepResult, frames: tuple[Frame, ...]) -> SweepResult:
    """The result with some of its frames."""
    return result.model_copy(update={"frames": frames})


def _heatmap(result: SweepResult, reduction: str) -> Spec:
    return player_views(result, reduction)["heatmap"]


def _differences(pairs: Sequence[FramePair], points: tuple[str, ...], reduction: str) -> Rows:
    """One row a cell: `v` holds the differences over the pairs, `one` and `other` what they come from."""
    names = point_names(points)
    rows = []
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            values = [[rounded(frame.cka[reduction][i][j]) for frame in frames] for frames in zip(*pairs, strict=True)]
            rows.append(
                {
                    "baseline": row.label,
                    "pruned": column.label,
                    "baseline_name": row.title,
                    "pruned_name": column.title,
                    "v": [None if a is None or b is None else rounded(a - b) for a, b in zip(*values, strict=True)],
                    **dict(zip(SERIES, values, strict=True)),
                }
            )
    return rows


def _curve(
    one: SweepResult, other: SweepResult, pairs: Sequence[FramePair], scale: Scale, names: tuple[str, str]
) -> Rows:
    """One row a frame of either result; `k` is the pair that it belongs to, if any."""
    rows = []
    for side, (result, name) in enumerate(zip((one, other), names, strict=True)):
        pair_of = {pair[side].amount: k for k, pair in enumerate(pairs)}
        for frame in result.frames:
            low, high = frame.intervals.get("accuracy") or (None, None)
            rows.append(
                {
                    "series": name,
                    "k": pair_of.get(frame.amount),
                    "amount": rounded(place(frame, scale)),
                    "accuracy": frame.metrics.get("accuracy"),
                    "low": low,
                    "high": high,
                    "interval": "unknown" if low is None else f"{low:.3f} to {high:.3f}",
                }
            )
    return rows


def _references(one: SweepResult, other: SweepResult) -> Rows:
    """The majority class of either result, once where it is the same."""
    return list({row["text"]: row for row in (majority(one), majority(other))}.values())


def _own(pairs: Sequence[FramePair], points: tuple[str, ...], reduction: str, names: tuple[str, str]) -> Rows:
    """One row a point and result: its CKA with its own baseline over the pairs."""
    return [
        {
            "series": name,
            "layer": point.label,
            "name": point.title,
            "v": [rounded(pair[side].cka[reduction][k][k]) for pair in pairs],
        }
        for side, name in enumerate(names)
        for k, point in enumerate(point_names(points))
    ]


# ---------------------------------------------------------------- drawings


@lru_cache(maxsize=16)
def _difference_spec(points: tuple[str, ...]) -> Spec:
    return {**finished(_difference(points)), "usermeta": {"columns": len(points)}}  # for the size of the numbers


@lru_cache(maxsize=16)
def _own_spec(points: tuple[str, ...]) -> Spec:
    return finished(_own_values(points))


@lru_cache(maxsize=2)
def _accuracy_spec(scale: Scale) -> Spec:
    return finished(_accuracies(scale))


def _difference(points: tuple[str, ...]) -> LayerChart:
    """What the first keeps more (orange) or less (blue) than the second, cell by cell."""
    names = point_names(points)
    order = [name.label for name in names]
    axis = alt.Axis(labelAngle=0, ticks=False, domain=False, labelOverlap=True)
    x = alt.X("pruned:N", sort=order, title="Layer of the pruned model", axis=axis)
    y = alt.Y("baseline:N", sort=order[::-1], title="Layer of the baseline", axis=axis)
    colour = alt.Color(
        "cka:Q",
        scale=alt.Scale(domain=DIFFERENCE_DOMAIN, scheme=DIFFERENCE_SCHEME, clamp=True),
        legend=alt.Legend(
            title="CKA, first − second",
            orient="top",
            titleOrient="left",
            values=[-1, 0, 1],
            offset=6,
        ),
    )
    tooltip = [
        alt.Tooltip("baseline_name:N", title="Baseline"),
        alt.Tooltip("pruned_name:N", title="Pruned"),
        alt.Tooltip("text:N", title="Difference"),
        alt.Tooltip("first:N", title="First"),
        alt.Tooltip("second:N", title="Second"),
    ]
    base = (
        alt.Chart(alt.NamedData("cells"))
        .transform_calculate(cka="datum.v[frame]")
        .transform_calculate(
            text=f"isValid(datum.cka) ? {_signed('datum.cka', 3)} : 'undefined'",
            first=_told("datum.one[frame]"),
            second=_told("datum.other[frame]"),
        )
        .encode(x=x, y=y)
    )
    layers = [base.mark_rect(invalid="show").encode(color=colour, tooltip=tooltip), *hatching(base, x, y)]
    if len(names) <= MOST_PRINTED:
        dark = f"datum.cka > {DARK_BEYOND['orange']} || datum.cka < -{DARK_BEYOND['blue']}"
        number = base.transform_filter("isValid(datum.cka)").transform_calculate(printed=_signed("datum.cka", 2))
        layers.append(
            number.mark_text(style="number").encode(
                text="printed:N", color=alt.condition(dark, alt.value("white"), alt.value("black"))
            )
        )
    return alt.layer(*layers).properties(title="First minus second", view=alt.ViewBackground(style="frame"))


def _signed(field: str, places: int) -> str:
    """A Vega expression that writes a number with its sign; what rounds to zero has none."""
    return f"({field} >= {0.5 * 10**-places} ? '+' : '') + format({field}, '.{places}f')"


def _told(field: str) -> str:
    return f"isValid({field}) ? format({field}, '.3f') : 'undefined'"


def _stroke(legend: alt.Legend | None) -> alt.Stroke:
    """The two results' colours, in the order of the data."""
    return alt.Stroke("series:N", sort=None, scale=alt.Scale(range=[FIRST_COLOUR, SECOND_COLOUR]), legend=legend)


def _fill() -> alt.Fill:
    """The same colours; the legend shows lines alone."""
    return alt.Fill("series:N", sort=None, scale=alt.Scale(range=[FIRST_COLOUR, SECOND_COLOUR]), legend=None)


def _dash(legend: alt.Legend | None) -> alt.StrokeDash:
    return alt.StrokeDash("series:N", sort=None, scale=alt.Scale(range=[[1, 0], [6, 3]]), legend=legend)


def _accuracies(scale: Scale) -> LayerChart:
    """Both accuracies over what is shared, with their intervals, and the majority class."""
    x = amount_axis("amount:Q", SCALE_TITLES[scale])
    y = alt.Y(
        "accuracy:Q",
        title="Accuracy",
        scale=alt.Scale(domain=[0, 1.03], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", minExtent=MARGIN, maxExtent=MARGIN),
    )
    legend = alt.Legend(title=None, orient="top", direction="vertical", labelLimit=600, symbolType="stroke")
    tooltip = [
        alt.Tooltip("series:N", title="Pruning"),
        alt.Tooltip("amount:Q", title=SCALE_WORDS[scale], format=".2f"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
        alt.Tooltip("interval:N", title="95 % interval"),
    ]
    base = alt.Chart(alt.NamedData("curve")).encode(x=x)
    reference = alt.Chart(alt.NamedData("reference")).encode(y=y)
    return alt.layer(
        base.mark_area(opacity=0.18).encode(y="low:Q", y2="high:Q", fill=_fill()),
        reference.mark_rule(style="reference"),
        base.mark_line(strokeWidth=2.5).encode(y=y, stroke=_stroke(legend), strokeDash=_dash(legend)),
        here(x),
        *reference_words(reference),
        base.transform_filter("datum.k === frame").mark_point(style="marker").encode(y=y, fill=_fill()),
        base.mark_point(opacity=0, size=300).encode(y=y, tooltip=tooltip),
    ).properties(title="Accuracy with its 95 % interval")


def _own_values(points: tuple[str, ...]) -> LayerChart:
    """Both diagonals at the frame on show: how much every layer keeps, from the first to the last."""
    order = [name.label for name in point_names(points)]
    x = alt.X(
        "layer:N", sort=order, title="Layer", scale=alt.Scale(type="point", padding=0.4), axis=alt.Axis(labelAngle=0)
    )
    y = alt.Y(
        "cka:Q",
        title="CKA",
        scale=alt.Scale(domain=[-0.05, 1.05], nice=False, clamp=True),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", minExtent=MARGIN, maxExtent=MARGIN),
    )
    tooltip = [
        alt.Tooltip("series:N", title="Pruning"),
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="CKA"),
    ]
    base = (
        alt.Chart(alt.NamedData("own"))
        .transform_calculate(cka="datum.v[frame]")
        .transform_calculate(text=_told("datum.cka"))
        .encode(x=x, y=y)
    )
    survives = alt.Chart(alt.NamedData("own")).encode(y=alt.datum(SURVIVAL_THRESHOLD))
    return alt.layer(
        survives.mark_rule(style="reference"),
        base.mark_line(strokeWidth=2.5).encode(stroke=_stroke(None), strokeDash=_dash(None)),
        base.mark_point(strokeOpacity=0, size=70, opacity=1).encode(fill=_fill(), tooltip=tooltip),
    ).properties(title=f"Each layer's CKA with its own baseline; it survives above {SURVIVAL_THRESHOLD}")
