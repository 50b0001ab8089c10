"""What the address may ask for in vain."""

from collections.abc import Collection

import streamlit as st

from ui.text import plain


def note_unknown(parameter: str, known: Collection[str], word: str) -> None:
    """Tells that the address asks for something that does not exist; a bound widget shows its default silently.

    Call it before the widget, which cleans the address.

    Args:
        parameter: The widget's key, which is its name in the address.
        known: The values that exist.
        word: What the value is called on screen.
    """
    asked = st.query_params.get(parameter)
    if asked is not None and asked not in known:
        st.info(
            f"The address asks for the {word} “{plain(asked[:80])}”, which does not exist here: this is the default."
        )
