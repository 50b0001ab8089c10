"""The layer stack: a band for every layer, as long and as bright as the layer is similar to itself without pruning.

The layers lie as a network is drawn, the first at the bottom. Beside each stands how far it is intact. Marks say what a
band must be read against. The floor is the similarity that is left with everything removed. Random removal is not shown
at the same amount, where it destroys far more and every method looks good, but where it has changed the layers as much
overall: what differs there is in which layers the change lies. Below a band lies how similar its layer is in fine-tunes
that differ only in the seed, where that is known.
"""

from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts.grammar import (
    ALONE_COLOUR,
    BLANK,
    INTACT,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    rounded,
    similarity_colour,
    two_places,
    value_text,
)
from core.charts.survival import BY_CONSTRUCTION
from core.charts.view import Numbers, View
from core.findings.matching import Chance
from core.findings.survival import layer_survivals, own_similarity
from core.findings.yardstick import OTHER_SEEDS, Yardstick
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import point_labels
from core.results.schema import SweepResult

BAND = (0.16, 0.84)  # bottom and top, of a layer's row
OVERHANG = 0.1  # of a row, by which the mark of random removal stands out of its band
TWINS = (0.06, 0.1)  # bottom and top of the range of seed twins, of a layer's row
MAX_WORDED = 14  # points; with more, a row is too low for words
ROOM = 4.1  # for the words beside the bands, in margins, each 3.3 times as wide as the text is high
LINES_A_MARGIN = 2.9  # lines of text in one margin
NUMBER_ROOM = 0.85  # of that, for the number before the words
FLOOR, CHANCE = "floor: everything removed", "random removal"
AS_MUCH = f"{CHANCE}: at the same overall change"
FINE_TUNES = f"{OTHER_SEEDS}: two fine-tunes that differ only in the seed"
EMPTIED = f"{BY_CONSTRUCTION}{BLANK}above {SURVIVAL_THRESHOLD} even with everything removed"


def stack_view(result: SweepResult, reduction: str, chance: Chance | None, twins: Yardstick | None = None) -> View:
    """Draw the layers of a whole sweep or of the first frames of one.

    Args:
        result: The result.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chance: Its random control where that has changed the layers as much; None without one.
        twins: How similar seed twins are, by the same reduction; None where that is unknown.
    """
    rows = stack_rows(result, reduction, chance, twins)
    notes = ([AS_MUCH] if chance else []) + ([FINE_TUNES] if twins else [])
    emptied = [EMPTIED] if any(row["words"].endswith(BY_CONSTRUCTION) for row in rows) else []
    drawn = notes + (emptied if len(rows) <= MAX_WORDED else [])
    words = "Similarity (CKA) of each layer to itself, unpruned"
    title = alt.TitleParams(words, subtitle="; ".join(drawn)) if drawn else words
    values = {
        "Similarity": "v",
        **({AS_MUCH: "chance"} if chance else {}),
        **({FINE_TUNES: "seed_words"} if twins else {}),
        "Intact": "words",
    }
    return View(
        _stack,
        (result.points, twins is not None),
        {"stack": rows, **({"twins": _twin_rows(twins, len(rows))} if twins else {})},
        title,
        description="; ".join((words, *notes, *emptied)),
        numbers=Numbers("stack", "layer", values, named="Layer"),
        told=_told(rows, len(result.frames)),
    )


def stack_rows(result: SweepResult, reduction: str, chance: Chance | None, twins: Yardstick | None = None) -> Rows:
    """Return one row per layer: its similarity and random removal's at every frame, its floor, its twins, its words."""
    own = own_similarity(result, reduction)  # (frames, points)
    beside = chance.similarity if chance else np.full_like(own, np.nan)  # (frames, points)
    seeds = [_seeds(count) for count in chance.seeds.tolist()] if chance else [""] * len(own)
    rows = []
    for k, layer in enumerate(layer_survivals(result, reduction)):
        rows.append(
            {
                "layer": layer.label,
                "name": layer.title,
                "y": k + BAND[0],
                "y2": k + BAND[1],
                "middle": k + sum(BAND) / 2,
                "bottom": k + (TWINS if twins else BAND)[0],
                "v": _numbers(own[:, k]),
                "chance": _numbers(beside[:, k]),
                "seeds": seeds,
                "floor": rounded(layer.floor),
                "floor_text": two_places(layer.floor),
                "seed_end": rounded(max(high for _, high in twins.ranges(k))) if twins and twins.ranges(k) else None,
                "seed_words": twins.words(k) if twins else "",
                "words": f"{layer.words} {BY_CONSTRUCTION}" if layer.by_construction else layer.words,
                "place": "first" if k == 0 else "last" if k == len(result.points) - 1 else "between",
            }
        )
    return rows


def _twin_rows(twins: Yardstick, points: int) -> Rows:
    """Return the ranges of similarity between seed twins, below the bands of their layers."""
    return [
        {"y": k + TWINS[0], "y2": k + TWINS[1], "low": rounded(low), "high": rounded(high)}
        for k in range(points)
        for low, high in twins.ranges(k)
    ]


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else rounded(float(value)) for value in values]


def _seeds(count: int) -> str:
    """Say how many seeds stand behind a number of random removal."""
    return "" if count == 0 else " (1 seed)" if count == 1 else f" (mean of {count} seeds)"


def _told(rows: Rows, frames: int) -> tuple[str, ...]:
    """Say the numbers of every frame, from the last layer to the first."""

    def layer(row: dict[str, Any], frame: int) -> str:
        chance = row["chance"][frame]
        beside = [f"{CHANCE} {two_places(chance)}"] if chance is not None else []
        beside += [f"{OTHER_SEEDS} {row['seed_words']}"] if row["seed_words"] else []
        brackets = f" ({', '.join(beside)})" if beside else ""
        return f"Layer {row['layer']}: {two_places(row['v'][frame])}{brackets}, {row['words']}"

    return tuple("; ".join(layer(row, frame) for row in reversed(rows)) for frame in range(frames))


# ---------------------------------------------------------------- the drawing


@dataclass(frozen=True)
class Axes:
    """Where things stand: similarity from left to right, and the layers above each other."""

    points: tuple[str, ...]
    with_twins: bool

    def similarity(self, value: str | float) -> alt.X | alt.XDatum:
        """Return the axis of similarity, which ends before the words, for a field or for one value."""
        room = ROOM if len(self.points) <= MAX_WORDED else 0.5
        words = f"'{INTACT} {SURVIVAL_THRESHOLD}'"
        scale = alt.Scale(domain=[0, 1], range=[0, alt.ExprRef(f"width - {room} * margin")], nice=False, clamp=True)
        axis = alt.Axis(
            values=[0, 0.5, SURVIVAL_THRESHOLD],
            labelExpr=f"datum.value === {SURVIVAL_THRESHOLD} ? {words} : format(datum.value, '.1f')",
            labelOverlap=False,
            grid=False,
            title=None,
        )
        return (
            alt.X(value, scale=scale, axis=axis)
            if isinstance(value, str)
            else alt.XDatum(value, scale=scale, axis=axis)
        )

    def row(self, field: str) -> alt.Y:
        """Return the axis of layers, each one unit high, with room for a line of text above, and for names below."""
        labels = point_labels(self.points)
        above, below = len(labels) / 18, len(labels) / (7 if self.with_twins else 18)
        return alt.Y(
            field,
            title=None,
            scale=alt.Scale(domain=[-below, len(labels) + above], nice=False),
            axis=alt.Axis(
                values=[k + sum(BAND) / 2 for k in range(len(labels))],
                labelExpr=f"'Layer ' + {labels}[floor(datum.value)]",
                ticks=False,
                domain=False,
                grid=False,
                labelOverlap=True,
            ),
        )


def _stack(points: tuple[str, ...], with_twins: bool) -> LayerChart:
    """Draw, from back to front: tracks, bands, the threshold, the marks, and the words where there is room."""
    axes = Axes(points, with_twins)
    layers = alt.Chart(alt.NamedData("stack")).transform_calculate(
        value="datum.v[frame]",
        at_random="datum.chance[frame]",
        text=value_text("datum.v[frame]"),
        at_random_text=f"({value_text('datum.chance[frame]')}) + datum.seeds[frame]",
        low=f"datum.y - {OVERHANG}",
        high=f"datum.y2 + {OVERHANG}",
    )
    row: dict[str, Any] = {"y": axes.row("y:Q"), "y2": alt.Y2("y2:Q")}
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title=MEASURES["cka"].symbol),
        alt.Tooltip("at_random_text:N", title="Random removal, same overall change"),
        alt.Tooltip("floor_text:N", title="With everything removed"),
        *([alt.Tooltip("seed_words:N", title="Fine-tunes of other seeds")] if with_twins else []),
        alt.Tooltip("words:N", title=f"At {SURVIVAL_THRESHOLD} or above"),
    ]
    track = layers.mark_rect(color=UNDEFINED_COLOUR, opacity=0.15).encode(
        x=axes.similarity(0.0), x2=alt.X2Datum(1), tooltip=tooltip, **row
    )
    band = layers.transform_filter("isValid(datum.value)").mark_rect(stroke=UNDEFINED_COLOUR, strokeWidth=0.5)
    first = layers.transform_filter("datum.place === 'first'")
    threshold = first.mark_rule(style="reference").encode(x=axes.similarity(SURVIVAL_THRESHOLD))
    overhanging = {"y": axes.row("low:Q"), "y2": alt.Y2("high:Q")}
    return alt.layer(
        track,
        band.encode(
            x=axes.similarity("value:Q"),
            x2=alt.X2Datum(0),
            color=similarity_colour(legend=None),
            tooltip=tooltip,
            **row,
        ),
        threshold,
        *_mark(layers, axes, "floor", "floor", row),
        *(_twins(axes) if with_twins else []),
        *_mark(layers, axes, "at_random", "current", overhanging),
        *(_words(layers, axes) if len(points) <= MAX_WORDED else []),
        *(_name(layers, axes, "seed_end", OTHER_SEEDS, "first") if with_twins else []),
        *_name(layers, axes, "floor", FLOOR, "first", 1 if with_twins else 0),
        *_name(layers, axes, "at_random", CHANCE, "last"),
    )


def _mark(layers: alt.Chart, axes: Axes, field: str, style: str, row: dict[str, Any]) -> list[alt.Chart]:
    """Draw an upright line across every band where a field is known; its halo shows it on a band of any colour."""
    known = layers.transform_filter(f"isValid(datum.{field})").encode(x=axes.similarity(f"{field}:Q"), **row)
    return [known.mark_rule(style="halo"), known.mark_rule(style=style)]


def _twins(axes: Axes) -> list[alt.Chart]:
    """Draw the ranges of seed twins along the lower edges of the bands; one without a width points at it."""
    twins = alt.Chart(alt.NamedData("twins"))
    ranges = twins.transform_filter("datum.low < datum.high").mark_rect(
        color=ALONE_COLOUR, stroke=ALONE_COLOUR, strokeWidth=3
    )
    points = twins.transform_filter("datum.low === datum.high").mark_point(
        shape="triangle-up", color=ALONE_COLOUR, filled=True, opacity=1, size=60
    )
    return [
        ranges.encode(x=axes.similarity("low:Q"), x2="high:Q", y=axes.row("y:Q"), y2="y2:Q"),
        points.encode(x=axes.similarity("low:Q"), y=axes.row("y2:Q")),
    ]


def _words(layers: alt.Chart, axes: Axes) -> list[alt.Chart]:
    """Write beside every band its number and how far it is intact."""
    beside = layers.encode(x=axes.similarity(1.0), y=axes.row("middle:Q"))
    number = beside.mark_text(style="note", align="left", dx=8).encode(text="text:N")
    intact = beside.mark_text(style="note", align="left", dx=alt.ExprRef(f"{NUMBER_ROOM} * margin + 8"))
    return [number, intact.encode(text="words:N")]


def _name(
    layers: alt.Chart,
    axes: Axes,
    field: str,
    words: str,
    place: Literal["first", "last"],
    lines: int = 0,
) -> list[alt.Chart]:
    """Name a mark below the first layer or above the last, so many lines away, to its side that has more room."""
    named = layers.transform_filter(f"datum.place === '{place}' && isValid(datum.{field})")
    away = alt.ExprRef(f"3 + {lines} * margin / {LINES_A_MARGIN}")
    looks: dict[str, Any] = {"baseline": "top", "dy": away} if place == "first" else {"baseline": "bottom", "dy": -3}
    y = axes.row("bottom:Q" if place == "first" else "high:Q")
    sides: tuple[tuple[str, Literal["left", "right"]], ...] = (("<=", "left"), (">", "right"))
    return [
        named.transform_filter(f"datum.{field} {where} 0.5")
        .mark_text(style=style, align=align, text=words, **looks)
        .encode(x=axes.similarity(f"{field}:Q"), y=y)
        for where, align in sides
        for style in (["note", "halo"], "note")  # out of the dashes of the threshold
    ]
