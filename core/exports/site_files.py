"""The files of the static edition: the views of a page as a script that a browser loads when it needs them.

A file address serves no data, only scripts: so each file in `data` hands its content to core/charts/site.js. What the
views of a page share, such as a drawing or a column of numbers, is written once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from core.charts.grammar import Rows
from core.charts.pages import SHOWN, Block, Shown, beside, options_of
from core.charts.story import mounted
from core.charts.view import Scene, View
from core.exports.methods_page import markdown_html
from core.exports.site_shelf import Shelf
from core.findings.words.numbers import unbroken
from core.request.pages import PAGES, Choice
from core.results.cut import Result
from core.results.schema import SweepResult

SEPARATOR = "|"  # between the values of a page's choices
KEY_CHARS = 12  # of a result's key in the name of a file
MOST_OPTIONS = 100  # of a choice; with more, as of labels, it is not offered
MOST_CHARACTERS = 860_000  # of a file; views beyond that are left out and reported
LONG = 60  # characters, from which a part is written once


def shard_of(page: str, shelf: Shelf, *subjects: Result) -> "Shard":
    """Write the views of a page of results or of a study, for every choice that its address knows.

    Args:
        page: The page's name.
        shelf: The results that it is shown with.
        subjects: What it is about.
    """
    results = [subject for subject in subjects if isinstance(subject, SweepResult)]
    near = [shelf.sweep(entry) for result in results for entry in beside(page, result, shelf.entries)]
    more: dict[str, Any] = {}
    if page == "Present":
        more["titles"] = shelf.playlist(results[0])
    if page == "Sentences":  # others' sentences are not ours to publish
        more["with_texts"] = results[0].task.source == "written"
    choices = [replace(choice, options=options_of(choice, *subjects)) for choice in PAGES[page].choices]

    def show(**chosen: str) -> Shown:
        return SHOWN[page](*subjects, near, **chosen, **more)

    return Shard(name_of(page, *(subject.key for subject in subjects)), show, list(filter(_is_offered, choices)))


def name_of(page: str, *keys: str) -> str:
    """Name the file of a page."""
    return "-".join((PAGES[page].address or "story", *(key[:KEY_CHARS] for key in keys)))


def _is_offered(choice: Choice) -> bool:
    """Whether a choice has several options, which a file can name."""
    can_be_named = not any(SEPARATOR in value or value == "__proto__" for value in choice.options)
    return can_be_named and 1 < len(choice.options) <= MOST_OPTIONS


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
        name: The name of its file.
        left_out: How many views had no room.
    """

    def __init__(
        self,
        name: str,
        show: Callable[..., Shown],
        choices: Sequence[Choice] = (),
        html: Callable[[str], str] = markdown_html,
    ) -> None:
        """Write all views of a page, those of its defaults first.

        Args:
            name: The name of its file.
            show: Returns what the page shows for a value of each choice.
            choices: What it lets its reader choose, with the options.
            html: Writes the text on how to read it.
        """
        self.name, self.left_out, self._size = name, 0, 0
        self._parts: list[Any] = []
        self._places: dict[str, int] = {}  # of parts, by their text
        self._views: dict[str, Any] = {}
        self._choices = [replace(choice, default=choice.default or next(iter(choice.options))) for choice in choices]
        for values in product(*map(_default_first, self._choices)):
            if self._size > MOST_CHARACTERS:
                self.left_out += 1
            else:
                shown = show(**dict(zip((choice.name for choice in choices), values, strict=True)))
                self._views[SEPARATOR.join(values)] = self._shared(_view(shown, html(shown.text)))

    @property
    def script(self) -> str:
        """The whole file."""
        choices = list(map(vars, self._choices))
        return script(self.name, {"choices": choices, "parts": self._parts, "views": self._views})

    def _shared(self, value: Any) -> Any:
        """Write each long part once; `{"$": 3}` stands for the fourth of them."""
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


def _default_first(choice: Choice) -> list[str]:
    return sorted(choice.options, key=lambda value: value != choice.default)
