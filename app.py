"""The Overview: what pruning does to a model's layers, in one sentence and one picture; then what that means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.charts.overview import finding_scene, pair_scene
from core.charts.view import Scene
from core.findings.accuracy import beyond_from, metric_of
from core.findings.comparable import controls_of
from core.findings.survival import floor_of
from core.findings.tables import narrow, replication_table, survival_table
from core.findings.words import Said
from core.findings.words.overview import caution, overview_heading, overview_said, replication_sentences
from core.findings.yardstick import Yardstick
from core.request.catalog import METRICS, REDUCTIONS
from core.results.choices import task_title
from core.results.library import Entry
from core.results.names import data_name, in_sentence, models_name, pruned_layer, pruning_name, units_name
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.exports import offer_exports
from ui.grid import rows_everywhere
from ui.header import link_to, link_to_control, link_to_views, page_header, show_nothing
from ui.legends import BEYOND, EXPECTED, TWINS
from ui.player import choose_reduction, component, show_numbers, show_pictures, start_in_address
from ui.results import at_hand, by_key, companions_of, yardstick_of
from ui.shared import once
from ui.text import markdown_table, plain, remark
from ui.view_state import OWN, OWN_MODEL, PAIR, ViewState, choose_result, one_result, published_pair, shortlist

HOW_TO_READ = """
**In the stack**, each band is one layer: its length and colour say how similar the layer is to itself in the unpruned
model. A layer counts as intact while that is at least 0.9, which is a convention.

**In the heatmap**, each cell compares one layer of the pruned model with one of the unpruned model. 1 means the same
arrangement of sentences, up to rotation and scale; near 0, no more alike than chance.
"""
RANDOM = """
**Random removal** removes as many {units}, chosen at random. The same amount may change the layers more or less than
the method does. So its mark is drawn at the amount where the overall change is equal: what differs then is which layers
have changed.
"""
FLOOR = """
**The floor** is the similarity left when everything that can be pruned is gone. Where it is above 0.9, a layer can
count as intact with nothing left in it. At smaller amounts, similarity can fall below the floor.
"""
CUMULATIVE = """
A layer's output also reflects the pruning of every layer below it; embeddings are never pruned, so the first layers
resemble them anyway.
"""
SHADED = f"""
**Shaded** {BEYOND}
"""
OTHER_SEEDS = f"""
**Other seeds**, in blue below each band, {TWINS}
Where the band ends to the left of it, pruning has changed the layer more than another seed does.
"""
AGAINST = f"""
Layers of the pruned model are compared with those of another checkpoint, unpruned: each row of the heatmap is one of
its layers. Beside it stands the one that each layer is most similar to. {EXPECTED}.
"""
TRY = "try-your-own"  # the only link that looks like a button
STYLE = f"""<style>
.st-key-{TRY} a {{ border: 1px solid #808080; padding: 0.5rem 1rem; }}
.st-key-{TRY} p {{ font-weight: 600; }}
</style>"""
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"

_steps = component("steps")


@dataclass(frozen=True)
class Shown:
    """What the first figure shows.

    Attributes:
        result: The result.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        metric: The metric of its curve.
        companions: What it is judged beside.
        twins: How similar its layers are in fine-tunes of other seeds, where that is known.
    """

    result: SweepResult
    reduction: str
    metric: str
    companions: Sequence[SweepResult]
    twins: Yardstick | None


# ---------------------------------------------------------------- which results


def first_of_the_pair() -> ViewState:
    """Read the result to show; without one in the address, the first of the published pair."""
    first = next((entry.key for entry in published_pair(at_hand())), None)
    return one_result(lambda entry: entry.key == first)


def choose_view(state: ViewState) -> Shown | None:
    """Ask for the result and how to look at it; None if its file is damaged, which is then said."""
    result = choose_result("Result", state, shortlist(state))
    if result is None:
        return None
    reduction = choose_reduction(result)
    twins = yardstick_of(result, state.entries, reduction)
    return Shown(result, reduction, choose_metric(result), companions_of(result, state.entries), twins)


def choose_metric(result: SweepResult) -> str:
    """Ask which of the result's metrics the curve shows, the task's main one first.

    Accuracy shows a collapse to the majority class as a plateau; the Matthews correlation falls to 0.
    """
    known = dict.fromkeys((metric_of(result), *(name for name in METRICS if name in result.frames[0].metrics)))
    titles = {name: METRICS[name].title for name in known}
    return choose("Curve", titles, "metric", segmented=True) if len(titles) > 1 else metric_of(result)


# ---------------------------------------------------------------- the first figure


def show_overview(state: ViewState) -> None:
    """Show the finding and its picture, what similarity is, the published pair, and what else is known."""
    with st.container(gap="small"):
        title, answer = st.container(), st.container()
        settings, picture = st.container(horizontal=True, vertical_alignment="center"), st.container()
    with settings:
        provenance = st.container()
        chooser = st.popover("Change", type="tertiary", width="content")
    with chooser:
        shown = choose_view(state)
    if shown is None:
        title.title("This result cannot be read", anchor=False)
        return
    said = once(overview_said, shown.result, shown.companions, shown.reduction)
    title.title(plain(said.heading), anchor=False)
    answer.markdown(plain(said.sentences[0]))
    with provenance:
        remark(plain(provenance_of(shown)))
    with picture:
        scene = show_first_figure(shown, said)
    show_steps()
    show_pair(state.entries, shown)
    show_other_checkpoints(state.entries, shown)
    show_details(shown)
    offer_exports(scene, shown.result)
    with st.container(horizontal=True):
        link_to_views(shown.result)
        link_to_control(shown.result)


def provenance_of(shown: Shown) -> str:
    """Name checkpoint, data, method and sentence vector, once on the page."""
    parts = (models_name, data_name, pruning_name)
    return " · ".join([*(part(shown.result) for part in parts), REDUCTIONS[shown.reduction].title])


def show_first_figure(shown: Shown, said: Said) -> Scene:
    """Play the layers, and say what the heading rests on; return what plays."""
    scene = once(
        finding_scene, shown.result, shown.reduction, shown.companions, said.heading, shown.metric, shown.twins
    )
    start = start_in_address(scene.amounts)
    show_pictures(scene, key="overview", group="overview", autoplay=True, start=start)
    for sentence in said.sentences[1:]:
        st.markdown(plain(sentence))
    link_to_control(shown.result)
    if words := caution(shown.result):
        st.warning(plain(words))
    return scene


# ---------------------------------------------------------------- what similarity is


def show_steps() -> None:
    """Explain similarity by moving sentences, and lead to the visitor's own model."""
    st.subheader("What does “similar” mean?", anchor=False)
    _steps(key="steps")
    st.html(STYLE)
    with st.container(key=TRY):
        link_to("Lab", "Try your own model", ":material/science:", **{OWN: OWN_MODEL})


# ---------------------------------------------------------------- the published pair


def show_pair(entries: Sequence[Entry], shown: Shown) -> None:
    """Show the tasks of the published heatmaps side by side, by the method on show where both have it."""
    sides = [result for entry in published_pair(entries, shown.result.pruning.method) if (result := by_key(entry.key))]
    if len(sides) < len(PAIR):
        return
    heading = once(overview_heading, sides, [companions_of(side, entries) for side in sides])
    st.subheader("The two published tasks: SST-2 and CoLA", anchor=False)
    st.markdown(plain(heading))
    first, second = sides
    named = (models_name(first), models_name(second), pruning_name(first), REDUCTIONS[shown.reduction].title)
    remark(plain(" · ".join(named)))
    titles = (task_title(first.task.name), task_title(second.task.name))
    scene = replace(once(pair_scene, (first, second), shown.reduction, titles), title=heading)
    show_pictures(scene, key="pair", group="pair", link=False)
    offer_exports(scene, first, second, label="Download the pair", numbers=False)


# ---------------------------------------------------------------- other checkpoints


def show_other_checkpoints(entries: Sequence[Entry], shown: Shown) -> None:
    """Say what the pruning on show does to each checkpoint that it was tried on, where there are several."""
    rows = rows_everywhere(shown.result, entries)
    sentences = replication_sentences(rows, in_sentence(pruning_name(shown.result)))
    if not sentences:
        return
    st.subheader("Does it hold for other checkpoints?", anchor=False)
    st.markdown(plain(" ".join(sentences)))
    with st.expander("Each checkpoint"):
        st.markdown(
            markdown_table([{**row, "Checkpoint": plain(row["Checkpoint"])} for row in replication_table(rows)])
        )
    link_to("Grid", "See all methods on every checkpoint", ":material/grid_on:")


# ---------------------------------------------------------------- what else is known


def how_to_read(shown: Shown) -> tuple[str, ...]:
    """Explain what the pictures have."""
    result = shown.result
    chance, floor = controls_of(result, shown.companions), floor_of(result, shown.reduction)
    return (
        AGAINST if result.against else HOW_TO_READ,
        RANDOM.format(units=units_name(result)) if chance else "",
        FLOOR if floor else "",
        OTHER_SEEDS if shown.twins else "",
        CUMULATIVE if pruned_layer(result) is None else "",
        SHADED if beyond_from(result) is not None else "",
    )


def show_details(shown: Shown) -> None:
    """Say how to read the pictures, and how it was measured, under the statistics' names."""
    result = shown.result
    with st.expander("How to read the pictures"):
        st.markdown("".join(how_to_read(shown)))
    if not result.against:
        with st.expander("Intact up to: table"):
            for part in narrow(once(survival_table, result, shown.reduction, twins=shown.twins)):
                st.markdown(markdown_table(part))
    with st.expander("Details"):
        show_numbers(result, shown.companions)


def overview() -> None:
    """Show the result that the address names, or the first of the published pair."""
    state = page_header("Overview", first_of_the_pair)
    if state.result:
        show_overview(state)
    else:
        show_nothing(
            "What does pruning do to the layers of a fine-tuned BERT?",
            "No result is shipped with this copy, so there is nothing to show yet.",
            "Make one, which takes about a minute on a laptop, and reload this page:",
            PRECOMPUTE,
        )


with picture_first():
    overview()
