"""Choose among hundreds of results: by words, by what they have in common, and then the result."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from core.request.catalog import METHODS
from core.results.choices import SEPARATOR, SOURCES, distinguishing_labels, matching, task_title
from core.results.library import Entry
from core.results.schema import SweepResult
from ui.address import choose, set_parameter, show
from ui.results import by_key
from ui.text import plain, remark
from ui.view_state import ANY, FILTERS, SEARCH, ViewState, passing, to_offer

BOXES: Mapping[str, tuple[str, Callable[[Entry], str]]] = {  # of each filter, its label and the names of its values
    "task": ("Task", lambda entry: task_title(entry.task)),
    "data": ("Examples", lambda entry: SOURCES[entry.source]),
    "checkpoint": ("Checkpoint", lambda entry: entry.name.rsplit(SEPARATOR, 2)[-2]),
    "method": ("Method", lambda entry: METHODS[entry.method].title),
}
FOR_MANY = ("checkpoint", "method")  # the filters that few results do not need
MANY = 24  # results, which a list shows at a glance
MAX_WORDS_CHARS = 100  # of a search


def caption_of(entry: Entry, *more: str) -> str:
    """Name what the numbers were measured on, once on a page: method, checkpoint, data and what else is chosen."""
    return plain(SEPARATOR.join((*reversed(entry.name.rsplit(SEPARATOR, 2)), *more)))


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
    left = found = _search(entries, on_show)
    names = [name for name in FILTERS if name not in FOR_MANY or _is_offered(name, found)]
    columns = [column for _ in names[::2] for column in st.columns(2)]
    for name, column in zip(names, columns, strict=False):
        with column:
            value = _choose_value(name, left, on_show, entries)
        left = [entry for entry in left if value in (ANY, FILTERS[name](entry))]
    return left


def _search(entries: Sequence[Entry], on_show: Sequence[Entry]) -> list[Entry]:
    """Ask for words where there are many results, and return those that have them, and those on show."""
    if len(entries) <= MANY:
        return list(entries)
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


def _is_offered(name: str, entries: Sequence[Entry]) -> bool:
    """Whether a filter helps, for there are many results that differ in it, or the address names a value."""
    return name in st.query_params or (len(entries) > MANY and len(set(map(FILTERS[name], entries))) > 1)


def _choose_value(name: str, left: Sequence[Entry], on_show: Sequence[Entry], entries: Sequence[Entry]) -> str:
    """Draw a filter's box: the values among the results that are left, or any; a link may name what is on show."""
    label, title = BOXES[name]
    titles = {ANY: "Any", **{FILTERS[name](entry): title(entry) for entry in entries}}
    values = {FILTERS[name](entry) for entry in on_show}
    common = values.pop() if len(values) == 1 else ANY
    starts_with_any = name == "method" or st.query_params.get(SEARCH)
    return choose(
        label,
        [*dict.fromkeys(map(FILTERS[name], left)), ANY],
        name,
        names=titles.__getitem__,
        default=ANY if starts_with_any else common,
        valid=(common, ANY) if on_show else (),
        then=partial(_show_what_passes, entries, name) if on_show else None,
    )


def _show_what_passes(entries: Sequence[Entry], changed: str) -> None:
    """Put results on show that pass the filters, of which the visitor has changed one."""
    left = passing(entries)
    if not left:  # the other filter lets none of these through
        for name in FILTERS.keys() - {changed}:
            set_parameter(name, None)
        left = passing(entries)
    if not left:  # nor does the search
        set_parameter(SEARCH, None)
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
    return by_key(choose(label, list(labels), parameter, names=labels.__getitem__, word="result", then=then))
