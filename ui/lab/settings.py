"""What the settings of the Lab begin with, how they are reset, and the fields that several steps share."""

from collections.abc import Mapping, Sequence
from os.path import expanduser, isdir
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.request.limits import is_hosted

FOLDER = "folder"  # a choice after which a path has to be typed; no name of the catalog
WITH_CONTROL = "with-control"
SHOWN_MAX_CHARS = 120  # of what was typed, in a message
_DRAWN, _KEPT = "lab-drawn-settings", "lab-kept-settings"  # of the session, by key: of this run and of the one before
_ABOUT = "lab-settings-about"  # of the session: the data that were asked about last


def forget_settings(kept: Sequence[str] = ()) -> None:
    """Reset the widgets to what `ui.lab.selectors.choose_sweep` is told to show.

    Args:
        kept: Prefixes of the settings that stay as they are.
    """
    keys = st.session_state.get("lab-settings", set())
    for key in [key for key in keys if not key.startswith(tuple(f"lab-{name}" for name in kept))]:
        keys.discard(key)
        for drawn in (_KEPT, _DRAWN):
            st.session_state.get(drawn, {}).pop(key, None)
        if key in st.session_state:
            del st.session_state[key]


def forget_if_other(data: str, names: Sequence[str]) -> None:
    """Reset what was said of other data, for the same words may mean something else.

    Args:
        data: The data on show.
        names: Prefixes of the settings that are about them.
    """
    if st.session_state.get(_ABOUT, data) != data:
        keys = st.session_state.get("lab-settings", set())
        about = tuple(f"lab-{name}" for name in names)
        forget_settings(kept=[key.removeprefix("lab-") for key in keys if not key.startswith(about)])
    st.session_state[_ABOUT] = data


def begin(name: str, value: Any) -> str:
    """Set a widget's first value and return its key.

    After a look at another page it is the last one: Streamlit forgets what a widget holds that a page has not drawn.
    """
    key = f"lab-{name}"
    st.session_state.setdefault("lab-settings", set()).add(key)
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(_KEPT, {}).get(key, value)
    st.session_state.setdefault(_DRAWN, {})[key] = st.session_state[key]
    return key


def keep_settings() -> None:
    """Keep what was drawn last, at the start of a page; what was not drawn then begins anew."""
    st.session_state[_KEPT] = st.session_state.pop(_DRAWN, {})


def begun(name: str, value: Any) -> dict[str, Any]:
    """Set a widget's first value; return its key and its value, as the widget takes them.

    A browser that has not yet drawn the widget when the page runs again draws it with the value that it is given, and
    sends that as if the visitor had chosen it. The state alone would be lost: a slider would stand at its least value.
    """
    key = begin(name, value)
    return {"key": key, "value": st.session_state[key]}


def begin_with_control(wanted: bool) -> None:
    """After `forget_settings`, say whether the settings ask for the random control as well."""
    begin(WITH_CONTROL, wanted)


def choose_setting(
    label: str,
    names: Mapping[str, str],
    chosen: str | None,
    name: str,
    note: str | None = None,
    guess: str | None = None,
) -> str:
    """Draw a select box that starts with `chosen`, or with its first option if that is not among them.

    Args:
        label: Over the box.
        names: The options, by their names on screen.
        chosen: The option to start with.
        name: The setting.
        note: Its help.
        guess: An option that is marked as guessed while it is chosen.
    """
    first = chosen if chosen is not None and chosen in names else next(iter(names))
    key = begin(name, first)
    if st.session_state[key] not in names:
        st.session_state[key] = first
    marked = guessed(label, st.session_state[key] == guess)
    options = list(names)
    index = options.index(st.session_state[key])  # see `begun`
    return st.selectbox(marked, options, index, format_func=lambda option: names[option], key=key, help=note)


def guessed(label: str, is_guess: bool) -> str:
    """Mark a field whose value was guessed and not changed since."""
    return f"{label} (guessed)" if is_guess else label


def folder_option(name: str) -> dict[str, str]:
    """Offer a folder as one more choice; a hosted server has none to offer."""
    return {} if is_hosted() else {FOLDER: name}


def type_folder(label: str, value: str, name: str) -> str:
    """Ask for the path of a folder."""
    typed: str = st.text_input(label, placeholder="a path on this computer", **begun(name, value))
    return typed


def existing_folder(typed: str, what: str) -> str:
    """Check a typed folder; without the check, other text would be taken for an id on the Hub.

    Args:
        typed: The path.
        what: What the folder holds, for the message.

    Raises:
        PrunescopeError: Nothing was typed, or there is no such folder.
    """
    path = Path(expanduser(typed.strip()))  # Path's own fails at the name of a user who does not exist
    if not typed.strip():
        raise PrunescopeError(f"Enter the path of your {what} folder")
    if not isdir(path):
        shown = typed.strip()[:SHOWN_MAX_CHARS]
        raise PrunescopeError(f"'{shown}' is not a folder on this computer: enter the path of your {what} folder")
    return str(path)
