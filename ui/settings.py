"""What the settings of the Lab begin with, and how they are reset."""

from collections.abc import Sequence
from typing import Any

import streamlit as st


def forget_settings(kept: Sequence[str] = ()) -> None:
    """Reset the widgets to what `ui.selectors.choose_sweep` is told to show.

    Args:
        kept: Prefixes of the settings that stay as they are.
    """
    keys = st.session_state.get("lab-settings", set())
    for key in [key for key in keys if not key.startswith(tuple(f"lab-{name}" for name in kept))]:
        keys.discard(key)
        if key in st.session_state:
            del st.session_state[key]


def begin(name: str, value: Any) -> str:
    """Set a widget's first value and return its key."""
    key = f"lab-{name}"
    st.session_state.setdefault("lab-settings", set()).add(key)
    if key not in st.session_state:
        st.session_state[key] = value
    return key
