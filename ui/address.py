"""The parameters of the address: all that a page shows stands there, so that a link or a reload opens the same view.

A widget is drawn from the address and writes into it before the page runs again. What a visitor has chosen stays in the
address even where it would be shown without: the default of the next page or of the next result may be another one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.utils import LabelVisibility

from ui.server import settle
from ui.text import plain

# Between pages go what all of them show, and the job that the visitor watches. A page's own choices stay there, such as
# a layer or a filter; so does the amount, where a shared link began and from which the player has long gone.
CARRIED = ("result", "other", "reduction", "job")
MAX_QUOTED_CHARS = 24  # of a bad value in a note
SHOWN = "parameters-on-show"  # of the session: the choices of the page as it was drawn last, defaults as well


@dataclass
class _Run:
    """One run of a page: what is drawn at its end, and where notes about the address stand."""

    waiting: list[Callable[[], None]] = field(default_factory=list)
    notes: DeltaGenerator | None = None


_RUN: ContextVar[_Run | None] = ContextVar("the run of a page", default=None)


@contextmanager
def picture_first() -> Iterator[None]:
    """Draw all choices made inside only at the end, each in its place.

    A browser draws elements in the order of their arrival, and a select box takes longer than a heatmap. The choice is
    known before its box is drawn, so no picture has to wait.
    """
    run = _Run()
    token = _RUN.set(run)
    try:
        yield
        for draw in run.waiting:
            draw()
        settle()
    finally:
        _RUN.reset(token)


# ---------------------------------------------------------------- reading and writing


def set_parameter(parameter: str, value: str | None) -> None:
    """Write a parameter into the address; None takes it out."""
    if value is None:
        st.query_params.pop(parameter, None)
    elif st.query_params.get(parameter) != value:
        st.query_params[parameter] = value


def show(key: str) -> None:
    """Put another result on show; the one beside it goes, because it was chosen for the one before."""
    if st.query_params.get("result") != key:
        set_parameter("other", None)
    set_parameter("result", key)


def carried(**changes: str) -> dict[str, str]:
    """Return the parameters that a link to another page carries.

    Args:
        changes: What the link changes, such as another `result`; without its own, `other` then goes.
    """
    kept = {name: value for name in CARRIED if (value := st.query_params.get(name))}
    if changes.get("result", kept.get("result")) != kept.get("result"):
        kept.pop("other", None)
    return {**kept, **changes}


def is_asked(parameter: str, can_be_shown: bool, wish: str, instead: str) -> bool:
    """Whether the address asks for something that can be shown; what it asks for in vain goes, and a note says so.

    What the visitor has chosen on an earlier run goes without a note: another choice has left it without a meaning.

    Args:
        parameter: The parameter of the address.
        can_be_shown: Whether its value can be shown.
        wish: What a bad value asks for, and why that cannot be shown.
        instead: What is shown instead.
    """
    value, accepted = st.query_params.get(parameter), f"accepted-{parameter}"
    if not value:
        return False
    if can_be_shown:
        st.session_state[accepted] = value
        return True
    if st.session_state.get(accepted) != value:
        note_in_vain(wish, instead)
    set_parameter(parameter, None)
    return False


def amount_in_address() -> float | None:
    """Read the pruning amount that a shared link shows; None if it names none, or a bad one."""
    try:
        amount = float(st.query_params.get("amount", ""))
    except ValueError:
        return None
    return amount if 0 <= amount < 1 else None


def parameters_on_show() -> dict[str, str]:
    """Return the parameters of the view on show, its defaults included, for a link that is to open the same one."""
    known: dict[str, str] = st.session_state.setdefault(SHOWN, {})
    return known


# ---------------------------------------------------------------- notes


def notes_stand_here() -> None:
    """Keep a place for this run's notes about the address."""
    if run := _RUN.get():
        run.notes = st.container()


def note_in_vain(wish: str, instead: str) -> None:
    """Say that the link asks for something that cannot be shown.

    Args:
        wish: What it asks for, and why it cannot be shown.
        instead: What is shown.
    """
    run = _RUN.get()
    place = run.notes if run and run.notes else st
    place.info(f"The link asks for {plain(wish)}; showing {plain(instead)}.")


def quoted(value: str) -> str:
    """Return a value of the address, cut to what can be read at a glance."""
    return value if len(value) <= MAX_QUOTED_CHARS else f"{value[: MAX_QUOTED_CHARS // 2]}…"


# ---------------------------------------------------------------- choices


def read_choice(options: Collection[str], parameter: str, default: str, instead: str, word: str) -> str:
    """Return the choice that the address holds, else the default; see `choose`, which also offers another one."""
    value = st.query_params.get(parameter, "")
    wish = f"the {word} “{quoted(value)}”, which is not available here"
    return value if is_asked(parameter, value in options, wish, instead) else default


def choose(
    label: str,
    options: Mapping[str, str],
    parameter: str,
    *,
    default: str | None = None,
    word: str = "",
    segmented: bool = False,
    above: bool = False,
    valid: Collection[str] = (),
    then: Callable[[], None] | None = None,
) -> str:
    """Offer a choice that the address holds.

    Args:
        label: Over the choice.
        options: The values that can be chosen, at least one, with their names on screen.
        parameter: The parameter of the address.
        default: The choice if the address names none; None for the first option.
        word: The value's name in the note about a bad value; empty for the label in lower case.
        segmented: Show all options side by side instead of a select box.
        above: It stands right above the picture, where its label is only read aloud. Its room is kept until it is
            drawn, for the picture would move down otherwise.
        valid: The options that the address may name, where these are not all, since they follow from what is shown.
        then: Called once the visitor has chosen and the address is written, before the page runs again.
    """

    def draw(place: DeltaGenerator) -> None:
        if segmented:
            shown: LabelVisibility = "collapsed" if above else "visible"
            place.segmented_control(label, list(options), required=True, label_visibility=shown, **of_both)
        else:
            place.selectbox(label, list(options), **of_both)

    def write() -> None:
        if key == st.session_state[f"key-of-{parameter}"]:
            set_parameter(parameter, st.session_state[key])
            if then:
                then()

    first = default if default is not None and default in options else next(iter(options))
    chosen = read_choice(valid or options, parameter, first, options[first], word or label.lower())
    if not valid:
        parameters_on_show()[parameter] = chosen
    key = _widget_key(parameter, chosen)
    of_both: dict[str, Any] = {"key": key, "format_func": options.__getitem__, "on_change": write}
    place, run = st.container(key=f"above-{parameter}" if above else None), _RUN.get()
    if run is None:
        draw(place)
    else:
        run.waiting.append(partial(draw, place))
    return chosen


def _widget_key(parameter: str, chosen: str) -> str:
    """Set the widget of a choice to what is chosen, and return its key.

    Where something else has changed the choice, such as a link or a key on a stage, the widget gets a new key: a
    browser that has not drawn the change sends the old value with the next click, as if the visitor had chosen it.
    """
    key: str = st.session_state.get(f"key-of-{parameter}", f"choose-{parameter}")
    if st.session_state.get(key, chosen) != chosen:
        name, _, changes = key.partition(".")
        key = f"{name}.{int(changes or 0) + 1}"
    st.session_state[f"key-of-{parameter}"], st.session_state[key] = key, chosen
    return key
