"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

import streamlit as st

from core.findings.words.passed import HALVES_ALONE
from core.request.scope import run_of
from core.results.schema import SweepResult
from ui.address import picture_first
from ui.exports import offer_exports
from ui.header import choose_all, compose, link_to_control, page_header, show_link
from ui.lab.settings import layers_alone, offer_layers
from ui.player import show_answer
from ui.text import refusals_shown, show_details


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers")
    result = state.shown
    title = st.container()
    shown = compose(state, **choose_all(state))
    scene = show_answer(shown, title, "layers")
    link_to_control(result)
    if scene:  # similarity is defined
        show_link(state, shown)
        if not shown.alone:
            offer_alone(result)
        details = st.expander("Details", key="layers-details", on_change="rerun")
        if details.open:
            with details:
                show_details(shown)
    offer_exports(scene, result)


def offer_alone(result: SweepResult) -> None:
    """Offer to find out what pruning each half of the layers alone does."""
    if run_of(result.pruning.scope) or not layers_alone(result):
        return
    box = st.expander(HALVES_ALONE, key="layers-alone-box", on_change="rerun")
    if box.open:
        with box, refusals_shown():
            offer_layers(layers_alone(result))


with picture_first():
    layers()
