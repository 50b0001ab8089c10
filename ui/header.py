"""The start of every page: its navigation, the results on show, and the choice of others.

A visitor's choice stands in the address, and links carry it to the next page
(`ui.address.carried`). Nothing else remembers it: without one, every page shows its default.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts import pages
from core.charts.pages import Shown, options_of
from core.charts.view import Scene
from core.errors import PrunescopeError
from core.findings.choices import (
    counterpart,
    is_of_model,
    offered,
    settings,
    shown_first,
    trained_of,
)
from core.findings.claim import verdict
from core.findings.words.choices import ASKING, BOXES, distinguishing_labels
from core.findings.words.passed import SEE_ALONE
from core.findings.words.verdict import DECIDE_IT
from core.request.pages import (
    FIRST_LINE,
    ONE_RESULT,
    PAGES,
    REDUCTION,
    VIEWS,
    Choice,
    Page,
)
from core.results import library, store
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from core.results.library import TRAINED, Entry, OfAnyKind, entry_of
from core.results.names import (
    SEPARATOR,
    in_sentence,
    name_of,
)
from core.results.recovery import Recovery
from core.results.schema import SweepResult
from ui.address import (
    DECIDE,
    begin,
    carried,
    choose,
    link_to,
    offer,
    parameters_on_show,
    read_choice,
    set_parameter,
    show,
)
from ui.jobs import note_watching, request_behind
from ui.player import OPENED, VEGA, choose_reduction, show_answer
from ui.results import (
    KINDS,
    at_hand,
    companions_of,
    judging,
    loaded,
    read_all,
    read_stored,
    trained_at_hand,
)
from ui.text import plain

NO_RESULT = "There is no result yet."
NO_PAIR = "A comparison needs two results, and there are fewer here."
MAKE_ONE = (
    " Prune a checkpoint in the Lab, or run this command, which takes about a minute on a laptop:"
)
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"


class ViewState(NamedTuple):
    """What a page shows.

    Attributes:
        page: Its row in the table of pages.
        entries: The available results, those on show among them.
        result: The result on show; None if there is none.
        other: The one beside it; None on pages that show a single one.
        study: The study of cuts on show; None if there is none.
        recovery: The recovery on show; None if there is none.
    """

    page: Page
    entries: tuple[Entry, ...] = ()
    result: SweepResult | None = None
    other: SweepResult | None = None
    study: CutStudy | None = None
    recovery: Recovery | None = None

    @property
    def shown(self) -> SweepResult:
        """The result on show, on a page that needs one."""
        assert self.result is not None
        return self.result

    @property
    def subjects(self) -> list[Any]:
        """The results, the study or the recovery that the page is about."""
        return [*filter(None, (getattr(self, name) for name in self.page.subjects))]

    @property
    def offered(self) -> list[Entry]:
        """The whole sweeps, and what is on show."""
        return offered(self.entries, [subject.key for subject in self.subjects])


# ---------------------------------------------------------------- what the address puts on show


def read_view(page: Page) -> ViewState:
    """Read the results that the address names, else the defaults of what the page is about."""
    entries = at_hand()
    defaults = shown_first(entries, page.name) if "result" in page.subjects else ()
    result = _on_show("result", defaults)
    state = ViewState(page, entries, result)
    if result and "other" in page.subjects:
        default = counterpart(entry_of(result), (*state.offered, *entries))
        other = _on_show("other", [default] if default else ())
        return state._replace(result=other and result, other=other)
    for subject in TRAINED.keys() & page.subjects:
        return _with_trained(state, subject)
    return state


def _with_trained(state: ViewState, subject: str) -> ViewState:
    """Add the study or recovery in the address, else one of the result's model."""
    result = state.result
    fitting = (
        entry for entry in trained_at_hand(subject) if result is None or is_of_model(entry, result)
    )
    trained = _on_show(subject, fitting)
    if trained and not (result and is_of_model(entry_of(result), trained)):
        same_model = [entry for entry in settings(state.offered) if is_of_model(entry, trained)]
        result = next(iter(read_all(same_model[:1])), None)
    return state._replace(result=result, **{subject: trained})


def _on_show(subject: str, defaults: Iterable[OfAnyKind]) -> Any:
    """Read the result that a parameter names, else the first readable default."""
    read = partial(read_stored, kind=KINDS[subject])
    key = st.query_params.get(subject)
    result = read(key) if key else None
    if result is None:
        set_parameter(subject, None)
        result = next(filter(None, (read(entry.key) for entry in defaults)), None)
    if result:
        parameters_on_show()[subject] = result.key
    return result


# ---------------------------------------------------------------- what can be chosen


def choose_all(state: ViewState, in_sight: DeltaGenerator | None = None) -> dict[str, str]:
    """Offer what a page lets its reader choose, and return what is chosen, by parameter.

    The results and what is folded stand behind the name of what was measured.

    Args:
        state: What the page shows.
        in_sight: Where the other choices stand; None for a row below that name.
    """
    choices = state.page.choices
    options = {choice.name: options_of(choice, *state.subjects) for choice in choices}
    values = {choice.name: read_choice(choice, options[choice.name]) for choice in choices}
    folded = [options[choice.name][values[choice.name]] for choice in choices if choice.is_folded]
    name = plain(SEPARATOR.join((*_names(state), *folded)))
    with st.popover(name, type="tertiary", icon=":material/tune:", wrap=True):
        if isinstance(state.subjects[0], SweepResult):
            choose_result(state)
        else:
            choose_trained(state)
        for choice in choices:
            if choice is REDUCTION:
                choose_reduction()
            elif choice.is_folded:
                choose(choice, options[choice.name])
    with in_sight or st.container(horizontal=True, key=f"{state.page.address}-choices"):
        for choice in choices:
            if not choice.is_folded:
                choose(choice, options[choice.name])
    return values


def _names(state: ViewState) -> list[str]:
    """Name what the numbers on a page were measured on; empty without a result."""
    subject = next(iter(state.subjects), state.result)
    if subject is None:
        return []
    entry = entry_of(subject)
    names = [entry.model, entry.data]
    if state.other:
        other = entry_of(state.other)
        is_alike = [other.model, other.data] == names
        names.append(f"beside {in_sentence(other.pruning_name if is_alike else other.name)}")
    return names if isinstance(subject, CutStudy) else [entry.pruning_name, *names]


def choose_trained(state: ViewState) -> None:
    """Offer other studies or recoveries than the one on show."""
    (shown,), ((subject, label),) = state.subjects, state.page.subjects.items()
    entries = {entry.key: entry for entry in (*trained_at_hand(subject), entry_of(shown))}
    options = distinguishing_labels([*entries.values()])
    offer(Choice(subject, label), options, shown.key)


def choose_result(state: ViewState) -> None:
    """Offer other results than those on show, in a list that the boxes above it shorten."""
    own = entry_of(state.shown)
    left = state.offered
    labels = state.page.subjects
    for box, of in BOXES.items():
        values = {value: ASKING.get(value, value) for value in map(of, left)}
        if len(values) > 1:
            write_first = partial(_show_first, own, left, of)
            offer(Choice(box, box.capitalize()), values, of(own), write_first)
        left = [entry for entry in left if of(entry) == of(own)]
    write = None if state.other else show  # beside another result, that one stays
    offer(
        Choice("result", labels["result"]),
        distinguishing_labels(left),
        own.key,
        write,
    )
    if state.other:
        every = distinguishing_labels(state.offered)
        offer(Choice("other", labels["other"]), every, state.other.key)


def _show_first(
    own: Entry,
    among: Iterable[Entry],
    of: Callable[[Entry], str],
    value: str,
) -> None:
    """Show the first result with this value, of the same pruning if there is one."""
    fitting = (entry for entry in among if of(entry) == value)
    show(min(fitting, key=lambda entry: name_of(entry) != name_of(own)).key)


def compose(state: ViewState, **choices: Any) -> Shown:
    """Compose what a page shows for what is chosen."""
    return pages.compose(
        state.page.name, state.subjects, judging(state.entries), read_all, **choices
    )


def show_view(state: ViewState) -> tuple[Shown, Scene | None]:
    """Offer the choices of a page; show its heading, its first picture and its sentences.

    Returns:
        What the page shows, and the scene of the picture, if there is one.
    """
    title = st.container(key=f"{state.page.address}-title")
    shown = compose(state, **choose_all(state))
    return shown, show_answer(shown, title, state.page.address)


def compose_ahead() -> None:
    """Compose the story's default view ahead, so that its first visitor need not wait."""

    def read(entry: OfAnyKind) -> Any:
        return loaded(store.file_of(entry.key), "")

    with suppress(PrunescopeError, IndexError):  # the page will say what is damaged or missing
        entries = library.shipped(Entry)
        result = read(shown_first(entries, "Story")[0])
        listed = {subject: library.shipped(kind) for subject, (kind, _) in TRAINED.items()}
        pages.compose(
            "Story",
            [result],
            entries,
            lambda others: [*map(read, others)],
            reduction=next(iter(REDUCTION.options)),
            **trained_of(result, listed, read),
        )


# ---------------------------------------------------------------- the navigation, and links

NAVIGATION = "navigation"
_ui = Path(__file__).parent
STYLE = f"<style>{(_ui / 'page.css').read_text('utf-8')}</style>"
SET_UP = "".join(
    (_ui / name).read_text("utf-8") for name in ("frame.js", "focus.js")
)  # of a window
# Marks the current links for eyes and for screen readers, once Streamlit has drawn them; a
# telephone scrolls there
SCRIPT = f"""<script>
%s %s
globalThis.prunescopeMark = () => {{
  for (const link of document.querySelectorAll(".st-key-{NAVIGATION} a")) {{
    const current = %s[link.textContent.trim()] ?? null;
    const line = link.closest(".st-key-{NAVIGATION}");
    if (link.ariaCurrent === current) continue;
    link.ariaCurrent = current;
    if (current !== "page") continue;
    line.scrollLeft += link.getBoundingClientRect().right - line.clientWidth / 2;
  }}
}};
prunescopeMark();
</script>"""


def show_link(state: ViewState, shown: Shown) -> None:
    """Show the sentence that leads to the story's scene on layers alone, if there is one."""
    if shown.alone:
        st.markdown(plain(shown.alone))
        result = state.result.key if state.result else ""
        link_to("Story", SEE_ALONE, ":material/theaters:", result=result, scene="4")


def link_to_control(*results: SweepResult) -> None:
    """Lead to the Lab for the first result whose inconclusive verdict may be decided there."""
    for result in filter(request_behind, results):
        remedy = cached_call(verdict, result, companions_of(result)).remedy
        if remedy is None:
            continue
        # A button: on the Lab itself, a link's parameters would not reach the address, and lost
        # at the next click.
        label = DECIDE_IT.format(remedy)
        if st.button(label, f"decide-{result.key}", icon=":material/balance:"):
            decide = carried(**{DECIDE: remedy}, result=result.key, job="")
            st.switch_page(PAGES["Lab"].file, query_params=decide)
        return


def show_nothing(reason: str, command: str) -> None:
    """Say why a page has nothing to show; offer a command and the Lab."""
    st.title("Nothing to show yet", anchor=False)
    st.info(reason)
    st.code(command, language="shell", wrap_lines=True)
    link_to("Lab", "Prune a checkpoint in the Lab", ":material/science:")


def page_header(name: str) -> ViewState:
    """Configure a page, read what it shows, and draw the navigation, whose links carry that on.

    The navigation has a second line if a result is on show: the views of it. Every page calls this
    first. A page about results ends here if there are none.

    Args:
        name: The page's name in the table of pages.

    Returns:
        What the page shows.
    """
    page = PAGES[name]
    st.set_page_config(layout="wide")
    st.html(STYLE)
    navigation = st.container(key=NAVIGATION, gap="xxsmall")
    begin()
    state = read_view(page)
    st.set_page_config(page_title=SEPARATOR.join((name, *_names(state), "Prunescope")))
    note_watching(name)
    result = {"result": state.result.key} if state.result else {}
    with navigation:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Prunescope**", width="content")
            for label, target in FIRST_LINE.items():
                link_to(target, label, **(result if label == ONE_RESULT else {}))
        if state.result or page.subjects:
            with st.container(horizontal=True, vertical_alignment="center", key="navigation-views"):
                for view in VIEWS:
                    link_to(view, view, **result)
        # While the page is still being drawn.
        vega = f"import({json.dumps(VEGA)});" if VEGA else ""
        current = json.dumps(({ONE_RESULT: "true"} if name in VIEWS else {}) | {name: "page"})
        script = SCRIPT % (vega, SET_UP, current)
        st.html(script, width="content", unsafe_allow_javascript=True)
    if st.session_state.get("page-open") != name:
        st.session_state["page-open"], st.session_state[OPENED] = name, True
    if "result" in page.subjects and state.result is None:
        show_nothing((NO_PAIR if "other" in page.subjects else NO_RESULT) + MAKE_ONE, PRECOMPUTE)
        st.stop()
    return state
