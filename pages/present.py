"""Present: one result over the whole screen, for a projector; below it, its settings."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.charts.overview import STAGE, result_scene
from core.request.catalog import REDUCTIONS
from core.results.library import Entry
from core.results.names import checkpoint_name, data_name, pruning_name
from ui.address import choose, picture_first, show
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, page_header
from ui.player import reduction_in_address, show_stage, start_in_address
from ui.view_state import one_result

STYLE = """<style>
.stApp .stAppHeader { display: none; }
.stApp .stMainBlockContainer { padding: 0; max-width: none; }
.stApp .stMain { scrollbar-width: none; }
.st-key-present-setup { padding: 1rem clamp(1rem, 5vw, 5rem) 3rem; }
</style>"""
HINT = "← → amount · ↑ ↓ or page keys: other result · space: play · F: full screen · scroll down to edit"
EXPLANATION = (
    "This page fills a projector with one result. Its title and caption can be changed here; the address holds "
    "everything, so that a bookmark opens the same picture in the lecture hall."
)
MAX_TEXT_CHARS = 200  # of a title or caption
THROUGH = {"methods": "Every method once", "all": "All of these results"}


def present() -> None:
    """Show the stage first, and below it the navigation and the settings."""
    stage, setup = st.container(), st.container(key="present-setup")
    with setup:
        state = page_header("Present", one_result)
        st.html(STYLE)
        if state.result is None:
            st.info("There is no result to present yet.")
            link_to("Lab", "Make one in the Lab", ":material/science:")
            return
        st.markdown(EXPLANATION)
        filters, results = st.columns([2, 3], gap="medium")
        with filters:
            left = shortlist(state)
        with results:
            result = choose_result("Result", state, left)
            keys = through(left)
        if result is None:
            return
        heading = typed("Title", "title", pruning_name(result))
        caption = typed("Caption", "caption", f"{checkpoint_name(result)}, {data_name(result)}")
        reduction = reduction_in_address()
        start = start_in_address(result.amounts)
    scenes = {
        name: replace(result_scene(result, name, STAGE), title=heading, caption=(caption,)) for name in REDUCTIONS
    }
    with stage:
        show_stage(
            scenes,
            key="present",
            hint=HINT,
            reduction=reduction,
            start=start,
            on_turn=partial(turn, keys),
        )
    with setup:
        offer_exports(scenes[reduction], result, choices=scenes)


def through(entries: Sequence[Entry]) -> list[str]:
    """Ask which results the keys step through, and return their keys."""
    names = THROUGH.__getitem__
    chosen = choose("The keys go through", list(THROUGH), "through", names=names, word="selection", segmented=True)
    one_per_method = [entry for entry in entries if entry.seed == 0 and entry.scope in ("encoder", None)]
    return [entry.key for entry in (one_per_method if chosen == "methods" and one_per_method else entries)]


def turn(keys: Sequence[str], step: int) -> None:
    """Step to the next or the previous result, from the last to the first and back.

    The step starts from the address, not from the result on show: a second key may come before the page has followed
    the first one.

    Args:
        keys: The results that the keys step through.
        step: 1 or -1.
    """
    current = st.query_params.get("result")
    index = keys.index(current) + step if current in keys else 0
    show(keys[index % len(keys)])


def typed(label: str, parameter: str, default: str) -> str:
    """Ask for a text that is in the address; an empty one is the default of the result on show."""
    text = st.text_input(label, key=parameter, placeholder=default, max_chars=MAX_TEXT_CHARS, bind="query-params")
    return text or default


if __name__ == "__main__":
    with picture_first():
        present()
