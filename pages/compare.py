"""Compare: any two results, played together, laid over one another and tested."""

from collections.abc import Sequence

import streamlit as st

from core.charts.compare import compare_frames, compare_views
from core.findings.comparable import same_examples
from core.findings.compare import (
    accuracy_comparisons,
    comparison_findings,
    comparison_table,
    names_apart,
    notes_on,
    shared_scale,
    shown_together,
)
from core.results.choices import counterpart
from core.results.library import Entry, entry_of
from core.results.schema import SweepResult
from ui.address import picture_first
from ui.choices import choose_one, shortlist
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
    """Shows two results: the pictures first, what they say, then the choices."""
    page_header("Compare")
    st.title("How do two prunings differ?", anchor=False)
    entries = at_hand()
    if len(entries) < 2:
        show_too_few(entries)
        return
    picture, choices = st.container(), st.container()
    with choices:
        one, other = choose_two(shortlist(entries, ("result", "other")), entries)
        if one is None or other is None:
            return
        reduction = choose_reduction(one)
    with picture:
        show_both(one, other, reduction)


def show_too_few(entries: Sequence[Entry]) -> None:
    """Says what to do where there is nothing to compare."""
    st.info(TOO_FEW.format("only one" if entries else "none"))
    link_to("Lab", "To the Lab", ":material/science:")


def choose_two(left: Sequence[Entry], entries: Sequence[Entry]) -> tuple[SweepResult | None, SweepResult | None]:
    """Asks for the two results; the second one is at first the random control of the first.

    Args:
        left: The results on the chosen examples.
        entries: All results, which are offered where one alone is left.
    """
    first, second = st.columns(2)
    with first:
        one = choose_one("First", left)
    others = left if len(left) > 1 else entries
    beside = counterpart(entry_of(one), others) if one else None
    with second:
        other = choose_one("Second", others, "other", beside.key if beside else None)
    return one, other


def show_both(one: SweepResult, other: SweepResult, reduction: str) -> None:
    """Shows two results together, and says what tells them apart."""
    if one.key == other.key:
        st.info("First and second are the same result. Choose another one below to see a difference.")
    pairs, names = shown_together(one, other), names_apart(one, other)
    views, frames = compare_views(one, other, reduction, pairs, names), compare_frames(pairs, shared_scale(one, other))
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
    for note in notes_on(one, other, pairs):
        st.info(plain(note))
    if one.key != other.key and same_examples(one, other):
        show_tests(one, other, reduction, names)
    offer_exports(one, reduction, (other,))


def show_tests(one: SweepResult, other: SweepResult, reduction: str, names: tuple[str, str]) -> None:
    """Says what the paired tests say, and shows them."""
    for finding in comparison_findings(one, other, reduction):
        st.markdown(plain(finding))
    comparisons = accuracy_comparisons(one, other)
    if comparisons:
        with st.expander("The paired tests of accuracy as a table"):
            st.markdown(markdown_table(comparison_table(comparisons, (plain(names[0]), plain(names[1])))))


with picture_first():
    compare()
