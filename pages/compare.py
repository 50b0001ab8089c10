"""Compare: any two results, played together, laid over one another and tested."""

from functools import partial
from typing import cast

import streamlit as st

from core.charts.pages import compare_shown
from core.findings.accuracy import metrics_of
from core.findings.compare import Axis
from core.findings.words import compare as words
from core.findings.words.choices import distinguishing_labels
from core.results.cached_call import cached_call
from core.results.names import checkpoint_name, data_name, in_sentence, pruning_name, result_name
from ui.address import choose, offer, picture_first, set_parameter
from ui.exports import offer_exports
from ui.header import change, choose_result, link_to_control, page_header, two_results
from ui.player import choose_reduction, show_answer
from ui.results import companions_of
from ui.text import markdown_table, plain, remark

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
    shown = cached_call(compare_shown, (first, second), beside, axis, reduction, metric)
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
    offer_exports(scene, first, second)


with picture_first():
    compare()
