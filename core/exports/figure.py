"""A figure: a scene on a slide or on paper, its title above the pictures and what they were measured on below.

The pictures stand in the boxes of the scene's layout and have the specifications that the page's player draws, so that
both show the same at every frame. A figure is plain data: `core.renderer` draws it in a process of its own. There is no
browser to break text into lines: widths are those of Liberation Sans (as Helvetica's), which the renderer draws in,
rounded to four kinds of letters.
"""

from collections.abc import Sequence
from itertools import repeat
from math import ceil, sqrt
from typing import Any, NamedTuple

from core.charts.grammar import Spec
from core.charts.theme import THEMES, TYPEFACE, Theme, ThemeName, styled
from core.charts.view import Box, Scene, View

Figure = dict[str, Any]  # see `figure_of`
# A line's place `x` on the baseline `y`, the `size` of its letters, and `bold` before the rest, `text`.
Line = dict[str, Any]


class Measures(NamedTuple):
    """The margin of a figure and the sizes of its letters, all in pixels."""

    margin: int
    title: int
    readout: int
    caption: int
    smallest: int  # in pictures; lower ones have smaller letters
    largest: int
    number: int  # the least in cells: without room for it their colour stands alone, as in core/charts/player.js


SLIDE = (1280, 720)  # pixels; drawn 1.5 times as large it is 1920 x 1080
PAGE_WIDTH = 1240  # pixels, of a page in a laptop's window
ON_SLIDE = Measures(32, 32, 24, 24, 24, 24, 24)  # 24 is 18 pt where a slide is 7.5 inches high
ON_PAGE = Measures(24, 23, 17, 13, 11, 16, 10)
MAX_TITLE_LINES = 2
LEAST_OF_TITLE = 0.8  # of its size, if it then fits on one line
LINE_HEIGHT = 1.3  # of its letters
ASCENT = 0.95  # of the letters' size, from the top of a line to its baseline
GAP = 8  # pixels, between words and pictures
TEXT_SIZE = 13  # pixels, in pictures that are as high as on a page; in lower ones it is smaller
NARROW, WIDE = frozenset("ijlftrI.,:;!|/'’·“”()[]- "), frozenset("mwMW%@…")


def figure_of(scene: Scene, theme: ThemeName = "light") -> Figure:
    """Arrange what a page shows in one figure.

    What moves or fills a screen is a slide. A picture that rests is as large as the page in a laptop's window: a slide
    may have no room for all of it.

    Args:
        scene: What the page shows.
        theme: The colours, on white or on black.

    Returns:
        What `core.renderer` draws, with all lengths in pixels: `width` and `height`, multiples of 4, since a film has
        an even number of pixels; `background`, and the colour `ink` and the `font` of words; the lines that stay the
        same, `words`; of each frame those that are said about it, `readouts`; and `parts`: each view's `spec`, which
        has a parameter `frame`, with its upper left corner, `x` and `y`.
    """
    natural, colours = scene.layout.height(scene.views), THEMES[theme]
    on_slide = len(scene.frames) > 1 or natural is None
    layout, measures = (scene.layout.on_slide, ON_SLIDE) if on_slide else (scene.layout, ON_PAGE)
    left, smallest, largest = measures.margin, measures.smallest, measures.largest
    width = SLIDE[0] if on_slide else PAGE_WIDTH
    room = width - 2 * left
    smaller = range(measures.title, round(measures.title * LEAST_OF_TITLE) - 1, -1)
    title_size = next((fitting for fitting in smaller if width_of(scene.title, fitting) <= room), measures.title)
    title = [(line, "") for line in broken(scene.title, room, title_size, MAX_TITLE_LINES)]
    under = left + LINE_HEIGHT * title_size * len(title)
    readouts = _readouts(scene, left, under, measures.readout, room)
    top = under + LINE_HEIGHT * measures.readout * max(map(len, readouts), default=0) + GAP
    footer = broken(" · ".join(scene.caption), room, measures.caption)
    below = GAP + LINE_HEIGHT * measures.caption * len(footer) + left
    height = SLIDE[1] if on_slide or natural is None else 4 * ceil((top + natural + below) / 4)
    free = height - top - below
    boxes = layout.boxes(scene.views, room, free)
    # Text in pictures that are lower than on a page is smaller; what fills a screen has none to compare with.
    text_size = min(max(round(TEXT_SIZE * sqrt(free / natural)), smallest), largest) if natural else largest
    fixed = text_size, min(smallest / text_size, 1.0), measures.number
    return {
        "width": width,
        "height": height,
        "background": colours.background,
        "ink": colours.text,
        "font": TYPEFACE,
        "words": _lines(left, left, title_size, title)
        + _lines(left, height - below + GAP, measures.caption, [("", line) for line in footer]),
        "readouts": readouts,
        "parts": [
            {"x": left + box.x, "y": top + box.y, "spec": _spec(scene.views[name], box, colours, *fixed)}
            for name, box in boxes.items()
        ],
    }


def _readouts(scene: Scene, x: float, y: float, size: int, room: float) -> list[list[Line]]:
    """Say what each frame shows, on one line or, where that is too short for any of them, on several."""
    pairs = [(str(frame["name"]), str(frame["detail"])) for frame in scene.frames]
    if all(width_of(f"{name}   {detail}", size) <= room for name, detail in pairs):
        return [_lines(x, y, size, [(name, f"   {detail}")]) for name, detail in pairs]
    names, details = ([broken(text, room, size) for text in texts] for texts in zip(*pairs, strict=True))
    both = zip(names, details, strict=True)
    return [_lines(x, y, size, [*zip(name, repeat("")), *zip(repeat(""), detail)]) for name, detail in both]


def _spec(view: View, box: Box, theme: Theme, size: int, least: float, number: float) -> Spec:
    """Fit a view into its box, as core/charts/player.js does."""
    spec = view.spec
    wide, high = ((side - taken * size) / view.columns for side, taken in ((box.width, 4), (box.height, 7)))
    number_size = int(min(0.35 * wide, 0.6 * high, 1.25 * size))
    looks = styled(theme, size, number_size, shown=number_size >= number)
    title, known = looks["title"], {"margin": round(3.3 * size), "least": least}
    lines = [view.title] if isinstance(view.title, str) else view.title
    heading = [part for line in lines for part in broken(line, box.width, title["fontSize"])]
    return {
        **spec,
        "title": heading,
        "width": box.width,
        "height": box.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "params": [{**param, "value": known.get(param["name"], param["value"])} for param in spec["params"]],
        "config": {**spec["config"], **looks, "title": {**title, "limit": box.width}},
    }


# ---------------------------------------------------------------- lines of text


def _lines(x: float, y: float, size: int, texts: Sequence[tuple[str, str]]) -> list[Line]:
    """Place lines below each other, each a bold part and the rest; `x` and `y` are their upper left corner."""
    return [
        {"x": x, "y": y + k * (LINE_HEIGHT * size) + ASCENT * size, "size": size, "bold": bold, "text": text}
        for k, (bold, text) in enumerate(texts)
    ]


def width_of(text: str, size: float) -> float:
    """Return about how wide a bold text is, in the unit of its size; not bold, it is a little less."""
    letters = (0.31 if c in NARROW else 0.88 if c in WIDE else 0.72 if c.isupper() else 0.585 for c in text)
    return size * sum(letters)


def broken(text: str, width: float, size: float, most: int | None = None) -> list[str]:
    """Break a text between words into lines that fit.

    Args:
        text: In one line.
        width: Of a line.
        size: Of the letters.
        most: Lines; of a longer text the rest is cut. None is no limit.
    """
    lines = [""]
    for word in text.split(" "):  # not at the spaces that hold words together
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer, size) > width and len(lines) != most:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_cut(line, width, size) for line in lines]


def _cut(text: str, width: float, size: float) -> str:
    """Cut the end off what does not fit on one line."""
    cuts = (f"{text[:end].rstrip()}…" for end in range(len(text) - 1, 0, -1))
    return next((known for known in (text, *cuts) if width_of(known, size) <= width), "…")
