"""Compare: any two results, played together, laid over one another and tested."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from core.charts.compare import compare_scene
from core.charts.profiles import profile_scene
from core.findings.comparable import same_examples
from core.findings.compare import (
    Axis,
    accuracy_comparisons,
    comparison_findings,
    comparison_table,
    distinguishing_names,
    notes_on,
    shown_together,
)
from core.findings.profiles import cost_finding, profiled, without_profile
from core.results.choices import task_title
from core.results.library import Entry
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, link_to_control, page_header
from ui.player import choose_reduction, show_pictures, start_in_address
from ui.results import companions_of, methods_of
from ui.text import markdown_table, plain
from ui.view_state import ViewState, to_offer, two_results

AXES = {"amount": "Equal amount", "damage": "Equal overall change", "divergence": "Equal divergence"}
START = 0.1  # of damage: similarity has fallen by a tenth
EXPLANATION = (
    "In the difference, orange cells stay more similar to the baseline under the first, blue cells under the second; "
    "the curves have the same colours."
)
AXIS_EXPLANATIONS = {
    "amount": "The two results move together through the pruning amounts.",
    "damage": "The two are shown where their layers have changed equally much on average, whatever the amounts; "
    "numbers between measured amounts are interpolated.",
    "divergence": "The two are shown where the probabilities they give have moved equally far from the unpruned "
    "model's, whatever the amounts; numbers between measured amounts are interpolated.",
}
PROFILES = (
    "Every small picture shows the similarity that each layer keeps, from the first to the last, at the same overall "
    "change of all layers. The thin grey lines are random pruning of as many weights of each matrix, one per seed: "
    "only what leaves them is the method's doing. Bands are 95 % intervals over examples."
)
TOO_FEW = "A comparison needs two results, and there is {} here. Prune a checkpoint in the Lab to get another one."


def compare() -> None:
    """Show two results: the pictures first, what they say, then the choices."""
    state = page_header("Compare", two_results)
    st.title("How do two prunings differ?", anchor=False)
    if state.other is None:
        show_too_few(state.entries)
        return
    picture, choices = st.container(), st.container()
    with choices:
        first, second = choose_two(state, shortlist(state))
        if first is None or second is None:
            return
        axis_column, reduction_column = st.columns(2)
        with axis_column:
            axis = choose_axis()
        with reduction_column:
            reduction = choose_reduction(first)
    with picture:
        show_both(first, second, reduction, axis, state.entries)


def show_too_few(entries: Sequence[Entry]) -> None:
    """Say what to do where there is nothing to compare."""
    st.info(TOO_FEW.format("only one" if entries else "none"))
    link_to("Lab", "To the Lab", ":material/science:")


def choose_two(state: ViewState, left: Sequence[Entry]) -> tuple[SweepResult | None, SweepResult | None]:
    """Ask for the two results, among those on the chosen examples, or among all where only one is left."""
    first_column, second_column = st.columns(2)
    with first_column:
        first = choose_result("First", state, left)
    with second_column:
        second = choose_result("Second", state, left if len(left) > 1 else to_offer(state.entries), "other")
    return first, second


def choose_axis() -> Axis:
    """Ask where the two are shown together."""
    chosen = choose("Show the two at", list(AXES), "axis", names=lambda name: AXES[name], word="axis", segmented=True)
    st.markdown(f":small[{AXIS_EXPLANATIONS[chosen]}]")
    return cast(Axis, chosen)


def show_both(first: SweepResult, second: SweepResult, reduction: str, axis: Axis, entries: Sequence[Entry]) -> None:
    """Show two results together, and say how they differ."""
    if first.key == second.key:
        st.info("First and second are the same result. Choose another one below to see a difference.")
    together, names = shown_together(first, second, axis, reduction), distinguishing_names(first, second)
    scene = compare_scene(first, second, reduction, together)
    show_pictures(
        scene,
        key="compare",
        group="compare",
        start=start_in_address(scene.amounts, START if axis == "damage" else scene.amounts[len(scene.amounts) // 2]),
    )
    st.markdown(EXPLANATION)
    for note in notes_on(first, second, together, reduction):
        st.info(plain(note))
    if first.key != second.key and same_examples(first, second):
        beside = [*companions_of(first, entries), *companions_of(second, entries)]
        show_tests(first, second, reduction, names, beside)
    link_to_control(first, second)
    show_all_methods(first, reduction, entries)
    offer_exports(scene, first, second)


@st.fragment
def show_all_methods(result: SweepResult, reduction: str, entries: Sequence[Entry]) -> None:
    """Show all methods of a result's task at one overall change, once that is unfolded: it reads many results."""
    label = f"All methods on {task_title(result.task.name)} at the same overall change"
    panel = st.expander(label, key=f"profiles-{result.key}", icon=":material/stacked_line_chart:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        with st.spinner("Reading the results of all methods"):
            methods = profiled(methods_of(result, entries), reduction)
        scene = profile_scene(result, methods, reduction)
        show_pictures(scene, key="profiles", group="profiles", start=START, link=False)
        for words in filter(None, (cost_finding(methods, reduction), without_profile(methods, reduction))):
            st.markdown(plain(words))
        st.markdown(PROFILES)
        offer_exports(scene, *(method.result for method in methods), label="Download all methods", numbers=False)


def show_tests(
    first: SweepResult, second: SweepResult, reduction: str, names: tuple[str, str], companions: Sequence[SweepResult]
) -> None:
    """Say what the paired tests found, and show them as a table."""
    for finding in comparison_findings(first, second, reduction, companions):
        st.markdown(plain(finding))
    comparisons = accuracy_comparisons(first, second)
    if comparisons:
        with st.expander("The paired tests of accuracy as a table"):
            st.markdown(markdown_table(comparison_table(comparisons, (plain(names[0]), plain(names[1])))))


with picture_first():
    compare()
