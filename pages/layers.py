"""Layers: which layer changes first, every layer in a row, and the selected one as a curve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.charts.close_up import close_up_scene
from core.charts.isolated import isolated_view
from core.charts.layers import is_output, layer_scene
from core.charts.overview import result_scene
from core.charts.view import Scene
from core.findings.accuracy import beyond_from
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.isolated import isolated_orders
from core.findings.survival import THRESHOLDS, first_layer, floor_of, own_measures
from core.findings.tables import closest_table, isolated_table, narrow, survival_table
from core.findings.words import Said
from core.findings.words.layers import layers_said
from core.findings.yardstick import Yardstick
from core.request.catalog import MEASURES, REDUCTIONS, SURVIVAL_THRESHOLD
from core.results.names import PointLabel, ReductionKey, point_names, units_name
from core.results.schema import SweepResult
from ui.address import choose, picture_first, set_parameter
from ui.exports import offer_exports
from ui.header import link_to_control, page_header, show_nothing
from ui.legends import BEYOND, EXPECTED, TWINS
from ui.player import choose_reduction, middle_of, picked, reduction_in_address, show_pictures, start_in_address
from ui.results import companions_of, isolated_beside, yardstick_of
from ui.shared import once
from ui.text import markdown_table, plain, remark
from ui.view_state import ViewState, caption_of, choose_result, one_result, shortlist

PLAYER = "layers"
NO_RESULT = "There is no result yet. Prune a checkpoint in the Lab, and its layers are shown here."
READING = (
    "Each row is one layer. Its strip is coloured by how similar the layer is to the same layer of the unpruned model. "
    "{} The bar below ends where that similarity first falls below the threshold{}."
)
INTERVAL = ", and the line on it is the 95 % interval"
FLOOR = "The dotted cell at 100 %, and the dotted line, are the similarity left when everything prunable is gone."
SHADED = f"Shaded {BEYOND}"
CONTROLS = "The thin grey lines are random removal of as many {}, one per seed."
OTHER_SEEDS = f"Shaded in blue {TWINS}"
ALONE = "A blue diamond is the output of the same layer when it is pruned alone, so that nothing before it has changed."
ALONE_APART = "Blue diamonds show each layer pruned alone, so that nothing before it has changed."
ALONE_CONTROLS = "Grey dots are random removal of as many of its weights, one per seed."
AGAINST = f"{EXPECTED}; nothing here is judged."
NO_INTERVAL = "Intervals are known for a threshold of {} and for means and first tokens; here none is shown."


@dataclass(frozen=True)
class Shown:
    """What the page shows: a result, and how it is looked at."""

    result: SweepResult
    reduction: ReductionKey
    threshold: float
    measure: str
    layer: PointLabel
    companions: Sequence[SweepResult]
    twins: Yardstick | None = None

    @property
    def look(self) -> tuple[ReductionKey, float, str]:
        """How survival is judged: the arguments of the sentences on it."""
        return self.reduction, self.threshold, self.measure


def layers() -> None:
    """Show the answer, every layer in a row and the selected one, then what else is known."""
    state = page_header("Layers", one_result)
    if state.result is None:
        show_nothing("No result yet", NO_RESULT)
        return
    title = st.container()
    caption = caption_of(state.result, REDUCTIONS[reduction_in_address(state.result.against is not None)].title)
    with st.popover(caption, type="tertiary", icon=":material/tune:", wrap=True):
        shown = choose_view(state)
    picture = st.container()
    if shown is None:
        return
    said = once(layers_said, shown.result, shown.layer, shown.companions, *shown.look)
    title.title(plain(said.heading), anchor=False)
    with picture:
        scene = show_layers(shown, said)
        link_to_control(shown.result)
    show_details(shown, scene is not None)
    offer_exports(scene, shown.result)


# ---------------------------------------------------------------- choices


def choose_view(state: ViewState) -> Shown | None:
    """Ask for the result and how to look at it; None if its file is damaged, which is then said."""
    result = choose_result("Result", state, shortlist(state))
    if result is None:
        return None
    reduction = choose_reduction(result)
    if result.against:  # no layer counts as intact
        layer = choose_layer(result, first_layer(result, reduction))
        return Shown(result, reduction, SURVIVAL_THRESHOLD, "cka", layer, ())
    threshold = choose_threshold()
    measure = choose_measure(result, reduction)
    layer = choose_layer(result, once(first_layer, result, reduction, threshold, measure))
    companions = [*companions_of(result, state.entries), *isolated_beside(result, state.entries)]
    twins = yardstick_of(result, state.entries, reduction) if measure == "cka" else None
    return Shown(result, reduction, threshold, measure, layer, companions, twins)


def choose_layer(result: SweepResult, first: PointLabel) -> PointLabel:
    """Ask for the selected layer, and return its label.

    Args:
        result: The result.
        first: The layer that is selected where the address names none.
    """
    titles = {name.label: name.title for name in point_names(result.points)}
    return choose("Selected layer", titles, "layer", default=first, word="layer")


def choose_threshold() -> float:
    """Ask for the similarity that a layer must keep to be intact; 0.9 is a convention."""
    options = {str(threshold): str(threshold) for threshold in sorted(THRESHOLDS)}
    label = "A layer is intact while its similarity is at least"
    usual = str(SURVIVAL_THRESHOLD)
    return float(choose(label, options, "threshold", default=usual, word="threshold", segmented=True))


def choose_measure(result: SweepResult, reduction: ReductionKey) -> str:
    """Ask what similarity is measured by, where the result knows more than one measure."""
    measures = own_measures(result, reduction)
    if len(measures) < 2:
        set_parameter("measure", None)
        return "cka"
    titles = {name: MEASURES[name].title for name in measures}
    measure = choose("Measure", titles, "measure", segmented=True)
    remark(MEASURES[measure].explanation)
    return measure


# ---------------------------------------------------------------- pictures and what they say


def note_pick() -> None:
    """Write the layer that was clicked into the address."""
    set_parameter("layer", picked(PLAYER))


def show_layers(shown: Shown, said: Said) -> Scene | None:
    """Show the layers of a result, and what is said of them.

    Returns:
        What is shown; None where similarity is undefined.
    """
    result, reduction, measure = shown.result, shown.reduction, shown.measure
    if result.against:
        return show_against(shown, said)
    if not said.sentences:
        return None
    controls, isolated = controls_of(result, shown.companions), isolated_of(result, shown.companions)
    judged = (reduction, shown.layer, shown.threshold, controls, isolated, measure, shown.twins)
    scene = once(layer_scene, result, *judged)
    show_pictures(
        scene,
        key=PLAYER,
        group=PLAYER,
        start=start_in_address(result.amounts, middle_of(result.amounts)),
        on_pick=note_pick,
    )
    st.markdown(plain(" ".join(said.sentences)))
    return scene


def show_against(shown: Shown, said: Said) -> Scene:
    """Show which layers of another checkpoint those of a result are most similar to."""
    result, reduction = shown.result, shown.reduction
    scene = replace(once(result_scene, result, reduction), title=said.heading)
    start = start_in_address(result.amounts, middle_of(result.amounts))
    show_pictures(scene, key=f"{PLAYER}-against", group=PLAYER, start=start)
    st.markdown(f"{plain(' '.join(said.sentences))} {AGAINST}")
    return scene


def show_details(shown: Shown, is_defined: bool) -> None:
    """Show the rest in a box that is filled when it is opened; nothing where similarity is undefined."""
    box = st.expander("Details", key="layers-details", on_change="rerun")
    if box.open and shown.result.against:
        box.markdown(markdown_table(closest_table(shown.result, shown.reduction)))
        return
    if box.open and is_defined:
        with box:
            fill_details(shown)


def fill_details(shown: Shown) -> None:
    """Show the selected layer in close-up, each layer pruned alone, the numbers, and how to read all of it."""
    result, reduction = shown.result, shown.reduction
    orders = isolated_orders(result, reduction, shown.companions)
    apart = bool(orders) and not any(map(is_output, result.points))
    seeds = isolated_controls_of(result, shown.companions)
    beside = {"alone": isolated_view(result, reduction, orders, seeds)} if apart else {}
    scene = close_up_scene(result, reduction, shown.layer, beside)
    show_pictures(
        scene,
        key="layers-close-up",
        group=PLAYER,
        start=start_in_address(result.amounts, middle_of(result.amounts)),
        link=False,
    )
    offer_exports(scene, result, label="Download the close-up", numbers=False)
    for part in narrow(survival_table(result, *shown.look, shown.twins)):
        st.markdown(markdown_table(part))
    if orders:
        st.markdown(markdown_table(isolated_table(result, orders)))
    st.markdown(" ".join(filter(None, legend_of(shown, apart))))


def legend_of(shown: Shown, apart: bool) -> tuple[str, ...]:
    """Explain the marks that the pictures have.

    Args:
        shown: What the page shows.
        apart: Whether layers pruned alone have a picture of their own.
    """
    result, measure = shown.result, MEASURES[shown.measure]
    known = result.statistics_of(shown.reduction, shown.measure)
    with_interval = shown.threshold == measure.threshold and known is not None
    beside = isolated_of(result, shown.companions) and any(map(is_output, result.points))
    return (
        READING.format(measure.explanation, INTERVAL if with_interval else ""),
        FLOOR if floor_of(result, shown.reduction, shown.measure) else "",
        SHADED if beyond_from(result) is not None else "",
        CONTROLS.format(units_name(result)) if controls_of(result, shown.companions) else "",
        OTHER_SEEDS if shown.twins else "",
        ALONE_APART if apart else ALONE if beside else "",
        ALONE_CONTROLS if apart and isolated_controls_of(result, shown.companions) else "",
        "" if with_interval else NO_INTERVAL.format(measure.threshold),
    )


with picture_first():
    layers()
