"""The Overview: the question, its answer as two moving pictures, and how to read them."""

from collections.abc import Sequence

import streamlit as st

from core.charts.overview import pair_scene, result_scene
from core.charts.view import Scene
from core.findings.claim import headline, verdict, verdict_details, verdict_finding, verdict_in_short
from core.findings.overview import (
    accuracy_finding,
    beyond_from,
    caution,
    finding,
    is_cumulative,
    metric_of,
    survival_table,
)
from core.request.catalog import METHODS, METRICS
from core.results.choices import task_title
from core.results.library import Entry
from core.results.names import data_name, method_name, result_name
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.choices import choose_result, shortlist
from ui.exports import offer_exports
from ui.header import link_to, link_to_views, page_header
from ui.player import choose_reduction, show_pictures, start_in_address
from ui.results import at_hand, by_key, companions_of
from ui.text import markdown_table, plain
from ui.view_state import ViewState, one_result

SIDES = ("sst2", "cola")  # the tasks of the published heatmaps
EXPLANATION = (
    "Each cell tells by CKA whether a layer of the pruned model still arranges the sentences as a layer of the "
    "unpruned baseline does: 1 is the same geometry, 0 no relation. On the outlined diagonal every layer meets its own "
    "baseline, and it survives as long as that value stays at 0.9 or above."
)
CKA = """
**CKA** is centered kernel alignment: of two layers it compares which sentences lie close to each other, so that it does
not change when a layer is rotated or scaled.
"""
AMOUNT = """
**Pruning amount** is the share of prunable weights that is removed, **sparsity** the same as a share of all parameters.
"""
CUMULATIVE = """
Pruning is cumulative: what a layer puts out also carries the pruning of all layers before it, so that some decline with
depth is expected of any method.
"""
BEYOND = (
    "**Shaded** are the amounts at which the model has lost more than a tenth of its lead over always answering the "
    "majority class: pictures from there on show a model that no longer works."
)
MAIN = "main"  # the metric of each task, not one for all
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"


# ---------------------------------------------------------------- which results


def sides_of(method: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return a method's results to show side by side: attention blocks, all layers, GLUE before written sentences."""
    fitting = [
        entry
        for entry in sorted(entries, key=lambda entry: entry.source == "written")
        if entry.method == method
        and entry.until_damage is None
        and entry.scope in ("encoder", None)
        and all(point.endswith(".attention") for point in entry.points)
    ]
    firsts = (next((entry for entry in fitting if entry.task == task), None) for task in SIDES)
    return [entry for entry in firsts if entry]


def first_of_a_pair() -> ViewState:
    """Read the result to show; without one in the address, the first that is shown with its counterpart."""
    entries = at_hand()
    pairs = (sides_of(method, entries) for method in METHODS)
    first = next((sides[0].key for sides in pairs if len(sides) == len(SIDES)), None)
    return one_result(lambda entry: entry.key == first)


def choose_results(state: ViewState) -> list[SweepResult]:
    """Ask for the result; the first of a method's two sides brings the other one with it."""
    result = choose_result("Result", state, shortlist(state))
    if result is None:
        return []
    st.markdown(f":small[{METHODS[result.pruning.method].explanation}]")
    sides = sides_of(result.pruning.method, state.entries)
    others = sides[1:] if sides and sides[0].key == result.key else []
    return [result, *(other for entry in others if (other := by_key(entry.key)))]


def choose_metric(results: Sequence[SweepResult]) -> str | None:
    """Ask whether the curves show each task's main metric, where that is not accuracy; return the one for all, if any.

    Accuracy shows a collapse to the majority class as a plateau; the Matthews correlation falls to 0.
    """
    main = list(dict.fromkeys(metric_of(result) for result in results))
    if len(results) < 2 or main == ["accuracy"]:
        return None
    names = {MAIN: " and ".join(METRICS[metric].title for metric in main), "accuracy": "Accuracy"}
    chosen = choose("Curves", list(names), "metric", names=lambda name: names[name], segmented=True)
    return None if chosen == MAIN else chosen


def titles_of(results: Sequence[SweepResult]) -> list[str]:
    """Title results that stand beside each other: by their tasks, or in full where these are the same."""
    tasks = [task_title(result.task.name) for result in results]
    return tasks if len(set(tasks)) == len(tasks) else [result_name(result) for result in results]


# ---------------------------------------------------------------- the page


def show_overview(state: ViewState) -> None:
    """Show the finding in one sentence, the pictures, what they say, then the choices."""
    answer = st.container()
    left, right = st.columns([2, 3], gap="medium")
    with left:
        results = choose_results(state)
    if not results:
        return
    with right:
        reduction = choose_reduction(results[0])
        metric = choose_metric(results)
    companions = [companions_of(result, state.entries) for result in results]
    with answer:
        st.markdown(f"**{plain(first_sentence(results, companions))}**")
        show_results(results, reduction, metric)
        show_findings(results, reduction, companions)
        st.markdown(EXPLANATION)
        if any(beyond_from(result) is not None for result in results):
            st.markdown(BEYOND)
    with st.expander("Survival of every layer as a table"):
        for title, result in zip(titles_of(results), results, strict=True):
            st.markdown(f"**{plain(title)}**\n\n{markdown_table(survival_table(result, reduction))}")
    with st.expander("What CKA and pruning amount mean"):
        st.markdown(CKA + AMOUNT + (CUMULATIVE if is_cumulative(results[0]) else ""))
    offer_exports(results[0], reduction, results[1:])
    link_onwards(results)


def show_results(results: Sequence[SweepResult], reduction: str, metric: str | None) -> None:
    """Play one result, or two in step under one bar."""
    scene = overview_scene(results, reduction, metric)
    start = start_in_address(scene.amounts)
    show_pictures(scene, key="overview", group="overview", autoplay=True, start=start)


def overview_scene(results: Sequence[SweepResult], reduction: str, metric: str | None) -> Scene:
    """Show one result, or two beside each other."""
    if len(results) == 1:
        return result_scene(results[0], reduction)
    first, second = results
    titles = titles_of(results)
    return pair_scene((first, second), reduction, (titles[0], titles[1]), metric)


def show_findings(results: Sequence[SweepResult], reduction: str, companions: Sequence[Sequence[SweepResult]]) -> None:
    """Say the verdict on each result in one sentence, and fold the rest away."""
    titles = titles_of(results)
    lines = [
        f"**{plain(title)}**: {plain(verdict_in_short(result, beside))}"
        for title, result, beside in zip(titles, results, companions, strict=True)
    ]
    st.markdown("\n\n".join(lines))
    for result in results:
        if words := caution(result):
            st.warning(plain(words))
    with st.expander("How this was measured"):
        for title, result, beside in zip(titles, results, companions, strict=True):
            sentences = (
                finding(result, reduction),
                accuracy_finding(result),
                verdict_finding(result, beside),
            )
            st.markdown(f"**{plain(title)}**, {plain(data_name(result))}. {' '.join(map(plain, sentences))}")
            st.markdown(f":small[{plain(verdict_details(result, beside))}]")


def first_sentence(results: Sequence[SweepResult], companions: Sequence[Sequence[SweepResult]]) -> str:
    """Say the finding that the results on show support together."""
    verdicts = {
        title: verdict(result, beside)
        for title, result, beside in zip(titles_of(results), results, companions, strict=True)
    }
    methods = {method_name(result).removesuffix(" of the encoder") for result in results}
    return headline(verdicts, methods.pop() if len(methods) == 1 else "Pruning")


def show_nothing() -> None:
    """Say what to do where no result came with the program."""
    st.info("No result is shipped with this copy, so there is nothing to show yet.")
    st.markdown("Make one, which takes about a minute on a laptop, and reload this page:")
    st.code(PRECOMPUTE, language="shell", wrap_lines=True)
    link_to("Lab", "Or prune a checkpoint live in the Lab", ":material/science:")


# ---------------------------------------------------------------- the way on


def link_onwards(results: Sequence[SweepResult]) -> None:
    """Link to the pages that show more of these results, and to the Lab."""
    with st.container(horizontal=True):
        link_to_views(results[0], *results[1:])
        link_to("Lab", "Prune a checkpoint yourself in the Lab", ":material/science:")


def overview() -> None:
    """Show the result that the address names, or the pair that answers the question."""
    state = page_header("Overview", first_of_a_pair)
    st.title("What does pruning do to the representations inside a fine-tuned BERT?", anchor=False)
    if state.result:
        show_overview(state)
    else:
        show_nothing()


with picture_first():
    overview()
