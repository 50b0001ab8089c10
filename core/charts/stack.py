"""The layers as a network is drawn, the first at the bottom: similarity, shares of the change.

In the *stack*, a band is as long and as bright as its layer is similar to itself without pruning;
beside it stands how far it is intact, once it no longer is. A mark shows the floor, the similarity
that is left with everything removed. In the story, a dashed frame marks the visitor's guess. In
*shares*, each layer has a bar for each pruning compared.
"""

from collections.abc import Mapping, Sequence
from math import ceil

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import Numbers, View
from core.findings.layers import LayerSurvival, floor_of, layers_of, own_similarity
from core.findings.words.layers import intact_words
from core.findings.words.numbers import percent
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import point_names
from core.results.schema import SweepResult
from core.sweep.statistics import Array

# Bottom and top, of a layer's row.
BAND = (0.16, 0.84)
SHARE_BAND = (0.05, 0.95)
TITLE = "How much each layer still resembles its unpruned self"
KEY = "dotted: everything removed"
# For the words beside the bands, in margins, each 3.3 times as wide as the text is high.
ROOM = 3.85
NUMBER_ROOM = 0.85  # of that, for the number before the words
SHARE_ROOM = 1.4  # for the number behind a bar
LABEL_ROOM = "1.3 * margin"
LABELS: g.Spec = {"prefix": "Layer ", "room": alt.ExprRef(LABEL_ROOM)}
SLOTS = SHARE_BAND[1] - SHARE_BAND[0]  # the height of all bars of a layer
AT_LEAST = f"At {SURVIVAL_THRESHOLD} or above"


def stack_view(result: SweepResult, reduction: str, has_floor: bool = True) -> View:
    """Draw the layers of a whole sweep or of its first frames.

    Args:
        result: The result.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        has_floor: Whether the similarity that is left with everything removed is marked.
    """
    has_floor = has_floor and any(floor_of(result, reduction) or ())
    rows = g.layer_rows(result.points, own_similarity(result, reduction).tolist())
    layers = layers_of(result, reduction).every
    for k, (row, layer) in enumerate(zip(rows, layers, strict=True)):
        row |= {"y": k, "floor": g.rounded(layer.floor), "words": _words_at(layer)}
    title = f"{TITLE}; {KEY}" if has_floor else TITLE
    numbers = Numbers(
        "stack",
        "layer",
        {"Similarity": "v", AT_LEAST: "words"},
        named="Layer",
    )
    return View(_stack, (result.points, has_floor), {"stack": rows}, title, numbers)


def _words_at(layer: LayerSurvival) -> list[str]:
    """Say at every frame how far a layer is intact, once it has fallen, and at the end."""
    has_fallen = np.fmin.accumulate(layer.own) < SURVIVAL_THRESHOLD  # (frames,)
    has_fallen[-1] = layer.is_defined
    return [intact_words(layer) if fallen else "" for fallen in has_fallen]


# ---------------------------------------------------------------- the drawing of the stack


def _stack(points: g.Points, has_floor: bool) -> g.LayerChart:
    """Draw, from back to front: tracks, bands, threshold, floor, guess, and words."""
    layers = g.moving(
        "stack",
        said="datum.words[frame]",
        floor_text=g.value_text("datum.floor"),
        bottom=f"datum.y + {BAND[0]}",
        top=f"datum.y + {BAND[1]}",
        middle=f"datum.y + {sum(BAND) / 2}",
        next="datum.y + 1",
    )
    bands = layers.encode(y="bottom:Q", y2="top:Q")
    defined = "isValid(datum.value)"
    floor = bands.transform_filter("isValid(datum.floor)").encode(x="floor:Q")
    fields = {"Layer": "name:N", "Similarity": "text:N", AT_LEAST: "said:N"}
    if has_floor:
        fields["With everything removed"] = "floor_text:N"
    tooltip = g.tooltip(fields)
    fit, size = g.letters_of(len(points))
    axis = alt.Axis(
        values=[0, 0.5, SURVIVAL_THRESHOLD],
        labelExpr=f"(datum.value === {SURVIVAL_THRESHOLD} ? 'intact from ' : '')"
        " + format(datum.value, '.1f')",
        labelOverlap=True,  # the one in the middle goes first
        labelSeparation=8,
        title=None,
    )
    written = layers.transform_filter(fit).encode(x=alt.XDatum(1.0), y="middle:Q")
    further = alt.ExprRef(f"{NUMBER_ROOM} * margin + 8")
    return alt.layer(
        bands.mark_rect(color=g.UNDEFINED_COLOUR).encode(
            x=alt.XDatum(0.0, scale=g.scale_before((0, 1), ROOM), axis=axis),
            x2=alt.X2Datum(1),
            y=alt.Y("bottom:Q", **g.layers_axis(points, **LABELS)),
            opacity=alt.condition(defined, alt.value(0.15), alt.value(1)),
            tooltip=tooltip,
        ),
        bands.transform_filter(defined)
        .mark_rect(stroke=g.UNDEFINED_COLOUR, strokeWidth=0.5)
        .encode(
            x="value:Q",
            x2=alt.X2Datum(0),
            color=g.similarity_colour(has_legend=False),
            tooltip=tooltip,
        ),
        layers.transform_filter(defined)
        .mark_rule(style="reference")
        .encode(x=alt.XDatum(SURVIVAL_THRESHOLD), y="y:Q", y2="next:Q"),
        *g.hatching(
            layers.transform_calculate(
                x="0",
                x2="1",
                y2="datum.top",
                y="datum.bottom",
            )
        ),
        # Upright lines across the bands, whose halos show them on a band of any colour.
        *(floor.mark_rule(style=style) for style in ("halo", "floor") if has_floor),
        *_guess(layers.transform_filter("datum.chosen"), len(points)),
        written.mark_text(style="note", dx=8, fontSize=size).encode(text="text:N"),
        written.mark_text(
            style="note",
            dx=further,
            fontSize=size,
        ).encode(text="said:N"),
    )


def _guess(row: alt.Chart, rows: int) -> list[alt.Chart]:
    """Frame the layer that was guessed, from label to words, and name the frame if it fits."""
    ends = {
        "x": alt.value(alt.ExprRef(f"2 - {LABEL_ROOM}")),
        "x2": alt.value(alt.ExprRef("width - 2")),
    }
    named = row.transform_filter(f"height / {rows} > 2.2 * {g.LETTER}").encode(
        x=alt.value("width"), y="next:Q"
    )
    return [
        row.mark_rect(style="guess", filled=False).encode(y="y:Q", y2="next:Q", **ends),
        *g.haloed_text(
            named,
            align="right",
            text="your guess",
            baseline="middle",
            dx=-10,
        ),
    ]


# ---------------------------------------------------------------- each layer's share of the change


def shares_view(
    points: Sequence[str],
    losses: Mapping[str, Array],
    title: str,
    skip: int = 0,
) -> View:
    """Draw the share of each layer in the sum over the layers.

    Args:
        points: The points, in depth order.
        losses: What each layer loses of its similarity under each pruning, (frames, points); NaN is
            unknown.
        title: The words above.
        skip: How many colours are left to other pictures.
    """
    rows = []
    most = 0.25
    names = point_names(points)
    slot = SLOTS / len(losses)  # the height of a bar
    for place, (series, values) in enumerate(losses.items()):
        total = values.sum(1, keepdims=True)
        shares = values / np.where(total > 0, total, np.nan)  # (frames, points)
        most = max(most, float(np.nanmax(shares, initial=0.0)))
        for k, name in enumerate(names):
            own = shares[:, k].tolist()
            top = k + SHARE_BAND[1] - place * slot
            row = {
                "layer": name.label,
                "name": name.title,
                "series": series,
                "y": round(top - slot, 6),
                "y2": round(top, 6),
                "v": list(map(g.rounded, own)),
                "words": [percent(share) if share == share else "" for share in own],
            }
            rows.append(row)
    numbers = Numbers(
        "shares",
        "layer",
        {"Share": "words"},
        column="series",
        named="Layer",
    )
    arguments = (tuple(points), tuple(losses), ceil(4 * most) / 4, skip)
    return View(_shares, arguments, {"shares": rows}, title, numbers)


def _shares(points: g.Points, names: tuple[str, ...], most: float, skip: int) -> g.LayerChart:
    """Draw the bars, and behind each its number."""
    bars = g.moving(
        "shares",
        said="datum.words[frame]",
        middle="(datum.y + datum.y2) / 2",
    )
    bars = bars.transform_filter("isValid(datum.value)")
    axis = alt.Axis(format=".0%", title=None, tickCount=4)
    x = alt.X("value:Q", scale=g.scale_before((0, most), SHARE_ROOM), axis=axis)
    legend = None
    if len(names) > 1:
        legend = alt.Legend(title=None, symbolType="square", direction="vertical")
    fill = g.by_series("series", legend, names, fill=g.COLOURS[skip:])
    height = f"({SLOTS / len(points) / len(names)} * height)"  # of a bar
    fit = f"{height} >= 0.85 * {g.LETTER}"
    size = alt.ExprRef(f"min({g.LETTER}, 0.95 * {height})")
    tooltip = g.tooltip({"Layer": "name:N", "Pruning": "series:N", "Share": "said:N"})
    return alt.layer(
        bars.mark_rect().encode(
            x=x,
            x2=alt.X2Datum(0),
            y=alt.Y("y:Q", **g.layers_axis(points, **LABELS)),
            y2="y2:Q",
            tooltip=tooltip,
            **fill,
        ),
        bars.transform_filter(fit)
        .mark_text(style="note", dx=4, fontSize=size)
        .encode(x=x, y="middle:Q", text="said:N"),
    )
