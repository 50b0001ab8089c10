"""A figure: a scene on a slide or on paper, its title above and what was measured below.

The pictures stand in the boxes of the scene's layout and have the specifications that the page's
player draws, so both show the same at every frame. A figure is plain data, which `core.renderer`
draws in a separate process. No browser breaks its text into lines, so `width_of` estimates widths
in Liberation Sans, the renderer's typeface.
"""

from collections.abc import Sequence
from functools import partial
from html import escape
from math import ceil, sqrt
from typing import Any, NamedTuple

from core.charts.grammar import Spec
from core.charts.theme import THEMES, TYPEFACE, Theme, ThemeName, styled
from core.charts.view import Box, Scene, View
from core.findings.words.numbers import unbroken

Figure = dict[str, Any]  # see `figure_of`
Line = tuple[str, str]  # its bold beginning, and the rest


class Measures(NamedTuple):
    """The margin of a figure and the sizes of its letters, in pixels."""

    margin: int
    title: int
    readout: int
    caption: int
    smallest: int  # in pictures; low ones have smaller letters
    largest: int


SLIDE = (1280, 720)  # pixels; drawn 1.5 times as large it is 1920 x 1080
PAGE_WIDTH = 1240  # pixels, of a page in a laptop's window
ON_SLIDE = Measures(32, 32, 24, 24, 24, 24)  # 24 is 18 pt where a slide is 7.5 inches high
ON_PAGE = Measures(24, 23, 17, 13, 11, 16)
MAX_TITLE_LINES = 2
FOOTER = 13  # pixels of the letters of a caption that would not fit on a line
LINE_HEIGHT = 1.3  # of the letters' size
ASCENT = 0.95  # of the letters' size, from the top of a line to its baseline
GAP = 8  # pixels, between words and pictures
TEXT_SIZE = 13  # pixels, in pictures as high as on a page
NARROW = frozenset("ijlftrI.,:;!|/'’·“”()[]- ")
WIDE = frozenset("mwMW%@…")


def figure_of(scene: Scene, theme: ThemeName = "light") -> Figure:
    """Arrange a scene in a figure.

    A scene that moves or fills a screen becomes a slide. One that stands still becomes as large as
    the page in a laptop's window, since it may not fit on a slide.

    Args:
        scene: The scene.
        theme: The colours, on white or on black.

    Returns:
        The input of `core.renderer`, with all lengths in pixels: `width` and `height`, multiples of
        4, since a film needs even numbers; `background`; as SVG, the `words` that stay, and those
        of each frame, `readouts`; and `parts`: the `spec` of each view, which has a parameter
        `frame`, and its upper left corner, `x` and `y`.
    """
    natural = scene.layout.height(scene.views)
    colours = THEMES[theme]
    is_slide = len(scene.frames) > 1 or natural is None
    layout, measures = (scene.layout.on_slide, ON_SLIDE) if is_slide else (scene.layout, ON_PAGE)
    margin = measures.margin
    smallest = measures.smallest
    width = SLIDE[0] if is_slide else PAGE_WIDTH
    room = width - 2 * margin
    title = [(line, "") for line in broken(scene.title, room, measures.title, MAX_TITLE_LINES)]
    under_title = margin + LINE_HEIGHT * measures.title * len(title)
    readouts = _readouts(scene, measures.readout, room)
    top = under_title + LINE_HEIGHT * measures.readout * max(map(len, readouts), default=0) + GAP
    caption = " · ".join(scene.caption)
    small = next(
        (size for size in range(measures.caption, FOOTER, -1) if width_of(caption, size) <= room),
        FOOTER,
    )
    footer = [("", line) for line in broken(caption, room, small)]
    below = GAP + LINE_HEIGHT * small * len(footer) + margin
    height = SLIDE[1] if is_slide or natural is None else 4 * ceil((top + natural + below) / 4)
    free = height - top - below
    # Text in pictures that are lower than on a page is smaller; on slides it has one size.
    text_size = round(TEXT_SIZE * sqrt(free / (natural or free)))
    text_size = min(max(text_size, smallest), measures.largest)
    fixed = text_size, min(smallest / text_size, 1.0)
    written = partial(_written, colours.text, margin)
    return {
        "width": width,
        "height": height,
        "background": colours.background,
        "words": written(margin, measures.title, title)
        + written(height - below + GAP, small, footer),
        "readouts": [written(under_title, measures.readout, lines) for lines in readouts],
        "parts": [
            {
                "x": margin + box.x,
                "y": top + box.y,
                "spec": _spec(scene.views[name], box, colours, *fixed),
            }
            for name, box in layout.boxes(scene.views, room, free).items()
        ],
    }


def _readouts(scene: Scene, size: int, room: float) -> list[list[Line]]:
    """Return each frame's name and detail on one line, or below each other if any is too long."""
    pairs = [(str(frame["name"]), str(frame["detail"])) for frame in scene.frames]
    if all(width_of(f"{name}   {detail}", size) <= room for name, detail in pairs):
        return [[(name, f"   {detail}")] for name, detail in pairs]
    return [
        [(name, ""), *(("", line) for line in broken(detail, room, size))] for name, detail in pairs
    ]


def _spec(view: View, box: Box, theme: Theme, size: int, least: float) -> Spec:
    """Fit a view into its box, as core/charts/player.js does."""
    spec = view.spec
    config = styled(theme, size)
    values = {"margin": round(3.3 * size), "least": least}
    title_size = config["title"]["fontSize"]
    return {
        **spec,
        "title": [part for line in spec["title"] for part in broken(line, box.width, title_size)],
        "width": box.width,
        "height": box.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "params": [
            {**param, "value": values.get(param["name"], param["value"])}
            for param in spec["params"]
        ],
        "config": {
            **spec["config"],
            **config,
            "title": {**config["title"], "limit": box.width},
        },
    }


# ---------------------------------------------------------------- lines of text


def _written(colour: str, x: float, y: float, size: int, lines: Sequence[Line]) -> str:
    """Write lines below each other as SVG; `x` and `y` are their upper left corner."""
    texts = []
    for k, line in enumerate(lines):
        runs = zip((' font-weight="bold"', ""), line, strict=True)
        words = "".join(
            f"<tspan{weight}>{escape(run, quote=False)}</tspan>" for weight, run in runs if run
        )
        place = f'x="{x}" y="{y + k * (LINE_HEIGHT * size) + ASCENT * size}" font-size="{size}"'
        look = f'font-family="{TYPEFACE}" fill="{colour}" xml:space="preserve"'
        texts.append(f"<text {place} {look}>{words}</text>\n")
    return "".join(texts)


def width_of(text: str, size: float) -> float:
    """Estimate the width of a bold text, in the unit of its size.

    Other text is a little narrower.
    """
    letters = (
        0.31 if c in NARROW else 0.88 if c in WIDE else 0.72 if c.isupper() else 0.585 for c in text
    )
    return size * sum(letters)


def broken(text: str, width: float, size: float, most: int | None = None) -> list[str]:
    """Break a text between words into lines that fit.

    Args:
        text: The text, on one line.
        width: The width of a line.
        size: The size of the letters.
        most: The most lines, beyond which the text is cut; None for no limit.
    """
    lines = [""]
    for word in unbroken(text).split(" "):  # not at non-breaking spaces
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer, size) > width and len(lines) != most:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_cut(line, width, size) for line in lines]


def _cut(line: str, width: float, size: float) -> str:
    cuts = (f"{line[:end].rstrip()}…" for end in range(len(line) - 1, 0, -1))
    return next((cut for cut in (line, *cuts) if width_of(cut, size) <= width), "…")
