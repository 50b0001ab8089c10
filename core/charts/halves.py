"""Predictions changed by pruning one half of the layers alone, beside the layers as all of them are pruned."""

from collections.abc import Iterable, Sequence

import altair as alt

from core.charts import grammar as g
from core.charts.layout import Layout, in_column
from core.charts.overview import player_frames
from core.charts.stack import stack_view
from core.charts.view import Numbers, Scene, View
from core.findings.comparable import Halves
from core.findings.words import share_with_interval
from core.results.names import origins
from core.results.schema import SweepResult

SERIES = ("lower half", "upper half", "all layers")
TITLE = "Predictions changed by pruning one half alone, or all"
CHANCE = " (thin: at random)"
END = 0.5  # of the encoder's weights, which a half of the layers holds
LOOKS = {"stroke": [*g.METHOD_COLOURS[:3]], "strokeDash": [[1, 0], [6, 3], [2, 2]]}


def halves_scene(
    result: SweepResult,
    reduction: str,
    companions: Iterable[SweepResult],
    halves: Halves,
    seeds: Sequence[Halves],
    title: str,
) -> Scene:
    """Show which layers fade where all are pruned, and which half of them matters where one is pruned alone.

    Args:
        result: A whole sweep.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: Results from which its random control is picked.
        halves: See `core.findings.comparable.halves_of`.
        seeds: Its random controls.
        title: The finding.
    """
    views = {"stack": stack_view(result, reduction, companions), "harm": _harm_view(result, halves, seeds)}
    layout = Layout(
        "halves",
        wide='"stack harm" clamp(17rem, 46vh, 34rem) "bar bar" auto / minmax(0, 1fr) minmax(0, 1fr)',
        narrow=in_column({"stack": "18.5rem", "bar": "auto", "harm": "18rem"}),
    )
    frames = player_frames(result)[: sum(frame.prunable_sparsity < END for frame in result.frames)]
    return Scene(title, origins((result,), reduction), views, frames, layout)


def _harm_view(result: SweepResult, halves: Halves, seeds: Sequence[Halves]) -> View:
    places = {round(frame.prunable_sparsity, 3): k for k, frame in enumerate(result.frames)}
    rows = [row for name, sweep in zip(SERIES, (*halves, result), strict=True) for row in _rows(name, sweep)]
    rows = [{"k": places.get(round(row["removed"], 3)), **row} for row in rows]
    chance = [
        {"seed": k, **row}
        for k, pair in enumerate(seeds)
        for name, sweep in zip(SERIES, pair, strict=False)
        for row in _rows(name, sweep)
    ]
    removed = g.amount_rows(frame.prunable_sparsity for frame in result.frames if frame.prunable_sparsity <= END)
    numbers = Numbers("harm", "series", {"Predictions changed": "text"})
    datasets = {"harm": rows, "chance": chance, "amounts": removed}
    return View(_harm, (), datasets, TITLE + CHANCE * bool(seeds), numbers=numbers)


def _rows(name: str, sweep: SweepResult) -> g.Rows:
    """Return a row for each frame whose predictions are known."""
    known = ((frame, frame.changed) for frame in sweep.frames if frame.changed and frame.prunable_sparsity <= END)
    return [
        {
            "series": name,
            "removed": g.rounded(frame.prunable_sparsity),
            "changed": changed.share,
            "low": changed.interval[0] if changed.interval else changed.share,
            "high": changed.interval[1] if changed.interval else changed.share,
            "text": share_with_interval(changed.share, changed.interval),
        }
        for frame, changed in known
    ]


def _harm() -> g.LayerChart:
    """Draw the method's curves with their intervals over thin ones of random removal."""
    x = g.amount_axis(
        "removed:Q",
        "Share of the encoder's weights removed",
        (g.AMOUNT_DOMAIN[0] * END, END),
        values=[0, 0.1, 0.2, 0.3, 0.4, 0.5],
    )
    y = g.share_axis("changed:Q", "Predictions changed")
    y["axis"].format = ".0%"
    legend = alt.Legend(title=None, symbolType="stroke")
    curves, chance = (g.data(name).encode(x=x, y=y) for name in ("harm", "chance"))
    line = g.told_apart("series", legend, SERIES, **LOOKS)
    fill = g.told_apart("series", None, SERIES, fill=LOOKS["stroke"])
    told = {"Pruned": "series:N", "Predictions changed (95 %)": "text:N"}
    return alt.layer(
        chance.mark_line(strokeWidth=1, opacity=0.65).encode(detail="seed:N", **line),
        curves.mark_area(opacity=0.2).encode(y="low:Q", y2="high:Q", **fill),
        g.current_amount_rule(),
        curves.mark_line(strokeWidth=2.5).encode(**line),
        g.on_show(curves).mark_point(style="marker", filled=True).encode(**fill),
        curves.mark_point(opacity=0, size=200).encode(
            tooltip=[alt.Tooltip("removed:Q", title="Weights removed", format="~%"), *g.told(told)]
        ),
    )
