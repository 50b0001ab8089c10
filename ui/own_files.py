"""The files that a visitor has chosen, which on a shared server nobody else may run on."""

import streamlit as st

from core.request.limits import is_hosted
from core.request.sweep_request import OWN

_CHOSEN = "lab-own-files"  # of the session


def note_own(data: str) -> None:
    """Note that the visitor has chosen a file, by its name in a request."""
    st.session_state.setdefault(_CHOSEN, set()).add(data)


def may_be_read(data: str | None) -> bool:
    """Whether a request's data are no file, or the visitor's own one: a link may lead to the run of somebody else."""
    is_file = data is not None and data.startswith(OWN)
    return not is_file or not is_hosted() or data in st.session_state.get(_CHOSEN, ())
