"""All results at once: what all checkpoints say together, and every sweep with its verdict in a table."""

from collections.abc import Sequence

import streamlit as st

from core.charts.forest import Own
from core.charts.pages import pooled_shown
from core.findings import pooled
from core.findings.choices import settings
from core.findings.pooled import Pooled
from core.findings.words import grid as words
from core.findings.words.choices import ASKING, BOXES
from ui.address import choose, picture_first
from ui.exports import offer_exports
from ui.grid import rows_of, show_grid
from ui.header import page_header, show_nothing
from ui.player import show_pictures
from ui.results import own_results, shipped_results
from ui.text import plain, remark, show_details

SOURCES = {"own": "Your results", "shipped": "Shipped with Prunescope"}
ALONE = {"": "Left out", "shown": "Shown"}
ANY = "Any"
MANY = 24  # results of one's own, which then are shown first
NOTHING = "There are no results yet. A grid is many sweeps at once: list them as docs/grids.md explains, and run:"


def grid() -> None:
    """Show the answer first, then every result in a table."""
    page_header("All results")
    available = {"own": own_results(), "shipped": shipped_results()}
    sources = {name: entries for name, entries in available.items() if settings(entries)}
    if not sources:
        show_nothing(NOTHING, "python -m core.grid FILE.yaml")
        return
    if table := pooled.shipped():
        show_pooled(table, words.own_marks(rows_of(available["own"])))
    title = st.empty()
    with st.popover("Change", type="tertiary", icon=":material/tune:"):
        first = "own" if len(available["own"]) > MANY else "shipped"
        entries = sources[choose("results", {name: SOURCES[name] for name in sources}, first)]
        shown = settings(entries, choose("alone", ALONE, segmented=True) == "shown")
        for box, of in BOXES.items():
            values = [ANY, *dict.fromkeys(map(of, shown))]
            chosen = choose(box, {value: ASKING.get(value, value) for value in values})
            shown = [entry for entry in shown if chosen in (ANY, of(entry))]
    with title, st.spinner("Reading results"):
        rows = rows_of(entries)
        found = words.arranged(rows, [entry.key for entry in shown])
    (title.subheader if table else title.title)(plain(words.grid_heading(found)), anchor=False)
    show_grid(found)


def show_pooled(table: Sequence[Pooled], own: Own) -> None:
    """Show each method over all checkpoints: what they say together, and every one of them."""
    shown = pooled_shown(table, own)
    (block,) = shown.blocks
    st.title(plain(shown.finding.heading), anchor=False)
    st.markdown(plain(" ".join(shown.finding.sentences)))
    remark(plain(". ".join(block.scene.caption)))
    show_pictures(block.scene, key="forest", link=False)
    with st.expander("How to read it, and the numbers"):
        show_details(shown, naming=2)
    offer_exports(block.scene, label="Download the forest plot", numbers=False)


with picture_first():
    grid()
