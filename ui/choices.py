"""Choose among a hundred results: first the task and the source of the examples, then the result."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.results.choices import SOURCES, distinguishing_labels, offered, task_title
from core.results.library import Entry
from core.results.schema import SweepResult
from ui.address import choose
from ui.results import by_key

ANY = "any"


def shortlist(entries: Sequence[Entry], parameters: Sequence[str] = ("result",)) -> list[Entry]:
    """Draw two boxes, task and source of the examples, that shorten the list of results.

    They start with what the results in the address have in common: a link needs only the key. Changing a box removes
    excluded results from the address.

    Args:
        entries: The available results, at least one.
        parameters: The address parameters that hold keys of results.

    Returns:
        The results that are left, at least one.
    """
    entries = offered(entries, [st.query_params.get(name, "") for name in parameters])
    known = {entry.key: entry for entry in entries}
    asked = [known[key] for name in parameters if (key := st.query_params.get(name, "")) in known]
    first, second = st.columns(2)
    with first:
        task = _choose_field("Task", "task", entries, asked, lambda entry: entry.task, task_title)
    left = [entry for entry in entries if task in (ANY, entry.task)]
    asked = [entry for entry in asked if entry in left]
    with second:
        source = _choose_field("Examples", "data", left, asked, lambda entry: entry.source, lambda name: SOURCES[name])
    left = [entry for entry in left if source in (ANY, entry.source)]
    for name in parameters:
        key = st.query_params.get(name, "")
        if key in known and known[key] not in left:
            del st.query_params[name]
    return left


def _choose_field(
    label: str,
    parameter: str,
    entries: Sequence[Entry],
    asked: Sequence[Entry],
    field: Callable[[Entry], str],
    title: Callable[[str], str],
) -> str:
    """Draw a box with the values of a field among the results, or any."""
    values = list(dict.fromkeys(map(field, entries)))
    defaults = {field(entry) for entry in asked or entries[:1]}
    return choose(
        label,
        [*values, ANY],
        parameter,
        names=lambda name: "Any" if name == ANY else title(name),
        default=defaults.pop() if len(defaults) == 1 else ANY,
    )


def choose_result(
    label: str, entries: Sequence[Entry], parameter: str = "result", default: str | None = None
) -> SweepResult | None:
    """Ask for one of several results, by labels that distinguish them.

    Args:
        label: Over the box.
        entries: The results, from `shortlist`.
        parameter: The parameter of the address.
        default: The key to start with where the address names none; None is the first.

    Returns:
        The result; None if its file is damaged, which the page then says.
    """
    labels = distinguishing_labels(entries)
    return by_key(choose(label, list(labels), parameter, names=lambda key: labels[key], default=default, word="result"))
