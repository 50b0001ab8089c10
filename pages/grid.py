"""All results: the pooled answer, and a table of every sweep with its verdict."""

import pandas as pd
import streamlit as st

from core.charts.pages import pooled_shown
from core.findings import pooled
from core.findings.choices import settings
from core.findings.words import NONE
from core.findings.words import grid as words
from core.request.pages import ALONE, SOURCE
from core.results.library import Entry
from ui.address import choose, picture_first
from ui.exports import offer_exports
from ui.header import page_header, show_nothing
from ui.player import show_answer
from ui.results import own_results, rows_of, shipped
from ui.text import plain, show_details

LINKS = {"Story": "./?scene=3&result=", "Layers": "./layers?result="}  # the Story opens at chance
NOTHING = (
    "There are no results yet. A grid is many sweeps at once: list them as docs/grids.md explains, "
    "and run:"
)


def grid() -> None:
    """Show the answer first, then every result in a table that sorts, with links to its pages."""
    page_header("All results")
    available = {"shipped": shipped(Entry), "own": own_results(Entry)}
    sources = {name: entries for name, entries in available.items() if entries}
    if not sources:
        show_nothing(NOTHING, "python -m core.grid FILE.yaml")
        return
    shown = pooled_shown(pooled.shipped())
    answer = st.container()
    title = st.empty()
    scene = show_answer(shown, answer, "forest")
    if scene:
        st.markdown(plain(" ".join(shown.blocks[0].finding.sentences)))
        with st.expander("How to read it"):
            show_details(shown)
        offer_exports(scene, label="Download the forest plot")
    with st.popover("Change", type="tertiary", icon=":material/tune:"):
        entries = sources[choose(SOURCE, {name: SOURCE.options[name] for name in sources})]
        alone = choose(ALONE) == "shown"
    with title, st.spinner("Reading results"):
        rows = words.arranged(rows_of(entries), [entry.key for entry in settings(entries, alone)])
    title.markdown(plain(words.grid_heading(rows)))
    cells = words.grid_table(rows)
    if not cells:  # while a busy server does not read their files
        return
    table = pd.DataFrame(cells)
    opens = st.column_config.LinkColumn(display_text="Open", width=70)
    for place, (page, beginning) in enumerate(LINKS.items(), words.NAMING):
        table.insert(place, page, [f"{beginning}{row.key}" for row in rows])
    configuration = dict.fromkeys(LINKS, opens)
    st.dataframe(table, hide_index=True, column_config=configuration, placeholder=NONE)


with picture_first():
    grid()
