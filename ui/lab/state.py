"""The Lab's one record of a visit, and the fields that its settings are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import expanduser, isdir
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.jobs.job import Job
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest

FOLDER = "folder"  # a choice after which a path has to be typed; no name of the catalog
SHOWN_MAX_CHARS = 120  # of what was typed, in a message


@dataclass
class Lab:
    """What the Lab remembers.

    Attributes:
        follows: What the settings follow: a job's id, a result's key, `ui.view_state.OWN_MODEL`, or nothing.
        begins: What they begin with instead, and whether with the control: a preset, or a result that was deleted.
        settings: What each widget held when it was drawn last, and the uploaded file, by key.
        about: The data that the columns and meanings among them are about.
        ended: A run that ended in vain while the result on show was.
        said: What is still to be said of a run that ended before its controls.
        estimates: How long runs would take, in words.
        estimate: The job that measures it.
    """

    follows: str = ""
    begins: tuple[SweepRequest, bool] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    ended: Job | None = None
    said: str = ""
    estimates: dict[object, str] = field(default_factory=dict)
    estimate: str = ""

    def follow(self, shown: str) -> None:
        """Let the settings begin anew where something else is on show."""
        if self.follows != shown:
            self.follows, self.begins, self.ended = shown, None, None
            self.forget()

    def forget(self, names: Sequence[str] = ("",), kept: Sequence[str] = ()) -> None:
        """Let settings begin anew, by the beginnings of their names; some are kept."""
        forgotten, remaining = ([f"lab-{name}" for name in among] for among in (names, kept))
        for key in list(self.settings):
            if key.startswith(tuple(forgotten)) and not key.startswith(tuple(remaining)):
                del self.settings[key]
                st.session_state.pop(key, None)


def lab() -> Lab:
    """Return this visit's record."""
    record: Lab = st.session_state.setdefault("lab", Lab())
    return record


@dataclass
class Asked:
    """What the settings ask for.

    Attributes:
        fields: Of a request, as far as they are known.
        refusals: What is missing or invalid, the first first.
        with_control: Whether the method's random control is to be computed after it.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    with_control: bool = False

    def read(self, name: str, value: Callable[[], Any]) -> None:
        """Set a field to what was typed, or note why it cannot be."""
        try:
            self.fields[name] = value()
        except PrunescopeError as error:
            self.refusals.append(str(error))

    def request(self) -> SweepRequest:
        """Make the request.

        Raises:
            PrunescopeError: Something is missing or invalid.
        """
        if self.refusals:
            raise PrunescopeError(self.refusals[0])
        return SweepRequest(**self.fields)


# ---------------------------------------------------------------- fields


def begin(name: str, value: Any) -> str:
    """Set a widget's first value and return its key; where it was drawn before, it goes on with what it held then.

    Streamlit forgets what a widget holds that a page has not drawn.
    """
    key, settings = f"lab-{name}", lab().settings
    if key not in st.session_state:
        st.session_state[key] = settings.get(key, value)
    settings[key] = st.session_state[key]
    return key


def begun(name: str, value: Any) -> dict[str, Any]:
    """Set a widget's first value; return its key and its value, as the widget takes them.

    A browser that has not yet drawn the widget when the page runs again draws it with the value that it is given, and
    sends that as if the visitor had chosen it. The state alone would be lost: a slider would stand at its least value.
    """
    key = begin(name, value)
    return {"key": key, "value": st.session_state[key]}


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
    options = list(names)
    first = chosen if chosen in names else options[0]
    key = begin(name, first)
    if st.session_state[key] not in names:
        st.session_state[key] = first
    marked = guessed(label, st.session_state[key] == guess)
    index = options.index(st.session_state[key])  # see `begun`
    return st.selectbox(marked, options, index, format_func=names.__getitem__, key=key, help=note)


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
    typed = typed.strip()
    if not typed:
        raise PrunescopeError(f"Enter the path of your {what} folder")
    path = Path(expanduser(typed))  # Path's own fails at the name of a user who does not exist
    if not isdir(path):
        shown = typed[:SHOWN_MAX_CHARS]
        raise PrunescopeError(f"'{shown}' is not a folder on this computer: enter the path of your {what} folder")
    return str(path)
