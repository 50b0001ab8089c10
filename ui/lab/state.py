"""The Lab's one record of a visit, and the fields that its settings are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.inputs.checkpoints import config_at_hand
from core.jobs.job import Job
from core.request.catalog import CHECKPOINTS
from core.request.controls import every_method, judged_beside
from core.request.sweep_request import MAX_CHARACTERS, SweepRequest


@dataclass
class Lab:
    """What the Lab remembers.

    Attributes:
        follows: What the settings follow: a job's id, a result's key, `ui.address.OWN_MODEL`, or nothing.
        settings: What each widget held when it was drawn last, and the uploaded file, by key.
        about: The data that the columns and meanings among them are about.
        ended: A run that failed or was cancelled, of which the page says so while it shows the same.
    """

    follows: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    ended: Job | None = None

    def follow(self, shown: str) -> None:
        """Let the settings begin anew where something else is on show."""
        if self.follows != shown:
            self.follows, self.ended = shown, None
            self.forget("")

    def forget(self, *names: str) -> None:
        """Let settings begin anew, by the beginnings of their names."""
        for key in list(self.settings):
            if key.startswith(tuple(f"lab-{name}" for name in names)):
                del self.settings[key]
                st.session_state.pop(key, None)


def lab() -> Lab:
    """Return this visit's record."""
    # No element bears this name: Streamlit would drop the record with the element.
    return st.session_state.setdefault("lab-record", Lab())


@dataclass
class Asked:
    """What the settings ask for.

    Attributes:
        fields: Of a request, as far as they are known.
        missing: What has still to be said, in sentences.
        with_control: Whether the method's random control is to be computed after it.
        every: Whether all methods are to be run, one after another.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    with_control: bool = False
    every: bool = False

    def sweeps(self) -> tuple[SweepRequest, ...]:
        """Return what is to be run, in its order.

        Raises:
            PrunescopeError: Something has still to be said, or the fields are refused.
        """
        if self.missing:
            raise PrunescopeError(self.missing[0])
        request = SweepRequest.from_json(self.fields)
        if self.every:
            is_known = request.checkpoint in CHECKPOINTS  # all of them have every method
            return every_method(request, "" if is_known else config_at_hand(request.checkpoint)[0]["model_type"])
        return (request, *(judged_beside(request) if self.with_control else ()))


def begun(name: str, value: Any, takes: str = "value") -> dict[str, Any]:
    """Set a widget's first value; return its key and its value, as the widget takes them.

    Where it was drawn before, it goes on with what it held then: Streamlit forgets what a widget holds that a page has
    not drawn. A browser that has not yet drawn the widget when the page runs again draws it with the value that it is
    given, and sends that as if the visitor had chosen it. The state alone would be lost.

    Args:
        name: The setting.
        value: Its first value.
        takes: How the widget calls its value.
    """
    key, settings = f"lab-{name}", lab().settings
    if key not in st.session_state:
        st.session_state[key] = settings.get(key, value)
    settings[key] = st.session_state[key]
    return {"key": key, takes: st.session_state[key]}


def type_setting(label: str, name: str, first: str, **options: Any) -> str:
    """Draw a text field; return what is typed, without the space around it.

    Args:
        label: Over the field.
        name: The setting.
        first: Its first text.
        options: Of the field, as Streamlit takes them.
    """
    typed: str = st.text_input(label, max_chars=MAX_CHARACTERS, **begun(name, first), **options)
    return typed.strip()


def choose_setting(label: str, names: Mapping[str, str], chosen: str | None, name: str, note: str | None = None) -> str:
    """Draw a select box that starts with `chosen`, or with its first option if that is not among them.

    Args:
        label: Over the box.
        names: The options, with their names on screen.
        chosen: The option to start with.
        name: The setting.
        note: Its help.
    """
    options = list(names)
    held = begun(name, chosen)
    key, index = held["key"], next((options.index(str(name)) for name in (held["value"], chosen) if name in names), 0)
    st.session_state[key] = options[index]
    return st.selectbox(label, options, index, format_func=names.__getitem__, key=key, help=note)
