"""The picture that explains one cell of a heatmap: six sentences in one layer, before and after pruning.

Everything in it is computed from three small sets of made-up points, so that the numbers in the picture are right.
`python -m core.illustrate` draws it into core/charts/methods.html, which the page shows.
"""

from dataclasses import dataclass

import altair as alt
import numpy as np
import numpy.typing as npt

from core.charts.grammar import (
    OUTLINE_COLOUR,
    UNDEFINED_COLOUR,
    LayerChart,
    Rows,
    cell_axis,
    rounded,
    similarity_colour,
    similarity_ink,
)
from core.charts.view import View

Array = npt.NDArray[np.float64]

TITLE = "What CKA compares, by six sentences in one layer before and after pruning"
SENTENCES = "ABCDEF"
UNPRUNED = np.array(
    [[-0.95, 0.55], [-0.6, 0.15], [-1.0, -0.15], [0.55, 0.45], [0.95, 0.05], [0.75, -0.45]]
)  # (sentences, 2)
ROTATION = np.array([[0.5, -0.866], [0.866, 0.5]])  # by 60 degrees
NUDGES = np.array(
    [[0.23, 0.04], [-0.02, -0.23], [-0.06, 0.22], [0.12, 0.23], [0.25, -0.25], [-0.16, -0.0]]
)  # (sentences, 2)
SHUFFLED = np.array(
    [[0.92, 0.29], [0.61, -0.58], [-0.05, 0.87], [-0.22, 0.12], [-0.84, 0.71], [-0.32, -0.73]]
)  # (sentences, 2)
NUM_LAYERS, LAYER = 6, 4  # of the little heatmap, and the layer that the scenes show, counted from 1

SIDE, ARROW_WIDTH, TEXT_SIZE = 84, 14, 12  # pixels; a scene fits a narrow telephone
SPACE = alt.Scale(domain=[-1.25, 1.25])  # in which the sentences lie


@dataclass(frozen=True)
class Scene:
    """One layer of one model.

    Attributes:
        title: What was done to it.
        words: What can be seen.
        points: Where it puts the sentences, (sentences, 2).
    """

    title: str
    words: str
    points: Array


SCENES = {
    "unpruned": Scene("Unpruned", "A layer finds A, B and C alike, and D, E and F.", UNPRUNED),
    "little": Scene(
        "Pruned a little", "Turned and jostled, but still the same two groups.", 0.85 * UNPRUNED @ ROTATION + NUDGES
    ),
    "lot": Scene("Pruned a lot", "Other neighbours: the groups are gone.", SHUFFLED),
}


def similarities(points: Array) -> Array:
    """Compute who is like whom: the centred points' inner products, (sentences, sentences)."""
    centred = points - points.mean(0)  # (sentences, 2)
    return np.asarray(centred @ centred.T)


def cka(first: Array, second: Array) -> float:
    """Compute CKA of two sets of points, each (sentences, features), as `core.similarity.cka`, which needs torch."""

    def hsic(a: Array, b: Array) -> float:
        k, l = (gram - np.diag(np.diag(gram)) for gram in (similarities(a), similarities(b)))  # noqa: E741
        n = len(k)
        sums = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k @ l).sum()
        return float((np.trace(k @ l) + sums) / (n * (n - 3)))

    return hsic(first, second) / float(np.sqrt(hsic(first, first) * hsic(second, second)))


# ---------------------------------------------------------------- views


def explanation_views() -> dict[str, View]:
    """Draw three scenes, `unpruned`, `little` and `lot`, and `example`, the heatmap that such a number stands in."""
    return {**{name: _scene_view(scene) for name, scene in SCENES.items()}, "example": _example_view()}


def _scene_view(scene: Scene) -> View:
    value = cka(UNPRUNED, scene.points)
    datasets = {
        "sentences": [
            {"name": name, "x": rounded(x), "y": rounded(y)}
            for name, (x, y) in zip(SENTENCES, scene.points.tolist(), strict=True)
        ],
        "pairs": _pair_rows(similarities(scene.points)),
        "cka": [{"value": rounded(value)}],
    }
    description = f"{scene.title}: {scene.words} CKA with the unpruned layer is {value:.2f}."
    return View(_scene, (), datasets, _titled(scene.title, scene.words), description=description)


def _pair_rows(values: Array) -> Rows:
    """Return one row per pair of sentences; the more alike, the closer `likeness` is to 1; below zero it is 0."""
    likeness = (values / values.max()).clip(min=0).tolist()
    return [
        {"first": first, "second": second, "likeness": rounded(likeness[i][j])}
        for i, first in enumerate(SENTENCES)
        for j, second in enumerate(SENTENCES)
    ]


def _example_view() -> View:
    """Draw a little heatmap whose outlined cell is the scene that is pruned a little; the other cells are made up."""
    value = cka(UNPRUNED, SCENES["little"].points)
    rows = [
        {
            "baseline": baseline,
            "pruned": pruned,
            "value": rounded(float((value + 0.02 * (LAYER - pruned)) * np.exp(-abs(baseline - pruned) / 3))),
        }
        for baseline in range(1, NUM_LAYERS + 1)
        for pruned in range(1, NUM_LAYERS + 1)
    ]
    words = f"Such a number fills the cell of layer {LAYER} and layer {LAYER}."
    description = (
        "A heatmap: rows are layers of the unpruned model, columns layers of the pruned one. "
        f"The outlined cell of layer {LAYER} and layer {LAYER} holds {value:.2f}; the others are darker away from "
        "the diagonal."
    )
    return View(_example, (), {"cells": rows}, _titled("In a heatmap", words), description=description)


def _titled(title: str, words: str) -> alt.TitleParams:
    return alt.TitleParams(title, subtitle=words)


# ---------------------------------------------------------------- drawings


def _scene() -> alt.HConcatChart:
    """Draw six sentences, who is like whom, and CKA, each following from the one before."""
    chart: alt.HConcatChart = alt.hconcat(_plot(), _arrow(), _table(), _arrow(), _number(), spacing=0)
    return chart


def _plot() -> LayerChart:
    """Draw where a layer puts the sentences."""
    x, y = (alt.X("x:Q", scale=SPACE, axis=None), alt.Y("y:Q", scale=SPACE, axis=None))
    sentences = alt.Chart(alt.NamedData("sentences")).encode(x=x, y=y)
    letters = sentences.mark_text(color="black", fontSize=TEXT_SIZE, fontWeight="bold").encode(text="name:N")
    circles = sentences.mark_point(filled=True, color=OUTLINE_COLOUR, size=240, opacity=1)
    return _captioned("six sentences", circles, letters)


def _table() -> LayerChart:
    """Draw who is like whom: the more alike, the fuller the cell."""
    cells = (
        alt.Chart(alt.NamedData("pairs"))
        .mark_rect(color=OUTLINE_COLOUR, stroke=UNDEFINED_COLOUR, strokeOpacity=0.4, strokeWidth=0.5)
        .encode(
            x=alt.X("second:N", title=None, axis=cell_axis(orient="top")),
            y=alt.Y("first:N", title=None, axis=cell_axis()),
            fillOpacity=alt.FillOpacity("likeness:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
        )
    )
    return _captioned("who is like whom", cells)


def _number() -> LayerChart:
    """Draw the number that is left, coloured as in every heatmap."""
    cell = alt.Chart(alt.NamedData("cka"))
    number = cell.mark_text(fontSize=20, fontWeight="bold")
    return _captioned(
        "CKA with unpruned",
        cell.mark_rect().encode(color=similarity_colour(legend=None)),
        number.encode(text=alt.Text("value:Q", format=".2f"), color=similarity_ink()),
    )


def _arrow() -> LayerChart:
    arrow = alt.Chart(alt.NamedData("cka")).mark_text(style="note", text="→", fontSize=18)
    return alt.layer(arrow).properties(width=ARROW_WIDTH, height=SIDE)


def _captioned(caption: str, *layers: alt.Chart) -> LayerChart:
    title = alt.TitleParams(
        caption, orient="bottom", anchor="middle", frame="group", fontSize=TEXT_SIZE, fontWeight="normal", offset=6
    )
    frame = alt.ViewBackground(stroke=UNDEFINED_COLOUR, strokeOpacity=0.6)
    return alt.layer(*layers).properties(width=SIDE, height=SIDE, title=title, view=frame)


def _example() -> LayerChart:
    """Draw a heatmap that is too small for numbers, with its titles beside the axes."""
    x = alt.X("pruned:O", title="layers of the pruned model", axis=cell_axis())
    y = alt.Y(
        "baseline:O",
        sort="descending",
        title=["layers of the", "unpruned model"],
        axis=cell_axis(titleAngle=0, titleAlign="right", titleBaseline="middle"),
    )
    cells = alt.Chart(alt.NamedData("cells")).encode(x=x, y=y)
    outlined = cells.transform_filter(f"datum.baseline === {LAYER} && datum.pruned === {LAYER}")
    return alt.layer(
        cells.mark_rect().encode(color=similarity_colour(legend=None)),
        outlined.mark_rect(filled=False, stroke=OUTLINE_COLOUR, strokeWidth=3),
    ).properties(width=SIDE, height=SIDE)
