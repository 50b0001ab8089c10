"""The parameters of the address: all that a page shows stands there, so that a link or a reload opens the same view.

A widget is drawn from the address and writes into it before the page runs again. What a visitor has chosen stays in the
address even where it would be shown without: the default of the next page or of the next result may be another one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.findings.words.pages import FORMER, label_of
from ui.server import settle
from ui.text import plain

# Between pages go what all of them show, and the job that the visitor watches. A page's own choices stay there, such as
# a layer; so does the amount, where a shared link began and from which the player has long gone.
CARRIED = ("result", "other", "reduction", "job", "study")
OWN, OWN_MODEL = "own", "model"  # of the Lab: its settings begin with a model of the visitor's own
DECIDE = "decide"  # of the Lab: its settings are to decide a verdict that is inconclusive for this reason
MAX_QUOTED_CHARS = 24  # of a bad value in a note
SHOWN, BEFORE = "parameters-on-show", "parameters-before"  # of the session: a page's choices, defaults as well


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


def begin() -> None:
    """Begin a run of a page: nothing is on show yet, and notes about the address stand here."""
    st.session_state[BEFORE] = st.session_state.pop(SHOWN, {})
    if run := _RUN.get():
        run.notes = st.container()
    for parameter, value in FORMER.items():
        if st.query_params.get(parameter) == value:
            set_parameter(parameter, None)
        refuse(parameter)


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


def turn(keys: Sequence[str], step: int) -> None:
    """Step to the next or the previous of several results, from the last to the first and back.

    The step starts from the address, not from the result on show: a second key may come before the page has followed
    the first one.

    Args:
        keys: The results'.
        step: 1 or -1.
    """
    current = st.query_params.get("result", parameters_on_show().get("result"))
    show(keys[(keys.index(current) + step) % len(keys)] if current in keys else keys[0])


def carried(**changes: str) -> dict[str, str]:
    """Return the parameters that a link to another page carries.

    Args:
        changes: What the link changes, such as another `result`; without its own, `other` then goes. An empty one is
            not carried.
    """
    kept = {name: value for name in CARRIED if (value := st.query_params.get(name))}
    if changes.get("result", kept.get("result")) != kept.get("result"):
        kept.pop("other", None)
    return {name: value for name, value in {**kept, **changes}.items() if value}


def amount_in_address() -> float | None:
    """Read the pruning amount that a shared link shows; None if it names none, or a bad one."""
    try:
        amount = float(st.query_params.get("amount", ""))
    except ValueError:
        return None
    return amount if 0 <= amount < 1 else None


def parameters_on_show() -> dict[str, str]:
    """Return the parameters of the view on show, its defaults included, for a link that is to open the same one."""
    return st.session_state.setdefault(SHOWN, {})


def refuse(parameter: str, instead: str | None = None) -> None:
    """Put something else into the address in place of what cannot be shown; a note says so.

    What was on show goes without a note: another choice has left it without a meaning.
    """
    value, run = st.query_params.get(parameter), _RUN.get()
    if value and value != st.session_state.get(BEFORE, {}).get(parameter):
        quoted = plain(value[:MAX_QUOTED_CHARS])
        place = run.notes if run and run.notes else st
        place.info(f"The link asks for the {parameter} “{quoted}”, which is not available here.")
    set_parameter(parameter, instead)


# ---------------------------------------------------------------- choices


def read_choice(options: Collection[str], parameter: str, default: str) -> str:
    """Return the choice that the address holds, else the default; see `choose`, which also offers another one."""
    asked = st.query_params.get(parameter, "")
    if asked not in options:
        refuse(parameter)
    chosen = parameters_on_show()[parameter] = asked if asked in options else default
    return chosen


def choose(
    parameter: str, options: Mapping[str, str], default: str | None = None, *, label: str = "", segmented: bool = False
) -> str:
    """Offer a choice that the address holds.

    Args:
        parameter: The parameter of the address.
        options: The values that can be chosen, at least one, with their names on screen.
        default: The choice if the address names none; None for the first option.
        label: Over the choice; empty for the parameter's own.
        segmented: Show all options side by side instead of a select box.
    """
    chosen = read_choice(options, parameter, default if default and default in options else next(iter(options)))
    if len(options) > 1:
        offer(parameter, options, chosen, partial(set_parameter, parameter), label, segmented=segmented)
    return chosen


def offer(
    name: str,
    options: Mapping[str, str],
    chosen: str,
    write: Callable[[str], None],
    label: str = "",
    *,
    segmented: bool = False,
) -> None:
    """Offer other options than the one on show.

    Args:
        name: Of the choice.
        options: As in `choose`.
        chosen: The option on show.
        write: Called with what the visitor has chosen, before the page runs again.
        label: As in `choose`.
        segmented: As in `choose`.
    """

    def draw(place: DeltaGenerator) -> None:
        draw_choice = partial(place.segmented_control, required=True) if segmented else place.selectbox
        draw_choice(label or label_of(name), list(options), key=key, format_func=options.__getitem__, on_change=changed)

    def changed() -> None:
        if key == st.session_state[f"key-of-{name}"]:
            write(st.session_state[key])

    key = _widget_key(name, chosen)
    place, run = st.container(key=f"choice-{name}"), _RUN.get()
    if run is None:
        draw(place)
    else:
        run.waiting.append(partial(draw, place))


def _widget_key(name: str, chosen: str) -> str:
    """Set the widget of a choice to what is chosen, and return its key.

    Where something else has changed the choice, such as a link or a key on a stage, the widget gets a new key: a
    browser that has not drawn the change sends the old value with the next click, as if the visitor had chosen it.
    """
    key: str = st.session_state.get(f"key-of-{name}", f"choose-{name}")
    if st.session_state.get(key, chosen) != chosen:
        first, _, changes = key.partition(".")
        key = f"{first}.{int(changes or 0) + 1}"
    st.session_state[f"key-of-{name}"], st.session_state[key] = key, chosen
    return key
