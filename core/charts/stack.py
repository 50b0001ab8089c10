"""The layer stack: a band for every layer, as long and as bright as the layer is similar to itself without pruning.

The layers lie as a network is drawn, the first at the bottom. Beside each stands how far it is intact. Marks say what a
band must be read against. The floor is the similarity that is left with everything removed. Random removal is not shown
at the same amount, where it destroys far more and every method looks good, but where it has changed the layers as much
overall: what differs there is in which layers the change lies. Below a band lies how similar its layer is in fine-tunes
that differ only in the seed, where that is known.
"""

from typing import Any, Literal

import altair as alt
import numpy as np

from core.charts import grammar as g
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
EMPTIED = f"{BY_CONSTRUCTION}{g.BLANK}above {SURVIVAL_THRESHOLD} even with everything removed"


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
    values = {
        "Similarity": "v",
        **({AS_MUCH: "chance"} if chance else {}),
        **({FINE_TUNES: "seed_words"} if twins else {}),
        "Intact": "words",
    }
    datasets = {"stack": rows}
    if twins:
        datasets["twins"] = [
            {"y": k + TWINS[0], "y2": k + TWINS[1], "low": g.rounded(low), "high": g.rounded(high)}
            for k in range(len(rows))
            for low, high in twins.ranges(k)
        ]
    return View(
        _stack,
        (result.points, twins is not None),
        datasets,
        alt.TitleParams(words, subtitle="; ".join(drawn)) if drawn else words,
        description="; ".join((words, *notes, *emptied)),
        numbers=Numbers("stack", "layer", values, named="Layer"),
        told=tuple("; ".join(_told(row, k) for row in reversed(rows)) for k in range(len(result.frames))),
    )


def stack_rows(result: SweepResult, reduction: str, chance: Chance | None, twins: Yardstick | None = None) -> g.Rows:
    """Return one row per layer: its similarity and random removal's at every frame, its floor, its twins, its words."""
    own = own_similarity(result, reduction)  # (frames, points)
    beside = chance.similarity if chance else np.full_like(own, np.nan)  # (frames, points)
    counts = chance.seeds.tolist() if chance else [0] * len(own)  # of the seeds behind a number of random removal
    seeds = [{0: "", 1: " (1 seed)"}.get(count, f" (mean of {count} seeds)") for count in counts]
    rows = []
    for k, layer in enumerate(layer_survivals(result, reduction)):
        ranges = twins.ranges(k) if twins else []
        rows.append(
            {
                "layer": layer.label,
                "name": layer.title,
                "y": k + BAND[0],
                "y2": k + BAND[1],
                "middle": k + sum(BAND) / 2,
                "bottom": k + (TWINS if twins else BAND)[0],
                "v": list(map(g.rounded, own[:, k].tolist())),
                "chance": list(map(g.rounded, beside[:, k].tolist())),
                "seeds": seeds,
                "floor": g.rounded(layer.floor),
                "floor_text": g.two_places(layer.floor),
                "seed_end": g.rounded(max(high for _, high in ranges)) if ranges else None,
                "seed_words": twins.words(k) if twins else "",
                "words": f"{layer.words} {BY_CONSTRUCTION}" if layer.by_construction else layer.words,
                "place": "first" if k == 0 else "last" if k == len(result.points) - 1 else "between",
            }
        )
    return rows


def _told(row: dict[str, Any], frame: int) -> str:
    """Say the numbers of a layer at a frame."""
    chance = row["chance"][frame]
    beside = [f"{CHANCE} {g.two_places(chance)}"] if chance is not None else []
    beside += [f"{OTHER_SEEDS} {row['seed_words']}"] if row["seed_words"] else []
    brackets = f" ({', '.join(beside)})" if beside else ""
    return f"Layer {row['layer']}: {g.two_places(row['v'][frame])}{brackets}, {row['words']}"


# ---------------------------------------------------------------- the drawing


def _stack(points: tuple[str, ...], with_twins: bool) -> g.LayerChart:
    """Draw, from back to front: tracks, bands, the threshold, the marks, and the words where there is room."""
    x, y = _similarity_axis(len(points)), _layers_axis(points, with_twins)
    layers = g.data("stack").transform_calculate(
        value="datum.v[frame]",
        at_random="datum.chance[frame]",
        text=g.value_text("datum.v[frame]"),
        at_random_text=f"({g.value_text('datum.chance[frame]')}) + datum.seeds[frame]",
        low=f"datum.y - {OVERHANG}",
        high=f"datum.y2 + {OVERHANG}",
    )
    known = {field: layers.transform_filter(f"isValid(datum.{field})") for field in ("value", "floor", "at_random")}
    row: dict[str, Any] = {"y": alt.Y("y:Q", **y), "y2": alt.Y2("y2:Q")}
    overhanging = {"y": alt.Y("low:Q", **y), "y2": alt.Y2("high:Q")}
    tooltip = g.told(
        {
            "Layer": "name:N",
            MEASURES["cka"].symbol: "text:N",
            "Random removal, same overall change": "at_random_text:N",
            "With everything removed": "floor_text:N",
            **({"Fine-tunes of other seeds": "seed_words:N"} if with_twins else {}),
            f"At {SURVIVAL_THRESHOLD} or above": "words:N",
        }
    )
    track = layers.mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15)
    band = known["value"].mark_rect(stroke=g.UNDEFINED_COLOUR, strokeWidth=0.5)
    threshold = layers.transform_filter("datum.place === 'first'").mark_rule(style="reference")
    colour = g.similarity_colour(legend=None)
    return alt.layer(
        track.encode(x=alt.XDatum(0.0, **x), x2=alt.X2Datum(1), tooltip=tooltip, **row),
        band.encode(x=alt.X("value:Q", **x), x2=alt.X2Datum(0), color=colour, tooltip=tooltip, **row),
        threshold.encode(x=alt.XDatum(SURVIVAL_THRESHOLD, **x)),
        # Upright lines across the bands, whose halos show them on a band of any colour.
        *(known["floor"].mark_rule(style=style).encode(x=alt.X("floor:Q", **x), **row) for style in ("halo", "floor")),
        *(_twins(x, y) if with_twins else []),
        *(
            known["at_random"].mark_rule(style=style).encode(x=alt.X("at_random:Q", **x), **overhanging)
            for style in ("halo", "current")
        ),
        *(_words(layers, x, y) if len(points) <= MAX_WORDED else []),
        *(_name(layers, x, y, "seed_end", OTHER_SEEDS, "first") if with_twins else []),
        *_name(layers, x, y, "floor", FLOOR, "first", 1 if with_twins else 0),
        *_name(layers, x, y, "at_random", CHANCE, "last"),
    )


def _similarity_axis(points: int) -> dict[str, Any]:
    """Return the axis of similarity, from left to right, which ends before the words."""
    room = ROOM if points <= MAX_WORDED else 0.5
    words = f"'{g.INTACT} {SURVIVAL_THRESHOLD}'"
    scale = alt.Scale(domain=[0, 1], range=[0, alt.ExprRef(f"width - {room} * margin")], nice=False, clamp=True)
    axis = alt.Axis(
        values=[0, 0.5, SURVIVAL_THRESHOLD],
        labelExpr=f"datum.value === {SURVIVAL_THRESHOLD} ? {words} : format(datum.value, '.1f')",
        labelOverlap=False,
        grid=False,
        title=None,
    )
    return {"scale": scale, "axis": axis}


def _layers_axis(points: tuple[str, ...], with_twins: bool) -> dict[str, Any]:
    """Return the axis of layers, each one unit high, with room for a line of text above, and for names below."""
    labels = point_labels(points)
    above, below = len(labels) / 18, len(labels) / (7 if with_twins else 18)
    axis = alt.Axis(
        values=[k + sum(BAND) / 2 for k in range(len(labels))],
        labelExpr=f"'Layer ' + {labels}[floor(datum.value)]",
        ticks=False,
        domain=False,
        grid=False,
        labelOverlap=True,
    )
    return {"title": None, "scale": alt.Scale(domain=[-below, len(labels) + above], nice=False), "axis": axis}


def _twins(x: dict[str, Any], y: dict[str, Any]) -> list[alt.Chart]:
    """Draw the ranges of seed twins along the lower edges of the bands; one without a width points at it."""
    placed = g.data("twins").encode(x=alt.X("low:Q", **x))
    ranges = placed.transform_filter("datum.low < datum.high").encode(x2="high:Q", y=alt.Y("y:Q", **y), y2="y2:Q")
    points = placed.transform_filter("datum.low === datum.high").encode(y=alt.Y("y2:Q", **y))
    return [
        ranges.mark_rect(color=g.ALONE_COLOUR, stroke=g.ALONE_COLOUR, strokeWidth=3),
        points.mark_point(shape="triangle-up", color=g.ALONE_COLOUR, filled=True, opacity=1, size=60),
    ]


def _words(layers: alt.Chart, x: dict[str, Any], y: dict[str, Any]) -> list[alt.Chart]:
    """Write beside every band its number and how far it is intact."""
    beside = layers.encode(x=alt.XDatum(1.0, **x), y=alt.Y("middle:Q", **y))
    number = beside.mark_text(style="note", align="left", dx=8).encode(text="text:N")
    intact = beside.mark_text(style="note", align="left", dx=alt.ExprRef(f"{NUMBER_ROOM} * margin + 8"))
    return [number, intact.encode(text="words:N")]


def _name(
    layers: alt.Chart,
    x: dict[str, Any],
    y: dict[str, Any],
    field: str,
    words: str,
    place: Literal["first", "last"],
    lines: int = 0,
) -> list[alt.Chart]:
    """Name a mark below the first layer or above the last, so many lines away, to its side that has more room."""
    away = alt.ExprRef(f"3 + {lines} * margin / {LINES_A_MARGIN}")
    looks: dict[str, Any] = {"baseline": "top", "dy": away} if place == "first" else {"baseline": "bottom", "dy": -3}
    height = alt.Y("bottom:Q" if place == "first" else "high:Q", **y)
    named = layers.transform_filter(f"datum.place === '{place}' && isValid(datum.{field})")
    named = named.encode(x=alt.X(f"{field}:Q", **x), y=height)
    sides: tuple[tuple[str, Literal["left", "right"]], ...] = (("<=", "left"), (">", "right"))
    return [
        text
        for where, align in sides
        for text in g.haloed_text(
            named.transform_filter(f"datum.{field} {where} 0.5"), align, text=words, **looks
        )  # out of the dashes of the threshold
    ]
