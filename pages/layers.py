"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

from collections.abc import Sequence

import streamlit as st

from core.charts.pages import Block
from core.findings.words.passed import HALVES_ALONE
from core.request.scope import run_of
from core.results.schema import SweepResult
from ui.address import picture_first
from ui.controls import layers_alone, offer_layers
from ui.exports import offer_exports
from ui.header import choose_all, compose, link_to_control, page_header
from ui.player import show_answer, show_pictures
from ui.text import plain, refusals_shown, show_details


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers")
    result, title = state.shown, st.container()
    shown = compose(state, **choose_all(state))
    scene = show_answer(shown, title, "layers")
    link_to_control(result)
    if scene:  # similarity is defined
        show_halves(result, shown.blocks[1:])
        details = st.expander("Details", key="layers-details", on_change="rerun")
        if details.open:
            with details:
                show_details(shown)
    offer_exports(scene, result)


def show_halves(result: SweepResult, measured: Sequence[Block]) -> None:
    """Show what pruning each half of the layers alone does, or offer to find out."""
    if run_of(result.pruning.scope) or not (measured or layers_alone(result)):
        return
    box = st.expander(HALVES_ALONE, key="layers-alone-box", on_change="rerun")
    if not box.open:
        return
    with box, refusals_shown():
        if not measured:
            offer_layers(layers_alone(result))
        for block in measured:
            show_pictures(block.scene, key="layers-halves", start=block.start, link=False)
            st.markdown(f"**{plain(block.finding.heading)}.** {plain(' '.join(block.finding.sentences))}")
            offer_exports(block.scene, result, label="Download these pictures", numbers=False)


with picture_first():
    layers()
