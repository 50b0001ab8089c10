"""The smaller models of a study of cuts: how fast each is, and how well it does, saved and held.

Speed is across and the metric up. *Saved* models have their intervals; *held*, what a probe reads
from the same layers, is a thin line; the full model and the commonest label are lines to hold both
against.
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
    '"frontier" 22 "bar" auto / 1fr',
    '"frontier" 22rem "bar" auto / 1fr',
)
STEP = 0.05  # the axis of the metric ends at multiples of it
ENDS = (0.95, 1.25)  # of the axis of speed, times its least and its largest
# The area around a number of layers, which has letters as high as all others.
DISC = alt.ExprRef("margin * margin / 7")
FASTER = "Times as fast as the full model"
LEGEND = "numbers: layers that stay; line: a simple classifier trained on that layer"
COLUMNS = ("Difference", "Held", "Speed", "Size")  # of the table, beside the metric


def cut_scene(frontier: Frontier, choice: CutChoice, title: str, can_pick: bool = True) -> Scene:
    """Draw what a study offers.

    Args:
        frontier: At least one choice.
        choice: The chosen one.
        title: The finding.
        can_pick: Whether a click chooses another, as on the page of cuts.
    """
    study = frontier.study
    views = {"frontier": _frontier_view(frontier, choice, can_pick)}
    caption = (checkpoint_name(study), data_name(study), words.machine_words(study))
    return Scene(title, caption, views, STILL, LAYOUT)


def _frontier_view(frontier: Frontier, chosen: CutChoice, can_pick: bool) -> View:
    metric = METRICS[frontier.study.task.main_metric].title
    models: g.Rows = []
    heights = [frontier.full.value, frontier.guess - STEP / 2]  # with room below for its words
    for choice in frontier.choices:
        layers = str(choice.depth.layers)
        scores = {
            "value": g.rounded(choice.value.value),
            "low": g.rounded(choice.value.low),
            "high": g.rounded(choice.value.high),
            "held": g.rounded(choice.held),
        }
        heights += [score for score in scores.values() if score is not None]
        row = {
            **scores,
            "x": g.rounded(choice.depth.speed.value),
            "label": layers,
            "chosen": choice == chosen,
            "text": decimals(choice.value.value, 3),
            **words.model_cells(frontier, choice),
        }
        if can_pick:
            row["pick"] = layers
        models.append(row)
    lines = [
        {"value": frontier.full.value, "is_full": True, "text": "full model"},
        {"value": frontier.guess, "text": "commonest label"},
    ]
    domain = floor(min(heights) / STEP) * STEP, ceil(max(heights) / STEP) * STEP
    speeds = [1.0, *(row["x"] for row in models)]
    title = f"{metric} of each smaller model, with its 95 % interval;\n{LEGEND}"
    numbers = Numbers(
        "models",
        "Removed",
        {
            metric: "text",
            **dict(
                zip(
                    COLUMNS,
                    COLUMNS,
                    strict=True,
                )
            ),
        },
    )
    arguments = (metric, domain, (ENDS[0] * min(speeds), ENDS[1] * max(speeds)))
    return View(
        _frontier,
        arguments,
        {"models": models, "lines": lines},
        title,
        numbers,
    )


def _frontier(metric: str, domain: tuple[float, float], ends: tuple[float, float]) -> g.LayerChart:
    """Draw, from back to front: the lines to hold against, what is held, and the models."""
    axis = alt.Axis(
        values=[0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16],
        format="~f",
        labelOverlap=True,
        titleAnchor="start",
    )
    # Of ratios; a number beyond the axis has no tick.
    scale = alt.Scale(type="log", domain=list(ends), nice=False, clamp=False)
    x = alt.X("x:Q", title=FASTER, scale=scale, axis=axis)
    y = g.share_axis(None, domain, values=alt.Undefined, tickCount=6)
    lines = g.data("lines").encode(y=y)
    models = g.data("models").encode(x=x)
    fields = {
        "Removed": "Removed:N",
        metric: "text:N",
        **{name: f"{name}:N" for name in COLUMNS},
    }
    points = models.encode(y=y, tooltip=g.tooltip(fields))
    held = models.transform_filter("isValid(datum.held)").encode(y="held:Q", order="x:Q")
    full = lines.transform_filter("datum.is_full").encode(x=alt.value("width"))
    guess = lines.transform_filter("!datum.is_full").encode(x=alt.value(0))
    return alt.layer(
        lines.mark_rule(style="reference"),
        *g.haloed_text(
            full.encode(text="text:N"),
            align="right",
            baseline="bottom",
            dx=-4,
            dy=-3,
        ),
        *g.reference_words(guess),  # below it, where all models are better
        held.mark_line(style="chance"),
        models.mark_rule(style="series", strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
        points.mark_point(
            style="series",
            filled=True,
            size=DISC,
            opacity=1,
            cursor="pointer",
        ),
        points.transform_filter("datum.chosen").mark_point(
            style="marker", size=DISC, filled=True, fillOpacity=0
        ),
        points.encode(text="label:N").mark_text(
            style=["note", "halo"],
            align="center",
            strokeWidth=0,
            fontWeight="bold",
            cursor="pointer",
        ),
    )
