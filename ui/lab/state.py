"""The Lab's record of a visit, the draft of a run, and the widgets of its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.errors import PrunescopeError
from core.inputs.checkpoints import config_at_hand
from core.jobs.job import Job
from core.request.catalog import CHECKPOINTS
from core.request.controls import every_method, judged_beside
from core.request.sweep_request import MAX_CHARACTERS, Request, SweepRequest


@dataclass
class Lab:
    """The Lab's record of a visit.

    Attributes:
        follows: What the settings belong to: a job's id, a result's key, `ui.address.OWN_MODEL`, or
            nothing.
        keys: The session keys of the settings, which Streamlit keeps while their widgets are not
            drawn.
        file: The uploaded table, as a request names it; Streamlit forgets files while another page
            is open.
        about: The data that the chosen columns and meanings belong to.
        ended: A run that failed or was cancelled; the page says so until something else is on show.
    """

    follows: str = ""
    keys: set[str] = field(default_factory=set)
    file: str = ""
    about: str = ""
    ended: Job | None = None

    def follow(self, owner: str) -> None:
        """Reset the settings if they belong to something else."""
        if self.follows != owner:
            self.follows = owner
            self.ended = None
            self.file = ""
            self.forget("")

    def forget(self, *names: str) -> None:
        """Reset the settings whose names begin like this."""
        for key in [
            key for key in self.keys if key.startswith(tuple(f"lab-{name}" for name in names))
        ]:
            self.keys.remove(key)
            st.session_state.pop(key, None)

    def fill(self, name: str, value: Any) -> None:
        """Give a setting a value."""
        self.keys.add(f"lab-{name}")
        st.session_state[f"lab-{name}"] = value


def lab() -> Lab:
    """Return this visit's record."""
    # The key is no element's: Streamlit would drop the record with the element.
    return st.session_state.setdefault("lab-record", Lab())


@dataclass
class Draft:
    """The run that the settings describe so far.

    Attributes:
        fields: The known fields of its request.
        missing: What the visitor has still to do, one sentence each.
        rows: The numbers of labelled rows and of those without a label, where they are known.
        with_control: Whether the method's random control follows.
        every: Whether to run every method, one after another, the request's first.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    rows: tuple[int, int] | None = None
    with_control: bool = False
    every: bool = False

    def checked(self, kind: type[Request]) -> Request:
        """Return the request that the fields describe.

        Raises:
            PrunescopeError: Something is missing, or a field is refused.
        """
        if self.missing:
            raise PrunescopeError(self.missing[0])
        return kind.from_json(self.fields)

    def sweeps(self) -> tuple[SweepRequest, ...]:
        """Return the sweeps to run, in order; see `checked`."""
        request = self.checked(SweepRequest)
        sweeps: tuple[SweepRequest, ...] = (request,)
        if self.every:
            is_known = request.checkpoint in CHECKPOINTS  # all of these have every method
            sweeps = every_method(
                request,
                "" if is_known else config_at_hand(request.checkpoint)["model_type"],
            )
        return (*sweeps, *(judged_beside(request) if self.with_control else ()))


def setting(name: str, first: Any, takes: str = "value") -> dict[str, Any]:
    """Return the arguments of a setting's widget that hold its value.

    The value is passed as well as kept in the session: a browser that has not drawn the widget yet
    when the page runs again draws it with the value that it is passed, and sends that as the
    visitor's choice.

    Args:
        name: The setting.
        first: Its first value.
        takes: The widget's own name for its value.
    """
    key = f"lab-{name}"
    if key not in st.session_state:
        lab().fill(name, first)
    return {"key": key, takes: st.session_state[key], "persist_state": "session"}


def type_setting(label: str, name: str, first: str, **options: Any) -> str:
    """Draw a text field, and return its text without the space around it.

    Args:
        label: The field's label.
        name: The setting.
        first: Its first text.
        options: Further options of `st.text_input`.
    """
    text: str = st.text_input(
        label,
        max_chars=MAX_CHARACTERS,
        **setting(name, first),
        **options,
    )
    return text.strip()


def choose_setting(
    label: str,
    options: Mapping[str, str],
    first: str | None,
    name: str,
    note: str | None = None,
) -> str:
    """Draw a select box, and return its choice.

    Args:
        label: The box's label.
        options: The names of the options on screen.
        first: The first choice; if it is not among the options, the first of these.
        name: The setting.
        note: The help of the box.
    """
    arguments = setting(name, first)
    choice = next(
        (value for value in (arguments.pop("value"), first, *options) if value in options),
        "",
    )
    lab().fill(name, choice)
    return st.selectbox(
        label,
        options,
        [*options].index(choice),
        options.__getitem__,
        help=note,
        **arguments,
    )
