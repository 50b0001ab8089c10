"""The layer stack: a band for every layer, as long and as bright as the layer is similar to itself without pruning.

The layers lie as a network is drawn, the first at the bottom. Beside each stands how far it is intact. Marks say what a
band must be read against. The floor is the similarity that is left with everything removed. Random removal is not shown
at the same amount, where it destroys far more and every method looks good, but where it has changed the layers as much
overall: what differs there is in which layers the change lies.
"""

from collections.abc import Iterable
from math import isnan

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.layers import floor_of, layers_of
from core.findings.matching import chance_beside
from core.findings.words import share_span
from core.findings.words.layers import intact_words
from core.findings.words.numbers import two_places
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.schema import SweepResult
from core.sweep.statistics import Array

BAND = (0.16, 0.84)  # bottom and top, of a layer's row
OVERHANG = 0.1  # of a row, by which the mark of random removal stands out of its band
ROOM = 3.85  # for the words beside the bands, in margins, each 3.3 times as wide as the text is high
LINE = "margin / 2.9"  # the height of a line of text in pixels
NUMBER_ROOM = 0.85  # of that, for the number before the words
AT_LEAST = f"At {SURVIVAL_THRESHOLD} or above"
AT_RANDOM = "Random removal, same overall change"
CHANCE, TOO_FAR = "{} removed at random: as much change", "random removal: not measured this far"
FLOOR = "everything removed"
LABEL_ROOM = alt.ExprRef("1.3 * margin")


def stack_view(result: SweepResult, reduction: str, companions: Iterable[SweepResult], has_floor: bool = True) -> View:
    """Draw the layers of a whole sweep or of the first frames of one.

    Args:
        result: The result.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        companions: Results from which its random control is picked.
        has_floor: Whether the similarity that is left with everything removed is marked.
    """
    chance, spans = chance_beside(result, companions, reduction) or (None, np.empty((0, 2)))
    floor = floor_of(result, reduction) if has_floor else None
    rows = stack_rows(result, reduction, chance)
    values = {"Similarity": "v", AT_LEAST: "words", **({AT_RANDOM: "chance"} if chance is not None else {})}
    # At every frame.
    equal = [TOO_FAR if isnan(span[0]) else CHANCE.format(share_span(span)) for span in spans.tolist()]
    key = {"chance": equal, "floor": [FLOOR] if any(floor or ()) else []}
    lines = [{"mark": mark, "words": words} for mark, words in key.items() if words]
    return View(
        _stack,
        (result.points, tuple(line["mark"] for line in lines)),
        {"stack": rows, **({"key": lines} if lines else {})},  # Vega takes no other data later
        "How much each layer still resembles its unpruned self",
        numbers=Numbers("stack", "layer", values, named="Layer"),
    )


def stack_rows(result: SweepResult, reduction: str, chance: Array | None) -> g.Rows:
    """Return one row per layer: its similarity and random removal's at every frame, its floor, its words."""
    found = layers_of(result, reduction)
    own = np.column_stack([layer.own for layer in found.every])  # (frames, points)
    beside = np.full_like(own, np.nan) if chance is None else chance  # (frames, points)
    rows = g.layer_rows(result.points, v=own.tolist(), chance=beside.tolist())
    for k, (row, layer) in enumerate(zip(rows, found.every, strict=True)):
        row |= {
            "y": k,
            "first": layer in found.first,
            "apart": g.apart(k, found.every.index(found.selected), len(rows)),
            "floor": g.rounded(layer.floor),
            "floor_text": two_places(layer.floor),
            "words": intact_words(layer) if layer.is_defined else "",
            "as_first": intact_words(layer, as_first=True) if layer.is_defined else "",
        }
    return rows


# ---------------------------------------------------------------- the drawing


def _stack(points: tuple[str, ...], key: tuple[str, ...], room: float = ROOM) -> g.LayerChart:
    """Draw, from back to front: tracks, bands, the threshold, the marks, the words where there is room, and the key."""
    layers = g.moving("stack", value="v", at_random="chance").transform_calculate(
        text=g.value_text("datum.value"),
        at_random_text=g.value_text("datum.at_random"),
        bottom=f"datum.y + {BAND[0]}",
        top=f"datum.y + {BAND[1]}",
        below=f"datum.y + {BAND[0] - OVERHANG}",
        above=f"datum.y + {BAND[1] + OVERHANG}",
        middle=f"datum.y + {sum(BAND) / 2}",
        next="datum.y + 1",
    )
    bands = layers.encode(y="bottom:Q", y2="top:Q")
    drawn = (bands, "value"), (bands, "floor"), (layers.encode(y="below:Q", y2="above:Q"), "at_random")
    known, floor, chance = (
        chart.transform_filter(f"isValid(datum.{field})").encode(x=f"{field}:Q") for chart, field in drawn
    )
    marks = {"chance": (AT_RANDOM, "at_random_text:N"), "floor": ("With everything removed", "floor_text:N")}
    fields = {"Layer": "name:N", "Similarity": "text:N", AT_LEAST: "words:N"}
    tooltip = g.told(fields | dict(marks[name] for name in key))
    track = bands.mark_rect(color=g.UNDEFINED_COLOUR, opacity=0.15)
    return alt.layer(
        track.encode(x=_similarity_axis(room), x2=alt.X2Datum(1), y=_layers_axis(points, len(key)), tooltip=tooltip),
        known.mark_rect(stroke=g.UNDEFINED_COLOUR, strokeWidth=0.5).encode(
            x2=alt.X2Datum(0), color=g.similarity_colour(offset=None), tooltip=tooltip
        ),
        bands.transform_filter("datum.words")
        .mark_rule(style="reference")
        .encode(x=alt.XDatum(SURVIVAL_THRESHOLD), y="y:Q", y2="next:Q"),
        bands.transform_filter("!isValid(datum.value)")
        .mark_rect(color=g.UNDEFINED_COLOUR)
        .encode(x=alt.XDatum(0), x2=alt.X2Datum(1), tooltip=tooltip),
        *g.hatching(layers.transform_calculate(x="0", x2="1", y2="datum.top", y="datum.bottom")),
        # Upright lines across the bands, whose halos show them on a band of any colour.
        *(floor.mark_rule(style=style) for style in ("halo", "floor") if "floor" in key),
        *(chance.mark_rule(style=style) for style in ("halo", "current")),
        *_words(layers, len(points), len(key)),
        *(mark for line, name in enumerate(key) for mark in _key_line(line, name)),
    )


def _similarity_axis(room: float) -> alt.XDatum:
    """Return the axis of similarity, from left to right, which ends before the words."""
    end = alt.ExprRef(f"width - {room} * margin")
    axis = alt.Axis(
        values=[0, 0.5, SURVIVAL_THRESHOLD],
        labelExpr=f"(datum.value === {SURVIVAL_THRESHOLD} ? 'intact from ' : '') + format(datum.value, '.1f')",
        labelOverlap=True,  # the one in the middle goes first
        labelSeparation=8,
        grid=False,
        title=None,
    )
    return alt.XDatum(0.0, scale=alt.Scale(domain=[0, 1], range=[0, end], nice=False, clamp=True), axis=axis)


def _layers_axis(points: tuple[str, ...], lines: int) -> alt.Y:
    """Return the axis of layers, with room for so many lines of the key above."""
    axis = g.layers_axis(points, labels=False, minExtent=LABEL_ROOM, maxExtent=LABEL_ROOM)
    axis["scale"].range = [alt.ExprRef("height"), alt.ExprRef(f"{lines} * {LINE}")]
    return alt.Y("bottom:Q", title=None, **axis)


def _words(layers: alt.Chart, rows: int, lines: int) -> list[alt.Chart]:
    """Write before bands their layers, and behind them their numbers and how far they are intact, below the key."""
    fit, named, size = g.letters_of(rows, f"{lines} * {LINE}")
    layers = layers.transform_filter(named).encode(y="middle:Q")
    words = f"{fit} || datum.apart < {rows} ? datum.words : datum.as_first"
    words = f"isValid(datum.value) ? {words} : ''"
    layers = layers.transform_calculate(label="'Layer ' + datum.layer", words=words)
    behind, further = alt.XDatum(1.0), alt.ExprRef(f"{NUMBER_ROOM} * margin + 8")
    label, number, intact = (layers.encode(text=f"{field}:N") for field in ("label", "text", "words"))
    return [
        label.encode(x=alt.value(0)).mark_text(style="note", align="right", dx=-6, fontSize=size),
        number.encode(x=behind).mark_text(style="note", align="left", dx=8, fontSize=size),
        intact.encode(x=behind).mark_text(style="note", align="left", dx=further, fontSize=size),
    ]


def _key_line(line: int, mark: str) -> list[alt.Chart]:
    """Write a line of the key above the layers: a mark as it is drawn in the picture, and what it stands for."""
    words = "datum.words[min(frame, length(datum.words) - 1)]"
    row = g.data("key").transform_filter(f"datum.mark === '{mark}'").transform_calculate(text=words)
    top, middle, bottom = (alt.value(alt.ExprRef(f"{line + share} * {LINE}")) for share in (0.15, 0.45, 0.75))
    # At the left edge: the words are as long as the picture is wide.
    centre, after = (alt.value(alt.ExprRef(f"{x} - 1.3 * margin")) for x in (6, 20))
    drawn = row.transform_filter(f"datum.text !== '{TOO_FAR}'").encode(x=centre, y=top, y2=bottom)
    return [
        drawn.mark_rule(style="current" if mark == "chance" else mark),
        row.mark_text(style="note", align="left").encode(x=after, y=middle, text="text:N"),
    ]
