"""A metric over what is pruned, of one result or two: a curve each, its 95 % interval, and what one answer always gets.

The metric is the task's main one, or accuracy. What lies beyond the working range is shaded, of two results beyond each
one's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from core.charts.grammar import (
    AMOUNT_DOMAIN,
    BLANK,
    REMOVED,
    SHARE_DOMAIN,
    SIDES,
    LayerChart,
    Rows,
    amount_axis,
    beyond_rows,
    beyond_shade,
    beyond_words,
    capitalised,
    current_amount_marker,
    current_amount_rule,
    haloed_text,
    rounded,
    series_fill,
    series_line,
    share_axis,
    value_axis,
)
from core.charts.view import Numbers, View
from core.findings.accuracy import beyond_from, metric_of, reference_of
from core.findings.compare import Scale, Together, place
from core.request.catalog import METRICS
from core.results.names import decimals
from core.results.schema import Bounds, Frame, SweepResult

SCALE_TITLES: dict[Scale, str] = {
    "amount": REMOVED,
    "prunable_sparsity": "Share of encoder weights removed",
    "damage": "Overall change (1 − mean similarity)",
    "divergence": "Divergence of the predictions, in bits",
}
NOT_MEASURED = "not measured"


def metric_title(metric: str) -> str:
    """Say what a curve shows."""
    return f"{METRICS[metric].title} with its 95 % interval"


def accuracy_view(
    result: SweepResult, frames: Sequence[Frame], amounts: Rows, title: str, dataset: str, metric: str
) -> View:
    """Draw one result's metric at all its amounts.

    Args:
        result: A whole sweep or the first frames of one.
        frames: Those that the player shows.
        amounts: From `core.charts.grammar.amount_rows`.
        title: What stands above the curve.
        dataset: Tells several curves of a page apart.
        metric: From `core.findings.accuracy.metric_of`.
    """
    datasets = {
        dataset: accuracy_rows(result, frames, metric),
        f"{dataset}-majority": [reference_row(result, metric)],
        f"{dataset}-beyond": beyond_rows(beyond_from(result)),
        "amounts": amounts,
    }
    return View(
        _accuracy, ("amount", False, dataset, metric, 1.0), datasets, title, numbers=_numbers(dataset, metric, None)
    )


def accuracies_view(
    results: tuple[SweepResult, SweepResult], together: Together, names: tuple[str, str], amounts: Rows
) -> View:
    """Draw a metric of two results over what they share; the reference once where it is the same.

    Over a scale that both are interpolated to, the curves hold the frames on show, else all amounts.
    """
    scale, metric = together.scale, metric_of(*results)
    shown = list(zip(*together.pairs, strict=True))
    beyond = _beyond_of_two(results, together)
    majorities = {row["text"]: row for row in (reference_row(result, metric) for result in results)}
    datasets = {
        "accuracy": [
            {"series": name, **row}
            for result, frames, name in zip(results, shown, names, strict=True)
            for row in (
                matched_rows(frames, together.places, metric)
                if together.is_interpolated
                else accuracy_rows(result, frames, metric, scale)
            )
        ],
        "accuracy-majority": list(majorities.values()),
        "accuracy-beyond": [{"start": rounded(start)} for start in set(beyond.values())],
        "amounts": amounts,
    }
    largest = together.places[-1] if together.is_interpolated else 1.0
    title = [metric_title(metric), _beyond_note(beyond)]
    numbers = _numbers("accuracy", metric, "series")
    return View(_accuracy, (scale, True, "accuracy", metric, largest or 1.0), datasets, title, numbers=numbers)


def _numbers(dataset: str, metric: str, row: str | None) -> Numbers:
    """Return what the tooltip says as well."""
    values = {
        METRICS[metric].title: "value",
        "95 % interval": "interval",
        "Predictions changed": "changed",
        "Divergence of the predictions": "divergence",
    }
    return Numbers(dataset, row, values)


def _beyond_of_two(results: tuple[SweepResult, SweepResult], together: Together) -> dict[str, float]:
    """Return where on the scale each result stops to work, the sooner one first; without those that do not."""
    starts = {}
    for side, result, shown in zip(SIDES, results, zip(*together.pairs, strict=True), strict=True):
        frames = shown if together.is_interpolated else result.frames
        places = together.places if together.is_interpolated else [place(frame, together.scale) for frame in frames]
        start = beyond_from(result)
        if start is not None and start < frames[-1].amount:
            starts[side] = float(np.interp(start, [frame.amount for frame in frames], places))
    return dict(sorted(starts.items(), key=lambda item: item[1]))


def _beyond_note(starts: Mapping[str, float]) -> str:
    """Say what the shade stands for; where both have one, it is darker where they meet."""
    if not starts:
        return BLANK
    if len(starts) == 2 and len(set(starts.values())) == 1:
        return "shaded: neither works any more"
    darker = ", darker: neither does" if len(starts) == 2 else ""
    return f"shaded: the {next(iter(starts))} no longer works{darker}"


def accuracy_rows(result: SweepResult, shown: Sequence[Frame], metric: str, scale: Scale = "amount") -> Rows:
    """Return one row per frame; `k` is its place among the frames that are shown, null where it is not among them."""
    places = {frame.amount: k for k, frame in enumerate(shown)}
    return [
        {"k": places.get(frame.amount), "amount": rounded(place(frame, scale)), **_values(frame, metric)}
        for frame in result.frames
    ]


def matched_rows(frames: Sequence[Frame], places: Sequence[float], metric: str) -> Rows:
    """Return one row per frame on show, at the place that it shares with another result's."""
    return [
        {"k": k, "amount": rounded(shared), **_values(frame, metric)}
        for k, (frame, shared) in enumerate(zip(frames, places, strict=True))
    ]


def _values(frame: Frame, metric: str) -> dict[str, Any]:
    """Return the metric, its interval, and what pruning changes for the user, as the tooltip says it."""
    low, high = frame.intervals.get(metric) or (None, None)
    changed, moved = frame.changed, frame.divergence
    return {
        "value": frame.metrics.get(metric),
        "low": low,
        "high": high,
        "interval": "unknown" if low is None or high is None else f"{decimals(low, 2)} to {decimals(high, 2)}",
        "changed": _with_interval(changed.share, changed.interval, "%", 0, 100) if changed else NOT_MEASURED,
        "divergence": _with_interval(moved.value, moved.interval, "bits", 3) if moved else NOT_MEASURED,
    }


def _with_interval(value: float, interval: Bounds | None, unit: str, places: int, scale: float = 1) -> str:
    """Write a value with its unit, of which it has `scale` to one, and its interval where there is one."""
    number, *bounds = (decimals(scale * each, places) for each in (value, *(interval or ())))
    return f"{number} {unit} ({' to '.join(bounds)})" if bounds else f"{number} {unit}"


def reference_row(result: SweepResult, metric: str) -> dict[str, Any]:
    """Return the height and the words of the reference line."""
    name, value = reference_of(result, metric)
    return {"value": value, "text": f"{name}: {decimals(value, 2)}"}


def _accuracy(scale: Scale, two: bool, dataset: str, metric: str, largest: float) -> LayerChart:
    """Draw one curve in the colour of the theme, or two in colours of their own with a legend."""
    title, in_percent = SCALE_TITLES[scale], scale in ("amount", "prunable_sparsity")
    x, start = (
        amount_axis(field, title) if in_percent else value_axis(field, title, largest)
        for field in ("amount:Q", "start:Q")
    )
    low, high = METRICS[metric].domain
    y = share_axis("value:Q", capitalised(METRICS[metric].symbol), (low, high * SHARE_DOMAIN[1]))
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="vertical",
        labelLimit=600,
        labelExpr="split(datum.label, '\\n')",
        symbolType="stroke",
    )
    line, fill = (series_line(legend), series_fill()) if two else ({}, {})
    curve = alt.Chart(alt.NamedData(dataset)).encode(x=x)
    majority = alt.Chart(alt.NamedData(f"{dataset}-majority")).encode(y=y)
    words = majority.encode(x=alt.datum(0), text="text:N")
    end = AMOUNT_DOMAIN[1] * largest
    beyond = f"{dataset}-beyond"
    return alt.layer(
        beyond_shade(beyond, start, end),
        curve.mark_area(style="band").encode(y="low:Q", y2="high:Q", **fill),
        majority.mark_rule(style="reference"),
        curve.mark_line(style="series").encode(y=y, **line),
        current_amount_rule(x),
        *haloed_text(words, baseline="top", dx=4, dy=4),
        *([] if two else beyond_words(beyond, alt.datum(high), end)),
        current_amount_marker(curve).encode(y=y, **fill),
        _hovered(curve, y, alt.Tooltip("amount:Q", title=title, format="~%" if in_percent else ".2f"), two, metric),
    )


def _hovered(curve: alt.Chart, y: alt.Y, place: alt.Tooltip, two: bool, metric: str) -> alt.Chart:
    """Draw what the mouse finds: of one curve anywhere above an amount, of two curves near a point."""
    tooltip = [
        *([alt.Tooltip("series:N", title="Pruning")] if two else []),
        place,
        alt.Tooltip("value:Q", title=METRICS[metric].title, format=".2f"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("changed:N", title="Predictions changed"),
        alt.Tooltip("divergence:N", title="Divergence of the predictions"),
    ]
    near = curve.mark_point(opacity=0, size=300).encode(y=y) if two else curve.mark_rule(opacity=0, strokeWidth=20)
    chart: alt.Chart = near.encode(tooltip=tooltip)
    return chart
