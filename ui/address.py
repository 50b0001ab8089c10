"""The parameters of the address: a shared link opens the same view again, and a bad value leads to a note."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.text import plain

_WAITING: ContextVar[list[Callable[[], None]] | None] = ContextVar("choices that wait to be drawn", default=None)


@contextmanager
def picture_first() -> Iterator[None]:
    """Draw all choices made inside only at the end, each in its place.

    A browser draws elements in the order of their arrival, and a select box takes longer than a heatmap. The choice is
    known before its box is drawn, so no picture has to wait.
    """
    waiting: list[Callable[[], None]] = []
    token = _WAITING.set(waiting)
    try:
        yield
        for draw in waiting:
            draw()
    finally:
        _WAITING.reset(token)


def choose(
    label: str,
    options: Sequence[str],
    parameter: str,
    *,
    names: Callable[[str], str] = str,
    default: str | None = None,
    word: str = "",
    segmented: bool = False,
) -> str:
    """Offer a choice that the address holds, unless it is the default.

    Args:
        label: Over the choice.
        options: The values that can stand in the address, at least one.
        parameter: The parameter of the address.
        names: An option's name on screen.
        default: The choice if the address names none; None for the first option.
        word: The value's name in the note about a bad value; empty for the label in lower case.
        segmented: Show all options side by side instead of a select box.
    """

    def draw(place: DeltaGenerator) -> None:
        if segmented:
            place.segmented_control(label, options, key=key, format_func=names, required=True)
        else:
            place.selectbox(label, options, key=key, format_func=names)

    default = default if default is not None and default in options else options[0]
    key = f"choose-{parameter}"
    asked: str = st.query_params.get(parameter) or default
    if asked not in options:
        note_bad_parameter(word or label.lower(), asked)
        asked = default
    # The address has changed by itself (a link, Back, a reload), or another page has made Streamlit forget the widget.
    if st.session_state.get(f"{key}-asked") != asked or st.session_state.get(key) not in options:
        st.session_state[key] = asked
    chosen: str = st.session_state[key]
    st.session_state[f"{key}-asked"] = chosen
    set_parameter(parameter, None if chosen == default else chosen)
    place, waiting = st.container(), _WAITING.get()
    if waiting is None:
        draw(place)
    else:
        waiting.append(partial(draw, place))
    return chosen


def amount_in_address() -> float | None:
    """Read the pruning amount that a shared link shows; None if it names none, or a bad one."""
    try:
        amount = float(st.query_params.get("amount", ""))
    except ValueError:
        return None
    return amount if 0 <= amount < 1 else None


def set_parameter(parameter: str, value: str | None) -> None:
    """Write a parameter into the address; None takes it out."""
    if value is None:
        st.query_params.pop(parameter, None)
    elif st.query_params.get(parameter) != value:
        st.query_params[parameter] = value


def note_bad_parameter(word: str, value: str) -> None:
    """Say that the address asks for something that does not exist.

    Args:
        word: What the value is called on screen.
        value: The value in the address.
    """
    st.info(f"The address asks for the {word} “{plain(value[:80])}”, which does not exist here: this is the default.")
