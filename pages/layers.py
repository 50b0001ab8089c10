"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

import streamlit as st

from core.charts.pages import Block
from core.charts.result import removed_scene
from core.findings.choices import middle_of
from core.findings.layers import layers_of
from core.findings.words.passed import HALVES_ALONE
from core.request.scope import run_of
from core.results.cached_call import cached_call
from core.results.names import layer_number
from core.results.schema import SweepResult
from ui.address import amount_in_address, picture_first
from ui.controls import layers_alone, offer_layers
from ui.exports import offer_exports
from ui.header import choose_all, compose, link_to_control, page_header
from ui.player import show_answer, show_pictures
from ui.text import plain, refusals_shown, show_details

PLAYER = "layers"


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers")
    result, title = state.shown, st.container()
    choices = choose_all(state)
    shown = compose(state, **choices)
    scene, halves = show_answer(shown, title, PLAYER), shown.blocks[1:]
    link_to_control(result)
    if scene is None:  # similarity is undefined
        offer_exports(None, result)
        return
    if run_of(result.pruning.scope) is None and (halves or layers_alone(result)):
        alone = st.expander(HALVES_ALONE, key="layers-alone-box", on_change="rerun")
        if alone.open:
            with alone:
                for block in halves:
                    show_halves(result, block)
                if not halves:
                    with refusals_shown():
                        offer_layers(layers_alone(result))
    box = st.expander("Details", key="layers-details", on_change="rerun")
    if box.open:
        with box:
            show_removed(result, **choices)
            show_details(shown)
    offer_exports(scene, result)


def show_halves(result: SweepResult, block: Block) -> None:
    """Show what pruning each half of the layers alone does."""
    show_pictures(block.scene, key="layers-halves", start=block.start, link=False)
    st.markdown(f"**{plain(block.finding.heading)}.** {plain(' '.join(block.finding.sentences))}")
    offer_exports(block.scene, result, label="Download these pictures", numbers=False)


def show_removed(result: SweepResult, reduction: str, layer: str) -> None:
    """Show how much is removed of the selected layer."""
    layer = layer or cached_call(layers_of, result, reduction).selected.label
    scene = removed_scene(result, reduction, layer_number(layer))
    start = amount_in_address(middle_of(result.amounts))
    show_pictures(scene, key="layers-removed", group=PLAYER, start=start, link=False)
    offer_exports(scene, result, label="Download this picture", numbers=False)


with picture_first():
    layers()
