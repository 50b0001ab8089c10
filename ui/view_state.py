"""Which result is on show, and which one beside it: read once at the top of a page, and chosen in its boxes.

Both stand in the address from then on, whether a link named them or the page chose them, and the navigation carries
them to the next page (`ui.address.carried`). Nothing else remembers them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.errors import PrunescopeError
from core.request.catalog import METHODS
from core.results import library, store
from core.results.choices import SEPARATOR, SOURCES, counterpart, distinguishing_labels, matching, offered, task_title
from core.results.library import Entry
from core.results.names import name_of
from core.results.schema import SweepResult
from ui.address import carried, choose, note_in_vain, parameters_on_show, quoted, set_parameter, show
from ui.results import at_hand, by_key
from ui.text import plain, remark

ANY = "any"  # the value of a filter that lets every result pass
OWN, OWN_MODEL = "own", "model"  # in the Lab's address: its settings begin with a model of the visitor's own
NO_RESULT = "the settings for a new run"  # what the Lab shows then
SEARCH = "search"  # the parameter of the address that holds the words a visitor looks for
MAX_WORDS_CHARS = 100  # of a search
MANY = 24  # results, which a list shows at a glance
PAIR = ("sst2", "cola")  # the tasks of the published heatmaps, side by side


@dataclass(frozen=True)
class Filter:
    """A box that shortens a list of results; its name is that of its parameter.

    Attributes:
        label: Over the box.
        value: An entry's value.
        title: That value's name on screen.
        for_many: Whether few results do not need it.
    """

    label: str
    value: Callable[[Entry], str]
    title: Callable[[Entry], str]
    for_many: bool = False


FILTERS: Mapping[str, Filter] = {
    "task": Filter("Task", lambda entry: entry.task, lambda entry: task_title(entry.task)),
    "data": Filter("Examples", lambda entry: entry.source, lambda entry: SOURCES[entry.source]),
    "checkpoint": Filter(
        "Checkpoint", lambda entry: entry.checkpoint, lambda entry: entry.name.rsplit(SEPARATOR, 2)[-2], for_many=True
    ),
    "method": Filter("Method", lambda entry: entry.method, lambda entry: METHODS[entry.method].title, for_many=True),
}


@dataclass(frozen=True)
class ViewState:
    """What a page shows.

    Attributes:
        entries: The results at hand, those that the address names among them.
        result: The one on show; None where there is none.
        other: The one shown beside it; None on pages that show a single one.
    """

    entries: tuple[Entry, ...] = ()
    result: Entry | None = None
    other: Entry | None = None


# ---------------------------------------------------------------- what is on show


def one_result(prefer: Callable[[Entry], bool] = lambda entry: True) -> ViewState:
    """Read the result that the page shows: the address's, else the first at hand that the page prefers."""
    entries = _entries()
    if not entries:
        return ViewState()
    left = passing(to_offer(entries)) or to_offer(entries)
    return ViewState(entries, _on_show("result", entries, next(filter(prefer, left), left[0])))


def two_results() -> ViewState:
    """Read the two results that the page compares; without the address, the second is chosen for the first."""
    state = one_result()
    if state.result is None:
        return state
    among = to_offer(state.entries)
    left = passing(among) or among
    default = counterpart(state.result, left if len(left) > 1 else among)
    return ViewState(state.entries, state.result, default and _on_show("other", state.entries, default))


def result_if_asked() -> ViewState:
    """Read the result that the address names; the page has something else to show where it names none."""
    entries = _entries()
    return ViewState(entries, _on_show("result", entries, None))


def to_offer(entries: Sequence[Entry]) -> list[Entry]:
    """Return the whole sweeps, and what the address names."""
    return offered(entries, _keys_in_address())


def passing(entries: Sequence[Entry]) -> list[Entry]:
    """Return the results that pass the search and the filters in the address."""
    wanted = {name: value for name in FILTERS if (value := st.query_params.get(name)) not in (None, "", ANY)}
    found = matching(entries, st.query_params.get(SEARCH, ""))
    return [entry for entry in found if all(FILTERS[name].value(entry) == value for name, value in wanted.items())]


def _keys_in_address() -> list[str]:
    return [key for name in ("result", "other") if (key := st.query_params.get(name))]


def _entries() -> tuple[Entry, ...]:
    """List the results at hand, and those stored on the server that only a link names."""
    entries = at_hand()
    known = {entry.key for entry in entries}
    linked = (library.stored(key) for key in dict.fromkeys(_keys_in_address()) if key not in known)
    return (*entries, *filter(None, linked))


def _on_show(parameter: str, entries: Sequence[Entry], default: Entry | None) -> Entry | None:
    """Find the result that a parameter names, else the default; the address then holds what is shown."""
    key = st.query_params.get(parameter, "")
    shown = next((entry for entry in entries if entry.key == key), None)
    if key and shown is None:
        is_stored = store.find(key) is not None
        if is_stored:
            by_key(key)  # which shows its own error
        lack = "cannot be read" if is_stored else "is not stored here"
        note_in_vain(f"the result “{quoted(key)}”, which {lack}", short_name(default) if default else NO_RESULT)
    shown = shown or default
    set_parameter(parameter, shown.key if shown else None)
    if shown:
        parameters_on_show()[parameter] = shown.key
    return shown


# ---------------------------------------------------------------- names and links


def short_name(entry: Entry) -> str:
    """Name a result by its pruning and its task, for a line that has no room for more."""
    return f"{name_of(entry)}, {task_title(entry.task)}"


def caption_of(entry: Entry, *more: str) -> str:
    """Name what the numbers were measured on, once on a page: method, checkpoint, data and what else is chosen."""
    return plain(SEPARATOR.join((*reversed(entry.name.rsplit(SEPARATOR, 2)), *more)))


def link_parameters(page: str, **changes: str) -> dict[str, str]:
    """Return the parameters of a link to a page: what the address carries, unless the link changes it.

    To the Lab goes no result that a page has chosen, its own example or the first of the Overview, unless the link says
    so: a visitor who has chosen nothing finds the settings there, and so does one who comes with a model of their own.
    To Compare go both results, so that the first step back leaves it.
    """
    parameters = carried(**changes)
    result = parameters.get("result")
    if page == "Lab" and "result" in changes and "job" not in changes:
        parameters.pop("job", None)  # which would be shown in its place; the Lab leads back to a run that goes on
    elif page == "Lab" and "result" not in changes:
        by_pages = {entry.key for entry in (shipped_example(), *published_pair(at_hand())[:1]) if entry}
        if OWN in changes or result in by_pages:
            return {name: value for name, value in parameters.items() if name not in ("result", "other")}
    elif page == "Compare" and "other" not in parameters:
        entries = _entries()
        first = next((entry for entry in entries if entry.key == result), None)
        if beside := counterpart(first, to_offer(entries)) if first else None:
            return {**parameters, "other": beside.key}
    return parameters


def shipped_example() -> Entry | None:
    """Return the shipped result that is shown where nobody has asked for another one."""
    try:
        return next(iter(offered(library.shipped())), None)
    except PrunescopeError:
        return None


def published_pair(entries: Iterable[Entry], method: str = "") -> list[Entry]:
    """Return the results of both published tasks: by this method where it has both, else by the first that does.

    Both are of attention blocks, over all layers, of models with equally many: of the shipped ones, else of the
    visitor's own, the deepest. GLUE comes before written sentences.
    """
    found: dict[str, dict[tuple[bool, int], dict[str, Entry]]] = {}  # by method, by whose and how deep, by task
    for entry in sorted(entries, key=lambda entry: entry.source == "written"):
        is_whole = entry.scope in ("encoder", None) and all(point.endswith(".attention") for point in entry.points)
        if entry.task in PAIR and is_whole and entry.against is None and entry.until_damage is None:
            depth = store.is_shipped(entry.key), len(entry.points)
            found.setdefault(entry.method, {}).setdefault(depth, {}).setdefault(entry.task, entry)
    for name in (method, *METHODS):
        whole = {depth: sides for depth, sides in found.get(name, {}).items() if len(sides) == len(PAIR)}
        if whole:
            return [whole[max(whole)][task] for task in PAIR]
    return []


# ---------------------------------------------------------------- boxes


def shortlist(state: ViewState) -> list[Entry]:
    """Shorten the list of results that a page offers: see `narrowed`.

    Args:
        state: What the page shows, at least one result.

    Returns:
        The results that are left, those on show among them.
    """
    return narrowed(to_offer(state.entries), [entry for entry in (state.result, state.other) if entry])


def narrowed(entries: Sequence[Entry], on_show: Sequence[Entry] = ()) -> list[Entry]:
    """Draw boxes that shorten a list of results; where there are many, also a search, and more boxes.

    Most boxes start with what the results on show have in common, all of them with anything while the visitor searches.
    They put other results on show only when the visitor changes them.

    Args:
        entries: The list.
        on_show: The results that the page shows, which stay in the list.
    """
    left = found = _search(entries, on_show) if len(entries) > MANY else list(entries)
    differ = {name: len(found) > MANY and len(set(map(box.value, found))) > 1 for name, box in FILTERS.items()}
    names = [name for name, box in FILTERS.items() if not box.for_many or name in st.query_params or differ[name]]
    columns = [column for _ in names[::2] for column in st.columns(2)]
    for name, column in zip(names, columns, strict=False):
        box = FILTERS[name]
        titles = {ANY: "Any", **{box.value(entry): box.title(entry) for entry in entries}}
        common, *others = {box.value(entry) for entry in on_show} or {ANY}
        common = ANY if others else common
        with column:
            value = choose(
                box.label,
                {value: titles[value] for value in [*map(box.value, left), ANY]},
                name,
                default=ANY if name == "method" or st.query_params.get(SEARCH) else common,
                valid=(common, ANY) if on_show else (),  # a link may name what is on show
                then=partial(_show_what_passes, entries, name) if on_show else None,
            )
        left = [entry for entry in left if value in (ANY, box.value(entry))]
    return left


def _search(entries: Sequence[Entry], on_show: Sequence[Entry]) -> list[Entry]:
    """Ask for words, and return the results that have them, and those on show."""
    words = st.session_state[SEARCH] = st.query_params.get(SEARCH, "")[:MAX_WORDS_CHARS]
    st.text_input(
        "Search",
        key=SEARCH,
        placeholder="a checkpoint, a task, a method, a seed",
        max_chars=MAX_WORDS_CHARS,
        on_change=lambda: set_parameter(SEARCH, st.session_state[SEARCH].strip() or None),
    )
    found = matching(entries, words)
    if not found:
        remark("No result has these words in its name. All are listed.")
        return list(entries)
    kept = {entry.key for entry in (*found, *on_show)}
    return [entry for entry in entries if entry.key in kept]


def _show_what_passes(entries: Sequence[Entry], changed: str) -> None:
    """Put results on show that pass the filters, of which the visitor has changed one; else drop what is in the way."""
    left = passing(entries)
    for in_the_way in (FILTERS.keys() - {changed}, [SEARCH]):
        if not left:
            for name in in_the_way:
                set_parameter(name, None)
            left = passing(entries)
    keys = {entry.key for entry in left}
    if st.query_params.get("result") not in keys:
        show(left[0].key)
    elif st.query_params.get("other") not in keys:
        set_parameter("other", None)


def choose_result(
    label: str, state: ViewState, entries: Sequence[Entry], parameter: str = "result"
) -> SweepResult | None:
    """Ask for one of several results, by labels that distinguish them.

    Another result takes the other one out of the address where the two do not stand beside each other, since that was
    chosen for the one before, or where both would be the same.

    Args:
        label: Over the box.
        state: What the page shows.
        entries: The results to choose from, from `shortlist`.
        parameter: `result`, or `other` for the one beside it.

    Returns:
        The result; None if its file is damaged, which the page then says.
    """
    labels = distinguishing_labels(entries)

    def drop_other() -> None:
        if state.other is None or st.query_params.get("other") == st.query_params["result"]:
            set_parameter("other", None)

    then = drop_other if parameter == "result" else None
    return by_key(choose(label, labels, parameter, word="result", then=then))
