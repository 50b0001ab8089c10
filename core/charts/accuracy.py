"""Accuracy over what is pruned, of one result or two: a curve each, its 95 % interval, and the majority class."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from core.charts.grammar import (
    LayerChart,
    Rows,
    amount_axis,
    current_amount_marker,
    current_amount_rule,
    haloed_text,
    rounded,
    series_fill,
    series_line,
    share_axis,
)
from core.charts.view import View
from core.findings.compare import Scale, place
from core.findings.overview import majority_share
from core.results.schema import Frame, SweepResult

SCALE_TITLES: dict[Scale, str] = {
    "amount": "Pruning amount",
    "prunable_sparsity": "Share of the encoder's weights removed",
}
SCALE_WORDS: dict[Scale, str] = {"amount": "Pruning amount", "prunable_sparsity": "Prunable sparsity"}
TITLE = "Accuracy with its 95 % interval"


def accuracy_view(result: SweepResult, frames: Sequence[Frame], amounts: Rows, title: str, dataset: str) -> View:
    """Draw one result's accuracy at all its amounts.

    Args:
        result: A whole sweep or the first frames of one.
        frames: Those that the player shows.
        amounts: From `core.charts.grammar.amount_rows`.
        title: What stands above the curve.
        dataset: Tells several curves of a page apart.
    """
    datasets = {
        dataset: accuracy_rows(result, frames),
        f"{dataset}-majority": [majority_row(result)],
        "amounts": amounts,
    }
    return View(_accuracy, ("amount", False, dataset), datasets, title)


def accuracies_view(
    results: tuple[SweepResult, SweepResult],
    pairs: Sequence[tuple[Frame, Frame]],
    scale: Scale,
    names: tuple[str, str],
    amounts: Rows,
) -> View:
    """Draw the accuracy of two results over what they share; the majority class once where it is the same."""
    shown = list(zip(*pairs, strict=True))
    majorities = {row["text"]: row for row in map(majority_row, results)}
    datasets = {
        "accuracy": [
            {"series": name, **row}
            for result, frames, name in zip(results, shown, names, strict=True)
            for row in accuracy_rows(result, frames, scale)
        ],
        "accuracy-majority": list(majorities.values()),
        "amounts": amounts,
    }
    return View(_accuracy, (scale, True, "accuracy"), datasets, TITLE)


def accuracy_rows(result: SweepResult, shown: Sequence[Frame], scale: Scale = "amount") -> Rows:
    """Return one row per frame; `k` is its place among the frames that are shown, null where it is not among them."""
    places = {frame.amount: k for k, frame in enumerate(shown)}
    return [
        {
            "k": places.get(frame.amount),
            "amount": rounded(place(frame, scale)),
            "accuracy": frame.metrics.get("accuracy"),
            **_interval(frame),
        }
        for frame in result.frames
    ]


def _interval(frame: Frame) -> dict[str, Any]:
    low, high = frame.intervals.get("accuracy") or (None, None)
    return {"low": low, "high": high, "interval": "unknown" if low is None else f"{low:.3f} to {high:.3f}"}


def majority_row(result: SweepResult) -> dict[str, Any]:
    """Return the height and the words of the reference line."""
    share = majority_share(result)
    return {"accuracy": share, "text": f"always the majority class: {share:.2f}"}


def _accuracy(scale: Scale, two: bool, dataset: str) -> LayerChart:
    """Draw one curve in the colour of the theme, or two in colours of their own with a legend."""
    x, y = amount_axis("amount:Q", SCALE_TITLES[scale]), share_axis("accuracy:Q", "Accuracy")
    legend = alt.Legend(title=None, orient="top", direction="vertical", labelLimit=600, symbolType="stroke")
    line, fill = (series_line(legend), series_fill()) if two else ({}, {})
    curve = alt.Chart(alt.NamedData(dataset)).encode(x=x)
    majority = alt.Chart(alt.NamedData(f"{dataset}-majority")).encode(y=y)
    words = majority.encode(x=alt.datum(0), text="text:N")
    return alt.layer(
        curve.mark_area(style="band").encode(y="low:Q", y2="high:Q", **fill),
        majority.mark_rule(style="reference"),
        curve.mark_line(style="series").encode(y=y, **line),
        current_amount_rule(x),
        *haloed_text(words, baseline="top", dx=4, dy=4),
        current_amount_marker(curve).encode(y=y, **fill),
        _hovered(curve, y, scale, two),
    )


def _hovered(curve: alt.Chart, y: alt.Y, scale: Scale, two: bool) -> alt.Chart:
    """Draw what the mouse finds: of one curve anywhere above an amount, of two curves near a point."""
    tooltip = [
        *([alt.Tooltip("series:N", title="Pruning")] if two else []),
        alt.Tooltip("amount:Q", title=SCALE_WORDS[scale], format=".2f"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
        alt.Tooltip("interval:N", title="95 % interval"),
    ]
    near = curve.mark_point(opacity=0, size=300).encode(y=y) if two else curve.mark_rule(opacity=0, strokeWidth=20)
    chart: alt.Chart = near.encode(tooltip=tooltip)
    return chart
