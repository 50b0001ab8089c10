"""A metric over the amounts, of one result or two: curves, intervals, and a fixed answer's score.

The metric is the task's main one, or accuracy. The range beyond the working range is shaded, for
two results beyond each one's own.
"""

from collections.abc import Iterable, Sequence
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
from core.results.schema import Frame, Measured, SweepResult
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
    metric = result.task.main_metric
    rows = curve_rows(result.frames, result.amounts, result.frames, metric)
    datasets = _datasets(
        rows,
        result.amounts,
        [reference_of(result, metric)],
        beyond_from(result),
    )
    title = f"{METRICS[metric].title} with its 95 % interval"
    if datasets["beyond"]:
        title = f"{title}; {g.SHADED}"
    arguments = ("amount", False, (metric,), 1.0)
    return View(_accuracy, arguments, datasets, title, numbers_of((metric,)))


def chance_view(result: SweepResult, damages: Array, scores: Array, beyond: float | None) -> View:
    """Draw a task's main metric over the overall change, and random removal's beside it.

    Args:
        result: A whole sweep.
        damages: (frames,) its overall change.
        scores: (frames, 3) the metric under random removal: the mean of the draws, the least and
            the largest.
        beyond: The end of its working range, if shaded beyond.
    """
    metric = result.task.main_metric
    own = np.full_like(scores, np.nan)
    own[:, 0] = scores_of(result)
    rows = []
    for name, values in {brief_name(result.pruning): own, AT_RANDOM: scores}.items():
        for k in np.flatnonzero(~np.isnan(values[:, 0] + damages)).tolist():
            value, low, high = map(g.rounded, values[k].tolist())
            row = {
                "series": name,
                "k": k,
                "amount": g.rounded(damages[k]),
                "value": value,
                "interval": "",
                "changed": "",
                "low": low,
                "high": high,
            }
            rows.append(row)
    start = None if beyond is None else damages[result.amounts.index(beyond)]
    datasets = _datasets(rows, damages, [reference_of(result, metric)], start)
    title = METRICS[metric].title
    numbers = Numbers("accuracy", "series", {title: "value"})
    if datasets["beyond"]:
        title = f"{title}; {g.SHADED}"
    largest = float(np.nanmax(damages, initial=0.0)) or 1.0
    return View(
        _accuracy,
        ("damage", True, (metric,), largest),
        datasets,
        title,
        numbers,
    )


def accuracies_view(
    results: Two, together: Together, names: tuple[str, str], metrics: Metrics
) -> View:
    """Draw the metrics of two results over their shared scale.

    On a scale to which both are interpolated, the curves hold the frames shown together, else all
    amounts. The reference is drawn once if it is the same.
    """
    rows: g.Rows = []
    starts = set()
    references = {}
    for k, (name, result, metric) in enumerate(
        zip(
            names,
            results,
            metrics,
            strict=True,
        )
    ):
        paired = [pair[k] for pair in together.pairs]
        frames: Sequence[Frame] = paired
        places: Sequence[float] = together.places
        if not together.is_interpolated:
            frames = result.frames
            places = [place(frame, together.scale) for frame in frames]
        rows += [
            {"series": name, **row}
            for row in curve_rows(
                frames,
                places,
                paired,
                metric,
            )
        ]
        start = beyond_from(result, metric)
        # A result may still work where the axis ends.
        if start is not None and start < frames[-1].amount:
            amounts = [frame.amount for frame in frames]
            starts.add(float(np.interp(start, amounts, places)))
        line, value = reference_of(result, metric)
        references[line, round(value, 2)] = (line, value)
    datasets = _datasets(rows, together.places, references.values(), *sorted(starts))
    keys = [g.SHADED] if starts else []
    if len(references) > 1:  # their words would meet the curves
        lines = dict.fromkeys(line for line, _ in references)
        keys.insert(0, f"dashed: {' and '.join(lines)}")
        for row in datasets["majority"]:
            row["text"] = ""
    title = f"{_names(*metrics)} with its 95 % interval\n{'; '.join(keys) or g.BLANK}"
    largest = (together.is_interpolated and together.places[-1]) or 1.0
    arguments = (together.scale, True, metrics, largest)
    return View(_accuracy, arguments, datasets, title, numbers_of(metrics, "series"))


def _datasets(
    rows: g.Rows,
    places: Iterable[float],
    references: Iterable[tuple[str, float]],
    *beyond: float | None,
) -> dict[str, g.Rows]:
    """Return the data of `_accuracy`.

    Args:
        rows: See `curve_rows`.
        places: Those of the frames that are played.
        references: The words and the height of each line, see `reference_of`.
        beyond: The ends of working ranges; None for none.
    """
    lines = [
        {"value": value, "text": f"{name}: {decimals(value, 2)}"} for name, value in references
    ]
    return {
        "accuracy": rows,
        "majority": lines,
        "beyond": g.beyond_rows(*beyond),
        "amounts": g.amount_rows(places),
    }


def _names(*metrics: str) -> str:
    """Name one metric, or two of two results in their order."""
    first, *second = dict.fromkeys(metrics)
    symbols = [METRICS[metric].symbol for metric in second]
    return ", then ".join([METRICS[first].title, *symbols])


def numbers_of(metrics: tuple[str, ...], row: str = "") -> Numbers:
    """Return the place of the numbers; `row` is the field that names a result."""
    values = {title: field[:-2] for title, field in fields_of(metrics).items()}
    return Numbers("accuracy", row, values)


def fields_of(metrics: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of the table and the tooltip by their titles."""
    return {
        _names(*metrics): "value:Q",
        "95 % interval": "interval:N",
        "Predictions changed": "changed:N",
    }


def curve_rows(
    frames: Sequence[Measured],
    places: Sequence[float],
    played: Sequence[Measured],
    metric: str,
) -> g.Rows:
    """Return each frame's metric, its interval, and what pruning changes for the user.

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
    if not frame.changed:
        return "not measured"
    return share_with_interval(frame.changed.share, frame.changed.interval)


def _accuracy(scale: Scale, two: bool, metrics: tuple[str, ...], largest: float) -> g.LayerChart:
    """Draw one curve in the colour of the theme, or two in colours of their own with a legend."""
    lows, highs = zip(*(METRICS[metric].domain for metric in metrics), strict=True)
    domain = (min(lows), max(highs) * g.SHARE_DOMAIN[1])
    start, end = (largest * end for end in g.AMOUNT_DOMAIN)
    looks: dict[str, Any] = {}
    if scale == "damage":
        looks = {"values": alt.Undefined, "format": alt.Undefined, "tickCount": 5}
    title = SCALE_TITLES[scale]
    amount = alt.Tooltip("amount:Q", title=title, format=".2f" if looks else "~%")
    tooltip = [amount, *g.tooltip(fields_of(metrics))]
    line = {}
    fill = {}
    if two:
        # Vega breaks no lines in a legend; names hold line breaks.
        legend = alt.Legend(
            title=None,
            direction="vertical",
            labelExpr="split(datum.label, '\\n')",
            symbolType="stroke",
        )
        line = g.series_line(legend)
        fill = g.series_fill()
        tooltip = [*g.tooltip({"Pruning": "series:N"}), *tooltip]
    curve = g.data("accuracy").encode(
        x=g.amount_axis(title, (start, end), **looks),
        y=g.share_axis(None, domain, tickCount=alt.ExprRef("ceil(height / 40)")),
    )
    majority = g.data("majority").encode(y="value:Q")
    return alt.layer(
        g.beyond_shade(end),
        g.band(curve).encode(**fill),
        majority.mark_rule(style="reference"),
        g.current_amount_rule(),
        *g.reference_words(majority.encode(x=alt.datum(0))),
        curve.mark_line(style="series").encode(**line),
        g.current_amount_marker(curve).encode(**fill),
        g.hover(curve, tooltip),
    )
