"""Examples and typed sentences over the pruning amounts -> Vega-Lite: two strips of predictions, and probabilities.

Templates with named data and a parameter `frame`, like those of `core.charts.overview`. Right and wrong are told
apart by blue and orange, which everybody can; labels by colour and dashes.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import altair as alt

from core.charts.grammar import CURVE_MARGIN, LayerChart, Rows, Spec, finished, here, rounded
from core.findings.sentences import Example, in_order_of_flips, label_name, spans
from core.results.names import amount_name
from core.results.prediction import Prediction
from core.results.schema import SweepResult

RIGHT_COLOUR, WRONG_COLOUR = "#0072b2", "#cc8400"  # after Okabe and Ito, with 3:1 on white and on black
LABEL_COLOURS = ["#1b9e77", "#7570b3", "#d95f02"]  # ColorBrewer's Dark2, told apart without colour vision
LABEL_DASHES = [[1, 0], [7, 3], [2, 2]]
GAP = 0.03  # of all examples, between those that are right unpruned and the others
MOST_TOLD = 90  # characters of a text under the mouse


# ---------------------------------------------------------------- which examples flip


def flip_views(result: SweepResult, examples: Sequence[Example]) -> dict[str, Spec]:
    """Draws how many examples flip at each amount, and every example's predictions.

    Args:
        result: Where the examples come from.
        examples: Those to draw, at least one.

    Returns:
        `flips` and `strip`, each with its data under `datasets`.
    """
    edges = _edges(result.amounts)
    amounts = [{"k": k, "amount": amount} for k, amount in enumerate(result.amounts)]
    bars, cells = _bars(result, examples, edges), _cells(result, examples, edges)
    return {
        "flips": {**_flips_spec(), "datasets": {"bars": bars, "amounts": amounts}},
        "strip": {**_strip_spec(), "datasets": {"cells": cells, "amounts": amounts}},
    }


def flip_frames(result: SweepResult, examples: Sequence[Example]) -> Rows:
    """Gives what the player says about each amount.

    Args:
        result: Where the examples come from.
        examples: Those that are drawn.
    """
    rows = []
    for k, amount in enumerate(result.amounts):
        right = sum(example.predictions[k] == example.gold for example in examples)
        other = sum(example.predictions[k] != example.predictions[0] for example in examples)
        detail = f"{right} of {len(examples)} right · {other} predicted otherwise than unpruned"
        rows.append({"amount": amount, "name": f"Pruning amount {amount_name(amount)}", "detail": detail})
    return rows


def _edges(amounts: Sequence[float]) -> list[float]:
    """Puts every amount in a cell that reaches half way to its neighbours; one more edge than amounts."""
    if len(amounts) < 2:
        return [-0.05, 0.05]
    middles = [(a + b) / 2 for a, b in pairwise(amounts)]
    return [rounded(edge) or 0.0 for edge in (2 * amounts[0] - middles[0], *middles, 2 * amounts[-1] - middles[-1])]


def _word(right: bool) -> str:
    return "right" if right else "wrong"


def _bars(result: SweepResult, examples: Sequence[Example], edges: Sequence[float]) -> Rows:
    """Two rows an amount: examples that flip there first, those that become wrong below those that become right."""
    counts = Counter(
        (example.flip, example.predictions[example.flip] == example.gold)
        for example in examples
        if example.flip is not None
    )
    return [
        {
            "left": edges[k],
            "end": edges[k + 1],
            "low": counts[k, False] if right else 0,
            "high": counts[k, False] + (counts[k, True] if right else 0),
            "now": _word(right),
            "amount": amount_name(amount),
            "count": counts[k, right],
        }
        for k, amount in enumerate(result.amounts)
        for right in (False, True)
    ]


def _cells(result: SweepResult, examples: Sequence[Example], edges: Sequence[float]) -> Rows:
    """One row a stretch of amounts with the same prediction; the earliest flip is on top."""
    rows, gap = [], max(1.0, GAP * len(examples))
    for place, example in enumerate(in_order_of_flips(examples)):
        top = place + (0 if example.is_right_unpruned else gap)
        told = {
            "top": top,
            "bottom": top + 1,
            "name": f"Row {example.row}",
            "text": _short(" · ".join(example.texts)),
            "gold": label_name(result, example.gold),
        }
        for span in spans(example):
            first, last = (amount_name(result.amounts[k]) for k in (span.first, span.end - 1))
            rows.append(
                {
                    **told,
                    "left": edges[span.first],
                    "end": edges[span.end],
                    "now": _word(span.label == example.gold),
                    "said": label_name(result, span.label),
                    "amounts": first if first == last else f"{first} to {last}",
                }
            )
    return rows


def _short(text: str) -> str:
    return text if len(text) <= MOST_TOLD else f"{text[: MOST_TOLD - 1]}…"


def _x(field: str, named: bool = True) -> alt.X:
    """The amounts, in both pictures of the same width: their data reach equally far."""
    return alt.X(
        field,
        title="Pruning amount" if named else None,
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(format=".1f", tickCount=10, grid=False, labelOverlap=True, labels=named, ticks=named),
    )


def _y(field: str, reverse: bool = False) -> alt.Y:
    """A number of examples."""
    axis = alt.Axis(minExtent=CURVE_MARGIN, maxExtent=CURVE_MARGIN, grid=False, tickMinStep=1, tickCount=4, format="d")
    return alt.Y(field, title="Examples", scale=alt.Scale(nice=False, zero=not reverse, reverse=reverse), axis=axis)


def _now(legend: alt.Legend | None) -> alt.Color:
    return alt.Color(
        "now:N", scale=alt.Scale(domain=["right", "wrong"], range=[RIGHT_COLOUR, WRONG_COLOUR]), legend=legend
    )


@lru_cache(maxsize=1)
def _flips_spec() -> Spec:
    legend = alt.Legend(title="Prediction is", orient="top", titleOrient="left", offset=4)
    bars = (
        alt.Chart(alt.NamedData("bars"))
        .mark_rect()
        .encode(
            x=_x("left:Q", named=False),
            x2="end:Q",
            y=_y("low:Q"),
            y2="high:Q",
            color=_now(legend),
            tooltip=[
                alt.Tooltip("amount:N", title="First flips at"),
                alt.Tooltip("count:Q", title="Examples"),
                alt.Tooltip("now:N", title="Now"),
            ],
        )
    )
    return finished(
        alt.layer(bars, here(alt.X("amount:Q"))).properties(title="Examples that flip first at each amount")
    )


@lru_cache(maxsize=1)
def _strip_spec() -> Spec:
    cells = (
        alt.Chart(alt.NamedData("cells"))
        .mark_rect()
        .encode(
            x=_x("left:Q"),
            x2="end:Q",
            y=_y("top:Q", reverse=True),
            y2="bottom:Q",
            color=_now(None),
            tooltip=[
                alt.Tooltip("name:N", title="Example"),
                alt.Tooltip("text:N", title="Text"),
                alt.Tooltip("gold:N", title="Label"),
                alt.Tooltip("said:N", title="Predicted"),
                alt.Tooltip("now:N", title="Which is"),
                alt.Tooltip("amounts:N", title="At amount"),
            ],
        )
    )
    title = "Every example, earliest flip on top"
    return finished(alt.layer(cells, here(alt.X("amount:Q"))).properties(title=title))


# ---------------------------------------------------------------- a typed sentence


def probability_view(prediction: Prediction) -> dict[str, Spec]:
    """Draws the probability of each label over the amounts.

    Args:
        prediction: Of a typed text, which is not in the picture.

    Returns:
        `probabilities`, with its data under `datasets`.
    """
    labels = [name.replace("_", " ") for name in prediction.labels]
    rows = [
        {"k": k, "amount": amount, "label": label, "probability": rounded(row[index])}
        for k, (amount, row) in enumerate(zip(prediction.amounts, prediction.probabilities, strict=True))
        for index, label in enumerate(labels)
    ]
    amounts = [{"k": k, "amount": amount} for k, amount in enumerate(prediction.amounts)]
    return {"probabilities": {**_probability_spec(tuple(labels)), "datasets": {"labels": rows, "amounts": amounts}}}


def probability_frames(prediction: Prediction) -> Rows:
    """Gives what the player says about each amount.

    Args:
        prediction: Of a typed text.
    """
    return [
        {
            "amount": amount,
            "name": f"Pruning amount {amount_name(amount)}",
            "detail": " · ".join(
                f"{label.replace('_', ' ')} {p:.2f}" for label, p in zip(prediction.labels, row, strict=True)
            ),
        }
        for amount, row in zip(prediction.amounts, prediction.probabilities, strict=True)
    ]


@lru_cache(maxsize=8)
def _probability_spec(labels: tuple[str, ...]) -> Spec:
    scale = alt.Scale(domain=list(labels), range=LABEL_COLOURS[: len(labels)])
    dashes = alt.Scale(domain=list(labels), range=LABEL_DASHES[: len(labels)])
    legend = alt.Legend(title="Label", orient="top", titleOrient="left", symbolType="stroke", symbolSize=500, offset=4)
    y = alt.Y(
        "probability:Q",
        title="Probability",
        scale=alt.Scale(domain=[0, 1.03], nice=False),
        axis=alt.Axis(
            values=[0, 0.25, 0.5, 0.75, 1], format=".2f", grid=True, minExtent=CURVE_MARGIN, maxExtent=CURVE_MARGIN
        ),
    )
    x = alt.X(
        "amount:Q",
        title="Pruning amount",
        scale=alt.Scale(nice=False, padding=8),
        axis=alt.Axis(format=".1f", tickCount=10, grid=False, labelOverlap=True),
    )
    base = alt.Chart(alt.NamedData("labels")).encode(x=x, y=y, color=alt.Color("label:N", scale=scale, legend=legend))
    tooltip = [
        alt.Tooltip("amount:Q", title="Pruning amount", format=".2f"),
        alt.Tooltip("label:N", title="Label"),
        alt.Tooltip("probability:Q", title="Probability", format=".3f"),
    ]
    chart: LayerChart = alt.layer(
        here(x),
        base.mark_line(strokeWidth=2.5).encode(strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=legend)),
        base.transform_filter("datum.k === frame").mark_point(filled=True, size=90, opacity=1),
        base.mark_point(opacity=0, size=400, filled=True).encode(tooltip=tooltip),
    )
    return finished(chart.properties(title="Probability of each label"))
