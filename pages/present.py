"""Present: one result over the whole screen, for a projector; below it, its settings."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.charts.overview import STAGE, result_scene
from core.findings.words.overview import holding_sentence, overview_heading
from core.request.catalog import REDUCTIONS
from core.results.library import Entry
from core.results.names import data_name, models_name, pruning_name
from core.results.schema import SweepResult
from ui.address import choose, picture_first, show
from ui.exports import offer_exports
from ui.header import link_to, page_header
from ui.player import reduction_in_address, show_stage, start_in_address
from ui.results import companions_of
from ui.shared import once
from ui.text import unbroken
from ui.view_state import choose_result, one_result, shortlist

# In full screen the stage is alone; otherwise a line above it leads out.
STYLE = """<style>
.stApp { --above: 2.5rem; }
:root:fullscreen .stApp { --above: 0px; }
:root:fullscreen .st-key-present-out { display: none; }
.stApp .stAppHeader { display: none; }
.stApp .stMainBlockContainer { padding: 0; max-width: none; }
.stApp .stMain { scrollbar-width: none; }
.stApp .stMainBlockContainer > .stVerticalBlock { gap: 0; }
.st-key-present-out { flex: none; height: var(--above); padding: 0 3vmin; overflow: hidden; }
.st-key-present-setup { padding: 1rem clamp(1rem, 5vw, 5rem) 3rem; }
</style>"""
HINT = "← → step · ↑ ↓ other result · space play · S speaker's sentence · F full screen"
EXPLANATION = (
    "Title and caption can be changed here. The address holds everything, so a bookmark opens the same picture in the "
    "lecture hall."
)
SETTINGS = "settings"  # the anchor below the stage
MAX_TEXT_CHARS = 200  # of a title or caption
THROUGH = {"methods": "Every method once", "all": "All of these results"}


def present() -> None:
    """Show the way out and the stage first, and below them the navigation and the settings."""
    out, stage = st.container(key="present-out", horizontal=True, vertical_alignment="center"), st.container()
    setup = st.container(key="present-setup")
    with setup:
        state = page_header("Present", one_result)
        st.html(STYLE)
        if state.result is None:
            st.info("There is no result to present yet.")
            link_to("Lab", "Make one in the Lab", ":material/science:")
            return
        st.subheader("Settings and downloads", anchor=SETTINGS)
        downloads = st.container()
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
        caption = typed("Caption", "caption", f"{models_name(result)}, {data_name(result)}")
        reduction = reduction_in_address(result.against is not None)
        start = start_in_address(result.amounts)
    scenes = {
        name: replace(once(result_scene, result, name, STAGE), title=heading, caption=(caption,))
        for name in result.reductions
    }
    with out:
        link_to("Overview", "Leave", ":material/arrow_back:")
        st.markdown(f"[Settings and downloads](#{SETTINGS})", width="content")
    with stage:
        show_stage(
            scenes,
            key="present",
            spoken=spoken_of(result, companions_of(result, state.entries)),
            hint=HINT,
            reduction=reduction,
            start=start,
            on_turn=partial(turn, keys),
        )
    with downloads:
        pictures = {name: replace(scene, caption=(caption, REDUCTIONS[name].title)) for name, scene in scenes.items()}
        offer_exports(pictures[reduction], result, choices=pictures)


def spoken_of(result: SweepResult, companions: Sequence[SweepResult]) -> dict[str, str]:
    """Return what a speaker says under the picture, by reduction: the finding, and how far the model works."""
    return {
        name: unbroken(f"{once(overview_heading, [result], [companions], name)} {once(holding_sentence, result, name)}")
        for name in result.reductions
    }


def through(entries: Sequence[Entry]) -> list[str]:
    """Ask which results the arrow keys step through, and return their keys."""
    chosen = choose("↑ and ↓ step through", THROUGH, "through", word="selection", segmented=True)
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
