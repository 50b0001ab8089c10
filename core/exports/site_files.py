"""How the static edition is written: a page's views as a script that a browser loads when it needs them.

A file address serves no data, only scripts: so each file in `data` hands its content to core/charts/site.js. What the
views of a page share, such as a drawing or a column of numbers, stands in its file once.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from core.charts.grammar import Rows
from core.charts.pages import Block, Shown
from core.charts.story import mounted
from core.charts.view import Scene, View
from core.exports.site_pages import SEPARATOR, Page
from core.findings.words.numbers import unbroken

MOST_CHARACTERS = 860_000  # of a file; views that have no room in it are left out, which is said
LONG = 60  # characters, from which a part is written once


def script(name: str, data: object) -> str:
    """Write data as a script that hands them to the page under a name."""
    written = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return f"prunescope.take({json.dumps(name)},{written});"


def coded(rows: Rows) -> Rows | dict[str, Any]:
    """Write rows of equal keys by columns, and a column of few different texts by these: a third as long."""
    keys = list(rows[0]) if rows else []
    if not keys or any(list(row) != keys for row in rows):
        return rows
    return {"count": len(rows), "columns": {key: _column([row[key] for row in rows]) for key in keys}}


def _column(values: list[Any]) -> list[Any] | dict[str, Any]:
    if not all(isinstance(value, str) for value in values):
        return values
    places = {value: k for k, value in enumerate(dict.fromkeys(values))}
    if 2 * len(places) > len(values):
        return values
    return {"of": list(places), "at": [places[value] for value in values]}


class Shard:
    """The views of one page, as core/charts/site.js reads them.

    Attributes:
        left_out: How many views had no room.
    """

    def __init__(self, page: Page) -> None:
        """Write all views of a page, those of its defaults first."""
        self.left_out, self._page, self._size = 0, page, 0
        self._parts: list[Any] = []
        self._places: dict[str, int] = {}  # of parts, by their text
        self._views: dict[str, Any] = {}
        for values in product(*(_default_first(choice.options, choice.default) for choice in page.choices)):
            if self._size > MOST_CHARACTERS:
                self.left_out += 1
            else:
                shown = page.show(**dict(zip((choice.name for choice in page.choices), values, strict=True)))
                self._views[SEPARATOR.join(values)] = self._shared(_view(shown, page.html(shown.text)))

    @property
    def script(self) -> str:
        """The whole file."""
        choices = [vars(choice) for choice in self._page.choices]
        return script(self._page.name, {"choices": choices, "parts": self._parts, "views": self._views})

    def _shared(self, value: Any) -> Any:
        """Leave what is long in the parts, once, whatever it is a part of; `{"$": 3}` stands for the fourth of them."""
        if isinstance(value, Mapping):
            value = {name: self._shared(known) for name, known in value.items()}
        elif isinstance(value, list | tuple):
            value = [self._shared(known) if isinstance(known, Mapping | list | tuple) else known for known in value]
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        if len(text) < LONG:
            return value
        if text not in self._places:
            self._places[text] = len(self._parts)
            self._parts.append(value)
            self._size += len(text)
        return {"$": self._places[text]}


def _view(shown: Shown, text: str) -> dict[str, Any]:
    view: dict[str, Any] = {
        **_finding(shown.finding),
        "notes": list(map(unbroken, shown.notes)),
        "blocks": list(map(_block, shown.blocks)),
        "tables": [
            {"title": title, "rows": coded(list(map(_row, table)))} for title, table in shown.tables.items() if table
        ],
        "text": text,
        "turn": shown.turn,
    }
    if shown.steps:
        view["steps"] = mounted(shown.steps, None, _player)
    return {name: value for name, value in view.items() if value}


def _row(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {title: unbroken(cell) if isinstance(cell, str) else cell for title, cell in cells.items()}


def _block(block: Block) -> dict[str, Any]:
    layout = {"layout": block.scene.layout.css, "group": block.group or block.scene.layout.name}
    player = {**_player(block.scene), **layout, "start": block.start, "stage": block.stage}
    if block.choices:
        player["choices"] = block.offered(lambda scene: _pictures(scene.views))
    return {**_finding(block.finding), "player": player, "picks": block.picks}


def _player(scene: Scene) -> dict[str, Any]:
    """Return what a player takes, but for its style, which is that of all pictures and stands in the index."""
    told = {name: value for name, value in scene.mounted.items() if name != "style"}
    return {**told, "frames": coded(scene.frames), "views": _pictures(scene.views)}


def _pictures(views: Mapping[str, View]) -> dict[str, Any]:
    specs = {name: view.spec for name, view in views.items()}
    return {
        name: {**spec, "datasets": {of: coded(list(rows)) for of, rows in spec["datasets"].items()}}
        for name, spec in specs.items()
    }


def _finding(finding: Any) -> dict[str, Any]:
    return {"heading": unbroken(finding.heading), "sentences": list(map(unbroken, finding.sentences))}


def _default_first(options: Mapping[str, str], default: str) -> Sequence[str]:
    return sorted(options, key=lambda value: value != default)
