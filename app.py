"""The Story: what pruning does to a model's layers, in one sentence and one picture; then what that means."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.charts.overview import finding_scene, pair_scene
from core.findings.choices import SEPARATOR, task_title
from core.findings.layers import Look
from core.findings.words import Said
from core.findings.words.grid import replication_table
from core.findings.words.layers import survival_table
from core.findings.words.overview import caution, overview_heading, overview_said, replication_sentences
from core.findings.words.pooled import claim_of
from core.request.catalog import REDUCTIONS
from core.results.library import Entry, entry_of
from core.results.names import in_sentence, models_name, pruning_name
from core.results.schema import SweepResult
from ui import player
from ui.address import picture_first
from ui.exports import offer_exports
from ui.grid import rows_everywhere
from ui.header import change, link_to, link_to_control, page_header, show_nothing
from ui.results import by_key, companions_of, guided_beside, shipped_results, yardstick_of
from ui.shared import once
from ui.text import markdown_table, plain, remark, show_table
from ui.view_state import OWN, OWN_MODEL, choose_result, one_result, published_pair

HOW_TO_READ = """
**In the stack**, each band is one layer: its length and colour say how similar the layer is to itself in the unpruned
model. A layer counts as intact while that is at least 0.9, which is a convention. A layer's output also reflects the
pruning of every layer below it.

**In the heatmap**, each cell compares one layer of the pruned model with one of the unpruned model. 1 means the same
arrangement of sentences, up to rotation and scale; near 0, no more alike than chance.

Where they are known, these are drawn as well. **Random removal** is marked at the amount where the overall change is
equal: what differs then is which layers have changed. **Everything removed** is the similarity left when all that can
be pruned is gone; a layer that stays intact all the same says little. **Two fine-tunes**, in blue, shows how similar
the layer is in models that differ only in the seed.
**Shaded** is everything beyond the working range: there the model no longer keeps 90 % of its advantage over always
guessing the commonest label.
"""
AGAINST = """
Layers of the pruned model are compared with those of another checkpoint, unpruned: each row of the heatmap is one of
its layers. Beside it stands the one that each layer is most similar to. Some similarity is expected of any two models
that read the same sentences.
"""
TRY = "try-your-own"  # the only link that looks like a button
STYLE = f"""<style>
.st-key-{TRY} a {{ border: 1px solid #808080; padding: 0.5rem 1rem; }}
.st-key-{TRY} p {{ font-weight: 600; }}
</style>"""
NOTHING = "No result is shipped with this copy. Make one, which takes about a minute on a laptop, and reload this page:"
PRECOMPUTE = "python -m core.precompute --checkpoint embedded:sst2 --task sst2"

_steps = player.component("steps")


def overview() -> None:
    """Show the finding and its picture, what similarity is, the published pair, and what else is known."""
    state = page_header("Story", one_result)
    result, entries = state.result, state.entries
    if result is None:
        show_nothing(NOTHING, PRECOMPUTE)
        return
    with st.container(gap="small"):
        title, answer = st.container(), st.container()
        reduction = player.reduction_in_address(result)
        with change(result, REDUCTIONS[reduction].title):
            choose_result(state)
            player.choose_reduction(result)
            metric = player.choose_metric(result)
        picture = st.container()
    companions, twins = companions_of(result, entries), yardstick_of(result, entries, reduction)
    said = once(overview_said, result, companions, reduction, metric)
    opening = claim_of(result.key) or Said(said.heading, said.sentences[:1])
    title.title(plain(opening.heading), anchor=False)
    answer.markdown(plain(" ".join(opening.sentences)))
    with picture:
        scene = once(finding_scene, result, reduction, companions, said.heading, metric, twins)
        player.show_pictures(scene, key="overview", autoplay=True, start=player.start_in_address(scene.amounts))
        for sentence in said.sentences:
            if sentence not in opening.sentences:
                st.markdown(plain(sentence))
        player.show_shares(result, guided_beside(result, entries))
        link_to_control(result)
        if words := caution(result):
            st.warning(plain(words))
    st.subheader("What does “similar” mean?", anchor=False)
    _steps(key="steps")
    st.html(STYLE)
    with st.container(key=TRY):
        link_to("Lab", "Try your own model", ":material/science:", **{OWN: OWN_MODEL}, result="")
    show_pair(entries, result, reduction)
    show_other_checkpoints(entries, result)
    with st.expander("How to read the pictures"):
        st.markdown(AGAINST if result.against else HOW_TO_READ)
    with st.expander("Details"):
        if not result.against:
            show_table(once(survival_table, result, Look(reduction), twins))
        player.show_numbers(result, companions)
    offer_exports(scene, result)


def show_pair(entries: Sequence[Entry], result: SweepResult, reduction: str) -> None:
    """Show the tasks of the published heatmaps side by side, by the method on show where both have it."""
    sides = [side for entry in published_pair(entries, once(entry_of, result)) if (side := by_key(entry.key))]
    if len(sides) < 2:
        return
    heading = once(overview_heading, sides, [companions_of(side, entries) for side in sides])
    st.subheader("The two published tasks: SST-2 and CoLA", anchor=False)
    st.markdown(plain(heading))
    names = (*map(models_name, sides), pruning_name(sides[0]), REDUCTIONS[reduction].title)
    remark(plain(SEPARATOR.join(names)))
    first, second = sides
    titles = task_title(first.task.name), task_title(second.task.name)
    scene = replace(once(pair_scene, (first, second), reduction, titles), title=heading)
    player.show_pictures(scene, key="pair", link=False)
    offer_exports(scene, *sides, label="Download the pair", numbers=False)


def show_other_checkpoints(entries: Sequence[Entry], result: SweepResult) -> None:
    """Say what the pruning on show does to each shipped checkpoint; the visitor's own stand in the table below them."""
    rows = rows_everywhere(result, shipped_results())
    counted = {row.key for row in rows}
    beside = [row for row in rows_everywhere(result, entries) if row.key not in counted]
    sentences = replication_sentences(rows, in_sentence(pruning_name(result)))
    if not sentences:
        return
    st.subheader("Does it hold for other checkpoints?", anchor=False)
    st.markdown(plain(" ".join(sentences)))
    with st.expander("Each checkpoint"):
        table = [{**row, "Checkpoint": plain(row["Checkpoint"])} for row in replication_table(rows, beside)]
        st.markdown(markdown_table(table))
    link_to("All results", "See all methods on every checkpoint", ":material/grid_on:")


with picture_first():
    overview()
