"""The story: what pruning does to a model's layers, in six scenes that anyone can tell, from any result."""

from functools import partial

import streamlit as st

from core.charts.story import story
from core.findings.accuracy import metrics_of
from core.findings.choices import halves, published_pair, shown_first
from core.findings.words.lab import caution
from core.findings.words.story import HOW_TO_READ, SECOND
from core.request.catalog import REDUCTIONS
from core.results.cached_call import cached_call
from core.results.schema import SweepResult
from ui import header
from ui.address import DECIDE, OWN, OWN_MODEL, carried, choose, picture_first, show
from ui.exports import offer_exports, offer_story
from ui.player import choose_reduction, reduction_in_address, show_story
from ui.results import companions_of, read_beside
from ui.text import plain

STYLE = """<style>
.stApp { --above: 10.5rem; } /* the navigation, and what the story was measured on */
.stApp .stMain { scroll-padding: 0; }
:root:fullscreen .stAppHeader { display: none; }
@media (max-width: 40rem) { .stApp { --above: 6.5rem; } }
</style>"""
NOTHING = "No result is shipped with this copy. Make one, which takes about a minute on a laptop, and reload this page:"
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"


def tell() -> None:
    """Show the story of one result, and below it what it was measured on, and what can be taken away."""
    state = header.page_header("Story", partial(header.one_result, "Story"))
    st.html(STYLE)
    result, entries = state.result, state.entries
    if result is None:
        header.show_nothing(NOTHING, PRECOMPUTE)
        return
    place, reduction = st.container(), reduction_in_address()
    with header.change(result, REDUCTIONS[reduction].title):
        header.choose_result(state)
        choose_reduction(result)
        metric = choose("metric", metrics_of(result), segmented=True)
    companions, alone = companions_of(result, entries), read_beside(halves, result, entries)
    steps = cached_call(story, result, reduction, companions, alone, metric)
    with place:
        asked = show_story(steps, result.key)
    if asked:
        go(asked, result)
    if words := caution(result):
        st.warning(plain(words))
    others = (*published_pair(entries)[:1], *shown_first(entries, "Story"))  # a deeper model, and the way back
    depth = result.checkpoint.num_layers
    # A button, since by a link within the page the address would stay.
    if other := next((entry for entry in others if len(entry.points) != depth), None):
        label = SECOND.format(len(other.points))
        st.button(label, "another-depth", icon=":material/layers:", on_click=show, args=(other.key,))
    with st.expander("How to read the pictures"):
        st.markdown(HOW_TO_READ)
    scene = next((step.scene for step in steps if step.name == "play"), None)
    offer_story(steps, result)
    offer_exports(scene, result)


def go(asked: str, result: SweepResult) -> None:
    """Lead to where a scene's button leads: to a model of one's own, or to what a scene lacks."""
    page, decides = ("Layers", "") if asked == "halves" else ("Lab", asked)
    shown = {OWN: OWN_MODEL, "result": ""} if asked == "own" else {"result": result.key, "job": "", DECIDE: decides}
    st.switch_page(header.PAGES[page], query_params=carried(**shown))


with picture_first():
    tell()
