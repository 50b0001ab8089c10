"""A figure: a scene on a slide or on paper, its title above the pictures and what they were measured on below.

The pictures stand in the boxes of the scene's layout and have the specifications that the page's player draws, so that
both show the same at every frame. A figure is plain data: `core.renderer` draws it in a process of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, sqrt
from typing import Any, Literal

from core.charts.grammar import Spec
from core.charts.layout import Box
from core.charts.theme import THEMES, TYPEFACE, Theme, ThemeName, styled
from core.charts.view import Scene, View
from core.exports.lines import broken, width_of

Size = Literal["slide", "page"]

SLIDE = (1280, 720)  # pixels; drawn 1.5 times as large it is 1920 x 1080
PAGE_WIDTH = 1240  # pixels, of a page in a laptop's window
MAX_TITLE_LINES = 2
LEAST_OF_TITLE = 0.8  # of its size, if it then fits on one line
SEPARATOR = " · "  # between the lines of a caption
LINE_HEIGHT = 1.3  # of its letters
ASCENT = 0.95  # of the letters' size, from the top of a line to its baseline
GAP = 8  # pixels, between words and pictures
TEXT_SIZE = 13  # pixels, in pictures that are as high as on a page; in lower ones it is smaller
SMALLEST_TEXT, LARGEST_TEXT = 11, 16  # pixels
MIN_NUMBER_SIZE = 10  # pixels; in a cell without room for a number its colour stands alone, as in core/charts/player.js


@dataclass(frozen=True)
class Measures:
    """Sizes in pixels: of the margin, and of the letters of each kind of words."""

    margin: int
    title: int
    readout: int
    caption: int


MEASURES: Mapping[Size, Measures] = {"slide": Measures(32, 28, 18, 13), "page": Measures(24, 23, 17, 13)}


@dataclass(frozen=True)
class Line:
    """A line of words: where it begins on its baseline, how high its letters are, and a bold part before the rest."""

    x: float
    y: float
    size: int
    bold: str
    text: str


@dataclass(frozen=True)
class Part:
    """A picture, which has a parameter `frame`, and its upper left corner."""

    name: str
    x: float
    y: float
    spec: Spec


@dataclass(frozen=True)
class Figure:
    """What `core.renderer` draws; all lengths are in pixels.

    Attributes:
        width: A multiple of 4, like the height, so that a film has an even number of pixels.
        height: As high as its content, or a slide's.
        background: A colour.
        ink: The colour of words.
        font: Theirs, and that of the pictures.
        words: The lines that stay the same.
        readouts: What is said about each frame.
        parts: The pictures.
    """

    width: int
    height: int
    background: str
    ink: str
    font: str
    words: list[Line]
    readouts: list[list[Line]]
    parts: list[Part]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it; the specifications of the pictures are large: they are not copied."""
        readouts = [list(map(asdict, lines)) for lines in self.readouts]
        words, parts = list(map(asdict, self.words)), [vars(part) for part in self.parts]
        return {**vars(self), "words": words, "readouts": readouts, "parts": parts}


def figure_of(scene: Scene, size: Size = "slide", theme: ThemeName = "light") -> Figure:
    """Arrange what a page shows in one figure.

    Args:
        scene: What the page shows.
        size: A slide, or as large as the page is in a laptop's window. What fills a screen is always a slide.
        theme: On white or on black.
    """
    natural = scene.layout.height(scene.views)
    on_slide = size == "slide" or natural is None
    measures, colours = MEASURES[size], THEMES[theme]
    width, left = SLIDE[0] if on_slide else PAGE_WIDTH, measures.margin
    room = width - 2 * left
    title = _title(scene.title, left, measures.title, room)
    under = left + LINE_HEIGHT * title[0].size * len(title)
    readouts = _readouts(scene, left, under, measures.readout, room)
    top = under + LINE_HEIGHT * measures.readout * max(map(len, readouts), default=0) + GAP
    caption = broken(SEPARATOR.join(scene.caption), room, measures.caption)
    below = GAP + LINE_HEIGHT * measures.caption * len(caption) + left
    height = SLIDE[1] if on_slide or natural is None else 4 * ceil((top + natural + below) / 4)
    free = height - top - below
    boxes = scene.layout.boxes(scene.views, room, free)
    # Text in pictures that are lower than on a page is smaller; what fills a screen has none to compare with.
    text_size = (
        round(min(max(TEXT_SIZE * sqrt(free / natural), SMALLEST_TEXT), LARGEST_TEXT)) if natural else LARGEST_TEXT
    )
    return Figure(
        width=width,
        height=height,
        background=colours.background,
        ink=colours.text,
        font=TYPEFACE,
        words=title + _lines(left, height - below + GAP, measures.caption, [("", line) for line in caption]),
        readouts=readouts,
        parts=[
            Part(name, left + boxes[name].x, top + boxes[name].y, _spec(view, boxes[name], colours, text_size))
            for name, view in scene.views.items()
        ],
    )


def _lines(x: float, y: float, size: int, texts: Sequence[tuple[str, str]]) -> list[Line]:
    """Place lines below each other, each a bold part and the rest; `x` and `y` are their upper left corner."""
    return [Line(x, y + k * (LINE_HEIGHT * size) + ASCENT * size, size, *text) for k, text in enumerate(texts)]


def _title(title: str, left: int, size: int, room: float) -> list[Line]:
    """Write the title on one line, in somewhat smaller letters where that is enough, or else on two."""
    fitting = next((s for s in range(size, round(size * LEAST_OF_TITLE) - 1, -1) if width_of(title, s) <= room), size)
    return _lines(left, left, fitting, [(line, "") for line in broken(title, room, fitting, MAX_TITLE_LINES)])


def _readouts(scene: Scene, x: float, y: float, size: int, room: float) -> list[list[Line]]:
    """Say what each frame shows, on one line or, where that is too short for any of them, on several."""
    pairs = [(str(frame["name"]), str(frame["detail"])) for frame in scene.frames]
    if all(width_of(f"{name}   {detail}", size) <= room for name, detail in pairs):
        return [_lines(x, y, size, [(name, f"   {detail}")]) for name, detail in pairs]
    broken_pairs = [[(name, ""), *(("", line) for line in broken(detail, room, size))] for name, detail in pairs]
    return [_lines(x, y, size, texts) for texts in broken_pairs]


def _spec(view: View, box: Box, theme: Theme, size: int) -> Spec:
    """Fit a view into its box, as core/charts/player.js does."""
    spec = view.spec
    wide, high = ((side - taken * size) / view.columns for side, taken in ((box.width, 4), (box.height, 7)))
    number_size = int(min(0.35 * wide, 0.6 * high, 1.25 * size))
    looks = styled(theme, size, number_size, shown=number_size >= MIN_NUMBER_SIZE)
    title, known = looks["title"], {"margin": round(3.3 * size)}
    return {
        **spec,
        "title": _fitted(spec["title"], box.width, title),
        "width": box.width,
        "height": box.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "params": [{**param, "value": known.get(param["name"], param["value"])} for param in spec["params"]],
        "config": {**spec["config"], **looks, "title": {**title, "limit": box.width}},
    }


def _fitted(title: Any, width: float, looks: Spec) -> Any:
    """Break the title of a picture, and its subtitle if it has one, between words, as core/charts/player.js does."""
    if isinstance(title, dict):
        sizes = {"text": "fontSize", "subtitle": "subtitleFontSize"}
        return title | {part: _fitted(title[part], width, {"fontSize": looks[size]}) for part, size in sizes.items()}
    texts = [title] if isinstance(title, str) else title
    return [line for text in texts for line in broken(text, width, looks["fontSize"])]
