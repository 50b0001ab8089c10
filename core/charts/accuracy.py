"""A metric over the amounts, of one result or two: a curve each, its 95 % interval, and the score of one fixed answer.

The metric is the task's main one, or accuracy. The range beyond the working range is shaded, for two results beyond
each one's own.
"""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.accuracy import beyond_from, reference_of
from core.findings.compare import Scale, Together, Two, place
from core.findings.matching import scores_of
from core.findings.words import share_with_interval
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS
from core.results.names import brief_name
from core.results.schema import Measured, SweepResult
from core.sweep.statistics import Array

AT_RANDOM = "Random removal"
Metrics = tuple[str, str]  # of two results
SCALE_TITLES: dict[Scale, str] = {
    "amount": g.REMOVED,
    "prunable_sparsity": "Share of encoder weights removed",
    "damage": "Overall change (1 − mean similarity)",
}


def accuracy_view(result: SweepResult) -> View:
    """Draw the main metric of a whole sweep, or of its first frames, at all amounts."""
    metric, beyond = result.task.main_metric, g.beyond_rows(beyond_from(result))
    rows = curve_rows(result.frames, result.amounts, result.frames, metric)
    datasets = _datasets(rows, [reference_of(result, metric)], beyond, result.amounts)
    title = f"{METRICS[metric].title} with its 95 % interval{f'; {g.SHADED}' if beyond else ''}"
    return View(
        _accuracy, ("amount", False, (metric,), 1.0), datasets, title, numbers_of((metric,), None)
    )


def chance_view(result: SweepResult, damages: Array, scores: Array, beyond: float | None) -> View:
    """Draw a result's main metric over the overall change, and random removal's where that is the same.

    Args:
        result: A whole sweep.
        damages: (frames,) its overall change.
        scores: (frames, 3) the metric under random removal: the mean of the draws, the least and the largest.
        beyond: The end of its working range, if shaded beyond.
    """
    own, metric = scores_of(result)[:, None], result.task.main_metric
    series = {
        brief_name(result.pruning): np.pad(own, ((0, 0), (0, 2)), constant_values=np.nan),
        AT_RANDOM: scores,
    }
    rows = [
        {
            "series": name,
            "k": k,
            "amount": g.rounded(at),
            "value": g.rounded(value),
            "interval": "",
            "changed": "",
        }
        | {"low": g.rounded(low), "high": g.rounded(high)}
        for name, values in series.items()
        for k, (at, (value, low, high)) in enumerate(
            zip(damages.tolist(), values.tolist(), strict=True)
        )
        if not isnan(value + at)
    ]
    shaded = [] if beyond is None else g.beyond_rows(damages[result.amounts.index(beyond)])
    datasets = _datasets(rows, [reference_of(result, metric)], shaded, damages.tolist())
    title = f"{METRICS[metric].title}{f'; {g.SHADED}' if shaded else ''}"
    largest = float(np.nanmax(damages, initial=0.0)) or 1.0
    numbers = Numbers("accuracy", "series", {METRICS[metric].title: "value"})
    return View(_accuracy, ("damage", True, (metric,), largest), datasets, title, numbers)


def accuracies_view(
    results: Two, together: Together, names: tuple[str, str], metrics: Metrics
) -> View:
    """Draw the metrics of two results over their shared scale, and their reference once if it is the same.

    On a scale to which both are interpolated, the curves hold the frames shown together, else all amounts.
    """
    scale, rows, starts = together.scale, [], set[float]()
    for name, result, metric, paired in zip(
        names, results, metrics, zip(*together.pairs, strict=True), strict=True
    ):
        frames = paired if together.is_interpolated else result.frames
        places = (
            together.places
            if together.is_interpolated
            else [place(frame, scale) for frame in frames]
        )
        rows += [{"series": name, **row} for row in curve_rows(frames, places, paired, metric)]
        start = beyond_from(result, metric)
        if (
            start is not None and start < frames[-1].amount
        ):  # else it still works where the axis ends
            starts.add(
                round(float(np.interp(start, [frame.amount for frame in frames], places)), 6)
            )
    references = {
        (name, round(value, 2)): (name, value)
        for name, value in map(reference_of, results, metrics)
    }
    keys = [g.SHADED] if starts else []
    beyond = [{"start": start} for start in sorted(starts)]
    datasets = _datasets(rows, references.values(), beyond, together.places)
    if len(references) > 1:  # their words would meet the curves
        keys.insert(0, f"dashed: {' and '.join(dict.fromkeys(name for name, _ in references))}")
        datasets["majority"] = [{**row, "text": ""} for row in datasets["majority"]]
    largest = (together.is_interpolated and together.places[-1]) or 1.0
    title = [f"{_names(*metrics)} with its 95 % interval", "; ".join(keys) or g.BLANK]
    return View(
        _accuracy, (scale, True, metrics, largest), datasets, title, numbers_of(metrics, "series")
    )


def _datasets(
    rows: g.Rows, references: Iterable[tuple[str, float]], beyond: g.Rows, amounts: Iterable[float]
) -> dict[str, g.Rows]:
    """Return the data of `_accuracy`; each reference is its words and its height, see `reference_of`."""
    lines = [
        {"value": value, "text": f"{name}: {decimals(value, 2)}"} for name, value in references
    ]
    return {
        "accuracy": rows,
        "majority": lines,
        "beyond": beyond,
        "amounts": g.amount_rows(amounts),
    }


def _names(*metrics: str) -> str:
    """Name one metric, or two of two results in their order."""
    first, *other = dict.fromkeys(metrics)
    return ", then ".join((METRICS[first].title, *(METRICS[metric].symbol for metric in other)))


def numbers_of(metrics: tuple[str, ...], row: str | None) -> Numbers:
    """Return the place of the numbers; `row` is the field that names a result."""
    return Numbers(
        "accuracy",
        row,
        {title: field.partition(":")[0] for title, field in fields_of(metrics).items()},
    )


def fields_of(metrics: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of the table and the tooltip by their titles."""
    return {
        _names(*metrics): "value:Q",
        "95 % interval": "interval:N",
        "Predictions changed": "changed:N",
    }


def curve_rows(
    frames: Sequence[Measured], places: Sequence[float], played: Sequence[Measured], metric: str
) -> g.Rows:
    """Return each frame's metric, its interval, and what pruning changes for the user, as the tooltip says it.

    `k` is the frame's place among those that are played, all of them the same objects, or null.
    """
    ks = {id(frame): k for k, frame in enumerate(played)}
    return [
        {
            "k": ks.get(id(frame)),
            "amount": g.rounded(amount),
            "value": frame.metrics.get(metric),
            **g.interval_fields(frame.intervals.get(metric)),
            "changed": changed_words(frame),
        }
        for amount, frame in zip(places, frames, strict=True)
    ]


def changed_words(frame: Measured) -> str:
    """Write the share of the predictions that pruning changes."""
    return (
        share_with_interval(frame.changed.share, frame.changed.interval)
        if frame.changed
        else "not measured"
    )


def _accuracy(scale: Scale, two: bool, metrics: tuple[str, ...], largest: float) -> g.LayerChart:
    """Draw one curve in the colour of the theme, or two in colours of their own with a legend."""
    title = SCALE_TITLES[scale]
    low = min(METRICS[metric].domain[0] for metric in metrics)
    high = max(METRICS[metric].domain[1] for metric in metrics)
    in_percent = scale != "damage"
    steps: dict[str, Any] = (
        {} if in_percent else {"values": alt.Undefined, "format": alt.Undefined, "tickCount": 5}
    )
    start, end = (largest * end for end in g.AMOUNT_DOMAIN)
    x = g.amount_axis(title=title, ends=(start, end), **steps)
    y = g.share_axis(
        "value:Q", None, (low, high * g.SHARE_DOMAIN[1]), tickCount=alt.ExprRef("ceil(height / 40)")
    )
    legend = alt.Legend(
        title=None, direction="vertical", labelExpr="split(datum.label, '\\n')", symbolType="stroke"
    )
    line, fill = (g.series_line(legend), g.series_fill()) if two else ({}, {})
    curve, majority = g.data("accuracy").encode(x=x, y=y), g.data("majority").encode(y="value:Q")
    tooltip = [
        *g.tooltip({"Pruning": "series:N"} if two else {}),
        alt.Tooltip("amount:Q", title=title, format="~%" if in_percent else ".2f"),
        *g.tooltip(fields_of(metrics)),
    ]
    return alt.layer(
        g.beyond_shade(end),
        curve.mark_area(style="band").encode(y="low:Q", y2="high:Q", **fill),
        majority.encode(x=alt.datum(start), x2=alt.datum(end)).mark_rule(style="reference"),
        g.current_amount_rule(),
        *g.reference_words(majority.encode(x=alt.datum(0))),
        curve.mark_line(style="series").encode(**line),
        g.current_amount_marker(curve).encode(**fill),
        curve.mark_point(opacity=0, size=300).encode(tooltip=tooltip),
    )
