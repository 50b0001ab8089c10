"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.charts.layers import layer_scene
from core.charts.passed import halves_scene, passed_scene
from core.charts.removed import removed_scene
from core.charts.result import result_scene
from core.findings.choices import middle_of
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.layers import THRESHOLDS, Look, Yardstick, layers_of, own_measures
from core.findings.passed import harm_of, passed_on, shipped
from core.findings.words.layers import AGAINST, READING, closest_table, layers_said, survival_table
from core.findings.words.passed import PASSED, halves_said, passed_said
from core.findings.words.verdict import criteria_table, numbers_table
from core.request.catalog import MEASURES, REDUCTIONS, SURVIVAL_THRESHOLD
from core.request.scope import run_of
from core.results.names import PointLabel, ReductionKey, layer_number, point_names
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import choose, picture_first, set_parameter
from ui.controls import layers_alone, offer_layers
from ui.exports import offer_exports
from ui.header import NOTHING, change, link_to_control, page_header
from ui.player import choose_reduction, reduction_in_address, show_pictures, start_in_address
from ui.results import companions_of, isolated_beside, yardstick_of
from ui.text import plain, remark, show_table
from ui.view_state import choose_result, one_result

PLAYER = "layers"


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers", one_result, NOTHING)
    result, entries = state.shown, state.entries
    title = st.container()
    reduction = reduction_in_address(result)
    look = Look(reduction)
    with change(result, REDUCTIONS[reduction].title):
        choose_result(state)
        choose_reduction(result)
        if not result.against:  # where no layer counts as intact
            options = {str(threshold): str(threshold) for threshold in sorted(THRESHOLDS)}
            threshold = choose("threshold", options, str(SURVIVAL_THRESHOLD), segmented=True)
            look = Look(reduction, float(threshold), choose_measure(result, reduction))
        titles = {name.label: name.title for name in point_names(result.points)}
        layer = choose("layer", titles, once(layers_of, result, look).selected.label)
    beside = [*companions_of(result, entries), *isolated_beside(result, entries)]
    twins = yardstick_of(result, entries, reduction) if look.measure == "cka" else None
    said = once(layers_said, result, layer, beside, look)
    title.title(plain(said.heading), anchor=False)
    if not said.sentences:  # similarity is undefined
        link_to_control(result)
        offer_exports(None, result)
        return
    if result.against:
        scene = replace(once(result_scene, result, reduction), title=said.heading)
    else:
        scene = once(layer_scene, result, look, layer, controls_of(result, beside))
    start = start_in_address(result.amounts, middle_of(result.amounts))
    key = f"{PLAYER}-against" if result.against else PLAYER
    show_pictures(scene, key=key, group=PLAYER, start=start, on_pick=note_pick)
    st.markdown(plain(" ".join(said.sentences)))
    link_to_control(result)
    if run_of(result.pruning.scope) is None and (isolated_of(result, beside) or layers_alone(result)):
        alone = st.expander(PASSED, key="layers-alone-box", on_change="rerun")
        if alone.open:
            with alone:
                show_alone(result, layer, reduction, beside)
    box = st.expander("Details", key="layers-details", on_change="rerun")
    if box.open:
        with box:
            show_details(result, layer, look, beside, twins, start)
    offer_exports(scene, result)


def note_pick() -> None:
    """Write the layer that was clicked into the address."""
    set_parameter("layer", st.session_state[PLAYER].get("pick"))


def choose_measure(result: SweepResult, reduction: ReductionKey) -> str:
    """Ask what similarity is measured by, where the result knows more than one measure."""
    measures = own_measures(result, reduction)
    if len(measures) < 2:
        set_parameter("measure", None)
        return "cka"
    measure = choose("measure", {name: MEASURES[name].title for name in measures}, segmented=True)
    remark(MEASURES[measure].explanation)
    return measure


def show_alone(result: SweepResult, layer: PointLabel, reduction: ReductionKey, beside: Sequence[SweepResult]) -> None:
    """Show what each layer, and each half of them, passes on when it alone is pruned, or offer to find out."""
    alone, drawn = isolated_of(result, beside), list(isolated_controls_of(result, beside).values())
    shown = []
    if passed := once(passed_on, result, beside, reduction):
        scene = passed_scene(result, reduction, layer, passed)
        shown.append((passed_said(layer, passed, shipped()), scene, middle_of(scene.amounts)))
    if harm := once(harm_of, alone):
        said = halves_said(once(verdict, result, beside, reduction).lead, harm, shipped())
        scene = once(halves_scene, result, reduction, alone, drawn, said.heading)
        shown.append((said, scene, harm.removed))
    for said, scene, start in shown:
        show_pictures(scene, key=f"layers-{scene.layout.name}", start=start, link=False)
        st.markdown(f"**{plain(said.heading)}.** {plain(' '.join(said.sentences))}")
        offer_exports(scene, result, label="Download these pictures", numbers=False)
    if not passed and (missing := layers_alone(result)):
        offer_layers(missing)


def show_details(
    result: SweepResult,
    layer: PointLabel,
    look: Look,
    beside: Sequence[SweepResult],
    twins: Yardstick | None,
    start: float | None,
) -> None:
    """Show how much is removed of the selected layer, the numbers, and how to read all of it."""
    if result.against:  # there nothing is judged
        st.markdown(AGAINST)
        show_table(closest_table(result, look.reduction))
    else:
        scene = removed_scene(result, look.reduction, layer_number(layer))
        show_pictures(scene, key="layers-removed", group=PLAYER, start=start, link=False)
        offer_exports(scene, result, label="Download this picture", numbers=False)
        show_table(survival_table(result, look, twins))
        st.markdown(READING)
        show_table(once(criteria_table, result, beside))
    show_table(once(numbers_table, result, beside))


with picture_first():
    layers()
