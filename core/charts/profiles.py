"""All methods of a task at one damage, which the player moves: own CKA against changed predictions, and depth profiles.

A frame is one of the damages at which results are compared (`core.sweep.equal_damage.DAMAGES`).
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from core.charts.accuracy import SCALE_TITLES
from core.charts.grammar import (
    MARGIN,
    METHOD_COLOURS,
    METHOD_SHAPES,
    REMOVED,
    SHARE_DOMAIN,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    depth_axis,
    on_show,
    rounded,
    share_axis,
)
from core.charts.layout import Layout
from core.charts.view import Numbers, Scene, View
from core.findings.claim import Placed
from core.findings.profiles import Profiled, costs_of
from core.findings.survival import floor_of
from core.results.choices import task_title
from core.results.names import amount_name, circumstances, decimals, place_name, point_labels, point_names
from core.results.schema import SweepResult
from core.sweep.equal_damage import DAMAGES

TICK = 0.05  # the axis of a profile begins at a multiple of it
OWN_STEP, CHANGED_STEP = 0.1, 0.25  # the axes of what a CKA costs end at multiples of these


def profile_scene(result: SweepResult, methods: Sequence[Profiled], reduction: str) -> Scene:
    """Show what every method costs, and its depth profile over those of its control's seeds.

    Args:
        result: One of the task.
        methods: All methods that are known on it.
        reduction: A name from `core.request.catalog.REDUCTIONS`.

    Returns:
        The pictures `cost`, and `profile-1`, `profile-2`, … of the methods that have a profile at some damage.
    """
    shown = [method for method in methods if any(known.method for known in method.verdicts.values())]
    lows = tuple(_lowest(shown, damage) for damage in DAMAGES)
    views = {"cost": _cost_view(methods, reduction)}
    for k, method in enumerate(shown, start=1):
        views[f"profile-{k}"] = _profile_view(method, k, lows, reduction)
    return Scene(
        f"All methods on {task_title(result.task.name)} at the same overall change",
        (circumstances(result, reduction),),
        views,
        _frames(),
        _layout(len(shown)),
        SCALE_TITLES["damage"],
    )


def _layout(profiles: int) -> Layout:
    """Put the profiles, in the order of their names, beside and below the larger picture of costs."""
    names = [f"profile-{k}" for k in range(1, profiles + 1)]
    return Layout(
        "profiles",
        wide=_grid([["cost", *names[:2]], ["cost", *names[2:4]], *_rows(names[4:], 3)], 3, "15rem"),
        narrow=_grid([["cost", "cost"], ["cost", "cost"], *_rows(names, 2)], 2, "13rem"),
    )


def _rows(names: Sequence[str], columns: int) -> list[Sequence[str]]:
    return [names[k : k + columns] for k in range(0, len(names), columns)]


def _grid(rows: Sequence[Sequence[str]], columns: int, height: str) -> str:
    """Write the rows of a grid below the player's bar; `.` is an empty cell."""
    lines = [[*row, *["."] * (columns - len(row))] for row in rows]
    areas = " ".join(f'"{" ".join(line)}" {height}' for line in lines)
    return f'"{" ".join(["bar"] * columns)}" auto {areas} / {" ".join(["minmax(0, 1fr)"] * columns)}'


def _frames() -> Rows:
    """Return what the player says about each damage."""
    return [
        {
            "amount": damage,
            "name": f"Overall change {place_name(damage)}",
            "detail": f"mean similarity {decimals(1 - damage, 2)}",
        }
        for damage in DAMAGES
    ]


# ---------------------------------------------------------------- data


def _placed(method: Profiled, damage: float) -> list[Placed]:
    known = method.verdicts[damage]
    return [*([known.method] if known.method else []), *known.controls]


def _lowest(methods: Sequence[Profiled], damage: float) -> float:
    """Return where the axis of all profiles at a damage begins."""
    ends = [min(placed.profile.low) for method in methods for placed in _placed(method, damage)]
    return float(np.floor(min(ends, default=1 - damage) / TICK) * TICK)


def _profile_view(method: Profiled, k: int, lows: tuple[float, ...], reduction: str) -> View:
    points = method.result.points
    own: list[Placed | None] = [method.verdicts[damage].method for damage in DAMAGES]
    rows = [
        {
            "layer": name.label,
            "name": name.title,
            **{
                field: [rounded(getattr(placed.profile, field)[row]) if placed else None for placed in own]
                for field in ("value", "low", "high")
            },
        }
        for row, name in enumerate(point_names(points))
    ]
    seeds = sorted({placed.seed for known in method.verdicts.values() for placed in known.controls})
    chance = [
        {"seed": seed, "layer": name.label, "value": [_of_seed(method, damage, seed, row) for damage in DAMAGES]}
        for seed in seeds
        for row, name in enumerate(point_names(points))
    ]
    values = {"Similarity": "value", "95 % interval from": "low", "to": "high"}
    numbers = Numbers(f"profile-{k}", "layer", values, named="Layer")
    floor = floor_of(method.result, reduction) or ()
    left = [
        {"layer": name.label, "value": rounded(value)}
        for name, value in zip(point_names(points), floor, strict=False)
        if value is not None
    ]
    datasets: dict[str, Rows] = {f"profile-{k}": rows, f"chance-{k}": chance, f"floor-{k}": left}
    return View(_profile, (points, k, lows), datasets, method.name, numbers=numbers)


def _of_seed(method: Profiled, damage: float, seed: int, row: int) -> float | None:
    """Return the own CKA of one point under one seed of the control; None where it has no profile."""
    profiles = [placed.profile for placed in method.verdicts[damage].controls if placed.seed == seed]
    return rounded(profiles[0].value[row]) if profiles else None


def _cost_view(methods: Sequence[Profiled], reduction: str) -> View:
    rows = [row for method in methods for row in _cost_rows(method, reduction)]
    chance = [
        {"own": rounded(cost.own), "changed": rounded(cost.changed)}
        for method in methods
        for control in method.controls
        for cost in costs_of(control, reduction)
    ]
    places = [{"k": k, "own": 1 - damage} for k, damage in enumerate(DAMAGES)]
    title = "Predictions changed, by what similarity is left"
    names = tuple(method.name for method in methods)
    return View(_cost, (names, *_ends(rows + chance)), {"cost": rows, "cost-chance": chance, "damages": places}, title)


def _ends(rows: Rows) -> tuple[float, float]:
    """Return where both axes end: at the lowest similarity and the largest share, rounded outwards."""
    lowest = min((row["own"] for row in rows), default=0.0)
    most = max((row["changed"] for row in rows), default=1.0)
    return float(np.floor(lowest / OWN_STEP) * OWN_STEP), float(np.ceil(most / CHANGED_STEP) * CHANGED_STEP)


def _cost_rows(method: Profiled, reduction: str) -> Rows:
    return [
        {
            "method": method.name,
            "amount": amount_name(cost.amount),
            "own": rounded(cost.own),
            "changed": rounded(cost.changed),
        }
        for cost in costs_of(method.result, reduction)
    ]


# ---------------------------------------------------------------- drawings


def _profile(points: tuple[str, ...], k: int, lows: tuple[float, ...]) -> LayerChart:
    """Draw one method's profile with its interval, and the floor, over the thin lines of its control's seeds."""
    x = depth_axis(point_labels(points))
    low = f"{list(lows)}[frame]"
    domain: list[Any] = [alt.ExprRef(low), 1]
    ticks = alt.ExprRef(f"[{low}, ({low} + 1) / 2, 1]")  # at both ends, so that nothing moves

    def y(field: str) -> alt.Y:
        axis = alt.Axis(values=ticks, format=".2f", minExtent=MARGIN, maxExtent=MARGIN)
        return alt.Y(field, title="Similarity (CKA)", scale=alt.Scale(domain=domain, nice=False, zero=False), axis=axis)

    def at_frame(dataset: str) -> alt.Chart:
        chart: alt.Chart = (
            alt.Chart(alt.NamedData(dataset))
            .transform_calculate(shown="datum.value[frame]", from_="datum.low ? datum.low[frame] : null")
            .transform_calculate(until="datum.high ? datum.high[frame] : null")
            .encode(x=x)
        )
        return chart

    own, chance = at_frame(f"profile-{k}"), at_frame(f"chance-{k}")
    floor = alt.Chart(alt.NamedData(f"floor-{k}")).encode(x=x, y=y("value:Q"))
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("shown:Q", title="Similarity", format=".2f"),
        alt.Tooltip("from_:Q", title="95 % interval from", format=".2f"),
        alt.Tooltip("until:Q", title="to", format=".2f"),
    ]
    return alt.layer(
        chance.mark_line(color=UNDEFINED_COLOUR, strokeWidth=1).encode(y=y("shown:Q"), detail="seed:N"),
        floor.mark_line(style="floor", clip=True),  # of upper layers it lies far below
        own.mark_area(style="band").encode(y=y("from_:Q"), y2="until:Q"),
        own.mark_line(style="series").encode(y=y("shown:Q")),
        own.mark_point(opacity=0, size=200, clip=True).encode(y=y("shown:Q"), tooltip=tooltip),
    )


def _cost(names: tuple[str, ...], lowest: float, most: float) -> LayerChart:
    """Draw changed predictions over mean own CKA, which falls to the right; random removal is grey."""
    x = alt.X(
        "own:Q",
        title="Similarity (CKA), mean over all layers",
        scale=alt.Scale(domain=[1.02, lowest], nice=False),
        axis=alt.Axis(values=[k / 10 for k in range(10, round(10 * lowest) - 1, -1)], format=".1f"),
    )
    y = share_axis("changed:Q", "Predictions changed", (0, most * SHARE_DOMAIN[1]))
    legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=400)
    colours, shapes = (
        alt.Scale(domain=list(names), range=values[: len(names)]) for values in (METHOD_COLOURS, METHOD_SHAPES)
    )
    colour = alt.Stroke("method:N", sort=None, scale=colours, legend=legend)
    shape = alt.Shape("method:N", sort=None, scale=shapes, legend=legend)
    tooltip = [
        alt.Tooltip("method:N", title="Pruning"),
        alt.Tooltip("amount:N", title=REMOVED),
        alt.Tooltip("own:Q", title="Mean similarity", format=".2f"),
        alt.Tooltip("changed:Q", title="Predictions changed", format=".0%"),
    ]
    chance, cost = (alt.Chart(alt.NamedData(name)).encode(x=x, y=y) for name in ("cost-chance", "cost"))
    return alt.layer(
        chance.mark_point(filled=True, color=UNDEFINED_COLOUR, size=12, opacity=0.5),
        on_show(alt.Chart(alt.NamedData("damages"))).mark_rule(style="current").encode(x=x),
        cost.mark_point(size=45, strokeWidth=1.75, opacity=1, filled=False).encode(
            stroke=colour, shape=shape, tooltip=tooltip
        ),
    )
