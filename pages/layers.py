"""Layers: how each layer changes, which one falls first, and the selected one in detail."""

import streamlit as st

from core.charts.layers import layer_views
from core.charts.overview import player_frames
from core.findings.comparable import controls_of, isolated_of
from core.findings.isolated import isolated_finding, isolated_orders, isolated_table
from core.findings.layers import THRESHOLDS, control_note, layer_finding, order_finding
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import PointLabel, checkpoint_name, point_names, pruning_name
from core.results.schema import SweepResult
from ui.address import choose, picture_first, set_parameter
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, page_header
from ui.player import choose_reduction, picked, show_pictures, start_in_address
from ui.results import at_hand, companions_of, isolated_beside
from ui.text import markdown_table, plain

PLAYER = "layers"
EXPLANATION = (
    "Every strip shows how similar one layer stays to what it was before pruning: from 1, the same geometry, down to "
    "0. A layer *survives* as long as that similarity (CKA) stays above the chosen line; click on a layer to see it "
    "from near."
)
CONTROLS = "The thin grey lines are random pruning of as many weights, one per seed."
ALONE = "A blue diamond is the output of the same layer when it is pruned alone, so that nothing before it has changed."
NO_INTERVAL = "Intervals are known for CKA ≥ 0.9 and for means and first tokens; here none is shown."


def layers() -> None:
    """Show the layers of one result: the pictures first, what they say, then the choices."""
    page_header("Layers")
    st.title("Which layer breaks first?", anchor=False)
    entries = at_hand()
    if not entries:
        show_nothing()
        return
    picture, choices = st.container(), st.container()
    with choices:
        left = shortlist(entries)
        result_column, layer_column = st.columns(2)
        with result_column:
            result = choose_result("Result", left)
        if result is None:
            return
        with layer_column:
            chosen = choose_layer(result)
        threshold_column, reduction_column = st.columns([2, 3])  # the reductions need room
        with threshold_column:
            threshold = choose_threshold()
        with reduction_column:
            reduction = choose_reduction(result)
    companions = [*companions_of(result, entries), *isolated_beside(result, entries)]
    with picture:
        show_layers(result, reduction, chosen, threshold, companions)
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
            "A layer survives while its CKA stays at or above",
            options,
            "threshold",
            default=str(SURVIVAL_THRESHOLD),
            word="threshold",
            segmented=True,
        )
    )


def note_pick() -> None:
    """Write the layer that was clicked into the address."""
    set_parameter("layer", picked(PLAYER))


def show_layers(
    result: SweepResult, reduction: str, chosen: PointLabel, threshold: float, companions: list[SweepResult]
) -> None:
    """Show the layers of a result, and say which falls first."""
    controls, isolated = controls_of(result, companions), isolated_of(result, companions)
    show_pictures(
        layer_views(result, reduction, chosen, threshold, controls, isolated),
        player_frames(result),
        key=PLAYER,
        title=f"The layers under {pruning_name(result)}, {checkpoint_name(result)}",
        layout="layers",
        group=PLAYER,
        start=start_in_address(result.amounts[len(result.amounts) // 2]),
        on_pick=note_pick,
    )
    with_interval = threshold == SURVIVAL_THRESHOLD and result.statistics_of(reduction) is not None
    legend = (
        EXPLANATION,
        CONTROLS if controls else plain(control_note(result, companions)),
        ALONE if isolated else "",
        "" if with_interval else NO_INTERVAL,
    )
    st.markdown(f"**{plain(order_finding(result, reduction, threshold))}**")
    st.markdown(plain(layer_finding(result, reduction, chosen, threshold)))
    if words := isolated_finding(result, reduction, companions):
        st.markdown(plain(words))
    st.markdown(" ".join(filter(None, legend)))
    if orders := isolated_orders(result, reduction, companions):
        with st.expander("Each layer pruned alone: how much its own output changes (1 − own CKA)"):
            st.markdown(markdown_table(isolated_table(orders)))


with picture_first():
    layers()
