"""The smaller models of a study of cuts: how fast each is and how well it still does, and which layers are out.

The frontier has speed across and the metric up. The stack has the layers as a network is drawn, the first at the
bottom; removed layers are dashed.
"""

from math import ceil, floor

import altair as alt

from core.charts import grammar as g
from core.charts.view import STILL, Layout, Numbers, Scene, View
from core.findings.cut import CutChoice, Frontier
from core.findings.words import cut as words
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS
from core.results.names import checkpoint_name, data_name

LAYOUT = Layout(
    "cut",
    wide='"frontier stack" 22 "bar bar" auto / 5fr 3fr',
    narrow='"frontier" 27rem "bar" auto "stack" 17rem / 1fr',
    slide='"frontier stack" 1fr / 7fr 2fr',
)
FULL, GUESS = "full model", "commonest label"
STEP = 0.05  # the axis of the metric ends at multiples of it
BAND = (0.12, 0.88)  # bottom and top, of a layer's row
DISC = alt.ExprRef("margin * margin / 7")  # the area around a number of layers, which has letters as high as all others
FASTER = "Times as fast as the full model"
COLUMNS = ("Difference", "Speed", "Size")  # of the table, beside the metric


def cut_scene(frontier: Frontier, choice: CutChoice, title: str) -> Scene:
    """Draw the frontier of a study, and the stack of the chosen model.

    Args:
        frontier: At least one choice.
        choice: The chosen one.
        title: The finding.
    """
    views = {"frontier": _frontier_view(frontier, choice), "stack": _stack_view(frontier, choice)}
    caption = checkpoint_name(frontier.study), data_name(frontier.study), words.machine_words(frontier)
    return Scene(title, caption, views, STILL, LAYOUT)


# ---------------------------------------------------------------- the frontier


def _frontier_view(frontier: Frontier, chosen: CutChoice) -> View:
    title, depth = METRICS[frontier.study.task.main_metric].title, frontier.study.checkpoint.num_layers
    models: g.Rows = [
        {
            **{end: g.rounded(getattr(choice.value, end)) for end in ("value", "low", "high")},
            "x": choice.depth.speed.value,
            "label": str(len(choice.removed)),
            "chosen": choice == chosen,
            "text": decimals(choice.value.value, 3),
            **words.model_cells(choice, depth),
        }
        for choice in frontier.choices
    ]
    lines = [
        {"value": frontier.full.value, "is_full": True, "text": FULL},
        {"value": frontier.guess, "low": frontier.guess - STEP / 2, "text": GUESS},  # with room below for its words
    ]
    heights = [row[end] for row in (*models, *lines) for end in ("value", "low", "high") if end in row]
    domain = floor(min(heights) / STEP) * STEP, ceil(max(heights) / STEP) * STEP
    heading = [f"{title} of each smaller model, with its 95 % interval", "Numbers: layers out"]
    arguments = title, domain, max(row["x"] for row in models)
    numbers = Numbers("models", "Removed", {title: "text", **{name: name for name in COLUMNS}})
    return View(_frontier, arguments, {"models": models, "lines": lines}, heading, numbers)


def _frontier(metric: str, domain: tuple[float, float], most: float) -> g.LayerChart:
    """Draw, from back to front: the lines to hold against, and the models."""
    ticks = [1, 1.5, 2, 3, 4, 6, 8, 12, 16]
    across = alt.Axis(values=ticks, tickMinStep=1, format="~f", labelOverlap=True, grid=False, titleAnchor="start")
    scale = alt.Scale(type="log", domain=[0.95, 1.25 * most], nice=False)  # ratios
    x = alt.X("x:Q", title=FASTER, scale=scale, axis=across)
    up = alt.Axis(format=".2f", tickCount=6, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=list(domain), nice=False), axis=up)
    lines, models = g.data("lines").encode(y=y), g.data("models").encode(x=x)
    fields = {"Removed": "Removed:N", **{name: f"{name}:N" for name in COLUMNS}}
    points = models.encode(y=y, tooltip=g.tooltip({metric: "text:N", **fields}))
    full, guess = (lines.transform_filter(f"{sign}datum.is_full").encode(text="text:N") for sign in ("", "!"))
    return alt.layer(
        lines.mark_rule(style="reference"),
        *g.haloed_text(full.encode(x=alt.value("width")), "right", baseline="bottom", dx=-4, dy=-3),
        *g.reference_words(guess.encode(x=alt.value(0))),  # below it, where all models are better
        points.mark_line(style="series", strokeWidth=1, opacity=0.6).encode(order="x:Q"),
        models.mark_rule(style="series", strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
        points.mark_point(style="series", filled=True, size=DISC, opacity=1),
        points.transform_filter("datum.chosen").mark_point(style="marker", size=DISC, filled=True, fillOpacity=0),
        points.encode(text="label:N").mark_text(style=["note", "halo"], strokeWidth=0, fontWeight="bold"),
    )


# ---------------------------------------------------------------- the stack


def _stack_view(frontier: Frontier, choice: CutChoice) -> View:
    depth, removed = frontier.study.checkpoint.num_layers, choice.removed
    layers = [{"y": row + BAND[0], "y2": row + BAND[1], "removed": row in removed} for row in range(depth)]
    points = tuple(f"layer.{row}.output" for row in range(depth))
    return View(_stack, (points,), {"layers": layers}, "Dashed: removed")


def _stack(points: tuple[str, ...]) -> g.LayerChart:
    """Draw a band for each layer, filled if it stays."""
    y = alt.Y("y:Q", title="Layer", **g.layers_axis(points, size=g.letters_of(len(points))[1]))
    layers = g.data("layers").encode(y=y, y2="y2:Q")
    kept, removed = (layers.transform_filter(f"{sign}datum.removed") for sign in ("!", ""))
    return alt.layer(kept.mark_rect(style="bar"), removed.mark_rect(style="reference", filled=False))
