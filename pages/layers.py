"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

import streamlit as st

from ui.address import picture_first
from ui.exports import offer_exports
from ui.header import link_to_control, page_header, show_link, show_view
from ui.lab.settings import offer_layers
from ui.text import show_details


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers")
    result = state.shown
    shown, scene = show_view(state)
    link_to_control(result)
    if scene:  # similarity is defined
        show_link(state, shown)
        if not shown.alone:
            offer_layers(result)
        details = st.expander("Details", key="layers-details", on_change="rerun")
        if details.open:
            with details:
                show_details(shown)
    offer_exports(scene, result)


with picture_first():
    layers()
