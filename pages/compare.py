"""Compare: any two results, played together, laid over one another and tested."""

from collections.abc import Sequence

import streamlit as st

from core.charts.compare import compare_frames, compare_views
from core.findings.comparable import same_examples
from core.findings.compare import (
    accuracy_comparisons,
    comparison_findings,
    comparison_table,
    distinguishing_names,
    notes_on,
    shared_scale,
    shown_together,
)
from core.results.choices import counterpart
from core.results.library import Entry, entry_of
from core.results.schema import SweepResult
from ui.address import picture_first
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, page_header
from ui.player import choose_reduction, show_pictures, start_in_address
from ui.results import at_hand
from ui.text import markdown_table, plain

EXPLANATION = (
    "The two results move together through the pruning amounts. In the difference, orange cells stay more similar to "
    "the baseline under the first, blue cells under the second; the curves have the same colours."
)
TOO_FEW = "A comparison needs two results, and there is {} here. Prune a checkpoint in the Lab to get another one."


def compare() -> None:
    """Show two results: the pictures first, what they say, then the choices."""
    page_header("Compare")
    st.title("How do two prunings differ?", anchor=False)
    entries = at_hand()
    if len(entries) < 2:
        show_too_few(entries)
        return
    picture, choices = st.container(), st.container()
    with choices:
        first, second = choose_two(shortlist(entries, ("result", "other")), entries)
        if first is None or second is None:
            return
        reduction = choose_reduction(first)
    with picture:
        show_both(first, second, reduction)


def show_too_few(entries: Sequence[Entry]) -> None:
    """Say what to do where there is nothing to compare."""
    st.info(TOO_FEW.format("only one" if entries else "none"))
    link_to("Lab", "To the Lab", ":material/science:")


def choose_two(left: Sequence[Entry], entries: Sequence[Entry]) -> tuple[SweepResult | None, SweepResult | None]:
    """Ask for the two results; at first, the second is the random control of the first.

    Args:
        left: The results on the chosen examples.
        entries: All results, which are offered where only one is left.
    """
    first_column, second_column = st.columns(2)
    with first_column:
        first = choose_result("First", left)
    others = left if len(left) > 1 else entries
    beside = counterpart(entry_of(first), others) if first else None
    with second_column:
        second = choose_result("Second", others, "other", beside.key if beside else None)
    return first, second


def show_both(first: SweepResult, second: SweepResult, reduction: str) -> None:
    """Show two results together, and say how they differ."""
    if first.key == second.key:
        st.info("First and second are the same result. Choose another one below to see a difference.")
    pairs, names = shown_together(first, second), distinguishing_names(first, second)
    views = compare_views(first, second, reduction, pairs, names)
    frames = compare_frames(pairs, shared_scale(first, second))
    show_pictures(
        views,
        frames,
        key="compare",
        title=f"{names[0]} compared with {names[1]}",
        layout="compare" if "difference" in views else "beside",
        group="compare",
        start=start_in_address(frames[len(frames) // 2]["amount"]),  # without pruning there is no difference
    )
    st.markdown(EXPLANATION)
    for note in notes_on(first, second, pairs):
        st.info(plain(note))
    if first.key != second.key and same_examples(first, second):
        show_tests(first, second, reduction, names)
    offer_exports(first, reduction, (second,))


def show_tests(first: SweepResult, second: SweepResult, reduction: str, names: tuple[str, str]) -> None:
    """Say what the paired tests found, and show them as a table."""
    for finding in comparison_findings(first, second, reduction):
        st.markdown(plain(finding))
    comparisons = accuracy_comparisons(first, second)
    if comparisons:
        with st.expander("The paired tests of accuracy as a table"):
            st.markdown(markdown_table(comparison_table(comparisons, (plain(names[0]), plain(names[1])))))


with picture_first():
    compare()
