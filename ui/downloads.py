"""The button that every download has."""

from collections.abc import Callable

import streamlit as st

# What is made on the click may fail: drawing takes a process, and where the page has been drawn anew meanwhile,
# Streamlit has dropped what the button refers to. No code of ours runs on the page then: its words are replaced.
FAILED = "This file was not made. Press the button again; if that fails too, reload the page."
STYLE = f"""<style>
[data-testid="stDownloadButtonError"] {{ font-size: 0; }}
[data-testid="stDownloadButtonError"]::after {{
  content: "{FAILED}"; display: block; max-width: 18rem; font-size: 0.875rem; line-height: 1.4;
}}
</style>"""


def download(
    label: str, content: bytes | Callable[[], str | bytes], name: str, mime: str, note: str | None = None
) -> None:
    """Draw a button that sends a file; what is callable is made on the click."""
    st.download_button(
        label, content, name, mime, key=f"export-{name}", help=note, on_click="ignore", icon=":material/download:"
    )
