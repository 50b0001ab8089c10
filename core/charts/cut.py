"""What can be cut out of a model: how fast each smaller one is and how well it still does, and which layers are out.

The frontier has speed across and the metric up. Grey marks are what similarity and chance would have picked of as many
layers. The stack has the layers as a network is drawn, the first at the bottom; what is out is hatched.
"""

from math import ceil, floor

import altair as alt

from core.charts import grammar as g
from core.charts.layout import Layout, in_column
from core.charts.view import Numbers, Scene, View
from core.findings.cut import Choice, Frontier
from core.findings.words import cut as words
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS

LAYOUT = Layout(
    "cut",
    wide='"frontier stack" clamp(18rem, 50vh, 34rem) "bar bar" auto / minmax(0, 5fr) minmax(0, 3fr)',
    narrow=in_column({"frontier": "24rem", "bar": "auto", "stack": "17rem"}),
)
GREY = g.UNDEFINED_COLOUR
SHAPES = ("triangle-down", "diamond", "cross", "square", "triangle-up", "M-1,-0.2H1V0.2H-1Z")  # the last is a dash
APART = 6  # pixels between the marks of criteria, which may have picked alike
STEP = 0.05  # the axis of the metric ends at multiples of it
ATTENTION = 1 / 3  # of a layer's weights, with four feed-forward units for each hidden one
BAND = (0.12, 0.88)  # bottom and top, of a layer's row
ROOM = 3.3  # for what removing a layer alone costs, in margins
FASTER, FEWER = "Times as fast as the full model", "Layers removed"
FRONTIER = "{} of each smaller model, with its 95 % interval", "Numbers: layers out. Squares: narrower parts as well"
STACK = "Hatched: removed", "Numbers: what removing it alone costs"
TOLD = {"Difference": "difference", "Answers changed": "changed", "Speed": "speed"}  # of each model


def cut_scene(known: Frontier, model: Choice | None, title: str, caption: tuple[str, ...]) -> Scene:
    """Draw the frontier of a study, and the stack of the model that is chosen.

    Args:
        known: What the study offers, at least one model.
        model: The chosen one; None where nothing is removed.
        title: The finding.
        caption: What it was measured on.
    """
    views = {"frontier": _frontier_view(known, model), "stack": _stack_view(known, model)}
    return Scene(title, caption, views, [g.step(0.0, "", "")], LAYOUT)


# ---------------------------------------------------------------- the frontier


def _frontier_view(known: Frontier, chosen: Choice | None) -> View:
    title, models, picks, places = METRICS[known.metric].title, g.Rows(), g.Rows(), {}
    for model in known.models:
        models.append(
            {
                "x": round(known.gain(model), 4),
                **{end: g.rounded(getattr(model.value, end)) for end in ("value", "low", "high")},
                **{"narrower": model.share > 0, "chosen": model == chosen, "label": str(len(model.removed))},
                **{"name": words.model_name(known, model), "text": decimals(model.value.value, 3)},
                "difference": words.points_words(model.difference),
                **{"changed": words.changed_words(model), "speed": words.speed_words(model)},
            }
        )
        if not model.share:
            places[len(model.removed)] = models[-1]["x"]
    for pick in known.picks:
        if pick.fewer in places:
            named = {"criterion": words.CRITERION[pick.criterion], "layers": words.layers_words(known, pick.removed)}
            picks.append({"x": places[pick.fewer], "value": g.rounded(pick.value), **named})
    lines = [{"value": known.full.value, "text": "full model"}, {"value": known.guess, "text": "always one label"}]
    shown = [row[end] for row in models for end in ("low", "high")] + [row["value"] for row in (*picks, *lines)]
    domain = floor(min(shown) / STEP) * STEP, ceil(max(shown) / STEP) * STEP
    criteria = [name for name in words.CRITERION.values() if any(row["criterion"] == name for row in picks)]
    most = max(row["x"] for row in models)
    return View(
        _frontier,
        (title, known.is_timed, domain, most, tuple(criteria)),
        {"models": models, "picks": picks, "lines": lines},
        [FRONTIER[0].format(title), FRONTIER[1]],
        numbers=Numbers("models", "name", {title: "text", **TOLD}),
    )


def _frontier(
    metric: str, timed: bool, domain: tuple[float, float], most: float, criteria: tuple[str, ...]
) -> g.LayerChart:
    """Draw, from back to front: the lines to hold against, what else would have been picked, and the models."""
    first, title, form = (1.0, FASTER, ".1f") if timed else (0.0, FEWER, "d")
    margin = 0.06 * max(most - first, 0.1)
    across = alt.Axis(tickMinStep=0.1 if timed else 1, tickCount=6, format=form, grid=False, titleAnchor="start")
    x = alt.X("x:Q", title=title, scale=alt.Scale(domain=[first - margin, most + margin], nice=False), axis=across)
    up = alt.Axis(format=".2f", tickCount=6, minExtent=g.MARGIN, maxExtent=g.MARGIN)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=list(domain), nice=False), axis=up)
    lines, picks, models = g.data("lines").encode(y=y), g.data("picks").encode(x=x, y=y), g.data("models").encode(x=x)
    told = {"Removed": "name", metric: "text", **TOLD}
    points = models.encode(y=y, tooltip=g.told({name: f"{field}:N" for name, field in told.items()}))
    fewer, narrower = (points.transform_filter(f"{sign}datum.narrower") for sign in ("!", ""))
    columns = alt.ExprRef("width < 26 * margin / 3.3 ? 1 : 2")
    legend = alt.Legend(title=None, columns=columns, symbolSize=60, symbolFillColor=GREY)
    shapes = [SHAPES[k % len(SHAPES)] for k in range(len(criteria))]
    looks = g.told_apart("criterion", legend, criteria, shape=shapes)
    picked = g.told({"Chosen by": "criterion:N", "Removes": "layers:N", metric: "value:Q"})
    return alt.layer(
        lines.mark_rule(style="reference"),
        *g.haloed_text(lines.encode(x=alt.value(4), text="text:N"), baseline="bottom", dy=-3),
        *(
            picks.transform_filter(alt.datum.criterion == name)
            .mark_point(color=GREY, filled=True, size=60, opacity=1, xOffset=APART * (k - (len(criteria) - 1) / 2))
            .encode(tooltip=picked, **looks)
            for k, name in enumerate(criteria)
        ),
        fewer.mark_line(style="series", strokeWidth=1, opacity=0.6).encode(order="x:Q"),
        models.mark_rule(style="series", strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
        narrower.mark_point(style="series", shape="square", size=45),
        fewer.mark_point(style="series", filled=True, size=70, opacity=1),
        points.transform_filter("datum.chosen").mark_point(style="marker", filled=True),
        fewer.encode(text="label:N").mark_text(style="note", align="left", baseline="bottom", dx=7, dy=-4),
    )


# ---------------------------------------------------------------- the stack


def _stack_view(known: Frontier, model: Choice | None) -> View:
    parts, rows = g.Rows(), g.Rows()
    for k, alone in enumerate(known.alone):
        out, share = bool(model and k in model.removed), model.share if model else 0.0
        kept = 0.0 if out else round(1 - (1 - ATTENTION) * share, 4)
        ends = {"y": k + BAND[0], "y2": k + BAND[1]}
        parts += [{"x": 0.0, "x2": kept, **ends, "value": 1.0}] if kept else []
        parts += [{"x": kept, "x2": 1.0, **ends, "value": None}] if kept < 1 else []
        cost = "" if alone is None else words.change_words(-alone)
        rows.append({"y": k + 0.5, "layer": str(k + 1), "out": out, "removed": "yes" if out else "no", "cost": cost})
    numbers = Numbers("stack", "layer", {"Removed": "removed", "Removing it alone": "cost"}, named="Layer")
    points = tuple(f"layer.{k}.output" for k in range(len(rows)))
    return View(_stack, (points,), {"parts": parts, "stack": rows}, list(STACK), numbers=numbers)


def _stack(points: tuple[str, ...]) -> g.LayerChart:
    """Draw the bands, strokes over what is out, and the words beside them."""
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1], range=[0, alt.ExprRef(f"width - {ROOM} * margin")]))
    room = alt.ExprRef("1.3 * margin")
    y = alt.Y("y:Q", title=None, **g.layers_axis(points, labels=False, minExtent=room, maxExtent=room))
    parts = g.data("parts").encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
    kept, out = (parts.transform_filter(f"{sign}isValid(datum.value)") for sign in ("", "!"))
    roomy, size = g.letters_of(len(points))
    rows = g.data("stack").transform_filter(f"{roomy} || datum.out").transform_calculate(name="'Layer ' + datum.layer")
    told = g.told({"Layer": "layer:N", "Removed": "removed:N", "Removing it alone": "cost:N"})
    rows = rows.encode(y="y:Q", tooltip=told)
    return alt.layer(
        kept.mark_rect(style="bar"),
        out.mark_rect(color=GREY),
        *g.hatching(parts),
        rows.encode(x=alt.value(0), text="name:N").mark_text(style="note", align="right", dx=-6, fontSize=size),
        rows.encode(x=alt.datum(1.0), text="cost:N").mark_text(style="note", align="left", dx=8, fontSize=size),
    )
