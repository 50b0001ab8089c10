"""The start of every page: its configuration, the brand, the navigation, and what the address says is on show."""

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.findings.choices import SEPARATOR, task_title
from core.findings.claim import verdict
from core.findings.words.pages import ADDRESSES, FIRST_LINE, ONE_RESULT, VIEWS
from core.findings.words.verdict import REMEDIES
from core.results.names import data_name, models_name, pruning_name
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import begin, carried
from ui.controls import RUN, missing_seeds
from ui.jobs import note_watching, request_behind
from ui.player import OPENED, VEGA, served_url
from ui.results import at_hand, companions_of
from ui.text import plain
from ui.view_state import DECIDE, ViewState, on_one_model

PAGES = {name: f"pages/{address}.py" if address else "app.py" for name, address in ADDRESSES.items()}

# Streamlit leaves room for a toolbar that is empty here, and sets titles for reading, not for standing over a picture.
# A link with the focus would look like the current page's, and white on the dark theme's primary colour cannot be read.
STYLE = """<style>
.stMainBlockContainer { padding-top: 1rem; padding-bottom: 3rem; }
.stAppHeader { background: transparent; pointer-events: none; }
.stAppHeader button, .stAppHeader a { pointer-events: auto; }
.stApp :is(h1, .stMain, [data-testid="stPageLink-NavLink"]):focus-visible,
.stApp .stCheckbox label:has(:focus-visible) { outline: 2px solid light-dark(#b5367a, #fb8861); }
.stApp .stMain:focus-visible { outline-offset: -2px; }
.st-key-navigation a[aria-current] { background: rgb(128 128 128 / 18%); }
.st-key-navigation a[aria-current] p { font-weight: 600; }
.st-key-navigation-views > :last-child a { border: 1px solid #808080; }
.stMain { scroll-padding-bottom: 6rem; } /* above what sticks to the lower edge: Run, the bar of many layers */
.stFileUploader input[type="file"] { visibility: hidden; } /* its button is what takes the focus */
.stApp button[data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#ffffff, #21100a); }
.stApp [data-testid="stPopoverButton"]:is(:hover, :focus, :active, [aria-expanded="true"]) {
  color: light-dark(#b5367a, #fb8861); }
.stPopover button p { text-align: left; }
/* Room for what stands above a picture and is drawn after it. */
.st-key-compare-by > div { min-height: 2rem; }
.st-key-compare-by [data-testid="stWidgetLabel"] { display: none; }
.st-key-typed-1, .st-key-typed-2 { min-height: 8.625rem; }
@media (max-width: 30rem) {
  :is(.st-key-compare-by, .st-key-cut-dial) { flex-direction: column; }
  :is(.st-key-compare-by, .st-key-cut-dial) > div { flex: none; }
  .st-key-cut-dial > div { min-height: 4.25rem; }
  .st-key-choice-axis { min-height: 4.25rem; }
  .st-key-compare-title { min-height: 6.7rem; } /* it is shorter by some metrics */
  .st-key-typed-1 { min-height: 10.2rem; }
  .st-key-typed-2 { min-height: 15.3rem; }
}
@media (max-width: 40rem) {
  .st-key-navigation { flex-direction: row; padding: 0.4rem 0; overflow-x: auto; scrollbar-width: none; } /* one line */
  .st-key-navigation { mask: linear-gradient(to left, transparent, black 4rem); } /* which goes on */
  .st-key-navigation::after { content: ""; flex: none; width: 3rem; }
  .st-key-navigation > * { flex: none; width: auto; }
  .st-key-navigation .stElementContainer:has(> .stMarkdown) { display: none; } /* the name */
  .st-key-navigation [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; gap: 0; }
  .stMain table { font-size: 0.8rem; }
  .stMain table :is(td, th) { padding: 0.25rem; }
}
.stMain h1 { font-size: clamp(1.2rem, 0.9rem + 1.2vw, 2rem); padding: 0 0 0.5rem; }
</style>"""

NAVIGATION = "navigation"
SET_UP = "".join((Path(__file__).parent / name).read_text("utf-8") for name in ("frame.js", "focus.js"))  # a window
# Which links are current is said here, to who sees them and to who does not, as soon as Streamlit has drawn them; a
# telephone scrolls to them.
SCRIPT = f"""<script>
%s %s
globalThis.prunescopeMark = () => {{
  for (const link of document.querySelectorAll(".st-key-{NAVIGATION} a")) {{
    const current = %s[link.textContent.trim()] ?? null, line = link.closest(".st-key-{NAVIGATION}");
    if (link.ariaCurrent === current) continue;
    link.ariaCurrent = current;
    if (current === "page") line.scrollLeft += link.getBoundingClientRect().right - line.clientWidth / 2;
  }}
}};
prunescopeMark();
</script>"""


def link_to(page: str, label: str, icon: str, **parameters: str) -> None:
    """Link to a page, which shows the same results and the job that this visitor watches.

    Args:
        page: Its name in the navigation.
        label: The link's text.
        icon: Before the label.
        parameters: What the page's address holds instead of what this one does.
    """
    st.page_link(PAGES[page], label=label, icon=icon, query_params=carried(**parameters))


NOTHING = "There is no result yet. Prune a checkpoint in the Lab, and it is shown here."


def show_nothing(reason: str, command: str = "") -> None:
    """Say what to do where a page has nothing to show: type a command in a shell, if it takes one, or go to the Lab."""
    st.title("Nothing to show yet", anchor=False)
    st.info(reason)
    if command:
        st.code(command, language="shell", wrap_lines=True)
    link_to("Lab", "Prune a checkpoint in the Lab", ":material/science:")


def link_to_control(*results: SweepResult) -> None:
    """Link to the Lab for the first result whose verdict can be had there.

    The Lab computes the random control that a result lacks; else its settings are those that may decide the verdict.
    """
    for result in filter(request_behind, results):
        entries = at_hand()
        reason = once(verdict, result, companions_of(result, entries)).reason
        if missing_seeds(result, entries)[0]:
            link_to("Lab", f"{RUN} in the Lab", ":material/casino:", result=result.key, job="")
            return
        if reason in REMEDIES:
            link_to("Lab", REMEDIES[reason], ":material/balance:", **{DECIDE: reason}, result=result.key, job="")
            return


def change(result: SweepResult, *more: str) -> DeltaGenerator:
    """Name what the numbers were measured on, once on a page, on a box that opens to choose something else."""
    names = (pruning_name(result), models_name(result), data_name(result), *more)
    return st.popover(plain(SEPARATOR.join(names)), type="tertiary", icon=":material/tune:", wrap=True)


def page_header(title: str, read: Callable[[], ViewState] = ViewState, nothing: str = "") -> ViewState:
    """Configure the page of that name, read what it shows, and draw the navigation, whose links carry it on.

    The navigation has a second line where one result is on show: the views of it. Every page calls this first.

    Args:
        title: The page's name in the navigation.
        read: A function of `ui.view_state`, which says what the page shows.
        nothing: What a page that needs a result says where there is none; it ends there.

    Returns:
        What the page shows.
    """
    st.set_page_config(layout="wide")
    st.html(STYLE)
    navigation = st.container(key=NAVIGATION, gap="xxsmall")
    begin()
    state = read()
    on_show = filter(None, (state.result, state.other))
    named = [f"{pruning_name(known)}, {task_title(known.task.name)}" for known in on_show]
    shown = " and ".join(named) or (task_title(state.study.task.name) if state.study else "")
    st.set_page_config(page_title=" · ".join(filter(None, (title, shown, "Prunescope"))))  # to tell tabs apart
    note_watching(title)
    result, study = on_one_model(state)
    with navigation:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Prunescope**", width="content")
            for label, name in FIRST_LINE.items():
                own = {"result": result} if label == ONE_RESULT else {}
                st.page_link(PAGES[name], label=label, query_params=carried(**own))
        if state.result or title in ("Story", *VIEWS):
            with st.container(horizontal=True, vertical_alignment="center", key="navigation-views"):
                for name in VIEWS:
                    own = {"study": study} if name == "Cut" else {}
                    st.page_link(PAGES[name], label=name, query_params=carried(result=result, **own))
        vega = f"import({json.dumps(served_url(VEGA))});" if VEGA else ""  # while the page is still being drawn
        current = json.dumps(({ONE_RESULT: "true"} if title in VIEWS else {}) | {title: "page"})
        st.html(SCRIPT % (vega, SET_UP, current), width="content", unsafe_allow_javascript=True)
    if st.session_state.get("page-open") != title:
        st.session_state["page-open"], st.session_state[OPENED] = title, True
    if nothing and state.result is None:
        show_nothing(nothing)
        st.stop()
    return state
