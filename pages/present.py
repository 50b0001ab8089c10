"""Present: one result over the whole screen, for a projector; below it, its settings."""

import streamlit as st

from core.charts.view import reduction_choices
from core.findings.words.choices import playlist
from core.request.pages import MAX_LINE_CHARS, REDUCTION
from core.results.library import entry_of
from core.results.names import checkpoint_name, data_name, listed
from ui.address import amount_in_address, link_to, picture_first, read_choice, show
from ui.exports import offer_exports
from ui.header import choose_result, compose, page_header
from ui.player import show_pictures
from ui.text import plain

# In full screen the stage is alone, wherever the page was scrolled to; otherwise a line above it
# leads out.
STYLE = """<style>
.stApp { --above: 2.5rem; }
:root:fullscreen .stApp { --above: 0px; }
:root:fullscreen :is(.st-key-present-out, .st-key-present-setup) { display: none; }
.stApp .stAppHeader { display: none; }
.stApp .stMainBlockContainer { padding: 0; max-width: none; }
.stApp .stMain { scrollbar-width: none; scroll-padding: 0; }
.stApp .stMainBlockContainer > .stVerticalBlock { gap: 0; }
.st-key-present-out { flex: none; height: var(--above); padding: 0 3vmin; overflow: hidden; }
.st-key-present-setup { padding: 1rem clamp(1rem, 5vw, 5rem) 3rem; }
</style>"""
KEY = "present"  # of the stage
SETTINGS = "settings"  # the anchor below the stage


def present() -> None:
    """Show the way out and the stage first, and below them the navigation and the settings."""
    out = st.container(key="present-out", horizontal=True, vertical_alignment="center")
    stage = st.container()
    with st.container(key="present-setup"):
        state = page_header("Present")
        result = state.shown
        st.html(STYLE)
        st.subheader("Settings and downloads", anchor=SETTINGS)
        downloads = st.container()
        choose_result(state)
        titles = playlist(state.entries, entry_of(result))
        st.markdown(
            plain(f"↑ and ↓ step through {listed([f'“{title}”' for title in titles.values()])}.")
        )
        measured = f"{checkpoint_name(result)}, {data_name(result)}"
        line = st.text_input(
            "A line of your own",
            key="caption",
            placeholder=measured,
            max_chars=MAX_LINE_CHARS,
            bind="query-params",
        )
    reduction = read_choice(REDUCTION, REDUCTION.options)
    (block,) = compose(state, titles=titles, caption=line).blocks
    with out:
        link_to("Story", "Leave", ":material/arrow_back:")
        st.markdown(f"[Settings and downloads](#{SETTINGS})", width="content")
    with stage:
        show_pictures(
            block.choices[reduction],
            key=KEY,
            start=amount_in_address(block.start),
            on_turn=lambda: show(st.session_state[KEY]["turn"]),
            title=titles[result.key],
            choices=reduction_choices(block.choices),
            choice=reduction,
            stage=block.stage,
        )
    with downloads:
        offer_exports(block.choices[reduction], result, choices=block.choices)


with picture_first():
    present()
