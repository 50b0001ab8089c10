"""Grid: all results at once, the verdicts and every layer's curve, over methods and checkpoints."""

from collections.abc import Sequence

import streamlit as st

from core.findings.tables import seeds_table
from core.findings.words.grid import grid_heading
from core.request.catalog import DAMAGE
from core.results.choices import settings
from core.results.library import Entry
from ui.address import choose, picture_first
from ui.grid import grid_of, open_clicked, show_grid
from ui.header import page_header, show_nothing
from ui.results import own_results, shipped_results
from ui.text import markdown_table, plain, remark
from ui.view_state import MANY, narrowed

SOURCES = {"own": "Your results", "shipped": "Shipped with Prunescope"}
MOST_SHOWN = 240  # sweeps; more would take a browser long
OVER_SEEDS = f"""
Of an overall change of {DAMAGE}, the share that lies in the upper half of the layers: the mean over checkpoints ± their
standard deviation. Random removal counts by the mean of its seeds on each checkpoint.
"""
EXAMPLE = "python -m core.grid FILE.yaml"


def grid() -> None:
    """Show the results as one picture: the answer first, then the verdicts and the curves."""
    open_clicked()
    page_header("Grid")
    title = st.empty()
    sources = {name: entries for name, entries in available().items() if settings(entries)}
    if not sources:
        show_nothing(
            "No grid yet",
            "A grid is many sweeps at once: methods, checkpoints, tasks, random controls. There is none yet.",
            "List them in a file, as `docs/grids.md` explains, and run:",
            EXAMPLE,
        )
        return
    with st.popover("Change", type="tertiary", icon=":material/tune:"):
        entries = sources[choose_source(sources)]
        shown = narrowed(settings(entries))
    with title, st.spinner("Reading results"):
        found = grid_of(entries, [entry.key for entry in shown[:MOST_SHOWN]])
    title.title(plain(grid_heading(found)), anchor=False)
    if len(shown) > MOST_SHOWN:
        st.info(f"The first {MOST_SHOWN} of {len(shown)} sweeps are shown. Choose among them under *Change*.")
    show_grid(found)
    remark("A click on a cell opens its result, with how to compute it again.")
    if over_seeds := seeds_table(found):
        st.subheader("The same method on checkpoints that differ only in the seed", anchor=False)
        st.markdown(OVER_SEEDS)
        st.markdown(markdown_table([{**row, "Checkpoints": plain(row["Checkpoints"])} for row in over_seeds]))


def available() -> dict[str, Sequence[Entry]]:
    """List the visitor's own results and the shipped ones."""
    return {"own": own_results(), "shipped": shipped_results()}


def choose_source(sources: dict[str, Sequence[Entry]]) -> str:
    """Ask whose results to show; at first the visitor's own, where there are many."""
    first = "own" if len(sources.get("own", ())) > MANY else "shipped"
    names = {name: SOURCES[name] for name in sources}
    return choose("Results", names, "results", default=first, segmented=True)


with picture_first():
    grid()
