"""Layers: how each layer changes, which one falls first, and the selected one in detail."""

import streamlit as st

from core.charts.layers import is_output, layer_scene
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.isolated import isolated_finding, isolated_orders, isolated_table
from core.findings.layers import (
    THRESHOLDS,
    control_note,
    floor_note,
    layer_finding,
    order_finding,
    undefined_finding,
)
from core.findings.overview import beyond_from, own_measures
from core.request.catalog import MEASURES, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, point_names
from core.results.schema import SweepResult
from ui.address import choose, picture_first, set_parameter
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, link_to_control, page_header
from ui.player import choose_reduction, picked, show_pictures, start_in_address
from ui.results import companions_of, isolated_beside
from ui.text import markdown_table, plain
from ui.view_state import one_result

PLAYER = "layers"
EXPLANATION = (
    "Every strip shows how similar one layer stays to what it was before pruning: from 1, the same geometry, down to "
    "0. A layer *survives* as long as that similarity stays above the chosen line; click on a layer to see it from "
    "near."
)
BEYOND = "Shaded are the amounts at which the model has lost more than a tenth of its lead over the majority class."
CONTROLS = "The thin grey lines are random pruning of as many weights, one per seed."
ALONE = "A blue diamond is the output of the same layer when it is pruned alone, so that nothing before it has changed."
ALONE_APART = (
    "Blue diamonds show each layer pruned alone, so that nothing before it has changed; grey dots are random pruning "
    "of as many of its weights, one per seed."
)
NO_INTERVAL = "Intervals are known for a threshold of 0.9 and for means and first tokens; here none is shown."


def layers() -> None:
    """Show the layers of one result: the pictures first, what they say, then the choices."""
    state = page_header("Layers", one_result)
    st.title("Which layer breaks first?", anchor=False)
    if state.result is None:
        show_nothing()
        return
    picture, choices = st.container(), st.container()
    with choices:
        left = shortlist(state)
        result_column, layer_column = st.columns(2)
        with result_column:
            result = choose_result("Result", state, left)
        if result is None:
            return
        with layer_column:
            chosen = choose_layer(result)
        threshold_column, reduction_column = st.columns([2, 3])  # the reductions need room
        with threshold_column:
            threshold = choose_threshold()
        with reduction_column:
            reduction = choose_reduction(result)
        with threshold_column:
            measure = choose_measure(result, reduction)
    companions = [*companions_of(result, state.entries), *isolated_beside(result, state.entries)]
    with picture:
        show_layers(result, reduction, chosen, threshold, measure, companions)
        link_to_control(result)
    offer_exports(result, reduction)


def show_nothing() -> None:
    """Say what to do where there is no result."""
    st.info("There is no result at hand yet. Prune a checkpoint in the Lab, and its layers are shown here.")
    link_to("Lab", "To the Lab", ":material/science:")


def choose_layer(result: SweepResult) -> PointLabel:
    """Ask for the selected layer, and return its label."""
    titles = {name.label: name.title for name in point_names(result.points)}
    return choose("Layer from near", list(titles), "layer", names=lambda label: titles[label], word="layer")


def choose_threshold() -> float:
    """Ask for the similarity that a layer must keep to survive; 0.9 is a convention."""
    options = [str(threshold) for threshold in sorted(THRESHOLDS)]
    return float(
        choose(
            "A layer survives while its similarity stays at or above",
            options,
            "threshold",
            default=str(SURVIVAL_THRESHOLD),
            word="threshold",
            segmented=True,
        )
    )


def choose_measure(result: SweepResult, reduction: str) -> str:
    """Ask what similarity is measured by, where the result knows more than one measure."""
    measures = own_measures(result, reduction)
    if len(measures) < 2:
        set_parameter("measure", None)
        return "cka"
    measure = choose(
        "Similarity of a layer to its own baseline",
        measures,
        "measure",
        names=lambda name: MEASURES[name].title,
        word="measure",
        segmented=True,
    )
    st.markdown(f":small[{MEASURES[measure].explanation}]")
    return measure


def note_pick() -> None:
    """Write the layer that was clicked into the address."""
    set_parameter("layer", picked(PLAYER))


def show_layers(
    result: SweepResult,
    reduction: str,
    chosen: PointLabel,
    threshold: float,
    measure: str,
    companions: list[SweepResult],
) -> None:
    """Show the layers of a result, and say which falls first; where similarity is undefined, say why."""
    if words := undefined_finding(result, reduction, measure):
        st.info(plain(words))
        return
    controls, isolated = controls_of(result, companions), isolated_of(result, companions)
    orders = isolated_orders(result, reduction, companions)
    seeds = isolated_controls_of(result, companions)
    scene = layer_scene(result, reduction, chosen, threshold, controls, isolated, measure, orders, seeds)
    show_pictures(
        scene,
        key=PLAYER,
        group=PLAYER,
        start=start_in_address(result.amounts, result.amounts[len(result.amounts) // 2]),
        on_pick=note_pick,
    )
    with_interval = threshold == MEASURES[measure].threshold and result.statistics_of(reduction, measure) is not None
    legend = (
        EXPLANATION,
        plain(floor_note(result, reduction, threshold, measure)),
        BEYOND if beyond_from(result) is not None else "",
        CONTROLS if controls else plain(control_note(result, companions)),
        ALONE_APART if "alone" in scene.views else ALONE if isolated and any(map(is_output, result.points)) else "",
        "" if with_interval else NO_INTERVAL,
    )
    st.markdown(f"**{plain(order_finding(result, reduction, threshold, measure))}**")
    st.markdown(plain(layer_finding(result, reduction, chosen, threshold, measure)))
    if words := isolated_finding(result, reduction, companions):
        st.markdown(plain(words))
    st.markdown(" ".join(filter(None, legend)))
    if orders:
        with st.expander("Each layer pruned alone: how much its own output changes (1 − own CKA)"):
            st.markdown(markdown_table(isolated_table(orders)))


with picture_first():
    layers()
