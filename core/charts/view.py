"""A view is a picture that the player moves and a figure prints; a scene is those of a page.

A view is a drawing and its data. The drawing is a template: Altair draws it once for its arguments,
such as the points of a heatmap, and new frames are new data in the same picture. It has a parameter
`frame`, the index of the current amount, which core/charts/player.js sets; nothing else changes
while it plays, so every axis and scale is fixed.

A layout places the views of a scene, on a page and in a figure. A browser lays out a page by the
layout's CSS (core/charts/player.css); a figure, which has no browser, reads the same lengths.
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from core.charts.grammar import CURVE_MARGIN, LayerChart, Rows, Spec, step
from core.charts.theme import STYLE
from core.request.catalog import REDUCTIONS

STILL = [step(0.0, "", "")]  # the frames of a scene that does not move
# See `core.charts.grammar`.
PARAMETERS = [
    {"name": k, "value": v}
    for k, v in {
        "frame": 0,
        "margin": CURVE_MARGIN,
        "least": 0.75,
    }.items()
]

WINDOW_REM = 50  # the height of a laptop's window, in which pictures are as high as layouts say
ROW_GAP, COLUMN_GAP = 12, 24  # pixels, as in core/charts/player.css
ROW = re.compile(r'"([^"]*)" (\S+\([^)]*\)|\S+)')  # areas and a height

Drawing = Callable[..., LayerChart]


class Numbers(NamedTuple):
    """The place of a view's numbers in its data, for tables and for readers who cannot see it.

    Attributes:
        dataset: The dataset; a row with a `k` counts only at that frame.
        row: The field that names a row of the table; empty if there is only one.
        values: The fields of its columns by their titles; a list holds one value for each frame.
        column: The field that names a column of a matrix, which has one field of values.
        named: The word before the names of the rows.
    """

    dataset: str
    row: str
    values: Mapping[str, str]
    column: str = ""
    named: str = ""


@dataclass(frozen=True)
class View:
    """One picture.

    Attributes:
        drawing: The function that draws the template, at the top level of a module: templates are
            cached by it.
        arguments: Its arguments.
        datasets: The named data.
        title: The words above it, in one line or more.
        numbers: The place of its values, which the alternative text says and the player tabulates.
        picks: The dataset of the rows that can be picked, each with its `pick`, its `name`, its
            ends `y` and `y2`, whether it is `chosen`, and `v`, its words at every frame.
    """

    drawing: Drawing
    arguments: tuple[Hashable, ...]
    datasets: Mapping[str, Rows]
    title: str
    numbers: Numbers | None = None
    picks: str = ""

    @property
    def spec(self) -> Spec:
        """The Vega-Lite specification, its data under `datasets`; cached: do not mutate."""
        numbers = self.numbers._asdict() if self.numbers else None
        return {
            **_template(self.drawing, self.arguments),
            "params": PARAMETERS,
            "title": self.title.split("\n"),
            "usermeta": {"numbers": numbers, "picks": self.picks},
            "datasets": dict(self.datasets),
        }

    @cached_property
    def written(self) -> str:
        """The specification as JSON, cached for all visitors."""
        return json.dumps(self.spec, allow_nan=False, separators=(",", ":"))

    @property
    def heading(self) -> str:
        """The title on one line."""
        return " ".join(self.title.split())


@lru_cache(maxsize=256)
def _template(drawing: Drawing, arguments: tuple[Hashable, ...]) -> Spec:
    # Validation takes as long as all the rest; the tests do it.
    return drawing(*arguments).to_dict(validate=False)


class Box(NamedTuple):
    """A rectangle in pixels; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Layout(NamedTuple):
    """The grid of a scene's pictures, its areas; `bar` is the player's, in a row of its own.

    A grid is written as in CSS: `"area area" height` for each row, then `/ width width`. A bare
    number is a length in rem that grows with the window, `3rem` is the same in every window, and
    `2fr` are shares of what is left.

    Attributes:
        name: A class of the player.
        wide: The grid on a wide screen and in a figure.
        narrow: The grid on a telephone, by default the wide one.
        slide: The grid of a slide, whose letters are large, perhaps without some pictures; by
            default the wide one.
    """

    name: str
    wide: str
    narrow: str = ""
    slide: str = ""

    def css(self, *filled: str) -> dict[str, str]:
        """Return the grids for core/charts/player.css.

        Args:
            filled: Those of a box of a given height, `wide` or `narrow`, whose rows share it in
                proportion to theirs.
        """
        grids = {"wide": self.wide, "narrow": self.narrow or self.wide}
        return {
            "name": self.name,
            **{name: _grid(grid, name in filled) for name, grid in grids.items()},
        }

    @property
    def on_slide(self) -> "Layout":
        """The layout of a slide."""
        return self._replace(wide=self.slide or self.wide)

    def height(self, names: Collection[str]) -> float | None:
        """Return the pixels of these pictures' height on a page; None where they fill a screen."""
        sizes = [_measured(size) for _, size in self._rows(names)]
        if any(shares for _, shares in sizes):
            return None
        return sum(pixels for pixels, _ in sizes) + ROW_GAP * (len(sizes) - 1)

    def boxes(self, names: Collection[str], width: float, height: float) -> dict[str, Box]:
        """Place pictures in a figure: lengths follow its height, shares take the rest.

        Args:
            names: The pictures; areas without one stay empty, a picture without an area has no box.
            width: The figure's, in pixels.
            height: The figure's, in pixels.
        """
        rows = self._rows(names)
        natural = self.height(names)
        between = ROW_GAP * (len(rows) - 1)
        factor = (height - between) / (natural - between) if natural else 1.0
        down = _placed([size for _, size in rows], factor, height, ROW_GAP)
        across = _placed(
            self.wide.rpartition("/")[2].split(),
            factor,
            width,
            COLUMN_GAP,
        )
        boxes: dict[str, Box] = {}
        for (areas, _), (top, bottom) in zip(rows, down, strict=True):
            for area, (left, right) in zip(areas, across, strict=True):
                # The first cell of an area is its upper left, the last one its lower right.
                x, y, *_ = boxes.get(area, (left, top))
                boxes[area] = Box(x, y, right - x, bottom - y)
        return {name: boxes[name] for name in names if name in boxes}

    def _rows(self, names: Collection[str]) -> list[tuple[list[str], str]]:
        """Return the areas and the height of every row that holds one of these pictures."""
        rows = ((areas.split(), size) for areas, size in ROW.findall(self.wide))
        return [(areas, size) for areas, size in rows if set(areas) & set(names)]


class Scene(NamedTuple):
    """The pictures of a page, which can be downloaded as well.

    Attributes:
        title: The subject of the pictures, or their finding.
        caption: The lines below them: their origin.
        views: The pictures, named as the areas of the layout.
        frames: Each frame's `amount`, its `name`, and `detail`, the numbers beside it.
        layout: The places of the pictures.
        axis: The name of what they are frames of.
    """

    title: str
    caption: tuple[str, ...]
    views: Mapping[str, View]
    frames: Rows
    layout: Layout
    axis: str = "Pruning amount"

    @property
    def amounts(self) -> list[float]:
        """The amount of every frame."""
        return [frame["amount"] for frame in self.frames]

    @property
    def written(self) -> dict[str, str]:
        """The pictures as JSON, by name, for core/charts/player.js."""
        return {name: view.written for name, view in self.views.items()}

    @property
    def mounted(self) -> dict[str, Any]:
        """The data of core/charts/player.js but for the pictures and their layout."""
        return {
            "title": ", ".join((self.title, *self.caption)),
            "frames": self.frames,
            "style": STYLE,
            "axis": self.axis,
        }


def frame_of(amounts: Sequence[float], asked: float | None) -> int:
    """Return the last frame up to an amount, as the player does; by default the middle one."""
    if asked is None:
        return len(amounts) // 2
    return max(sum(amount <= asked for amount in amounts) - 1, 0)


def reduction_choices(scenes: Mapping[str, Scene]) -> Rows:
    """Return the scenes by reduction as a player offers them: `name`, `title` and `views`."""
    return [
        {"name": name, "title": REDUCTIONS[name].title, "views": scene.written}
        for name, scene in scenes.items()
    ]


# ---------------------------------------------------------------- grids


def _grid(grid: str, is_filled: bool) -> str:
    """Write a grid as CSS; the heights of rows are lengths, or shares of a box that they fill."""
    rows, _, columns = grid.rpartition("/")
    size = _part if is_filled else _length
    rows = ROW.sub(lambda row: f'"{row[1]}" {size(row[2])}', rows)
    return re.sub(
        r"\b[\d.]+fr\b",
        r"minmax(0, \g<0>)",
        f"{rows}/ {' '.join(map(_length, columns.split()))}",
    )


def _length(size: str) -> str:
    """Write a length that grows with the window, within bounds; any other size stays as it is."""
    if not re.fullmatch(r"[\d.]+", size):
        return size
    rem = float(size)
    return f"clamp({0.75 * rem:g}rem, {100 * rem / WINDOW_REM:g}vh, {1.4 * rem:g}rem)"


def _part(size: str) -> str:
    """Turn a length into a share of the height."""
    return re.sub(r"^([\d.]+)(rem)?$", r"\1fr", size)


def _measured(size: str) -> tuple[float, float]:
    """Return the pixels of a length, and how many shares of what is left a row or column takes."""
    number = float(size.removesuffix("fr").removesuffix("rem"))
    return (0.0, number) if size.endswith("fr") else (16 * number, 0.0)


def _placed(
    sizes: Sequence[str], factor: float, room: float, gap: float
) -> list[tuple[float, float]]:
    """Return where rows or columns begin and end: lengths times a factor; shares take the rest."""
    pixels, shares = zip(*map(_measured, sizes), strict=True)
    share = (room - gap * (len(sizes) - 1) - factor * sum(pixels)) / (sum(shares) or 1)
    lengths = [
        factor * length + share * part
        for length, part in zip(
            pixels,
            shares,
            strict=True,
        )
    ]
    ends = accumulate(length + gap for length in lengths)
    return [
        (end - gap - length, end - gap)
        for end, length in zip(
            ends,
            lengths,
            strict=True,
        )
    ]
