"""Compare: any two results, played together, laid over one another and tested."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import streamlit as st

from core.charts.pages import compare_shown
from core.charts.profiles import profile_scene
from core.findings.accuracy import metrics_of
from core.findings.compare import START, Axis, profiled
from core.findings.words import compare as words
from core.findings.words.choices import distinguishing_labels
from core.results.library import Entry
from core.results.names import checkpoint_name, data_name, in_sentence, pruning_name, result_name
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import choose, offer, picture_first, set_parameter
from ui.exports import offer_exports
from ui.header import change, choose_result, link_to_control, page_header, two_results
from ui.player import choose_reduction, show_answer, show_pictures
from ui.results import companions_of, methods_of
from ui.text import markdown_table, plain, remark

NO_METHOD = "No method has been swept over the whole encoder on these examples yet. Run one in the Lab to see it here."
NOTHING = "A comparison needs two results, and there are fewer here. Prune a checkpoint in the Lab to get another."


def compare() -> None:
    """Show how two results differ: the answer, the pictures with their axis, then what else is known."""
    state = page_header("Compare", two_results, NOTHING)
    first, second, entries = state.shown, state.other or state.shown, state.entries
    title, choices = st.container(key="compare-title"), st.container()
    with st.container(horizontal=True, key="compare-by"):
        axis = cast(Axis, choose("axis", words.AXES, segmented=True))
        metric = choose("metric", metrics_of(first, second), segmented=True)
    alike = (checkpoint_name(first), data_name(first)) == (checkpoint_name(second), data_name(second))
    with choices, change(first, f"beside {in_sentence(pruning_name(second) if alike else result_name(second))}"):
        choose_result(state, "First")
        offer("other", distinguishing_labels(state.offered), second.key, partial(set_parameter, "other"))
        reduction = choose_reduction(first)
    beside = [*companions_of(first, entries), *companions_of(second, entries)]
    shown = once(compare_shown, (first, second), beside, axis, reduction, metric)
    scene = show_answer(shown, title, key="compare")
    for note in shown.notes:
        st.info(plain(note))
    if tests := shown.tables[words.PAIRED]:
        with st.expander("The paired tests as a table"):
            remark(words.PAIRED)
            st.markdown(markdown_table(tests))
    with st.expander("How to read the pictures"):
        st.markdown(shown.text)
    link_to_control(first, second)
    show_all_methods(first, reduction, entries)
    offer_exports(scene, first, second)


@st.fragment
def show_all_methods(result: SweepResult, reduction: str, entries: Sequence[Entry]) -> None:
    """Show all methods of a result's task at one overall change, once that is unfolded: it reads many results."""
    label = f"All methods on {plain(checkpoint_name(result))}, at the same overall change"
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
        show_pictures(scene, key="profiles", start=START, link=False)
        st.markdown(f"{plain(words.profile_sentence(methods, reduction))}\n{words.PROFILES}")
        offer_exports(scene, *(method.result for method in methods), label="Download all methods", numbers=False)


with picture_first():
    compare()
