"""The address: it holds all that a page shows, so that a link or a reload opens the same view.

A widget is drawn from the address and writes into it before the page runs again. What a visitor has
chosen stays in the address even if it equals the default, because the next page or result may have
another default.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.charts.view import frame_of
from core.request.pages import CARRIED, MAX_QUOTED_CHARS, PAGES, REFUSED, Choice
from core.results.names import amount_name
from ui.server import settle
from ui.text import plain

# On the Lab: the settings begin with the visitor's own model.
OWN, OWN_MODEL = "own", "model"
# On the Lab: why a verdict is inconclusive; the settings begin with what may decide it.
DECIDE = "decide"
# In the session: all choices on show, defaults included.
SHOWN, BEFORE = "parameters-on-show", "parameters-before"


@dataclass
class _Run:
    """One run of a page: what is drawn at its end, and where notes about the address stand."""

    waiting: list[Callable[[], None]] = field(default_factory=list)
    notes: DeltaGenerator = field(default_factory=DeltaGenerator)


_RUN: ContextVar[_Run] = ContextVar("the run of a page")


@contextmanager
def picture_first() -> Iterator[None]:
    """Run a page, and draw its choices only at the end, each in its place.

    A browser draws elements in the order of their arrival, and a select box takes longer than a
    heatmap. The choice is known before its box is drawn, so no picture has to wait.
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
    _RUN.get().notes = st.container()


# ---------------------------------------------------------------- reading and writing


def set_parameter(parameter: str, value: str | None) -> None:
    """Write a parameter into the address, or remove it if the value is None."""
    if value is None:
        st.query_params.pop(parameter, None)
    elif st.query_params.get(parameter) != value:
        st.query_params[parameter] = value


def show(key: str) -> None:
    """Show another result; the one beside it goes, because it was chosen for the previous one."""
    if st.query_params.get("result") != key:
        set_parameter("other", None)
    set_parameter("result", key)


def carried(**changes: str) -> dict[str, str]:
    """Return the parameters that a link to another page carries.

    Args:
        changes: Values that replace those of the address; an empty one is left out. With another
            `result` and no `other`, the result beside it goes.
    """
    address = st.query_params
    kept = {name: address[name] for name in CARRIED if name in address}
    if changes.get("result") not in (None, kept.get("result")):
        kept.pop("other", None)
    return {name: value for name, value in {**kept, **changes}.items() if value}


def link_to(page: str, label: str, icon: str | None = None, **parameters: str) -> None:
    """Link to a page, which shows the same results and the job that this visitor watches.

    Args:
        page: Its name in the navigation.
        label: The link's text.
        icon: The icon before it.
        parameters: Values that replace those of the address.
    """
    st.page_link(
        PAGES[page].file,
        label=label,
        icon=icon,
        query_params=carried(**parameters),
    )


def amount_in_address(default: float | None = None) -> float | None:
    """Return the pruning amount or training step in a shared link, else the default."""
    try:
        amount = float(st.query_params.get("amount", ""))
    except ValueError:
        return default
    return amount if 0 <= amount < 1e9 else default  # finite


def choose_amount(
    amounts: Sequence[float],
    key: str,
    default: float | None = None,
) -> float:
    """Offer amounts, beginning with that in a shared link, else the default or the middle."""
    first = frame_of(amounts, amount_in_address(default))
    return st.selectbox("Amount", amounts, first, amount_name, key, width=180)


def parameters_on_show() -> dict[str, str]:
    """Return the parameters of the view on show, defaults included."""
    return st.session_state.setdefault(SHOWN, {})


def refuse(parameter: str) -> None:
    """Remove an invalid parameter; report it unless another choice made it meaningless."""
    value = st.query_params.get(parameter)
    if value and value != st.session_state.get(BEFORE, {}).get(parameter):
        _RUN.get().notes.info(REFUSED.format(parameter, plain(value[:MAX_QUOTED_CHARS])))
    set_parameter(parameter, None)


# ---------------------------------------------------------------- choices


def read_choice(choice: Choice, options: Mapping[str, str]) -> str:
    """Return the value of a choice that the address holds, else the default."""
    value = st.query_params.get(choice.name, "")
    if value not in options:
        refuse(choice.name)
        value = choice.default or next(iter(options))
    parameters_on_show()[choice.name] = value
    return value


def choose(choice: Choice, options: Mapping[str, str] | None = None) -> str:
    """Offer a choice that the address holds, and return its value.

    Args:
        choice: A row of a page in `core.request.pages`.
        options: The values, at least one, with their names on screen; None for the choice's own.
    """
    options = options or choice.options
    value = read_choice(choice, options)
    if len(options) > 1:
        offer(choice, options, value)
    return value


def offer(
    choice: Choice,
    options: Mapping[str, str],
    value: str,
    write: Callable[[str], None] | None = None,
) -> None:
    """Offer other options than the one on show.

    Args:
        choice: Its name, its label, and how it is shown.
        options: See `choose`.
        value: The option on show.
        write: Called with what the visitor has chosen, before the page runs again; None writes it
            into the address.
    """
    write = write or partial(set_parameter, choice.name)

    def draw(place: DeltaGenerator) -> None:
        segmented = partial(place.segmented_control, required=True)
        draw_choice = segmented if choice.is_segmented else place.selectbox
        draw_choice(
            choice.label,
            list(options),
            key=key,
            format_func=options.__getitem__,
            on_change=changed,
        )

    def changed() -> None:
        if key == st.session_state[f"key-of-{choice.name}"]:
            write(st.session_state[key])

    key = _widget_key(choice.name, value)
    _RUN.get().waiting.append(partial(draw, st.container(key=f"choice-{choice.name}")))


def _widget_key(name: str, value: str) -> str:
    """Set the widget of a choice to the value on show, and return its key.

    Where something else has changed the choice, such as a link or a key on a stage, the widget gets
    a new key: a browser that has not drawn the change sends the old value with the next click, as
    if the visitor had chosen it.
    """
    key: str = st.session_state.get(f"key-of-{name}", f"choose-{name}")
    if st.session_state.get(key, value) != value:
        first, _, changes = key.partition(".")
        key = f"{first}.{int(changes or 0) + 1}"
    st.session_state[f"key-of-{name}"], st.session_state[key] = key, value
    return key
