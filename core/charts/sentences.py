"""The pictures of examples and of typed sentences: every prediction, and probabilities.

Blue is correct and orange is incorrect, which colour-blind readers can tell apart; labels differ in
colour and dashes.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np

from core.charts import grammar as g
from core.charts.view import Layout, Numbers, Scene, View
from core.findings.sentences import Example, label_name, spans
from core.findings.words import numbered
from core.findings.words.numbers import decimals
from core.results import names as n
from core.results.prediction import Prediction
from core.results.schema import SweepResult

GAP = 0.03  # of all examples, between those that are correct unpruned and the others
TOOLTIP_MAX_CHARS = 90  # of an example's text
WORDS = ("correct", "incorrect")  # of a prediction
# Of these; after Okabe and Ito; 3 : 1 on white and on black.
COLOURS = ["#0072b2", "#cc8400"]
LABEL_COLOURS = g.COLOURS[2:6] + g.COLOURS[:2]  # the first two mean something else here

SENTENCES = Layout("sentences", '"strip" 26 "bar" auto / 1fr')
PROBABILITIES = Layout("probabilities", wide='"probabilities" 16rem "bar" auto / 1fr')


# ---------------------------------------------------------------- which examples flip


def flip_scene(result: SweepResult, examples: Sequence[Example]) -> Scene:
    """Show every prediction on at least one example, from `selected`, in the picture `strip`."""
    datasets = {
        "cells": _cell_rows(result, examples),
        "amounts": g.amount_rows(result.amounts),
    }
    views = {"strip": View(_strip, (), datasets, "Every example, earliest flip on top")}
    pruning = n.in_sentence(n.pruning_name(result))
    caption = f"{n.checkpoint_name(result)}; {n.data_name(result)}; {pruning}"
    frames = []
    for k, amount in enumerate(result.amounts):
        correct = sum(example.predictions[k] == example.gold for example in examples)
        changed = sum(example.predictions[k] != example.predictions[0] for example in examples)
        score = f"{correct} of {len(examples)} correct"
        detail = f"{score} · {numbered(changed, 'prediction')} changed"
        frames.append(g.step(amount, n.removed_name(amount, result), detail))
    title = f"Predictions of {len(examples)} examples under {pruning}"
    return Scene(title, (caption,), views, frames, SENTENCES)


def _cell_rows(result: SweepResult, examples: Sequence[Example]) -> g.Rows:
    """Return one row per stretch of amounts with the same prediction, from the top."""
    rows = []
    gap = max(1.0, GAP * len(examples))
    borders = g.edges(result.amounts)
    for position, example in enumerate(examples):
        top = position + (0 if example.is_correct_unpruned else gap)
        text = " · ".join(example.texts)
        if len(text) > TOOLTIP_MAX_CHARS:
            text = f"{text[: TOOLTIP_MAX_CHARS - 1]}…"
        for start, end, label in spans(example):
            amounts = dict.fromkeys(n.amount_name(result.amounts[k]) for k in (start, end - 1))
            row = {
                "y": top,
                "y2": top + 1,
                "name": f"Row {example.row}",
                "text": text,
                "gold": label_name(result, example.gold),
                "x": borders[start],
                "x2": borders[end],
                "now": WORDS[label != example.gold],
                "predicted": label_name(result, label),
                "amounts": " to ".join(amounts),
            }
            rows.append(row)
    return rows


def _strip() -> g.LayerChart:
    """Draw blue and orange cells over the amounts, a line for each example from the top down."""
    fields = {
        "Example": "name:N",
        "Text": "text:N",
        "Label": "gold:N",
        "Predicted": "predicted:N",
        "Which is": "now:N",
        g.REMOVED: "amounts:N",
    }
    y = g.share_axis(
        "Examples",
        field="y:Q",
        values=alt.Undefined,
        grid=False,
        tickMinStep=1,
        tickCount=4,
        format="d",
    )
    legend = alt.Legend(title="Prediction is", offset=4)
    cells = g.data("cells").encode(
        x="x:Q",
        x2="x2:Q",
        y=y.scale(nice=False, zero=False, reverse=True),
        y2="y2:Q",
        tooltip=g.tooltip(fields),
        **g.by_series("now", legend, WORDS, color=COLOURS),
    )
    amount = g.current_amount_rule().encode(x=g.amount_axis(labelFlush=True))
    return alt.layer(cells.mark_rect(), amount)


# ---------------------------------------------------------------- a typed sentence


def probability_scene(prediction: Prediction, result: SweepResult) -> Scene:
    """Show the probability of each label over the amounts, `probabilities`; the text is not in it.

    If labels are too many to tell apart, those predicted at some amount come first, and then the
    likeliest.

    Args:
        prediction: The answer to a text.
        result: Pruned like the model that answered.
    """
    labels = prediction.labels
    highest = np.max(prediction.probabilities, axis=0)  # (labels,)
    predicted = prediction.predicted
    order = sorted(range(len(labels)), key=lambda k: (k not in predicted, -highest[k]))
    drawn = {n.brief_label(labels[k]): k for k in sorted(order[: len(LABEL_COLOURS)])}
    rows = []
    frames = []
    for k, (amount, probabilities) in enumerate(
        zip(prediction.amounts, prediction.probabilities, strict=True)
    ):
        words = []
        for name, label in drawn.items():
            probability = probabilities[label]
            words.append(f"{name} {decimals(probability, 2)}")
            row = {
                "k": k,
                "amount": amount,
                "label": name,
                "value": g.rounded(probability),
            }
            rows.append(row)
        frames.append(g.step(amount, n.removed_name(amount, result), " · ".join(words)))
    named = "each label" if len(drawn) == len(labels) else f"the {len(drawn)} likeliest labels"
    title = f"Probability of {named}"
    pruning = n.in_sentence(n.pruning_name(result))
    datasets = {"labels": rows, "amounts": g.amount_rows(prediction.amounts)}
    numbers = Numbers("labels", "label", {"Probability": "value"})
    views = {
        "probabilities": View(
            _probabilities,
            (tuple(drawn),),
            datasets,
            title,
            numbers,
        )
    }
    caption = f"{n.checkpoint_name(result)}; {pruning}"
    return Scene(f"{title} under {pruning}", (caption,), views, frames, PROBABILITIES)


def _probabilities(labels: tuple[str, ...]) -> g.LayerChart:
    legend = alt.Legend(title="Label", symbolType="stroke", symbolSize=500, offset=4)
    amount = alt.Tooltip("amount:Q", title=g.REMOVED, format="~%")
    tooltip = [amount, *g.tooltip({"Label": "label:N", "Probability": "value:Q"})]
    curves = g.data("labels").encode(
        x=g.amount_axis(),
        y=g.share_axis("Probability"),
        **g.by_series(
            "label",
            legend,
            labels,
            color=LABEL_COLOURS,
            strokeDash=g.DASHES,
        ),
    )
    return alt.layer(
        g.current_amount_rule(),
        curves.mark_line(strokeWidth=2.5),
        g.at_frame(curves).mark_point(filled=True, size=90, opacity=1),
        g.hover(curves, tooltip),
    )
