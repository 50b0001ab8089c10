"""Either half of the layers pruned alone: which of them matters, beside random removal of as many weights."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import altair as alt

from core.charts import grammar as g
from core.charts.view import Layout, Scene, View
from core.findings.passed import Alone, halves_of
from core.findings.words import share_with_interval
from core.findings.words.numbers import percent
from core.results.names import listed, origins
from core.results.schema import SweepResult

HALVES = ("lower half", "upper half", "all layers")
LAYOUT = Layout("halves", '"harm" 20 "bar" auto / 1fr')


def halves_scene(result: SweepResult, reduction: str, alone: Alone, drawn: Sequence[Alone], title: str) -> Scene:
    """Show which predictions pruning one half of the layers alone changes, and pruning all by as much.

    Amounts are shares of the weights of the pruned layers.

    Args:
        result: A whole sweep, of all layers.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        alone: See `core.findings.comparable.isolated_of`; both halves are in it.
        drawn: Its random controls.
        title: The finding.

    Returns:
        The picture `harm`, which moves through the amounts at which both halves were measured.
    """
    lower, upper = halves = halves_of(alone)
    rows = _harm_rows([*halves, result]) + [
        row for seed, pair in enumerate(drawn) for row in _harm_rows(halves_of(pair), seed)
    ]
    frames = [_halves_frame(amount, halves) for amount in lower.amounts if amount in upper.amounts]
    by_chance = f"; thin: at random, mean of {len(drawn)}" if drawn else ""
    most = max(ceil(4 * max((max(row["changed"], row["high"]) for row in rows), default=0.0)), 1) / 4
    datasets = {"harm": rows, "amounts": g.amount_rows(frame["amount"] for frame in frames)}
    views = {"harm": View(_harm, (most,), datasets, f"Predictions changed, one half pruned or all{by_chance}")}
    return Scene(title, origins((result,), reduction), views, frames, LAYOUT)


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
