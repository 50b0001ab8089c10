"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.charts.pages import halves_block, layers_shown, layers_tables
from core.charts.result import removed_scene
from core.findings.choices import isolated, middle_of
from core.findings.comparable import isolated_of
from core.findings.layers import layers_of
from core.findings.passed import halves_of
from core.findings.words.passed import HALVES_ALONE
from core.request.catalog import REDUCTIONS
from core.request.scope import run_of
from core.results.cached_call import cached_call
from core.results.names import PointLabel, ReductionKey, layer_number, point_names
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.controls import layers_alone, offer_layers
from ui.exports import offer_exports
from ui.header import NOTHING, change, choose_result, link_to_control, one_result, page_header
from ui.player import choose_reduction, reduction_in_address, show_answer, show_pictures, start_in_address
from ui.results import companions_of, read_beside
from ui.text import plain, refusals_shown, show_details

PLAYER = "layers"


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers", one_result, NOTHING)
    result, entries = state.shown, state.entries
    title = st.container()
    reduction = reduction_in_address()
    with change(result, REDUCTIONS[reduction].title):
        choose_result(state)
        choose_reduction(result)
        titles = {name.label: name.title for name in point_names(result.points)}
        layer = choose("layer", titles, cached_call(layers_of, result, reduction).selected.label)
    near = [*companions_of(result, entries), *read_beside(isolated, result, entries)]
    shown = cached_call(layers_shown, result, near, reduction, layer)
    scene = show_answer(shown, title, PLAYER)
    link_to_control(result)
    if scene is None:  # similarity is undefined
        offer_exports(None, result)
        return
    if run_of(result.pruning.scope) is None and (halves_of(isolated_of(result, near)) or layers_alone(result)):
        alone = st.expander(HALVES_ALONE, key="layers-alone-box", on_change="rerun")
        if alone.open:
            with alone:
                show_halves(result, reduction, near)
    box = st.expander("Details", key="layers-details", on_change="rerun")
    if box.open:
        with box:
            show_removed(result, layer, reduction)
            show_details(replace(shown, tables=layers_tables(result, near, reduction)))
    offer_exports(scene, result)


def show_halves(result: SweepResult, reduction: ReductionKey, near: Sequence[SweepResult]) -> None:
    """Show what pruning each half of the layers alone does, or offer to find out."""
    if block := halves_block(result, near, reduction):
        show_pictures(block.scene, key="layers-halves", start=block.start, link=False)
        st.markdown(f"**{plain(block.finding.heading)}.** {plain(' '.join(block.finding.sentences))}")
        offer_exports(block.scene, result, label="Download these pictures", numbers=False)
    elif requests := layers_alone(result):
        with refusals_shown():
            offer_layers(requests)


def show_removed(result: SweepResult, layer: PointLabel, reduction: ReductionKey) -> None:
    """Show how much is removed of the selected layer."""
    scene = removed_scene(result, reduction, layer_number(layer))
    start = start_in_address(result.amounts, middle_of(result.amounts))
    show_pictures(scene, key="layers-removed", group=PLAYER, start=start, link=False)
    offer_exports(scene, result, label="Download this picture", numbers=False)


with picture_first():
    layers()
