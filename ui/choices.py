"""Choose among a hundred results: first the task and the source of the examples, then the result."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from core.results.choices import SEPARATOR, SOURCES, distinguishing_labels, task_title
from core.results.library import Entry
from core.results.schema import SweepResult
from ui.address import choose, set_parameter, show
from ui.results import by_key
from ui.text import plain
from ui.view_state import ANY, FILTERS, ViewState, passing, to_offer

BOXES: Mapping[str, tuple[str, Callable[[str], str]]] = {  # of each filter, its label and the names of its values
    "task": ("Task", task_title),
    "data": ("Examples", SOURCES.__getitem__),
}


def caption_of(entry: Entry, *more: str) -> str:
    """Name what the numbers were measured on, once on a page: method, checkpoint, data and what else is chosen."""
    return plain(SEPARATOR.join((*reversed(entry.name.rsplit(SEPARATOR, 2)), *more)))


def shortlist(state: ViewState) -> list[Entry]:
    """Draw two boxes, task and source of the examples, that shorten the list of results.

    They start with what the results on show have in common, and put others on show only when the visitor changes them.

    Args:
        state: What the page shows, at least one result.

    Returns:
        The results that are left, those on show among them.
    """
    entries = to_offer(state.entries)
    on_show = [entry for entry in (state.result, state.other) if entry]
    left = entries
    for name, column in zip(FILTERS, st.columns(len(FILTERS)), strict=True):
        with column:
            value = _choose_value(name, left, on_show, entries)
        left = [entry for entry in left if value in (ANY, FILTERS[name](entry))]
    return left


def _choose_value(name: str, left: Sequence[Entry], on_show: Sequence[Entry], entries: Sequence[Entry]) -> str:
    """Draw a filter's box: the values among the results that are left, or any; a link may name what is on show."""
    label, title = BOXES[name]
    values = {FILTERS[name](entry) for entry in on_show}
    default = values.pop() if len(values) == 1 else ANY
    return choose(
        label,
        [*dict.fromkeys(map(FILTERS[name], left)), ANY],
        name,
        names=lambda value: "Any" if value == ANY else title(value),
        default=default,
        valid=(default, ANY),
        then=partial(_show_what_passes, entries, name),
    )


def _show_what_passes(entries: Sequence[Entry], changed: str) -> None:
    """Put results on show that pass the filters, of which the visitor has changed one."""
    left = passing(entries)
    if not left:  # the other filter lets none of these through
        for name in FILTERS.keys() - {changed}:
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
    return by_key(choose(label, list(labels), parameter, names=labels.__getitem__, word="result", then=then))
