"""A view is one picture that the player moves and a figure prints; a scene is all that one page shows.

A view is a drawing and its data. The drawing is a template: Altair draws it once for its arguments, such as the points
of a heatmap, and new frames are new data in the same picture. It has a parameter `frame`, the index of the amount on
show, which core/charts/player.js sets; nothing else changes while it plays, so every axis and scale is fixed.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from core.charts.grammar import CURVE_MARGIN, LayerChart, Rows, Spec
from core.charts.layout import Layout
from core.charts.theme import STYLE
from core.request.catalog import REDUCTIONS

AMOUNTS = "Pruning amount"  # what the frames of most scenes are steps of
PARAMETERS = [{"name": "frame", "value": 0}, {"name": "margin", "value": CURVE_MARGIN}]  # see `core.charts.grammar`

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


def reduction_choices(scenes: Mapping[str, Scene]) -> Rows:
    """Return the scenes of every reduction for a player that lets its viewer switch: `name`, `title` and `views`."""
    return [
        {"name": name, "title": REDUCTIONS[name].title, "views": specs(scene.views)} for name, scene in scenes.items()
    ]


def choice_of(scene: Scene, choices: Mapping[str, Scene]) -> str:
    """Return the name under which a scene is among the choices, whatever its title is now."""
    return next(name for name, known in choices.items() if known.views is scene.views)
