"""A metric over what is pruned, of one result or two: a curve each, its 95 % interval, and what one answer always gets.

The metric is the task's main one, or accuracy. What lies beyond the working range is shaded, of two results beyond each
one's own.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.accuracy import beyond_from, ends_by_chance, reference_of
from core.findings.compare import Scale, Together, Two, place
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS
from core.results.fields import Bounds
from core.results.schema import Frame, SweepResult

SCALE_TITLES: dict[Scale, str] = {
    "amount": g.REMOVED,
    "prunable_sparsity": "Share of encoder weights removed",
    "damage": "Overall change (1 − mean similarity)",
}
NOT_MEASURED = "not measured"


def metric_title(metric: str) -> str:
    """Say what a curve shows."""
    return f"{METRICS[metric].title} with its 95 % interval"


def accuracy_view(
    result: SweepResult, frames: Sequence[Frame], title: str, metric: str, controls: Sequence[SweepResult] = ()
) -> View:
    """Draw one result's metric at all its amounts.

    Args:
        result: A whole sweep or the first frames of one.
        frames: Those that the player shows.
        title: What stands above the curve.
        metric: From `core.findings.accuracy.metric_of`.
        controls: The seeds of its random control, behind it.
    """
    by_chance = g.beyond_rows(max(ends_by_chance(result, controls, metric), default=None))
    drawn = [(seed, frame) for seed, control in enumerate(controls) for frame in control.frames]
    datasets = {
        "accuracy": _rows(result.frames, result.amounts, frames, metric),
        "majority": [_reference_row(result, metric)],
        "chance": [{"seed": seed, "amount": frame.amount, "value": frame.metrics.get(metric)} for seed, frame in drawn],
        "beyond": [{**row, "text": ""} for row in by_chance] + g.beyond_rows(beyond_from(result, metric)),
        "amounts": g.amount_rows(frame.amount for frame in frames),
    }
    title += "; thin lines and light shade: random removal" if controls else ""
    numbers = Numbers("accuracy", None, _numbers(metric))
    return View(_accuracy, ("amount", False, metric, 1.0), datasets, title, numbers=numbers)


def accuracies_view(results: Two, together: Together, names: tuple[str, str], metric: str) -> View:
    """Draw a metric of two results over what they share; the reference once where it is the same.

    Over a scale that both are interpolated to, the curves hold the frames on show, else all amounts.
    """
    scale, rows, starts = together.scale, [], {}
    for side, name, result, shown in zip(g.SIDES, names, results, zip(*together.pairs, strict=True), strict=True):
        frames = shown if together.is_interpolated else result.frames
        places = together.places if together.is_interpolated else [place(frame, scale) for frame in frames]
        rows += [{"series": name, **row} for row in _rows(frames, places, shown, metric)]
        start = beyond_from(result, metric)
        if start is not None and start < frames[-1].amount:  # else it still works where the axis ends
            starts[side] = round(float(np.interp(start, [frame.amount for frame in frames], places)), 6)
    references = {row["text"]: row for row in (_reference_row(result, metric) for result in results)}
    datasets = {
        "accuracy": rows,
        "majority": list(references.values()),
        "beyond": [{"start": start} for start in sorted(set(starts.values()))],
        "amounts": g.amount_rows(together.places),
    }
    largest = together.places[-1] if together.is_interpolated else 1.0
    ended = ", then of ".join(f"the {side}" for side in sorted(starts, key=starts.__getitem__))  # from there on darker
    title = [metric_title(metric), f"shaded: {g.BEYOND} of {ended}" if starts else g.BLANK]
    numbers = Numbers("accuracy", "series", _numbers(metric))
    return View(_accuracy, (scale, True, metric, largest or 1.0), datasets, title, numbers=numbers)


def _numbers(metric: str) -> dict[str, str]:
    """Return what stands in the table and in the tooltip."""
    changes = {"Predictions changed": "changed", "Divergence of the predictions": "divergence"}
    return {METRICS[metric].title: "value", "95 % interval": "interval", **changes}


def _rows(frames: Sequence[Frame], places: Sequence[float], shown: Sequence[Frame], metric: str) -> g.Rows:
    """Return of each frame the metric, its interval, and what pruning changes for the user, as the tooltip says it.

    `k` is its place among the frames that are shown, null where it is not among them.
    """
    ks = {frame.amount: k for k, frame in enumerate(shown)}
    known = ((frame, frame.changed, frame.divergence) for frame in frames)
    return [
        {
            "k": ks.get(frame.amount),
            "amount": g.rounded(amount),
            "value": frame.metrics.get(metric),
            **g.interval_fields(frame.intervals.get(metric)),
            "changed": _with_interval(changed.share, changed.interval, "%", 0, 100) if changed else NOT_MEASURED,
            "divergence": _with_interval(moved.value, moved.interval, "bits", 3) if moved else NOT_MEASURED,
        }
        for amount, (frame, changed, moved) in zip(places, known, strict=True)
    ]


def _with_interval(value: float, interval: Bounds | None, unit: str, places: int, scale: float = 1) -> str:
    """Write a value with its unit, of which it has `scale` to one, and its interval where there is one."""
    number, *bounds = (decimals(scale * each, places) for each in (value, *(interval or ())))
    return f"{number} {unit} ({' to '.join(bounds)})" if bounds else f"{number} {unit}"


def _reference_row(result: SweepResult, metric: str) -> dict[str, Any]:
    """Return the height and the words of the reference line."""
    name, value = reference_of(result, metric)
    return {"value": value, "text": f"{name}: {decimals(value, 2)}"}


def _accuracy(scale: Scale, two: bool, metric: str, largest: float) -> g.LayerChart:
    """Draw one curve in the colour of the theme, or two in colours of their own with a legend."""
    title, (low, high) = SCALE_TITLES[scale], METRICS[metric].domain
    in_percent = scale in ("amount", "prunable_sparsity")
    steps: dict[str, Any] = {} if in_percent else {"values": alt.Undefined, "format": alt.Undefined, "tickCount": 5}
    start, end = (largest * end for end in g.AMOUNT_DOMAIN)
    # Beside a short title stands the name of the shade.
    x = g.amount_axis(title=title if two else "Removed", ends=(start, end), **steps)
    y = g.share_axis("value:Q", None, (low, high * g.SHARE_DOMAIN[1]), tickCount=alt.ExprRef("ceil(height / 40)"))
    legend = alt.Legend(title=None, direction="vertical", labelExpr="split(datum.label, '\\n')", symbolType="stroke")
    line, fill = (g.series_line(legend), g.series_fill()) if two else ({}, {})
    across = {"x": alt.datum(start), "x2": alt.datum(end)}
    curve, majority = g.data("accuracy").encode(x=x, y=y), g.data("majority").encode(y="value:Q")
    chance = g.data("chance").encode(x="amount:Q", y="value:Q", detail="seed:N")
    tooltip = [
        *(g.tooltip({"Pruning": "series:N"}) if two else []),
        alt.Tooltip("amount:Q", title=title, format="~%" if in_percent else ".2f"),
        *g.tooltip({name: f"{field}:{'Q' if field == 'value' else 'N'}" for name, field in _numbers(metric).items()}),
    ]
    return alt.layer(
        g.beyond_shade(end),
        *([] if two else [g.beyond_words(end)]),
        curve.mark_area(style="band").encode(y="low:Q", y2="high:Q", **fill),
        majority.encode(**across).mark_rule(style="reference"),
        *([] if two else [chance.mark_line(style="chance", clip=True)]),
        g.current_amount_rule(),
        *g.reference_words(majority.encode(x=alt.datum(0))),
        curve.mark_line(style="series").encode(**line),
        g.current_amount_marker(curve).encode(**fill),
        curve.mark_point(opacity=0, size=300).encode(tooltip=tooltip),
    )
