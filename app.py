"""The story: what pruning does to a model's layers, in scenes, from any result."""

import streamlit as st

from core.findings.choices import published_pair, shown_first
from core.findings.words.story import SECOND
from core.request.pages import PAGES
from core.results.schema import SweepResult
from ui.address import DECIDE, OWN, OWN_MODEL, carried, picture_first, show
from ui.exports import offer_exports, offer_story
from ui.header import choose_all, compose, compose_ahead, page_header
from ui.player import show_story
from ui.results import read_trained
from ui.server import shells
from ui.text import plain

STYLE = """<style>
.stApp { --above: 10.5rem; } /* the navigation, and what the story was measured on */
.stApp .stMain { scroll-padding: 0; }
:root:fullscreen .stAppHeader { display: none; }
@media (max-width: 40rem) { .stApp { --above: 6.5rem; } }
</style>"""


def tell() -> None:
    """Show the story of one result, and below it its provenance and downloads."""
    state = page_header("Story")
    st.html(STYLE)
    result = state.shown
    place = st.container()
    shown = compose(state, **choose_all(state), **read_trained(result))
    with place:
        button = show_story(shown.steps, result.key)
    if button:
        go(button, result)
    for note in shown.notes:
        st.warning(plain(note))
    # A model of another depth, or the way back; a button, since a link within the page would not
    # change the address.
    others = (
        *published_pair(state.entries, with_single_layers=True)[:1],
        *shown_first(state.entries, "Story"),
    )
    depth = result.checkpoint.num_layers
    if other := next((entry for entry in others if len(entry.points) != depth), None):
        label = SECOND.format(len(other.points))
        st.button(
            label, "another-depth", icon=":material/layers:", on_click=show, args=(other.key,)
        )
    with st.expander("How to read the pictures"):
        st.markdown(shown.text)
    offer_story(shown.steps, result)
    offer_exports(shown.steps[0].scene, result)


def go(button: str, result: SweepResult) -> None:
    """Open the page that a scene's button leads to."""
    page = {"layers": "Layers", "again": "Recover", "cut": "Cut"}.get(button, "Lab")
    own = {OWN: OWN_MODEL, "result": ""}
    changes = (
        own
        if button == "own"
        else {"result": result.key, "job": "", DECIDE: button if page == "Lab" else ""}
    )
    st.switch_page(PAGES[page].file, query_params=carried(**changes))


if __name__ == "__main__":  # for a visitor
    with picture_first():
        tell()
else:  # `streamlit run` imports this file before it answers
    compose_ahead()
    app = st.App(__file__, routes=shells())
