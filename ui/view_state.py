"""Which result is on show, and which one beside it: read once at the top of a page, the same way on every page.

Both stand in the address from then on, whether a link named them or the page chose them, and the navigation carries
them to the next page (`ui.address.carried`). Nothing else remembers them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import PrunescopeError
from core.results import library, store
from core.results.choices import counterpart, matching, offered, task_title
from core.results.library import Entry
from core.results.names import name_of
from ui.address import carried, note_in_vain, parameters_on_show, quoted, set_parameter
from ui.published_pair import published_pair
from ui.results import at_hand, by_key

ANY = "any"  # the value of a filter that lets every result pass
OWN, OWN_MODEL = "own", "model"  # in the Lab's address: its settings begin with a model of the visitor's own
NO_RESULT = "the settings for a new run"  # what the Lab shows then
SEARCH = "search"  # the parameter of the address that holds the words a visitor looks for
FILTERS: dict[str, Callable[[Entry], str]] = {
    "task": lambda entry: entry.task,
    "data": lambda entry: entry.source,
    "checkpoint": lambda entry: entry.checkpoint,
    "method": lambda entry: entry.method,
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


def no_result() -> ViewState:
    """Read nothing: the page shows no result."""
    return ViewState()


def one_result(prefer: Callable[[Entry], bool] = lambda entry: True) -> ViewState:
    """Read the result that the page shows: the address's, else the first at hand that the page prefers."""
    entries = _entries()
    if not entries:
        return ViewState()
    left = _to_choose_from(entries)
    return ViewState(entries, _on_show("result", entries, next(filter(prefer, left), left[0])))


def two_results() -> ViewState:
    """Read the two results that the page compares; without the address, the second is chosen for the first."""
    state = one_result()
    if state.result is None:
        return state
    left = _to_choose_from(state.entries)
    default = counterpart(state.result, left if len(left) > 1 else to_offer(state.entries))
    return ViewState(state.entries, state.result, default and _on_show("other", state.entries, default))


def result_if_asked() -> ViewState:
    """Read the result that the address names; the page has something else to show where it names none."""
    entries = _entries()
    return ViewState(entries, _on_show("result", entries, None))


def link_parameters(page: str, **changes: str) -> dict[str, str]:
    """Return the parameters of a link to a page: what the address carries, unless the link changes it.

    To the Lab goes no result that a page has chosen, its own example or the first of the Overview, unless the link says
    so: a visitor who has chosen nothing finds the settings there, and so does one who comes with a model of their own.
    To Compare go both results, so that the first step back leaves it.
    """
    parameters = carried(**changes)
    if page == "Lab" and "result" in changes and "job" not in changes:
        parameters.pop("job", None)  # which would be shown in its place; the Lab leads back to a run that goes on
    result = parameters.get("result")
    if page == "Lab" and "result" not in changes and (OWN in changes or (result and result in _chosen_by_pages())):
        return {name: value for name, value in parameters.items() if name not in ("result", "other")}
    if page == "Compare" and "other" not in parameters and (beside := _beside(result or "")):
        return {**parameters, "other": beside.key}
    return parameters


def shipped_example() -> Entry | None:
    """Return the shipped result that is shown where nobody has asked for another one."""
    try:
        return next(iter(offered(library.shipped())), None)
    except PrunescopeError:
        return None


def _chosen_by_pages() -> set[str]:
    """Return the keys of the results that pages show to who has chosen none."""
    return {entry.key for entry in (shipped_example(), *published_pair(at_hand())[:1]) if entry}


def _beside(key: str) -> Entry | None:
    """Return the result that another one is compared with where no filter limits the choice; None if there is none."""
    entries = _entries()
    result = next((entry for entry in entries if entry.key == key), None)
    return counterpart(result, to_offer(entries)) if result else None


def _keys_in_address() -> list[str]:
    """Return the keys that the address names, known or not."""
    return [key for name in ("result", "other") if (key := st.query_params.get(name))]


def short_name(entry: Entry) -> str:
    """Name a result by its pruning and its task, for a line that has no room for more."""
    return f"{name_of(entry)}, {task_title(entry.task)}"


def to_offer(entries: Sequence[Entry]) -> list[Entry]:
    """Return the whole sweeps, and what the address names."""
    return offered(entries, _keys_in_address())


def passing(entries: Sequence[Entry]) -> list[Entry]:
    """Return the results that pass the search and the filters in the address."""
    wanted = {name: value for name in FILTERS if (value := st.query_params.get(name)) not in (None, "", ANY)}
    found = matching(entries, st.query_params.get(SEARCH, ""))
    return [entry for entry in found if all(FILTERS[name](entry) == value for name, value in wanted.items())]


def _entries() -> tuple[Entry, ...]:
    """List the results at hand, and those stored on the server that only a link names."""
    entries = at_hand()
    known = {entry.key for entry in entries}
    linked = (library.stored(key) for key in dict.fromkeys(_keys_in_address()) if key not in known)
    return (*entries, *(entry for entry in linked if entry is not None))


def _to_choose_from(entries: Sequence[Entry]) -> list[Entry]:
    """Return the results among which a default is chosen: those that pass the filters, if there are any."""
    among = to_offer(entries)
    return passing(among) or among


def _on_show(parameter: str, entries: Sequence[Entry], default: Entry | None) -> Entry | None:
    """Find the result that a parameter names, else the default; the address then holds what is shown."""
    key = st.query_params.get(parameter, "")
    named = next((entry for entry in entries if entry.key == key), None)
    if key and named is None:
        note_in_vain(f"the result “{quoted(key)}”, which {_lack(key)}", short_name(default) if default else NO_RESULT)
    shown = named or default
    set_parameter(parameter, shown.key if shown else None)
    if shown:
        parameters_on_show()[parameter] = shown.key
    return shown


def _lack(key: str) -> str:
    """Say why a result cannot be shown; of a damaged file, its own error as well."""
    if store.find(key) is None:
        return "is not stored here"
    by_key(key)
    return "cannot be read"
