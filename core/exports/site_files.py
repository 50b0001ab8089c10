"""The files of the static edition: the views of a page as a script.

A file address serves no data, only scripts: so each file in `data` hands its content to
core/charts/site.js.
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from core.charts.pages import Block, Show, Shown, compose, options_of
from core.charts.story import mounted, said
from core.charts.view import reduction_choices
from core.exports.methods_page import markdown_html
from core.exports.site_shelf import Shelf
from core.findings.choices import trained_of
from core.findings.words.numbers import unbroken
from core.findings.words.passed import SEE_ALONE
from core.request.pages import PAGES, Choice
from core.results.cut import Result

SEPARATOR = "|"  # between the values of a page's choices
KEY_CHARS = 12  # of a result's key in a file name
LONG = 200  # characters of a text, from which it is written once
MOST_OPTIONS = 100  # of a choice; one with more is not offered


def name_of(page: str, *keys: str) -> str:
    """Name the file of a page."""
    return "-".join((PAGES[page].address or "story", *(key[:KEY_CHARS] for key in keys)))


def script(name: str, data: object) -> str:
    """Write data as a script that hands them to the page, with each long text once."""
    texts: dict[str, int] = {}
    shared = json.dumps(_shared(data, texts), allow_nan=False)
    parts = json.dumps({"data": shared, "texts": list(texts)})
    packed = b64encode(gzip.compress(parts.encode(), mtime=0)).decode()
    return f'prunescope.take({json.dumps(name)},"{packed}");'


def _shared(value: Any, texts: dict[str, int]) -> Any:
    """Replace long texts, such as a picture that several views show: the fourth by `{"$": 3}`."""
    if isinstance(value, Mapping):
        return {name: _shared(part, texts) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_shared(part, texts) for part in value]
    is_long = isinstance(value, str) and len(value) >= LONG
    return {"$": texts.setdefault(value, len(texts))} if is_long else value


def write_page(folder: Path, page: str, shelf: Shelf, *subjects: Result) -> None:
    """Write the views of a page of results or of a study, for every choice that its address knows.

    Args:
        folder: The folder of its file.
        page: The page's name.
        shelf: All results.
        subjects: The results or the study that the page is about.
    """
    more: dict[str, Any] = {}
    if page == "Present":
        more["titles"] = shelf.playlist(subjects[0].key)
    if page == "Story":
        more |= trained_of(subjects[0], shelf.trained, shelf.read)
    if page == "Sentences":  # others' sentences are not ours to publish
        more["with_texts"] = subjects[0].task.source == "written"
    choices = []
    for choice in PAGES[page].choices:
        options = options_of(choice, *subjects)
        can_be_named = not any(SEPARATOR in value or value == "__proto__" for value in options)
        if can_be_named and len(options) <= MOST_OPTIONS:  # otherwise its default is shown
            default = choice.default or next(iter(options))
            choices.append(choice._replace(options=options, default=default))
    show = partial(
        compose,
        page,
        subjects,
        shelf.entries,
        lambda entries: list(map(shelf.read, entries)),
        **more,
    )
    name = name_of(page, *(subject.key for subject in subjects))
    write_views(folder, name, show, choices)


def write_views(
    folder: Path,
    name: str,
    show: Show,
    choices: Sequence[Choice] = (),
    html: Callable[[str], str] = markdown_html,
) -> None:
    """Write all views of a page.

    Args:
        folder: The folder of its file.
        name: The name of its file.
        show: Returns the content of the page for a value of each choice.
        choices: The choices of its reader, with their options and defaults.
        html: Turns the explanation of how to read it into HTML.
    """
    views = {}
    for values in product(*(choice.options for choice in choices)):
        shown = show(**dict(zip((choice.name for choice in choices), values, strict=True)))
        views[SEPARATOR.join(values)] = _view(shown, html(shown.text))
    data = {"choices": [choice._asdict() for choice in choices], "views": views}
    (folder / f"{name}.js").write_text(script(name, data), "utf-8")


def _view(shown: Shown, text: str) -> dict[str, Any]:
    return {
        **said(shown.finding),
        "notes": list(map(unbroken, shown.notes)),
        "blocks": list(map(_block, shown.blocks)),
        "tables": [
            {"title": title, "rows": list(map(_row, table))}
            for title, table in shown.tables.items()
            if table
        ],
        "text": text,
        "alone": shown.alone and [shown.alone, SEE_ALONE],
        "steps": mounted(shown.steps, None),
    }


def _row(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {
        title: unbroken(cell) if isinstance(cell, str) else cell for title, cell in cells.items()
    }


def _block(block: Block) -> dict[str, Any]:
    scene = block.scene
    player: dict[str, Any] = {
        **scene.mounted,
        "layout": scene.layout.css(),
        "group": block.group or scene.layout.name,
        "vega": None,
        "start": block.start,
        "stage": block.stage,
    }
    if block.choices:
        player["choices"] = reduction_choices(block.choices)
    else:
        player["views"] = scene.written
    return {**said(block.finding), "player": player, "picks": block.picks}
