"""The layer stack: a band for every layer, as long and as bright as the layer is similar to itself without pruning.

The layers lie as a network is drawn, the first at the bottom. Beside each stands how far it is intact. Marks say what a
band must be read against. The floor is the similarity that is left with everything removed. Random removal is not shown
at the same amount, where it destroys far more and every method looks good, but where it has changed the layers as much
overall: what differs there is in which layers the change lies. Below a band lies how similar its layer is in fine-tunes
that differ only in the seed, where that is known.
"""

from collections.abc import Iterable
from typing import Any, Literal

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.survival import BY_CONSTRUCTION
from core.charts.view import Numbers, View
from core.findings.matching import Chance, chance_beside
from core.findings.survival import layer_survivals, own_similarity
from core.findings.words import share_span
from core.findings.yardstick import OTHER_SEEDS, Yardstick
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.schema import SweepResult

BAND = (0.16, 0.84)  # bottom and top, of a layer's row
OVERHANG = 0.1  # of a row, by which the mark of random removal stands out of its band
TWINS = (0.06, 0.1)  # bottom and top of the range of seed twins, of a layer's row
MAX_WORDED = 14  # points; with more, a row is too low for words
ROOM = 4.1  # for the words beside the bands, in margins, each 3.3 times as wide as the text is high
LINES_A_MARGIN = 2.9  # lines of text in one margin
NUMBER_ROOM = 0.85  # of that, for the number before the words
FLOOR, CHANCE = "floor: everything removed", "random removal"
AT_LEAST = f"At {SURVIVAL_THRESHOLD} or above"
AT_RANDOM = "Random removal, same overall change"
AS_MUCH = f"{CHANCE}: at the same overall change"
FINE_TUNES = f"{OTHER_SEEDS}: two fine-tunes that differ only in the seed"
EMPTIED = f"{BY_CONSTRUCTION}{g.BLANK}above {SURVIVAL_THRESHOLD} even with everything removed"


def stack_view(
    result: SweepResult, reduction: str, companions: Iterable[SweepResult], twins: Yardstick | None = None
) -> View:
    """Draw the layers of a whole sweep or of the first frames of one.

    Args:
        result: The result.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: Results from which its random control is picked.
        twins: How similar seed twins are, by the same reduction; None where that is unknown.
    """
    chance = chance_beside(result, companions, reduction)
    rows = stack_rows(result, reduction, chance, twins)
    words = "Similarity (CKA) of each layer to itself, unpruned"
    has_mark = len(rows) <= MAX_WORDED and any(row["words"].endswith(BY_CONSTRUCTION) for row in rows)
    marks = {AS_MUCH: chance is not None, FINE_TUNES: twins, EMPTIED: has_mark}
    values = {"Similarity": "v", AT_LEAST: "words", **({} if chance is None else {AS_MUCH: "chance"})}
    values |= {FINE_TUNES: "seed_words"} if twins else {}
    return View(
        _stack,
        (result.points, twins is not None),
        {"stack": rows, "twins": g.twin_rows(twins, range(len(rows)))},
        words,
        "; ".join(mark for mark, is_drawn in marks.items() if is_drawn),
        numbers=Numbers("stack", "layer", values, named="Layer"),
    )


def stack_rows(result: SweepResult, reduction: str, chance: Chance | None, twins: Yardstick | None) -> g.Rows:
    """Return one row per layer: its similarity and random removal's at every frame, its floor, its twins, its words."""
    own = own_similarity(result, reduction)  # (frames, points)
    beside = chance.own if chance else np.full_like(own, np.nan)  # (frames, points)
    spans = chance.amounts.T.tolist() if chance else []
    names = [CHANCE if span != span else f"{CHANCE} of {share_span(span)}" for span in spans]
    rows = g.layer_rows(result.points, v=own.tolist(), chance=beside.tolist())
    for k, (row, layer) in enumerate(zip(rows, layer_survivals(result, reduction), strict=True)):
        ends = [high for _, high in twins.ranges(k)] if twins else []
        row |= {
            "y": k,
            "chance_name": names,
            "floor": g.rounded(layer.floor),
            "floor_text": g.two_places(layer.floor),
            "seed_end": g.rounded(max(ends)) if ends else None,
            "seed_words": twins.words(k) if twins else "",
            "words": f"{layer.words} {BY_CONSTRUCTION}" if layer.by_construction else layer.words,
        }
    return rows


# ---------------------------------------------------------------- the drawing


def _stack(points: tuple[str, ...], with_twins: bool) -> g.LayerChart:
    """Draw, from back to front: tracks, bands, the threshold, the marks, and the words where there is room."""
    layers = g.moving("stack", value="v", at_random="chance", named="chance_name").transform_calculate(
        text=g.value_text("datum.value"),
        at_random_text=g.value_text("datum.at_random"),
        bottom=f"datum.y + {BAND[0]}",
        top=f"datum.y + {BAND[1]}",
        below=f"datum.y + {BAND[0] - OVERHANG}",
        above=f"datum.y + {BAND[1] + OVERHANG}",
        middle=f"datum.y + {sum(BAND) / 2}",
    )
    bands = layers.encode(y="bottom:Q", y2="top:Q")
    drawn = (bands, "value"), (bands, "floor"), (layers.encode(y="below:Q", y2="above:Q"), "at_random")
    known, floor, chance = (
        chart.transform_filter(f"isValid(datum.{field})").encode(x=f"{field}:Q") for chart, field in drawn
    )
    fields = {"Layer": "name:N", MEASURES["cka"].symbol: "text:N", AT_RANDOM: "at_random_text:N"}
    fields |= {"With everything removed": "floor_text:N", AT_LEAST: "words:N"}
    tooltip = g.told(fields | ({"Fine-tunes of other seeds": "seed_words:N"} if with_twins else {}))
    worded = len(points) <= MAX_WORDED
    track = bands.mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15)
    return alt.layer(
        track.encode(
            x=_similarity_axis(worded), x2=alt.X2Datum(1), y=_layers_axis(points, with_twins), tooltip=tooltip
        ),
        known.mark_rect(stroke=g.UNDEFINED_COLOUR, strokeWidth=0.5).encode(
            x2=alt.X2Datum(0), color=g.similarity_colour(legend=None), tooltip=tooltip
        ),
        layers.transform_filter("datum.y === 0").mark_rule(style="reference").encode(x=alt.XDatum(SURVIVAL_THRESHOLD)),
        # Upright lines across the bands, whose halos show them on a band of any colour.
        *(floor.mark_rule(style=style) for style in ("halo", "floor")),
        *(_twins() if with_twins else []),
        *(chance.mark_rule(style=style) for style in ("halo", "current")),
        *(_words(layers) if worded else []),
        *(_name(layers, "seed_end", f"'{OTHER_SEEDS}'", 0, TWINS[0]) if with_twins else []),
        *_name(layers, "floor", f"'{FLOOR}'", 0, (TWINS if with_twins else BAND)[0], 1 if with_twins else 0),
        *_name(layers, "at_random", "datum.named", len(points) - 1),
    )


def _similarity_axis(worded: bool) -> alt.XDatum:
    """Return the axis of similarity, from left to right, which ends before the words."""
    end = alt.ExprRef(f"width - {ROOM if worded else 0.5} * margin")
    intact = f"'{g.INTACT} {SURVIVAL_THRESHOLD}'"
    axis = alt.Axis(
        values=[0, 0.5, SURVIVAL_THRESHOLD],
        labelExpr=f"datum.value === {SURVIVAL_THRESHOLD} ? {intact} : format(datum.value, '.1f')",
        labelOverlap=False,
        grid=False,
        title=None,
    )
    return alt.XDatum(0.0, scale=alt.Scale(domain=[0, 1], range=[0, end], nice=False, clamp=True), axis=axis)


def _layers_axis(points: tuple[str, ...], with_twins: bool) -> alt.Y:
    """Return the axis of layers, each one unit high, with room for a line of text above, and for names below."""
    room = len(points) / (7 if with_twins else 18), len(points) / 18
    return alt.Y("bottom:Q", title=None, **g.layers_axis(points, sum(BAND) / 2, room, "Layer "))


def _twins() -> list[alt.Chart]:
    """Draw the ranges of seed twins along the lower edges of the bands; one without a width points at it."""
    ends = {"bottom": f"datum.row + {TWINS[0]}", "top": f"datum.row + {TWINS[1]}"}
    placed = g.data("twins").transform_calculate(**ends).encode(x="low:Q", y="top:Q")
    ranges = placed.transform_filter("datum.low < datum.high").encode(x2="high:Q", y2="bottom:Q")
    return [
        ranges.mark_rect(color=g.ALONE_COLOUR, stroke=g.ALONE_COLOUR, strokeWidth=3),
        placed.transform_filter("datum.low === datum.high").mark_point(
            style="alone", shape="triangle-up", size=60, filled=True
        ),
    ]


def _words(layers: alt.Chart) -> list[alt.Chart]:
    """Write beside every band its number and how far it is intact."""
    beside = layers.encode(x=alt.XDatum(1.0), y="middle:Q")
    number = beside.mark_text(style="note", align="left", dx=8).encode(text="text:N")
    intact = beside.mark_text(style="note", align="left", dx=alt.ExprRef(f"{NUMBER_ROOM} * margin + 8"))
    return [number, intact.encode(text="words:N")]


def _name(layers: alt.Chart, field: str, words: str, row: int, bottom: float = 0, lines: int = 0) -> list[alt.Chart]:
    """Name a mark below the first layer, so many lines away, or above the last, to its side that has more room.

    Args:
        layers: The rows.
        field: Where the mark stands.
        words: A Vega expression.
        row: Of the layer.
        bottom: Of its row, where the mark ends.
        lines: Of text that stand between the mark and its name.
    """
    looks: dict[str, Any] = {"baseline": "bottom", "dy": -3}
    if row == 0:
        looks = {"baseline": "top", "dy": alt.ExprRef(f"3 + {lines} * margin / {LINES_A_MARGIN}")}
    named = layers.transform_filter(f"datum.y === {row} && isValid(datum.{field})").encode(x=f"{field}:Q")
    named = named.transform_calculate(called=words).encode(text="called:N")
    named = named.encode(y=alt.datum(bottom) if row == 0 else "above:Q")
    sides: tuple[tuple[str, Literal["left", "right"]], ...] = (("<=", "left"), (">", "right"))
    return [
        text
        for where, align in sides
        for text in g.haloed_text(
            named.transform_filter(f"datum.{field} {where} 0.5"), align, **looks
        )  # out of the dashes of the threshold
    ]
