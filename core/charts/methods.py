"""The picture that explains one cell of a heatmap: six sentences in one layer, before and after pruning, as SVG.

Everything in it is computed from three small sets of made-up points, so that the numbers in the picture are right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from core.charts.grammar import LIGHT_FROM, OWN_COLOUR

Array = npt.NDArray[np.float64]

# Magma at 0, 0.1, …, 1, as the heatmaps have it.
MAGMA = (
    *("000004", "140e36", "3b0f70", "641a80", "8c2981", "b73779"),
    *("de4968", "f7705c", "fe9f6d", "fecf92", "fcfdbf"),
)
NAMES = "ABCDEF"  # the sentences
UNPRUNED = np.array(
    [[-0.95, 0.55], [-0.6, 0.15], [-1.0, -0.15], [0.55, 0.45], [0.95, 0.05], [0.75, -0.45]]
)  # (sentences, 2)
TURN = np.array([[0.5, -0.866], [0.866, 0.5]])  # by 60 degrees
NUDGES = np.array(
    [[0.23, 0.04], [-0.02, -0.23], [-0.06, 0.22], [0.12, 0.23], [0.25, -0.25], [-0.16, -0.0]]
)  # (sentences, 2)
SHUFFLED = np.array(
    [[0.92, 0.29], [0.61, -0.58], [-0.05, 0.87], [-0.22, 0.12], [-0.84, 0.71], [-0.32, -0.73]]
)  # (sentences, 2)
LAYERS, LAYER = 6, 3  # of the little heatmap, and the one that the rows above are about


@dataclass(frozen=True)
class Scene:
    """One layer of one model.

    Attributes:
        title: What was done to it.
        words: What can be seen.
        points: (sentences, 2), where it puts the sentences.
    """

    title: str
    words: str
    points: Array


SCENES = (
    Scene("Unpruned", "A layer finds A, B and C alike, and D, E and F.", UNPRUNED),
    Scene("Pruned a little", "Turned and jostled, but still the same two groups.", 0.85 * UNPRUNED @ TURN + NUDGES),
    Scene("Pruned a lot", "Other neighbours: the groups are gone.", SHUFFLED),
)


def similarities(points: Array) -> Array:
    """Computes who is like whom: the centred points' inner products, (sentences, sentences)."""
    centred = points - points.mean(0)  # (sentences, 2)
    return np.asarray(centred @ centred.T)


def cka(one: Array, other: Array) -> float:
    """Computes CKA of two sets of points as `core.similarity.cka` does, which needs torch.

    Args:
        one: (sentences, features).
        other: (sentences, features).
    """

    def hsic(a: Array, b: Array) -> float:
        k, l = (gram - np.diag(np.diag(gram)) for gram in (similarities(a), similarities(b)))  # noqa: E741
        n = len(k)
        sums = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k @ l).sum()
        return float((np.trace(k @ l) + sums) / (n * (n - 3)))

    return hsic(one, other) / float(np.sqrt(hsic(one, one) * hsic(other, other)))


def picture() -> str:
    """Draws the scenes and a little heatmap, as HTML that takes its text colour from the page."""
    heatmap = cka(UNPRUNED, SCENES[1].points)
    parts = [*map(_scene, SCENES), _heatmap(heatmap)]
    style = "display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; max-width: 60rem"
    return f'<div style="{style}">{"".join(parts)}</div>'


# ---------------------------------------------------------------- drawing, in units of a 350 × 165 box


def _svg(label: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 350 165" role="img" aria-label="{escape(label)}" style="flex: 1 1 300px; max-width: 29rem" '
        f'fill="currentColor" font-size="12">{content}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle", **style: object) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{attributes}>{escape(text)}</text>'


def _rect(x: float, y: float, size: float, fill: str, **style: object) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" fill="{fill}"{attributes}/>'


def _scene(scene: Scene) -> str:
    value = cka(UNPRUNED, scene.points)
    content = [
        _text(0, 14, scene.title, "start", font_weight="bold", font_size=14),
        _text(0, 32, scene.words, "start"),
        '<rect x="1" y="44" width="110" height="98" fill="none" stroke="currentColor" stroke-opacity="0.35"/>',
        *_points(scene.points),
        _arrow(120),
        *_table(similarities(scene.points)),
        _arrow(248),
        _cell(275, 58, 70, value),
        _text(56, 158, "six sentences"),
        _text(189, 158, "who is like whom"),
        _text(349, 158, "CKA with unpruned", "end"),
    ]
    return _svg(f"{scene.title}: {scene.words} CKA with the unpruned layer is {value:.2f}.", "".join(content))


def _points(points: Array) -> Iterator[str]:
    for name, (x, y) in zip(NAMES, points, strict=True):
        at = 56 + 44 * float(x), 93 - 40 * float(y)
        yield f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="9" fill="{OWN_COLOUR}"/>'
        yield _text(round(at[0], 1), round(at[1] + 4, 1), name, fill="black", font_weight="bold")


def _table(values: Array) -> Iterator[str]:
    """The similarities, the more alike the fuller; below zero is empty."""
    size, left, top, largest = 14, 153, 54, values.max()
    for row, name in enumerate(NAMES):
        yield _text(left - 7, top + size * (row + 0.8), name, font_size=10)
        yield _text(left + size * (row + 0.5), top - 2, name, font_size=10)
        for column in range(len(NAMES)):
            fullness = max(float(values[row, column] / largest), 0.0)
            at = left + size * column, top + size * row
            yield _rect(
                *at, size, OWN_COLOUR, fill_opacity=f"{fullness:.2f}", stroke="currentColor", stroke_opacity=0.25
            )


def _arrow(x: float) -> str:
    return f'<path d="M{x:g} 93h12m-5 -5l5 5l-5 5" fill="none" stroke="currentColor" stroke-width="1.5"/>'


def _cell(x: float, y: float, size: float, value: float) -> str:
    ink = "black" if value > LIGHT_FROM else "white"
    middle = x + size / 2, y + size / 2 + 7
    return _rect(x, y, size, magma(value)) + _text(*middle, f"{value:.2f}", fill=ink, font_size=20, font_weight="bold")


def magma(value: float) -> str:
    """Gives the heatmaps' colour of a CKA value.

    Args:
        value: Clamped to [0, 1], in the picture only.
    """
    place = min(max(value, 0.0), 1.0) * (len(MAGMA) - 1)
    low = min(int(place), len(MAGMA) - 2)
    channels = [[int(MAGMA[k][c : c + 2], 16) for c in (0, 2, 4)] for k in (low, low + 1)]
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(*channels, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _heatmap(value: float) -> str:
    """A little heatmap whose marked cell is the scene that is pruned a little; the others are made up."""
    size, left, top = 16, 180, 42
    cells = []
    for row in range(LAYERS):
        for column in range(LAYERS):
            here = row == column == LAYER
            shown = value if here else (value + 0.02 * (LAYER - column)) * np.exp(-abs(row - column) / 3)
            at = left + size * column, top + size * (LAYERS - 1 - row)
            cells.append(_rect(*at, size, magma(float(shown))))
    marked = left + size * LAYER, top + size * (LAYERS - 1 - LAYER)
    content = [
        _text(0, 14, "In a heatmap", "start", font_weight="bold", font_size=14),
        _text(0, 32, f"Such a number fills the cell of layer {LAYER + 1} and layer {LAYER + 1}.", "start"),
        *cells,
        _rect(*marked, size, "none", stroke=OWN_COLOUR, stroke_width=3),
        _text(left - 8, top + size * 3, "layers of the", "end"),
        _text(left - 8, top + size * 3 + 15, "unpruned model", "end"),
        _text(left + size * 3, top + size * LAYERS + 16, "layers of the pruned model"),
    ]
    return _svg("A heatmap: rows are layers of the unpruned model, columns layers of the pruned one.", "".join(content))
