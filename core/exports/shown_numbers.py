"""The numbers that a page shows, as a table: what its pictures tell of their marks, at every frame."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.charts.grammar import UNDEFINED
from core.charts.view import Scene
from core.exports.tables import table

PICTURE, SHOWN_AT = "Picture", "Shown at"
NUMBER = re.compile(r"[+−-]?\d[\d.]*")


def shown_csv(scene: Scene) -> str:
    """Write a row for each mark that tells its numbers to the mouse, with the columns that it names there.

    What changes while the pictures move has a row for each frame, and the frame's place in `Shown at`. What is
    undefined is empty.
    """
    rows: list[dict[str, object]] = []
    for view in scene.views.values():
        for dataset, columns in dict.fromkeys(_told(view.spec, None)):
            for row in view.datasets[dataset]:
                moves = any(isinstance(row.get(field), list) for _, field in columns)
                for k, frame in enumerate(scene.frames if moves else [{}]):
                    told = {name: _at(row.get(field), k) for name, field in columns}
                    rows.append({PICTURE: view.heading, SHOWN_AT: frame.get("amount", ""), **told})
    columns_of_all = dict.fromkeys([PICTURE, SHOWN_AT, *(name for row in rows for name in row)])
    return table(list(columns_of_all), ([row.get(name, "") for name in columns_of_all] for row in rows))


def _at(value: Any, k: int) -> object:
    """Return a value at a frame, as a spreadsheet reads it."""
    shown = value[k] if isinstance(value, list) else value
    if not isinstance(shown, str):
        return shown
    if shown == UNDEFINED:
        return ""
    return shown.replace("−", "-") if NUMBER.fullmatch(shown) else " ".join(shown.split())  # a legend breaks long names


def _told(part: Mapping[str, Any], dataset: str | None) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Find every mark with a tooltip: its dataset, and the name and the field of each column."""
    dataset = part.get("data", {}).get("name", dataset)
    for layer in part.get("layer", ()):
        yield from _told(layer, dataset)
    tooltips = part.get("encoding", {}).get("tooltip", ())
    if dataset and tooltips:
        calculated = {step["as"]: step["calculate"] for step in part.get("transform", ()) if "calculate" in step}
        yield dataset, tuple((tip["title"], _source(tip["field"], calculated)) for tip in tooltips)


def _source(field: str, calculated: Mapping[str, str]) -> str:
    """Return the field of the data that a calculated one is written from."""
    while (named := re.search(r"datum\.(\w+)", calculated.get(field, ""))) and named[1] != field:
        field = named[1]
    return field
