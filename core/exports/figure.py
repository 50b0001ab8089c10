"""A figure: a scene on a slide or on paper, its title above the pictures and what they were measured on below.

The pictures stand in the boxes of the scene's layout and have the specifications that the page's player draws, so that
both show the same at every frame. A figure is plain data: `core.renderer` draws it in a process of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, sqrt
from typing import Any, Literal

from core.charts.grammar import Rows, Spec
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
class Run:
    """A piece of a line."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Words:
    """Lines below each other; `x` and `y` are the upper left corner, `size` is the letters' height."""

    x: float
    y: float
    size: int
    lines: list[list[Run]]
    line_height: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line_height", LINE_HEIGHT * self.size)

    @property
    def height(self) -> float:
        """How high the lines are together."""
        return self.line_height * len(self.lines)


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
        words: Those that stay the same.
        readouts: What is said about each frame.
        parts: The pictures.
    """

    width: int
    height: int
    background: str
    ink: str
    font: str
    words: list[Words]
    readouts: list[Words]
    parts: list[Part]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it; the specifications of the pictures are large: they are not copied."""
        words = {name: list(map(asdict, getattr(self, name))) for name in ("words", "readouts")}
        return {**vars(self), **words, "parts": [vars(part) for part in self.parts]}


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
    readouts = _readouts(scene.frames, left, left + title.height, measures.readout, room)
    top = left + title.height + max((words.height for words in readouts), default=0) + GAP
    caption_lines = [[Run(line)] for line in broken(SEPARATOR.join(scene.caption), room, measures.caption)]
    below = GAP + Words(0, 0, measures.caption, caption_lines).height + left
    height = SLIDE[1] if on_slide or natural is None else 4 * ceil((top + natural + below) / 4)
    free = height - top - below
    text_size = _text_size(free / natural if natural else None)
    boxes = scene.layout.boxes(scene.views, room, free)
    return Figure(
        width=width,
        height=height,
        background=colours.background,
        ink=colours.text,
        font=TYPEFACE,
        words=[title, Words(left, height - below + GAP, measures.caption, caption_lines)],
        readouts=readouts,
        parts=[
            Part(name, left + boxes[name].x, top + boxes[name].y, _spec(view, boxes[name], colours, text_size))
            for name, view in scene.views.items()
        ],
    )


def _title(title: str, left: int, size: int, room: float) -> Words:
    """Write the title on one line, in somewhat smaller letters where that is enough, or else on two."""
    fitting = next((s for s in range(size, round(size * LEAST_OF_TITLE) - 1, -1) if width_of(title, s) <= room), size)
    lines = broken(title, room, fitting, MAX_TITLE_LINES)
    return Words(left, left, fitting, [[Run(line, bold=True)] for line in lines])


def _readouts(frames: Rows, x: float, y: float, size: int, room: float) -> list[Words]:
    """Say what each frame shows, on one line or, where that is too short for any of them, on several."""
    pairs = [(str(frame["name"]), str(frame["detail"])) for frame in frames]
    if all(width_of(f"{name}   {detail}", size) <= room for name, detail in pairs):
        return [Words(x, y, size, [[Run(name, bold=True), Run(f"   {detail}")]]) for name, detail in pairs]
    return [
        Words(x, y, size, [[Run(name, bold=True)], *([Run(line)] for line in broken(detail, room, size))])
        for name, detail in pairs
    ]


def _text_size(growth: float | None) -> int:
    """Return the size of text in pictures by how much higher they are than on a page; None for a whole screen."""
    if growth is None:
        return LARGEST_TEXT
    return round(min(max(TEXT_SIZE * sqrt(growth), SMALLEST_TEXT), LARGEST_TEXT))


def _spec(view: View, box: Box, theme: Theme, size: int) -> Spec:
    """Fit a view into its box, as core/charts/player.js does."""
    spec = view.spec
    wide, high = ((side - taken * size) / view.columns for side, taken in ((box.width, 4), (box.height, 7)))
    number_size = int(min(0.35 * wide, 0.6 * high, 1.25 * size))
    looks = styled(theme, size, number_size, shown=number_size >= MIN_NUMBER_SIZE)
    title = looks["title"]
    known = {"margin": round(3.3 * size)}
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
        sizes = {"text": looks["fontSize"], "subtitle": looks["subtitleFontSize"]}
        return {**title, **{name: _lines(title[name], width, size) for name, size in sizes.items() if name in title}}
    return _lines(title, width, looks["fontSize"])


def _lines(texts: str | Sequence[str], width: float, size: float) -> list[str]:
    return [line for text in ([texts] if isinstance(texts, str) else texts) for line in broken(text, width, size)]
