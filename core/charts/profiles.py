"""All methods of a task at one damage, which the player moves: own CKA against changed predictions, and depth profiles.

A frame is one of the damages at which results are compared (`core.sweep.equal_damage.DAMAGES`).
"""

from collections.abc import Sequence

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.accuracy import SCALE_TITLES
from core.charts.view import Layout, Numbers, Scene, View, in_rows
from core.findings.choices import task_title
from core.findings.claim import Verdict
from core.findings.compare import Profiled, costs_of
from core.findings.layers import floor_of
from core.findings.words import share_span
from core.findings.words.numbers import decimals, percent, place_name
from core.results.names import amount_name, checkpoint_name, data_name, point_labels, reduction_name
from core.results.schema import SweepResult
from core.sweep.equal_damage import DAMAGES

KEY = "thin and grey: random removal; dotted: everything removed"
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
    profiles = {f"profile-{k}": _profile_view(method, lows, reduction) for k, method in enumerate(shown, start=1)}
    frames = [
        g.step(damage, f"Overall change {place_name(damage)}", f"mean similarity {decimals(1 - damage, 2)}; {KEY}")
        for damage in DAMAGES
    ]
    title = f"All methods on {task_title(result.task.name)} at the same overall change"
    where = checkpoint_name(result), data_name(result), reduction_name(reduction)
    views, caption = {"cost": _cost_view(methods, reduction), **profiles}, ("; ".join(where),)
    return Scene(title, caption, views, frames, _layout(list(profiles)), SCALE_TITLES["damage"])


def _layout(names: Sequence[str]) -> Layout:
    """Put the profiles beside and below the larger picture of costs; a slide has room for two."""
    beside = [*names, *["."] * 4]
    wide = ["cost", *beside[:2], "cost", *beside[2:4], *names[4:]]
    slide = in_rows(["cost", beside[0], "cost", beside[1]], 2, "minmax(0, 1fr)")
    return Layout("profiles", in_rows(wide, 3, "15rem"), in_rows(["cost", "cost", *names], 1, "12rem"), slide)


def _lowest(methods: Sequence[Profiled], damage: float) -> float:
    """Return where the axis of all profiles at a damage begins."""
    verdicts = [method.verdicts[damage] for method in methods]
    ends = [min(each.profile.low) for known in verdicts for each in (known.method, *known.controls) if each]
    return float(np.floor(min(ends, default=1 - damage) / TICK) * TICK)


def _profile_view(method: Profiled, lows: tuple[float, ...], reduction: str) -> View:
    points, verdicts = method.result.points, [method.verdicts[damage] for damage in DAMAGES]
    fields = ("value", "low", "high")
    own = {name: [v.method and getattr(v.method.profile, name) for v in verdicts] for name in fields}
    by_seed = [{placed.seed: placed.profile.value for placed in known.controls} for known in verdicts]
    chance = [
        {"seed": seed, **row}
        for seed in sorted({seed for known in by_seed for seed in known})
        for row in g.layer_rows(points, value=(known.get(seed) for known in by_seed))
    ]
    floor = zip(point_labels(points), floor_of(method.result, reduction) or (), strict=False)
    datasets = {
        "profile": g.layer_rows(points, **own),
        "chance": chance,
        "removed": [{"v": [_removed(known) for known in verdicts]}],
        "floor": [{"layer": label, "value": g.rounded(value)} for label, value in floor if value is not None],
    }
    values = {"Similarity": "value", "95 % interval from": "low", "to": "high"}
    numbers = Numbers("profile", "layer", values, named="Layer")
    return View(_profile, (points, lows), datasets, method.name, numbers=numbers)


def _removed(known: Verdict) -> str:
    """Say how much a method has removed at a damage, and random removal."""
    amounts = [seed.gap.amount for seed in known.controls]
    drawn = f"; at random, {share_span(amounts)}" if amounts else ""
    return f"{percent(known.method.gap.amount)} removed{drawn}" if known.method else ""


def _cost_view(methods: Sequence[Profiled], reduction: str) -> View:
    names = tuple(method.name for method in methods)
    cost = [{"method": method.name, **row} for method in methods for row in _cost_rows([method.result], reduction)]
    chance = _cost_rows([control for method in methods for control in method.controls], reduction)
    # Both axes end at the lowest similarity and the largest share, rounded outwards.
    lowest = min((row["own"] for row in cost + chance), default=0.0)
    most = max((row["changed"] for row in cost + chance), default=1.0)
    ends = float(np.floor(lowest / OWN_STEP) * OWN_STEP), float(np.ceil(most / CHANGED_STEP) * CHANGED_STEP)
    places = [{"k": k, "own": 1 - damage} for k, damage in enumerate(DAMAGES)]
    datasets = {"cost": cost, "chance": chance, "damages": places}
    return View(_cost, (names, *ends), datasets, "Predictions changed, by what similarity is left")


def _cost_rows(sweeps: Sequence[SweepResult], reduction: str) -> g.Rows:
    return [
        {"amount": amount_name(amount), "own": g.rounded(own), "changed": g.rounded(changed)}
        for sweep in sweeps
        for amount, own, changed in costs_of(sweep, reduction)
    ]


# ---------------------------------------------------------------- drawings


def _profile(points: tuple[str, ...], lows: tuple[float, ...]) -> g.LayerChart:
    """Draw one method's profile with its interval, and the floor, over the thin lines of its control's seeds."""
    x, low = g.depth_axis(point_labels(points)), f"{list(lows)}[frame]"
    ticks = alt.ExprRef(f"[{low}, ({low} + 1) / 2, 1]")  # at both ends, so that nothing moves
    axis = alt.Axis(values=ticks, format=".2f", minExtent=g.MARGIN, maxExtent=g.MARGIN)
    scale = alt.Scale(domain=[alt.ExprRef(low), 1], nice=False, zero=False)
    y = alt.Y("shown:Q", title="Similarity (CKA)", scale=scale, axis=axis)
    own = g.moving("profile", shown="value", from_="low", until="high").encode(x=x, y=y)
    chance = g.moving("chance", shown="value").encode(x=x, y="shown:Q")
    removed = g.moving("removed", text="v").encode(x=alt.value(0), y=alt.value("height"), text="text:N")
    fields = {"Layer": "name:N", "Similarity": "shown:Q", "95 % interval from": "from_:Q", "to": "until:Q"}
    return alt.layer(
        chance.mark_line(style="chance").encode(detail="seed:N"),
        g.data("floor").encode(x=x, y="value:Q").mark_line(style="floor", clip=True),  # far below, of upper layers
        own.mark_area(style="band").encode(y="from_:Q", y2="until:Q"),
        own.mark_line(style="series"),
        own.mark_point(opacity=0, size=200, clip=True).encode(tooltip=g.told(fields)),
        *g.haloed_text(removed, baseline="bottom", dx=4, dy=-4),
    )


def _cost(names: tuple[str, ...], lowest: float, most: float) -> g.LayerChart:
    """Draw changed predictions over mean own CKA, which falls to the right; random removal is grey."""
    ticks = alt.Axis(values=[k / 10 for k in range(10, round(10 * lowest) - 1, -1)], format=".1f", labelSeparation=8)
    scale = alt.Scale(domain=[1.02, lowest], nice=False)
    x = alt.X("own:Q", title="Similarity (CKA), mean over all layers", scale=scale, axis=ticks)
    y = g.share_axis("changed:Q", "Predictions changed", (0, most * g.SHARE_DOMAIN[1]))
    legend = alt.Legend(title=None, columns=1)
    looks = g.by_series("method", legend, names, stroke=g.COLOURS, shape=g.SHAPES)
    told = g.told({"Pruning": "method:N", g.REMOVED: "amount:N", "Mean similarity": "own:Q"})
    changed = alt.Tooltip("changed:Q", title="Predictions changed", format=".0%")
    chance, cost = (g.data(name).encode(x=x, y=y) for name in ("chance", "cost"))
    return alt.layer(
        chance.mark_point(filled=True, color=g.UNDEFINED_COLOUR, size=12, opacity=0.5),
        g.on_show(g.data("damages")).mark_rule(style="current").encode(x="own:Q"),
        cost.mark_point(size=45, strokeWidth=1.75, opacity=1, filled=False).encode(tooltip=[*told, changed], **looks),
    )
