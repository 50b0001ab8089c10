"""All methods of a task at one damage, which the player moves: own CKA against changed predictions, and depth profiles.

A frame is one of the damages at which results are compared (`core.sweep.equal_damage.DAMAGES`).
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.accuracy import SCALE_TITLES
from core.charts.layout import Layout
from core.charts.view import Numbers, Scene, View
from core.findings.compare import Profiled, costs_of
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
    views |= {f"profile-{k}": _profile_view(method, k, lows, reduction) for k, method in enumerate(shown, start=1)}
    frames = [
        {
            "amount": damage,
            "name": f"Overall change {place_name(damage)}",
            "detail": f"mean similarity {decimals(1 - damage, 2)}",
        }
        for damage in DAMAGES
    ]
    title = f"All methods on {task_title(result.task.name)} at the same overall change"
    return Scene(
        title, (circumstances(result, reduction),), views, frames, _layout(list(views)[1:]), SCALE_TITLES["damage"]
    )


def _layout(names: Sequence[str]) -> Layout:
    """Put the profiles beside and below the larger picture of costs."""
    return Layout(
        "profiles",
        wide=_grid([["cost", *names[:2]], ["cost", *names[2:4]], *_in_rows(names[4:], 3)], 3, "15rem"),
        narrow=_grid([["cost", "cost"], ["cost", "cost"], *_in_rows(names, 2)], 2, "13rem"),
    )


def _in_rows(names: Sequence[str], columns: int) -> list[Sequence[str]]:
    return [names[k : k + columns] for k in range(0, len(names), columns)]


def _grid(rows: Sequence[Sequence[str]], columns: int, height: str) -> str:
    """Write the rows of a grid below the player's bar; `.` is an empty cell."""
    lines = [[*row, *["."] * (columns - len(row))] for row in rows]
    areas = " ".join(f'"{" ".join(line)}" {height}' for line in lines)
    return f'"{" ".join(["bar"] * columns)}" auto {areas} / {" ".join(["minmax(0, 1fr)"] * columns)}'


def _lowest(methods: Sequence[Profiled], damage: float) -> float:
    """Return where the axis of all profiles at a damage begins."""
    verdicts = [method.verdicts[damage] for method in methods]
    placed = [each for known in verdicts for each in (known.method, *known.controls) if each]
    ends = [min(each.profile.low) for each in placed]
    return float(np.floor(min(ends, default=1 - damage) / TICK) * TICK)


def _profile_view(method: Profiled, k: int, lows: tuple[float, ...], reduction: str) -> View:
    names, verdicts = point_names(method.result.points), [method.verdicts[damage] for damage in DAMAGES]
    rows = [
        {
            "layer": name.label,
            "name": name.title,
            **{
                field: [g.rounded(getattr(v.method.profile, field)[row]) if v.method else None for v in verdicts]
                for field in ("value", "low", "high")
            },
        }
        for row, name in enumerate(names)
    ]
    by_seed = [{placed.seed: placed.profile.value for placed in known.controls} for known in verdicts]
    chance = [
        {
            "seed": seed,
            "layer": name.label,
            "value": [g.rounded(known[seed][row]) if seed in known else None for known in by_seed],
        }
        for seed in sorted({seed for known in by_seed for seed in known})
        for row, name in enumerate(names)
    ]
    floor = [
        {"layer": name.label, "value": g.rounded(value)}
        for name, value in zip(names, floor_of(method.result, reduction) or (), strict=False)
        if value is not None
    ]
    values = {"Similarity": "value", "95 % interval from": "low", "to": "high"}
    numbers = Numbers(f"profile-{k}", "layer", values, named="Layer")
    datasets: dict[str, g.Rows] = {f"profile-{k}": rows, f"chance-{k}": chance, f"floor-{k}": floor}
    return View(_profile, (method.result.points, k, lows), datasets, method.name, numbers=numbers)


def _cost_view(methods: Sequence[Profiled], reduction: str) -> View:
    cost: list[dict[str, Any]] = [
        {"method": method.name, "amount": amount_name(amount), "own": g.rounded(own), "changed": g.rounded(changed)}
        for method in methods
        for amount, own, changed in costs_of(method.result, reduction)
    ]
    chance: list[dict[str, Any]] = [
        {"own": g.rounded(own), "changed": g.rounded(changed)}
        for method in methods
        for control in method.controls
        for _, own, changed in costs_of(control, reduction)
    ]
    # Both axes end at the lowest similarity and the largest share, rounded outwards.
    lowest = min((row["own"] for row in cost + chance), default=0.0)
    most = max((row["changed"] for row in cost + chance), default=1.0)
    ends = float(np.floor(lowest / OWN_STEP) * OWN_STEP), float(np.ceil(most / CHANGED_STEP) * CHANGED_STEP)
    places = [{"k": k, "own": 1 - damage} for k, damage in enumerate(DAMAGES)]
    datasets = {"cost": cost, "cost-chance": chance, "damages": places}
    names = tuple(method.name for method in methods)
    return View(_cost, (names, *ends), datasets, "Predictions changed, by what similarity is left")


# ---------------------------------------------------------------- drawings


def _profile(points: tuple[str, ...], k: int, lows: tuple[float, ...]) -> g.LayerChart:
    """Draw one method's profile with its interval, and the floor, over the thin lines of its control's seeds."""
    x, low = g.depth_axis(point_labels(points)), f"{list(lows)}[frame]"
    domain: list[Any] = [alt.ExprRef(low), 1]
    ticks = alt.ExprRef(f"[{low}, ({low} + 1) / 2, 1]")  # at both ends, so that nothing moves
    axis = alt.Axis(values=ticks, format=".2f", minExtent=g.MARGIN, maxExtent=g.MARGIN)

    def y(field: str) -> alt.Y:
        return alt.Y(field, title="Similarity (CKA)", scale=alt.Scale(domain=domain, nice=False, zero=False), axis=axis)

    own, chance = (
        g.data(name)
        .transform_calculate(shown="datum.value[frame]", from_="datum.low ? datum.low[frame] : null")
        .transform_calculate(until="datum.high ? datum.high[frame] : null")
        .encode(x=x)
        for name in (f"profile-{k}", f"chance-{k}")
    )
    floor = g.data(f"floor-{k}").encode(x=x, y=y("value:Q"))
    fields = {"Layer": "name:N", "Similarity": "shown:Q", "95 % interval from": "from_:Q", "to": "until:Q"}
    return alt.layer(
        chance.mark_line(color=g.UNDEFINED_COLOUR, strokeWidth=1).encode(y=y("shown:Q"), detail="seed:N"),
        floor.mark_line(style="floor", clip=True),  # of upper layers it lies far below
        own.mark_area(style="band").encode(y=y("from_:Q"), y2="until:Q"),
        own.mark_line(style="series").encode(y=y("shown:Q")),
        own.mark_point(opacity=0, size=200, clip=True).encode(y=y("shown:Q"), tooltip=g.told(fields)),
    )


def _cost(names: tuple[str, ...], lowest: float, most: float) -> g.LayerChart:
    """Draw changed predictions over mean own CKA, which falls to the right; random removal is grey."""
    x = alt.X(
        "own:Q",
        title="Similarity (CKA), mean over all layers",
        scale=alt.Scale(domain=[1.02, lowest], nice=False),
        axis=alt.Axis(values=[k / 10 for k in range(10, round(10 * lowest) - 1, -1)], format=".1f"),
    )
    y = g.share_axis("changed:Q", "Predictions changed", (0, most * g.SHARE_DOMAIN[1]))
    legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=400)
    colours, shapes = (
        alt.Scale(domain=list(names), range=values[: len(names)]) for values in (g.METHOD_COLOURS, g.METHOD_SHAPES)
    )
    tooltip = [
        *g.told({"Pruning": "method:N", g.REMOVED: "amount:N", "Mean similarity": "own:Q"}),
        alt.Tooltip("changed:Q", title="Predictions changed", format=".0%"),
    ]
    chance, cost = (g.data(name).encode(x=x, y=y) for name in ("cost-chance", "cost"))
    return alt.layer(
        chance.mark_point(filled=True, color=g.UNDEFINED_COLOUR, size=12, opacity=0.5),
        g.on_show(g.data("damages")).mark_rule(style="current").encode(x=x),
        cost.mark_point(size=45, strokeWidth=1.75, opacity=1, filled=False).encode(
            stroke=alt.Stroke("method:N", sort=None, scale=colours, legend=legend),
            shape=alt.Shape("method:N", sort=None, scale=shapes, legend=legend),
            tooltip=tooltip,
        ),
    )
