"""Compare: any two results, played together, laid over one another and tested."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from core.charts.compare import compare_scene
from core.charts.profiles import profile_scene
from core.findings.comparable import same_examples
from core.findings.compare import Axis, accuracy_comparisons, distinguishing_names, profiled, shared_axis
from core.findings.tables import paired_table
from core.findings.words import Said
from core.findings.words.compare import compare_notes, compare_said, profile_sentence
from core.results.choices import SEPARATOR
from core.results.library import Entry
from core.results.names import checkpoint_name, in_sentence
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.exports import offer_exports
from ui.header import link_to_control, page_header, show_nothing
from ui.player import choose_reduction, middle_of, show_pictures, start_in_address
from ui.results import companions_of, methods_of
from ui.shared import once
from ui.text import markdown_table, plain, remark
from ui.view_state import ViewState, caption_of, choose_result, shortlist, to_offer, two_results

AXES = {"amount": "Equal amount", "damage": "Equal overall change", "divergence": "Equal divergence"}
START = 0.1  # of damage: similarity has fallen by a tenth
WORKS = (
    "A model *works* while it keeps nine tenths of its lead over always answering the majority class. Where that ends "
    "is an estimate without an interval. Orange is the first result, blue the second."
)
DIFFERENCE = (
    "In the difference, orange cells are pairs of layers that are more similar under the first, blue cells under the "
    "second."
)
AXIS_EXPLANATIONS = {
    "amount": "Both are shown where the same amount is removed.",
    "damage": "Both are shown where their layers have changed equally on average (1 − mean similarity), whatever the "
    "amounts; numbers between measured amounts are interpolated.",
    "divergence": "Both are shown where their predicted probabilities have moved equally far from the unpruned "
    "model's, whatever the amounts; numbers between measured amounts are interpolated.",
}
PROFILES = (
    "Each small picture shows the similarity that every layer keeps, from the first to the last, at the same overall "
    "change. The thin grey lines are random removal, one per seed. Where a method stays among them, chance does the "
    "same. A single layer outside five of them proves little: one more seed would fall outside one time in three. "
    "Bands are 95 % intervals over examples; the dotted line is the floor, where it is in sight. In the large picture, "
    "each mark is one amount, and grey dots are random removal."
)
PAIRED = "McNemar's exact tests; p-values are corrected by Holm's method for the number of amounts."
NO_METHOD = "No method has been swept over the whole encoder on these examples yet. Run one in the Lab to see it here."
TOO_FEW = "A comparison needs two results, and there is {} here. Prune a checkpoint in the Lab to get another one."


def compare() -> None:
    """Show how two results differ: the answer, the pictures with their axis, then what else is known."""
    state = page_header("Compare", two_results)
    if state.result is None or state.other is None:
        show_nothing("Nothing to compare yet", TOO_FEW.format("only one" if state.entries else "none"))
        return
    with st.container(gap="xsmall"):
        title, choices = st.container(), st.container()
        axis = choose_axis()
    caption = caption_of_both(state.result, state.other)
    with choices, st.popover(caption, type="tertiary", icon=":material/tune:", wrap=True):
        first, second = choose_two(state, shortlist(state))
        reduction = choose_reduction(first, second)
    if first is None or second is None:
        title.title("One of these results cannot be read", anchor=False)
        return
    beside = [*companions_of(first, state.entries), *companions_of(second, state.entries)]
    said = once(compare_said, first, second, reduction, beside)
    title.title(plain(said.heading), anchor=False)
    show_both(first, second, reduction, axis, state.entries, said)


def caption_of_both(first: Entry, second: Entry) -> str:
    """Name both results once: what they share at the end."""
    (data, checkpoint, pruning), others = (entry.name.rsplit(SEPARATOR, 2) for entry in (first, second))
    if (data, checkpoint) == tuple(others[:2]):
        return plain(SEPARATOR.join((f"{pruning} and {in_sentence(others[2])}", checkpoint, data)))
    return f"{caption_of(first)} and {caption_of(second)}"


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
    chosen = choose("Compare at", AXES, "axis", word="axis", segmented=True, above=True)
    return cast(Axis, chosen)


def show_both(
    first: SweepResult, second: SweepResult, reduction: str, axis: Axis, entries: Sequence[Entry], said: Said
) -> None:
    """Show two results together, and say how they differ."""
    if first.key == second.key:
        st.info("First and second are the same result. Choose another one above to see a difference.")
    scene = once(compare_scene, first, second, reduction, axis)
    show_pictures(
        scene,
        key="compare",
        group=f"compare-{axis}",
        start=start_in_address(scene.amounts, START if axis == "damage" else middle_of(scene.amounts)),
    )
    difference = [DIFFERENCE] if "difference" in scene.views else []
    for note in once(compare_notes, first, second, axis, reduction):
        st.info(plain(note))
    if first.key != second.key and same_examples(first, second):
        show_tests(first, second, said)
    with st.expander("How to read the pictures"):
        st.markdown(" ".join([AXIS_EXPLANATIONS[shared_axis(first, second, axis)], WORKS, *difference]))
    link_to_control(first, second)
    show_all_methods(first, reduction, entries)
    offer_exports(scene, first, second)


@st.fragment
def show_all_methods(result: SweepResult, reduction: str, entries: Sequence[Entry]) -> None:
    """Show all methods of a result's task at one overall change, once that is unfolded: it reads many results."""
    label = f"All methods on {checkpoint_name(result)}, at the same overall change"
    panel = st.expander(label, key=f"profiles-{result.key}", icon=":material/stacked_line_chart:", on_change="rerun")
    if not panel.open:
        return
    with panel:
        with st.spinner("Reading the results of all methods"):
            methods = [profiled(*method, reduction) for method in methods_of(result, entries)]
        if not methods:
            st.info(NO_METHOD)
            return
        scene = profile_scene(result, methods, reduction)
        show_pictures(scene, key="profiles", group="profiles", start=START, link=False)
        st.markdown(plain(profile_sentence(methods, reduction)))
        st.markdown(PROFILES)
        offer_exports(scene, *(method.result for method in methods), label="Download all methods", numbers=False)


def show_tests(first: SweepResult, second: SweepResult, said: Said) -> None:
    """Say how the two differ, and show the paired tests as a table."""
    for sentence in said.sentences:
        st.markdown(plain(sentence))
    comparisons = once(accuracy_comparisons, first, second)
    if comparisons:
        first_name, second_name = map(plain, distinguishing_names(first, second))
        with st.expander("The paired tests of accuracy as a table"):
            remark(PAIRED)
            st.markdown(markdown_table(paired_table(comparisons, (first_name, second_name))))


with picture_first():
    compare()
