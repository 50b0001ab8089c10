"""The picture of a whole grid: what it shows is read once for all visitors, and a click opens a result."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from urllib.parse import parse_qsl

import streamlit as st
from cachetools import LRUCache, cached

from core.charts.grid import grid_html, grid_svg, linked_table
from core.charts.theme import THEMES
from core.errors import BusyError
from core.exports.drawing import Picture, draw
from core.exports.tables import table
from core.findings.choices import companions, everywhere
from core.findings.grid import Grid, GridRow, grid_rows
from core.findings.words.grid import grid_heading, grid_table
from core.findings.words.numbers import unbroken
from core.results import store
from core.results.library import Entry, Extract, entry_of, extracts
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import carried
from ui.exports import STILLS, download
from ui.header import PAGES
from ui.player import component, pause_after_first_picture

KEY, METHODS = "grid", "methods"  # of the elements
OPENED = "grid-opened"  # of the session: the address of the cell that was clicked
# The beginning of each address as a browser that shows the tables reads it, and the page: the Story opens at chance.
LINKS = {"./?scene=5&result=": "Story", "layers?result=": "Layers", "lab?result=": "Lab"}

_reading = Lock()  # who comes meanwhile waits for the same rows: fifty who read them all at once keep everybody waiting

_grid = component("grid", html='<div class="grid"></div>')


def rows_of(entries: Sequence[Entry]) -> list[GridRow]:
    """Describe results as rows of a grid, each judged beside the others of its checkpoint and examples."""
    places = defaultdict(list)
    for entry in entries:
        if path := store.find(entry.key):
            places[entry.checkpoint, entry.fingerprint].append(store.state_of(path))
    rows: list[GridRow] = []
    with _reading:
        for files in places.values():
            read = {file: extract for file, extract in extracts(files).items() if not isinstance(extract, BusyError)}
            rows += _rows(read)
    return rows


def rows_everywhere(result: SweepResult, entries: Sequence[Entry]) -> list[GridRow]:
    """Describe a result's pruning on every checkpoint: see `core.findings.choices.everywhere`."""
    same = {entry.key: entry for entry in everywhere(once(entry_of, result), entries)}
    beside = [companion for entry in same.values() for companion in companions(entry, entries)]
    return [row for row in rows_of([*same.values(), *beside]) if row.key in same]


@cached(LRUCache(1024), tuple)  # places, each about as large as one result
def _rows(read: Mapping[store.FileState, Extract]) -> tuple[GridRow, ...]:
    """Describe the results of one place, again only when one of its files has changed or is new."""
    return tuple(grid_rows([extract for extract in read.values() if isinstance(extract, SweepResult)]))


def show_grid(grid: Grid) -> None:
    """Show a grid."""
    verdict_page, layers_page, _ = LINKS
    html = unbroken(grid_html(grid, (verdict_page, layers_page)))
    _grid(key=KEY, data={"html": html}, on_opened_change=partial(_note_opened, KEY))
    pause_after_first_picture()


def offer_grid(grid: Grid, rows: Sequence[GridRow]) -> None:
    """Offer a grid as a picture, and all its rows as a table."""

    def drawn(kind: Picture) -> bytes:
        theme = THEMES[st.context.theme.type or "light"]
        return draw({"svg": grid_svg(grid, grid_heading(grid), theme)}, kind, [0])

    def numbers() -> str:
        cells = grid_table(rows)
        return table(list(cells[0]), [list(row.values()) for row in cells])

    with st.expander("Download", icon=":material/download:"), st.container(horizontal=True):
        for still in STILLS:
            download(still.upper(), partial(drawn, still), f"prunescope-grid.{still}")
        download("Numbers as CSV", numbers, "prunescope-grid.csv")


def _note_opened(key: str) -> None:
    st.session_state[OPENED] = str(st.session_state[key].get("opened") or "")


def show_methods(rows: Mapping[str, Mapping[str, str]], on_show: str) -> None:
    """Show results in a table, by their keys; a click opens one in the Lab."""
    _, _, lab_page = LINKS
    html = unbroken(linked_table(rows, on_show, lab_page))
    _grid(key=METHODS, data={"html": html}, on_opened_change=partial(_note_opened, METHODS))


def open_clicked() -> None:
    """Go to the page of the result that was clicked, before anything is drawn."""
    opened: str = st.session_state.pop(OPENED, "")
    for beginning, page in LINKS.items():
        if opened.startswith(beginning):
            st.switch_page(PAGES[page], query_params=carried(**dict(parse_qsl(opened.partition("?")[2]))))
