"""A view is one picture that the player moves and a figure prints; a scene is all that one page shows.

A view is a drawing and its data. The drawing is a template: Altair draws it once for its arguments, such as the points
of a heatmap, and new frames are new data in the same picture. It has a parameter `frame`, the index of the amount on
show, which core/charts/player.js sets; nothing else changes while it plays, so every axis and scale is fixed.

A layout says where the views of a scene stand, on a page and in a figure. It is a grid written as CSS writes it, since
a browser lays out a page (core/charts/player.css). A figure has no browser, so this file reads the same text: whoever
adds a layout writes it once.
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from core.charts.grammar import CURVE_MARGIN, LayerChart, Rows, Spec
from core.charts.theme import STYLE
from core.request.catalog import REDUCTIONS

AMOUNTS = "Pruning amount"  # what the frames of most scenes are steps of
# See `core.charts.grammar`.
PARAMETERS = [{"name": k, "value": v} for k, v in {"frame": 0, "margin": CURVE_MARGIN, "least": 0.75}.items()]

WINDOW_HEIGHT = 800  # pixels, of the browser's window that a figure takes its proportions from: a laptop's
COLUMN_GAP = 24  # pixels, as in core/charts/player.css
UNITS = {"rem": 16.0, "vh": WINDOW_HEIGHT / 100}  # pixels
ROW = re.compile(r'"([^"]*)"\s+([^"]+)')
TRACK = re.compile(r"clamp\([^)]*\)|\S+")

Drawing = Callable[..., LayerChart]


@dataclass(frozen=True)
class Numbers:
    """Where the numbers of a view stand in its data, for the table under a player and for who cannot see the picture.

    Attributes:
        dataset: The dataset; a row with a `k` counts at that frame alone.
        row: The field that names a row of the table; None where it has a single one.
        values: The fields of its columns by their titles; a list holds one value for each frame.
        column: Of a matrix, the field that names a column; there is one field of values then.
        named: What stands before the names of the rows.
    """

    dataset: str
    row: str | None
    values: Mapping[str, str]
    column: str | None = None
    named: str = ""


@dataclass(frozen=True)
class View:
    """One picture.

    Attributes:
        drawing: Draws the template; a function of a module, since templates are cached by it.
        arguments: What the template depends on.
        datasets: The named data.
        title: What stands above it; a list is one line per entry.
        columns: The cells beside each other, which limit the size of the numbers in them.
        numbers: Where its values are, which the alternative text says and the player tabulates.
        picks: The dataset of the rows that can be picked: of each its `pick`, its `name`, its ends `y` and `y2`,
            whether it is `chosen`, and `v`, what is said of it at every frame.
    """

    drawing: Drawing
    arguments: tuple[Hashable, ...]
    datasets: Mapping[str, Rows]
    title: str | list[str]
    columns: int = 1
    numbers: Numbers | None = None
    picks: str | None = None

    @property
    def spec(self) -> Spec:
        """The Vega-Lite specification, its data under `datasets`; the template is shared: change nothing in it."""
        numbers = vars(self.numbers) if self.numbers else None
        return {
            **_template(self.drawing, self.arguments),
            "params": PARAMETERS,
            "title": self.title,
            "usermeta": {"columns": self.columns, "numbers": numbers, "picks": self.picks},
            "datasets": dict(self.datasets),
        }

    @cached_property
    def written(self) -> str:
        """The specification as JSON, written once however many look at it."""
        return json.dumps(self.spec, allow_nan=False, separators=(",", ":"))

    @property
    def heading(self) -> str:
        """What stands above it, on one line."""
        return " ".join(" ".join([self.title] if isinstance(self.title, str) else self.title).split())


@lru_cache(maxsize=256)
def _template(drawing: Drawing, arguments: tuple[Hashable, ...]) -> Spec:
    return drawing(*arguments).to_dict(validate=False)  # takes as long as all the rest; the tests do it


class Box(NamedTuple):
    """A rectangle in pixels; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """The grid of a scene's views, whose names are its areas; `bar` is the player's, and has a row of its own.

    Attributes:
        name: A class of the player, for what a grid cannot say.
        wide: On a wide screen and in a figure: `"area area" height` for each row, then `/ width width`. Sizes are
            lengths in rem or vh, `clamp()` of three of them, `minmax(0, 1fr)`, or for the bar `auto`.
        narrow: On a telephone; any grid that CSS knows; as the wide one where none is given.
        slide: On a slide, whose letters are large, perhaps without some views; as the wide one where none is given.
        row_gap: Pixels between rows.
    """

    name: str
    wide: str
    narrow: str | None = None
    slide: str | None = None
    row_gap: int = 12

    @property
    def css(self) -> dict[str, str]:
        """What core/charts/player.js hands to player.css."""
        gap = f"{self.row_gap}px"
        return {"name": self.name, "wide": self.wide, "narrow": self.narrow or self.wide, "gap": gap}

    @property
    def on_slide(self) -> "Layout":
        """The layout of a slide."""
        return replace(self, wide=self.slide or self.wide)

    @property
    def filling(self) -> dict[str, str]:
        """The same for a wide box of a given height, which the rows share by their heights."""
        return {**self.css, "wide": _filling(self.wide)}

    @property
    def whole(self) -> dict[str, str]:
        """The same for a box of a given height on a telephone as well."""
        return {**self.filling, "narrow": _filling(self.narrow or self.wide)}

    def height(self, names: Collection[str]) -> float | None:
        """Return how high the views of these names are together on a page, in pixels; None where they fill a screen."""
        rows = self._rows(names)
        if any(_share(size) for _, size in rows):
            return None
        return sum(_pixels(size) for _, size in rows) + self.row_gap * (len(rows) - 1)

    def boxes(self, names: Collection[str], width: float, height: float) -> dict[str, Box]:
        """Place views in a figure of this size: fixed lengths grow or shrink with its height, shares take the rest.

        Args:
            names: The views; areas without one stay empty, a view without an area has no box.
            width: In pixels.
            height: In pixels.
        """
        rows, columns = self._rows(names), TRACK.findall(_plain(self.wide.rpartition("/")[2]))
        sizes, natural = [size for _, size in rows], self.height(names)
        between = self.row_gap * (len(rows) - 1)
        factor = (height - between) / (natural - between) if natural else 1.0
        down, across = _placed(sizes, factor, height, self.row_gap), _placed(columns, factor, width, COLUMN_GAP)
        boxes = {}
        for name in names:
            cells = [(r, c) for r, (areas, _) in enumerate(rows) for c, area in enumerate(areas) if area == name]
            if not cells:
                continue
            (top, left), (bottom, right) = min(cells), max(cells)
            (y, _), (_, y2), (x, _), (_, x2) = down[top], down[bottom], across[left], across[right]
            boxes[name] = Box(x, y, x2 - x, y2 - y)
        return boxes

    def _rows(self, names: Collection[str]) -> list[tuple[list[str], str]]:
        """Return the areas and the size of every row that holds one of these views."""
        rows = ((areas.split(), size.strip()) for areas, size in ROW.findall(_plain(self.wide.rpartition("/")[0])))
        return [(areas, size) for areas, size in rows if set(areas) & set(names)]


@dataclass(frozen=True)
class Scene:
    """What a page shows, which is also what can be taken away from it.

    Attributes:
        title: What the pictures show.
        caption: What they were measured on: the lines below them.
        views: The pictures, named as the areas of the layout.
        frames: Of each frame its `amount`, its `name` and `detail`, the numbers beside it.
        layout: Where the views stand.
        axis: What the frames are steps of, for who cannot see the player's bar.
    """

    title: str
    caption: tuple[str, ...]
    views: Mapping[str, View]
    frames: Rows
    layout: Layout
    axis: str = AMOUNTS

    @property
    def amounts(self) -> list[float]:
        """The amount of every frame."""
        return [frame["amount"] for frame in self.frames]

    @property
    def written(self) -> dict[str, str]:
        """The pictures as JSON by name, which core/charts/player.js reads: they are written once for all visitors."""
        return {name: view.written for name, view in self.views.items()}

    @property
    def mounted(self) -> dict[str, Any]:
        """What core/charts/player.js takes besides the pictures and where they stand."""
        title = ", ".join((self.title, *self.caption))
        return {"title": title, "axis": self.axis, "frames": self.frames, "style": STYLE}


def frame_of(amounts: Sequence[float], asked: float | None) -> int:
    """Return the last frame up to an amount, as the player shows it; without one the frame in the middle."""
    return len(amounts) // 2 if asked is None else max(sum(amount <= asked for amount in amounts) - 1, 0)


def specs(views: Mapping[str, View]) -> dict[str, Spec]:
    """Return the specification of every view."""
    return {name: view.spec for name, view in views.items()}


def reduction_choices(scenes: Mapping[str, Scene], drawn: Callable[[Scene], Any]) -> Rows:
    """Return the scenes of every reduction for a player that lets its viewer switch: `name`, `title` and `views`."""
    return [{"name": name, "title": REDUCTIONS[name].title, "views": drawn(scene)} for name, scene in scenes.items()]


def choice_of(scene: Scene, choices: Mapping[str, Scene]) -> str:
    """Return the name under which a scene is among the choices, whatever its title is now."""
    return next(name for name, known in choices.items() if known.views is scene.views)


# ---------------------------------------------------------------- grids as CSS writes them


def in_column(heights: Mapping[str, str]) -> str:
    """Write a grid of one column, as on a telephone: areas and the heights of their rows."""
    return " ".join(f'"{area}" {height}' for area, height in heights.items()) + " / minmax(0, 1fr)"


def in_rows(areas: Sequence[str], columns: int, height: str) -> str:
    """Write areas row by row as a grid below the player's bar; `.` is an empty cell."""
    filled = [*areas, *["."] * (-len(areas) % columns)]
    rows = " ".join(f'"{" ".join(filled[k : k + columns])}" {height}' for k in range(0, len(filled), columns))
    return f'"{" ".join(["bar"] * columns)}" auto {rows} / {" ".join(["minmax(0, 1fr)"] * columns)}'


def _filling(grid: str) -> str:
    """Turn the heights of rows into shares of a height."""

    def share(row: re.Match[str]) -> str:
        pixels = _pixels(_plain(row[2].strip()))
        return f'"{row[1]}" minmax(0, {pixels:g}fr) ' if pixels else row[0]

    rows, slash, columns = grid.rpartition("/")
    return f"{ROW.sub(share, rows)}{slash}{columns}"


def _plain(grid: str) -> str:
    """Leave of `minmax()` what it is at most."""
    return re.sub(r"minmax\([\w.]+, ([^()]+)\)", r"\1", grid)


def _share(size: str) -> float:
    """Return how many shares of what is left a row or column takes; 0 for a length."""
    return float(size.removesuffix("fr")) if size.endswith("fr") else 0.0


def _pixels(size: str) -> float:
    """Return a length in pixels, of `clamp()` the middle of the three; 0 for a share."""
    lengths = []
    for part in size.removeprefix("clamp(").removesuffix(")").split(","):
        terms = re.findall(r"([+-]?) ?([\d.]+)(rem|vh)", part)
        lengths.append(sum(float(f"{sign}{number}") * UNITS[unit] for sign, number, unit in terms))
    return sorted(lengths)[len(lengths) // 2]


def _placed(sizes: Sequence[str], factor: float, room: float, gap: float) -> list[tuple[float, float]]:
    """Return where rows or columns begin and end: lengths are multiplied by a factor, shares take the rest."""
    fixed, shares = [factor * _pixels(size) for size in sizes], list(map(_share, sizes))
    share = (room - gap * (len(sizes) - 1) - sum(fixed)) / (sum(shares) or 1)
    lengths = [length + share * part for length, part in zip(fixed, shares, strict=True)]
    ends = accumulate(length + gap for length in lengths)
    return [(end - gap - length, end - gap) for end, length in zip(ends, lengths, strict=True)]
