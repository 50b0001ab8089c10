"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

from collections.abc import Sequence

import streamlit as st

from core.charts.pages import halves_block, layers_shown, layers_tables
from core.findings.choices import isolated
from core.findings.comparable import isolated_of
from core.findings.layers import layers_of
from core.findings.words.passed import HALVES_ALONE
from core.request.scope import run_of
from core.results.cached_call import cached_call
from core.results.names import ReductionKey, point_names
from core.results.schema import SweepResult
from ui.address import picture_first
from ui.controls import layers_alone, offer_layers
from ui.exports import offer_exports
from ui.header import NOTHING, change, choose_result, link_to_control, one_result, page_header
from ui.player import choose_reduction, reduction_in_address, show_answer, show_pictures
from ui.results import companions_of, read_beside
from ui.text import plain, refusals_shown, show_details


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers")
    result, title = state.shown, st.container()
    shown = compose(state, **choose_all(state))
    scene = show_answer(shown, title, "layers")
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
            show_details(replace(shown, tables=layers_tables(result, near, reduction)))
    offer_exports(scene, result)


def show_halves(result: SweepResult, block: Block) -> None:
    """Show what pruning each half of the layers alone does."""
    show_pictures(block.scene, key="layers-halves", start=block.start, link=False)
    st.markdown(f"**{plain(block.finding.heading)}.** {plain(' '.join(block.finding.sentences))}")
    offer_exports(block.scene, result, label="Download these pictures", numbers=False)


with picture_first():
    layers()
