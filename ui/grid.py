"""The table of a whole grid, which is read once for all visitors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import Lock

import pandas as pd
import streamlit as st
from cachetools import LRUCache, cached

from core.errors import BusyError
from core.exports.tables import table
from core.findings.words.grid import Grid, GridRow, grid_rows, grid_table
from core.results import store
from core.results.library import Entry, Extract, extracts
from core.results.schema import SweepResult
from ui.exports import download

LINKS = {"Story": "./?scene=5&result=", "Layers": "./layers?result="}  # the Story opens at chance

_reading = Lock()  # who comes meanwhile waits for the same rows: fifty who read them all at once keep everybody waiting


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


@cached(LRUCache(1024), tuple)  # places, each about as large as one result
def _rows(read: Mapping[store.FileState, Extract]) -> tuple[GridRow, ...]:
    """Describe the results of one place, again only when one of its files has changed or is new."""
    return tuple(grid_rows([extract for extract in read.values() if isinstance(extract, SweepResult)]))


def show_grid(grid: Grid) -> None:
    """Show a grid as a table that sorts, with links to the pages of each result, and offer its numbers."""
    cells = grid_table(grid)
    if not cells:  # while a busy server does not read their files
        return
    links = [{page: f"{beginning}{row.key}" for page, beginning in LINKS.items()} for row in grid.rows]
    linked = pd.DataFrame([link | row for link, row in zip(links, cells, strict=True)])
    config = {page: st.column_config.LinkColumn(display_text="Open", width="small") for page in LINKS}
    st.dataframe(linked, hide_index=True, column_config=config)
    numbers = table(list(cells[0]), [list(row.values()) for row in cells])
    download("Numbers as CSV", numbers, "prunescope-grid.csv")
