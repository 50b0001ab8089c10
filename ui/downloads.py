"""The button that every download has, and the remark beside some."""

from collections.abc import Callable

import streamlit as st


def download(
    label: str, content: bytes | Callable[[], str | bytes], name: str, mime: str, note: str | None = None
) -> None:
    """Draw a button that sends a file; what is callable is made on the click."""
    st.download_button(
        label, content, name, mime, key=f"export-{name}", help=note, on_click="ignore", icon=":material/download:"
    )


def remark(words: str) -> None:
    """Write a remark; a caption would be too faint to be read on a projector."""
    st.markdown(f":small[{words}]")
