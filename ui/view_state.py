"""Which result is on show, and which one beside it: read once at the top of a page, and chosen in its boxes.

A visitor's choice stands in the address, and links carry it to the next page (`ui.address.carried`). Nothing else
remembers it: without one, every page shows its default.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.findings.choices import SEPARATOR, counterpart, is_of_model, offered, shown_first
from core.findings.words.choices import BOXES, distinguishing_labels, numbered_apart
from core.results.cut import CutStudy
from core.results.library import CutEntry, Entry, entry_of
from core.results.names import name_of
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import offer, parameters_on_show, set_parameter, show
from ui.results import at_hand, by_key, studies_at_hand, study_by_key

OWN, OWN_MODEL = "own", "model"  # in the Lab's address: its settings begin with a model of the visitor's own
DECIDE = "decide"  # in the Lab's address: its settings are to decide a verdict that is inconclusive for this reason


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
    beside = counterpart(once(entry_of, state.result), state.offered) if state.result else None
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
    linked = [once(entry_of, study)] if study and study.key not in {entry.key for entry in studies} else []
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
    labels = numbered_apart([entry.name.rpartition(SEPARATOR)[0] for entry in state.studies])
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
    linked = [once(entry_of, shown) for shown in (result, other) if shown and shown.key not in known]
    return ViewState((*entries, *linked), result, other)


def choose_result(state: ViewState, label: str = "") -> list[Entry]:
    """Offer other results than the one on show.

    Returns:
        Those that share with it what stands in the boxes above the list.
    """
    own, left = once(entry_of, state.shown), state.offered
    for box, of in BOXES.items():
        values = {value: value for value in map(of, left)}
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
