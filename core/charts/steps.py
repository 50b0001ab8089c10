"""What similarity compares, in three steps: six sentences in one layer, which move as it is pruned.

The sentences and the numbers are those of the picture on the Methods page (`core.charts.methods`). A browser moves them
by core/charts/steps.css; core/charts/steps.js starts them when they come into sight, and again on request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from core.charts.grammar import FIRST_COLOUR, SECOND_COLOUR
from core.charts.methods import SCENES, SENTENCES, UNPRUNED, Array, cka

TITLE = "What similarity (CKA) compares"
AGAIN = "Move them again"
WIDTH, HEIGHT, RADIUS = 220, 128, 11  # of a step and of a sentence, in pixels
SCALE = 54  # pixels a unit of the space in which the sentences lie
COLOURS = [FIRST_COLOUR] * 3 + [SECOND_COLOUR] * 3  # of the sentences, by the groups that the unpruned layer forms


@dataclass(frozen=True)
class Step:
    """One of the steps.

    Attributes:
        scene: Where the sentences end, a name from `core.charts.methods.SCENES`.
        title: What happens.
        words: What can be seen.
    """

    scene: str
    title: str
    words: str


STEPS = (
    Step("unpruned", "A layer arranges sentences", "It finds A, B and C alike, and D, E and F."),
    Step("little", "Pruned a little, they keep their groups", "Turned, which does not count, and jostled, which does."),
    Step("lot", "Pruned a lot, they lose their neighbours", "The two groups are gone."),
)


def steps_html() -> str:
    """Draw the steps, without styles."""
    figures = "\n".join(_figure(number, step) for number, step in enumerate(STEPS, start=1))
    return (
        f'<section class="steps" aria-label="{TITLE}">\n{figures}\n'
        f'<button type="button" class="again">{AGAIN}</button>\n</section>\n'
    )


def _figure(number: int, step: Step) -> str:
    """Draw one step: its title, the sentences, the number that is left of them, and what can be seen."""
    points = SCENES[step.scene].points
    value = cka(UNPRUNED, points)
    told = f"{step.title}. {step.words} Similarity to the unpruned layer: {value:.2f}."
    return f"""<figure class="step">
<figcaption><b>{number}</b> {escape(step.title)}</figcaption>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told)}">{_sentences(points)}</svg>
<p class="value" style="--value: {value:.2f}">similarity <b>{value:.2f}</b></p>
<p>{escape(step.words)}</p>
</figure>"""


def _sentences(points: Array) -> str:
    """Draw the sentences, which move from where the unpruned layer has them."""
    dots = zip(SENTENCES, COLOURS, UNPRUNED.tolist(), points.tolist(), strict=True)
    return "".join(_dot(name, colour, start, end) for name, colour, start, end in dots)


def _dot(name: str, colour: str, start: Sequence[float], end: Sequence[float]) -> str:
    (x, y), (to_x, to_y) = _pixels(start), _pixels(end)
    style = f"--x: {x}px; --y: {y}px; --to-x: {to_x}px; --to-y: {to_y}px"
    return f'<g class="dot" style="{style}"><circle r="{RADIUS}" fill="{colour}"/><text dy="0.35em">{name}</text></g>'


def _pixels(point: Sequence[float]) -> tuple[float, float]:
    """Return where a point lies in the drawing, whose y runs down."""
    x, y = point
    return round(WIDTH / 2 + SCALE * x, 1), round(HEIGHT / 2 - SCALE * y, 1)
