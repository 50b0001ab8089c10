"""The start of every page: its configuration, the brand, the navigation, and what the address says is on show.

What is on show, and what beside it, is read once at the top of a page, and chosen in its boxes. A visitor's choice
stands in the address, and links carry it to the next page (`ui.address.carried`). Nothing else remembers it: without
one, every page shows its default.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.findings.choices import counterpart, is_of_model, offered, shown_first, task_title
from core.findings.claim import verdict
from core.findings.words.choices import ASKING, BOXES, distinguishing_labels, numbered_apart
from core.findings.words.pages import ADDRESSES, FIRST_LINE, ONE_RESULT, VIEWS
from core.findings.words.verdict import DECIDE_IT
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from core.results.library import CutEntry, Entry, entry_of
from core.results.names import SEPARATOR, checkpoint_name, data_name, name_of, pruning_name
from core.results.schema import SweepResult
from ui.address import DECIDE, begin, carried, offer, parameters_on_show, set_parameter, show
from ui.jobs import note_watching, request_behind
from ui.player import OPENED, VEGA, served_url
from ui.results import at_hand, by_key, companions_of, studies_at_hand, study_by_key
from ui.text import plain


@dataclass(frozen=True)
class ViewState:
    """What a page shows.

    Attributes:
        entries: The results at hand, those on show among them.
        result: The one on show; None where there is none.
        other: The one shown beside it; None on pages that show a single one.
        studies: The studies of cuts at hand, where the page shows one.
        study: The one on show; None where there is none.
    """

    entries: tuple[Entry, ...] = ()
    result: SweepResult | None = None
    other: SweepResult | None = None
    studies: tuple[CutEntry, ...] = ()
    study: CutStudy | None = None

    @property
    def shown(self) -> SweepResult:
        """The result on show, of a page that needs one."""
        assert self.result is not None
        return self.result

    @property
    def offered(self) -> list[Entry]:
        """The whole sweeps, and what is on show."""
        return offered(self.entries, [shown.key for shown in (self.result, self.other) if shown])


def one_result(page: str = "") -> ViewState:
    """Read the result that a page of that name shows: the address's, else its first."""
    entries = at_hand()
    return _state(entries, _on_show("result", shown_first(entries, page)))


def two_results() -> ViewState:
    """Read the two results that the page compares, or none; without the address, one and its random control."""
    state = one_result("Compare")
    beside = counterpart(cached_call(entry_of, state.result), state.offered) if state.result else None
    other = _on_show("other", [beside] if beside else ())
    return _state(state.entries, state.result if other else None, other)


def result_if_asked() -> ViewState:
    """Read the result that the address names; the page has something else to show where it names none."""
    return _state(at_hand(), _on_show("result"))


def one_study() -> ViewState:
    """Read the study of cuts that the page shows: the address's, else one of the result's that the address names.

    Without either, it is the first that can be read.
    """
    studies, key = studies_at_hand(), st.query_params.get("study")
    study = study_by_key(key) if key else None
    if study is None:
        set_parameter("study", None)
        asked = next((entry.key for entry in at_hand() if entry.key == st.query_params.get("result")), None)
        result = by_key(asked) if asked else None
        fitting = [entry for entry in studies if result is None or is_of_model(entry, result)]
        study = next(filter(None, (study_by_key(entry.key) for entry in fitting)), None)
    linked = [cached_call(entry_of, study)] if study and study.key not in {entry.key for entry in studies} else []
    return ViewState(studies=(*studies, *linked), study=study)


def on_one_model(state: ViewState) -> tuple[str, str]:
    """Return the key of the result on show, and of a study of cuts of its checkpoint and task; beside a study likewise.

    Either is empty where there is none.
    """
    result = state.result.key if state.result else st.query_params.get("result", "")
    shown = state.result or state.study
    if shown is None:
        return result, ""
    if state.study is None:
        return result, next((entry.key for entry in studies_at_hand() if is_of_model(entry, shown)), "")
    fitting = [entry.key for entry in offered(at_hand(), [result]) if is_of_model(entry, shown)]
    return result if result in fitting else next(iter(fitting), result), state.study.key


def choose_study(state: ViewState) -> None:
    """Offer other studies than the one on show."""
    assert state.study is not None
    labels = numbered_apart([SEPARATOR.join((entry.data, entry.model)) for entry in state.studies])
    keys = [entry.key for entry in state.studies]
    offer("study", dict(zip(keys, labels, strict=True)), state.study.key, partial(set_parameter, "study"))


def _on_show(parameter: str, defaults: Iterable[Entry] = ()) -> SweepResult | None:
    """Read the result that a parameter names, else the first of the defaults; of what cannot be read, that is said."""
    key = st.query_params.get(parameter)
    result = by_key(key) if key else None
    if result is None:
        set_parameter(parameter, None)
        result = next(filter(None, (by_key(entry.key) for entry in defaults)), None)
    if result:
        parameters_on_show()[parameter] = result.key
    return result


def _state(entries: tuple[Entry, ...], result: SweepResult | None, other: SweepResult | None = None) -> ViewState:
    known = {entry.key for entry in entries}
    linked = [cached_call(entry_of, shown) for shown in (result, other) if shown and shown.key not in known]
    return ViewState((*entries, *linked), result, other)


def choose_result(state: ViewState, label: str = "") -> list[Entry]:
    """Offer other results than the one on show.

    Returns:
        Those that share with it what stands in the boxes above the list.
    """
    own, left = cached_call(entry_of, state.shown), state.offered
    for box, of in BOXES.items():
        values = {value: ASKING.get(value, value) for value in map(of, left)}
        if len(values) > 1:
            offer(box, values, of(own), partial(_show_first, own, left, of))
        left = [entry for entry in left if of(entry) == of(own)]
    beside = partial(set_parameter, "result")  # on Compare, the other one stays
    offer("result", distinguishing_labels(left), own.key, beside if state.other else show, label)
    return left


def _show_first(own: Entry, among: Iterable[Entry], of: Callable[[Entry], str], value: str) -> None:
    """Show the first result with this value, of the same pruning where there is one."""
    fitting = (entry for entry in among if of(entry) == value)
    show(min(fitting, key=lambda entry: name_of(entry) != name_of(own)).key)


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
.st-key-navigation-views > :first-child a { border: 1px solid #808080; }
.stMain { scroll-padding-bottom: 6rem; } /* above what sticks to the lower edge: Run, the bar of many layers */
.stFileUploader input[type="file"] { visibility: hidden; } /* its button is what takes the focus */
.stApp button[data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#ffffff, #21100a); }
.stApp [data-testid="stPopoverButton"]:is(:hover, :focus, :active, [aria-expanded="true"]) {
  color: light-dark(#b5367a, #fb8861); }
.stPopover button p { text-align: left; }
.st-key-lab-history-box a * { white-space: normal; }
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
    """Link to the Lab for the first result whose inconclusive verdict may be decided there, by settings that may."""
    for result in filter(request_behind, results):
        if remedy := cached_call(verdict, result, companions_of(result, at_hand())).remedy:
            link_to(
                "Lab", DECIDE_IT.format(remedy), ":material/balance:", **{DECIDE: remedy}, result=result.key, job=""
            )
            return


def change(result: SweepResult, *more: str) -> DeltaGenerator:
    """Name what the numbers were measured on, once on a page, on a box that opens to choose something else."""
    names = (pruning_name(result), checkpoint_name(result), data_name(result), *more)
    return st.popover(plain(SEPARATOR.join(names)), type="tertiary", icon=":material/tune:", wrap=True)


def page_header(title: str, read: Callable[[], ViewState] = ViewState, nothing: str = "") -> ViewState:
    """Configure the page of that name, read what it shows, and draw the navigation, whose links carry it on.

    The navigation has a second line where one result is on show: the views of it. Every page calls this first.

    Args:
        title: The page's name in the navigation.
        read: A function above, which says what the page shows.
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
