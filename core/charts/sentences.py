"""The pictures of examples and typed sentences: how many flip at which amount, every prediction, probabilities.

Blue is correct and orange is not, which colour-blind readers can tell apart; labels differ in colour and dashes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

import altair as alt

from core.charts.grammar import (
    CORRECT_COLOUR,
    INCORRECT_COLOUR,
    LABEL_COLOURS,
    LABEL_DASHES,
    MARGIN,
    REMOVED,
    LayerChart,
    Rows,
    amount_rows,
    current_amount_rule,
    on_show,
    rounded,
    share_axis,
)
from core.charts.layout import Layout
from core.charts.view import Numbers, Scene, View
from core.findings.sentences import Example, in_order_of_flips, label_name, spans
from core.results.names import (
    amount_name,
    checkpoint_name,
    data_name,
    decimals,
    in_sentence,
    label_words,
    percent_range,
    pruning_name,
    removed_name,
)
from core.results.prediction import Prediction
from core.results.schema import SweepResult

GAP = 0.03  # of all examples, between those that are correct unpruned and the others
TOOLTIP_MAX_CHARS = 90  # of an example's text

# How many flip, above the predictions of each, on one axis of amounts.
SENTENCES = Layout(
    "sentences",
    wide="""
        "flips" 8.5rem
        "strip" clamp(14rem, 38vh, 30rem)
        "bar" auto / minmax(0, 1fr)""",
    narrow="""
        "flips" 8.5rem
        "strip" clamp(14rem, 38vh, 30rem)
        "bar" auto / minmax(0, 1fr)""",
    gap=(0.25, 0.25),
)
PROBABILITIES = Layout(
    "probabilities",
    wide="""
        "probabilities" 16rem
        "bar" auto / minmax(0, 1fr)""",
    narrow="""
        "probabilities" 16rem
        "bar" auto / minmax(0, 1fr)""",
)


# ---------------------------------------------------------------- which examples flip


def flip_scene(result: SweepResult, examples: Sequence[Example]) -> Scene:
    """Show how many of at least one example flip at each amount, `flips`, and every example's predictions, `strip`."""
    edges, amounts = _edges(result.amounts), amount_rows(result.amounts)
    bars, cells = _bar_rows(result, examples, edges), _cell_rows(result, examples, edges)
    views = {
        "flips": View(
            _flips,
            (),
            {"bars": bars, "amounts": amounts},
            "Examples that flip first at each amount",
            numbers=Numbers("bars", "now", {"Examples that flip here": "words"}, named="Now"),
        ),
        "strip": View(_strip, (), {"cells": cells, "amounts": amounts}, "Every example, earliest flip on top"),
    }
    title = f"Predictions of {len(examples)} examples under {in_sentence(pruning_name(result))}"
    caption = (f"{checkpoint_name(result)}; {data_name(result)}; {in_sentence(pruning_name(result))}",)
    return Scene(title, caption, views, _flip_frames(result, examples), SENTENCES)


def _flip_frames(result: SweepResult, examples: Sequence[Example]) -> Rows:
    """Return what the player says about each amount: how many predictions are correct, and how many have changed."""
    rows = []
    for k, amount in enumerate(result.amounts):
        correct = sum(example.predictions[k] == example.gold for example in examples)
        changed = sum(example.predictions[k] != example.predictions[0] for example in examples)
        changes = "1 prediction changed" if changed == 1 else f"{changed} predictions changed"
        name = removed_name(amount, result)
        rows.append({"amount": amount, "name": name, "detail": f"{correct} of {len(examples)} correct · {changes}"})
    return rows


def _edges(amounts: Sequence[float]) -> list[float]:
    """Return the edges of cells that reach half way from each amount to its neighbours; one more edge than amounts.

    The first and the last cell are as wide as their amounts allow: nobody removes less than nothing, or more than all.
    """
    if len(amounts) < 2:
        return [-0.05, 0.05]
    middles = [(a + b) / 2 for a, b in pairwise(amounts)]
    first, last = max(2 * amounts[0] - middles[0], -0.05), min(2 * amounts[-1] - middles[-1], 1.0)
    return [rounded(edge) or 0.0 for edge in (first, *middles, last)]


def _word(correct: bool) -> str:
    return "correct" if correct else "incorrect"


def _bar_rows(result: SweepResult, examples: Sequence[Example], edges: Sequence[float]) -> Rows:
    """Return two rows per amount, for the examples that first flip there: incorrect ones stand below correct ones."""
    counts = Counter(
        (example.flip, example.predictions[example.flip] == example.gold)
        for example in examples
        if example.flip is not None
    )
    return [
        {
            "k": k,
            "left": edges[k],
            "end": edges[k + 1],
            "low": counts[k, False] if correct else 0,
            "high": counts[k, False] + (counts[k, True] if correct else 0),
            "now": _word(correct),
            "amount": amount_name(amount),
            "count": counts[k, correct],
            "words": str(counts[k, correct]),
        }
        for k, amount in enumerate(result.amounts)
        for correct in (False, True)
    ]


def _cell_rows(result: SweepResult, examples: Sequence[Example], edges: Sequence[float]) -> Rows:
    """Return one row per stretch of amounts with the same prediction; the earliest flip is on top."""
    rows, gap = [], max(1.0, GAP * len(examples))
    for position, example in enumerate(in_order_of_flips(examples)):
        top = position + (0 if example.is_correct_unpruned else gap)
        shared = {
            "top": top,
            "bottom": top + 1,
            "name": f"Row {example.row}",
            "text": _shortened(" · ".join(example.texts)),
            "gold": label_name(result, example.gold),
        }
        for span in spans(example):
            first, last = (amount_name(result.amounts[k]) for k in (span.first, span.end - 1))
            rows.append(
                {
                    **shared,
                    "left": edges[span.first],
                    "end": edges[span.end],
                    "now": _word(span.label == example.gold),
                    "predicted": label_name(result, span.label),
                    "amounts": first if first == last else percent_range(first, last),
                }
            )
    return rows


def _shortened(text: str) -> str:
    return text if len(text) <= TOOLTIP_MAX_CHARS else f"{text[: TOOLTIP_MAX_CHARS - 1]}…"


# The first cell reaches below 0, where no amount is.
_amount_ticks = partial(
    alt.Axis,
    format="~%",
    tickCount=10,
    grid=False,
    labelOverlap=True,
    labelExpr="datum.value < 0 ? '' : datum.label",
)


def _amounts(field: str, labelled: bool = True) -> alt.X:
    """Return the axis of amounts, equally wide in both pictures: their data reach equally far."""
    return alt.X(
        field,
        title=REMOVED if labelled else None,
        scale=alt.Scale(nice=False, zero=False),
        axis=_amount_ticks(labels=labelled, ticks=labelled),
    )


def _examples(field: str, downwards: bool = False) -> alt.Y:
    """Return an axis that counts examples."""
    axis = alt.Axis(minExtent=MARGIN, maxExtent=MARGIN, grid=False, tickMinStep=1, tickCount=4, format="d")
    scale = alt.Scale(nice=False, zero=not downwards, reverse=downwards)
    return alt.Y(field, title="Examples", scale=scale, axis=axis)


def _now(legend: alt.Legend | None) -> alt.Color:
    scale = alt.Scale(domain=["correct", "incorrect"], range=[CORRECT_COLOUR, INCORRECT_COLOUR])
    return alt.Color("now:N", scale=scale, legend=legend)


def _flips() -> LayerChart:
    bars = (
        alt.Chart(alt.NamedData("bars"))
        .mark_rect()
        .encode(
            x=_amounts("left:Q", labelled=False),
            x2="end:Q",
            y=_examples("low:Q"),
            y2="high:Q",
            color=_now(alt.Legend(title="Prediction is", orient="top", titleOrient="left", offset=4)),
            tooltip=[
                alt.Tooltip("amount:N", title="First flips at"),
                alt.Tooltip("words:N", title="Examples"),
                alt.Tooltip("now:N", title="Now"),
            ],
        )
    )
    return alt.layer(bars, current_amount_rule(alt.X("amount:Q")))


def _strip() -> LayerChart:
    cells = (
        alt.Chart(alt.NamedData("cells"))
        .mark_rect()
        .encode(
            x=_amounts("left:Q"),
            x2="end:Q",
            y=_examples("top:Q", downwards=True),
            y2="bottom:Q",
            color=_now(None),
            tooltip=[
                alt.Tooltip("name:N", title="Example"),
                alt.Tooltip("text:N", title="Text"),
                alt.Tooltip("gold:N", title="Label"),
                alt.Tooltip("predicted:N", title="Predicted"),
                alt.Tooltip("now:N", title="Which is"),
                alt.Tooltip("amounts:N", title=REMOVED),
            ],
        )
    )
    return alt.layer(cells, current_amount_rule(alt.X("amount:Q")))


# ---------------------------------------------------------------- a typed sentence


def probability_scene(prediction: Prediction, result: SweepResult) -> Scene:
    """Show the probability of each label over the amounts, `probabilities`; the text is not in it.

    Of many labels, those that are predicted at some amount are shown before others.

    Args:
        prediction: For a text.
        result: Pruned like the model that answered.
    """
    known = _likeliest(prediction)
    labels = tuple(known)
    rows = [
        {"k": k, "amount": amount, "label": label, "probability": rounded(course[k])}
        for k, amount in enumerate(prediction.amounts)
        for label, course in known.items()
    ]
    named = "each label" if len(labels) == len(prediction.labels) else f"the {len(labels)} likeliest labels"
    datasets = {"labels": rows, "amounts": amount_rows(prediction.amounts)}
    numbers = Numbers("labels", "label", {"Probability": "probability"})
    views = {"probabilities": View(_probabilities, (labels,), datasets, f"Probability of {named}", numbers=numbers)}
    title = f"Probability of {named} under {in_sentence(pruning_name(result))}"
    return Scene(
        title,
        (f"{checkpoint_name(result)}; {in_sentence(pruning_name(result))}",),
        views,
        _probability_frames(prediction.amounts, known, result),
        PROBABILITIES,
    )


def _probability_frames(amounts: Sequence[float], known: Mapping[str, Sequence[float]], result: SweepResult) -> Rows:
    """Return what the player says about each amount: the probability of each label that is shown."""
    return [
        {
            "amount": amount,
            "name": removed_name(amount, result),
            "detail": " · ".join(f"{label} {decimals(course[k], 2)}" for label, course in known.items()),
        }
        for k, amount in enumerate(amounts)
    ]


def _likeliest(prediction: Prediction) -> dict[str, Sequence[float]]:
    """Return the probabilities of each label at all amounts.

    Of too many to tell apart, those that are predicted at some amount come first, then those that come highest.
    """
    courses = dict(zip(prediction.labels, zip(*prediction.probabilities, strict=True), strict=True))
    predicted = {prediction.labels[row.index(max(row))] for row in prediction.probabilities}
    places = sorted(courses, key=lambda label: (label not in predicted, -max(courses[label])))
    highest = places[: len(LABEL_COLOURS)]
    return {label_words(label): course for label, course in courses.items() if label in highest}


def _probabilities(labels: tuple[str, ...]) -> LayerChart:
    colours = alt.Scale(domain=list(labels), range=LABEL_COLOURS[: len(labels)])
    dashes = alt.Scale(domain=list(labels), range=LABEL_DASHES[: len(labels)])
    legend = alt.Legend(title="Label", orient="top", titleOrient="left", symbolType="stroke", symbolSize=500, offset=4)
    x = alt.X("amount:Q", title=REMOVED, scale=alt.Scale(nice=False, padding=8), axis=_amount_ticks())
    curves = alt.Chart(alt.NamedData("labels")).encode(
        x=x, y=share_axis("probability:Q", "Probability"), color=alt.Color("label:N", scale=colours, legend=legend)
    )
    tooltip = [
        alt.Tooltip("amount:Q", title=REMOVED, format="~%"),
        alt.Tooltip("label:N", title="Label"),
        alt.Tooltip("probability:Q", title="Probability", format=".2f"),
    ]
    return alt.layer(
        current_amount_rule(x),
        curves.mark_line(strokeWidth=2.5).encode(strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=legend)),
        on_show(curves).mark_point(filled=True, size=90, opacity=1),
        curves.mark_point(opacity=0, size=400, filled=True).encode(tooltip=tooltip),
    )
