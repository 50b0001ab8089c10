"""What a page shows of results: pictures that move, what is said of them, and the details; for whoever puts it up.

The app's page of the same name and the static edition's show this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.charts.compare import compare_scene
from core.charts.cut import cut_scene
from core.charts.forest import Own, forest_scene
from core.charts.grammar import Rows
from core.charts.layers import layer_scene
from core.charts.passed import halves_scene
from core.charts.result import STAGE, result_scene
from core.charts.sentences import flip_scene
from core.charts.story import Step
from core.charts.view import Scene, reduction_choices
from core.findings import compare, passed
from core.findings.accuracy import metric_of
from core.findings.choices import middle_of
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.compare import Two
from core.findings.cut import chosen, frontier_of
from core.findings.pooled import Pooled
from core.findings.sentences import ALL, examples_of, selected
from core.findings.words import Finding, Table, numbered
from core.findings.words import compare as compare_words
from core.findings.words import cut as cut_words
from core.findings.words import grid as grid_words
from core.findings.words import layers as layers_words
from core.findings.words import sentences as sentences_words
from core.findings.words.numbers import unbroken
from core.findings.words.passed import halves_finding
from core.findings.words.present import HINT
from core.findings.words.story import spoken_summary
from core.findings.words.verdict import criteria_table, numbers_table
from core.request.catalog import REDUCTIONS
from core.results.cached_call import cached_call
from core.results.cut import CutStudy
from core.results.names import PointLabel, ReductionKey
from core.results.schema import SweepResult

NOTHING = Finding("")


@dataclass(frozen=True)
class Block:
    """A picture that moves, and what is said of it.

    Attributes:
        scene: The picture.
        said: What stands above and below it.
        start: The amount shown first.
        group: Of the players that move together; empty for one of its own.
        picks: The parameter that a click on a row of the picture sets.
        choices: What the player itself lets choose from, by reduction.
        spoken: What a speaker may say of each of these.
        stage: The words around a picture for a projector.
    """

    scene: Scene
    finding: Finding = NOTHING
    start: float | None = None
    group: str = ""
    picks: str = ""
    choices: Mapping[str, Scene] = field(default_factory=dict)
    spoken: Mapping[str, str] = field(default_factory=dict)
    stage: Mapping[str, str] | None = None

    def offered(self, written: Callable[[Scene], Any]) -> Rows:
        """Return the choices as core/charts/player.js takes them, their pictures as they are written."""
        known = reduction_choices(self.choices, written)
        return [{**choice, "spoken": unbroken(self.spoken[choice["name"]])} for choice in known]


@dataclass(frozen=True)
class Shown:
    """What a page shows for one combination of its choices.

    Attributes:
        said: The heading and the sentences.
        blocks: The pictures.
        notes: What is said beside them in boxes.
        tables: The details, by their titles.
        text: How to read all this, in Markdown.
        steps: The scenes of a story.
        turn: The keys of the results that the arrow keys step through.
    """

    finding: Finding
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    text: str = ""
    steps: Sequence[Step] = ()
    turn: Sequence[str] = ()


# ---------------------------------------------------------------- layers


def layers_shown(result: SweepResult, near: Sequence[SweepResult], reduction: ReductionKey, layer: PointLabel) -> Shown:
    """Show every layer of a result in a row, and the selected one as a curve; nothing where similarity is undefined.

    Args:
        result: A whole sweep.
        near: What it is judged beside, and its layers pruned alone.
        reduction: A key of REDUCTIONS.
        layer: The selected one.
    """
    said = layers_words.layers_finding(result, layer, near, reduction)
    if not said.sentences:
        return Shown(said)
    scene = layer_scene(result, reduction, layer, controls_of(result, near))
    block = Block(scene, start=middle_of(result.amounts), group="layers", picks="layer")
    return Shown(said, [block], text=layers_words.READING)


def layers_tables(result: SweepResult, near: Sequence[SweepResult], reduction: ReductionKey) -> dict[str, Table]:
    """Tabulate how far layers stay intact, the verdict and the numbers; see `layers_shown`."""
    return {
        "": layers_words.survival_table(result, reduction),
        "Verdict": cached_call(criteria_table, result, near),
        "Numbers": cached_call(numbers_table, result, near),
    }


def halves_block(result: SweepResult, near: Sequence[SweepResult], reduction: ReductionKey) -> Block | None:
    """Show what pruning each half of the layers alone does; None where that was not measured."""
    alone, drawn = isolated_of(result, near), list(isolated_controls_of(result, near).values())
    harm = cached_call(passed.harm_of, alone, result)
    if harm is None:
        return None
    said = halves_finding(cached_call(verdict, result, near, reduction).lead, harm, passed.shipped())
    return Block(cached_call(halves_scene, result, reduction, alone, drawn, said.heading), said, harm.removed)


# ---------------------------------------------------------------- other pages of results


def compare_shown(
    two: Two, near: Sequence[SweepResult], axis: compare.Axis, reduction: ReductionKey, metric: str | None = None
) -> Shown:
    """Show how two results differ, where the same of an axis is reached; `near` is what either is judged beside."""
    metric = metric_of(*two, asked=metric)
    scene = compare_scene(*two, reduction, axis, metric)
    said = cached_call(compare_words.compare_finding, two, reduction, near, metric)
    said = replace(said, heading=compare_words.equal_heading(two, axis, reduction) or said.heading)
    tests = cached_call(compare.paired_comparisons, two, metric) if said.sentences else []
    table = compare_words.paired_table(tests, metric, compare.distinguishing_names(two)) if tests else []
    start = compare.START if axis == "damage" else middle_of(scene.amounts)
    return Shown(
        said,
        [Block(scene, start=start, group=f"compare-{axis}")],
        compare_words.compare_notes(two, axis, reduction),
        {compare_words.PAIRED: table},
        compare_words.HOW_TO_READ,
    )


def sentences_shown(result: SweepResult, flips: str, label: str = ALL, with_texts: bool = True) -> Shown:
    """Show which of a result's examples flip, and their texts if kept; no picture where none fits."""
    examples = [known if with_texts else replace(known, texts=()) for known in examples_of(result)]
    said, found = sentences_words.flips_finding(result, examples), selected(result, examples, label, flips)
    if not found:
        return Shown(said, notes=(sentences_words.NO_FIT,), text=sentences_words.EXPLANATION)
    lacking = sentences_words.NO_TEXTS if with_texts else sentences_words.NOT_PUBLISHED
    title = f"{numbered(len(found), 'example')}, earliest flip first"
    tables = {title: sentences_words.examples_table(result, found)}
    notes = () if found[0].texts else (lacking,)
    return Shown(said, [Block(cached_call(flip_scene, result, found))], notes, tables, sentences_words.EXPLANATION)


def present_block(result: SweepResult, near: Sequence[SweepResult], heading: str, caption: str) -> Block:
    """Show one result over the whole window, under a heading, by every reduction; see `layers_shown`."""
    scenes = {
        name: replace(
            cached_call(result_scene, result, name, STAGE), title=heading, caption=(caption, REDUCTIONS[name].title)
        )
        for name in REDUCTIONS
    }
    spoken = {name: cached_call(spoken_summary, result, near, name) for name in scenes}
    stage = {"heading": heading, "caption": caption, "hint": HINT}
    first = next(iter(scenes.values()))
    return Block(first, start=result.amounts[0], choices=scenes, spoken=spoken, stage=stage)


def cut_shown(study: CutStudy, most: str) -> Shown:
    """Show which layers can go where at most so much may be lost."""
    known = cached_call(frontier_of, study)
    found = chosen(known, float(most))
    said = cut_words.cut_finding(known, found, float(most))
    scene = cut_scene(known, found, said.heading)
    return Shown(said, [Block(scene)], tables={"": cut_words.choices_table(known)}, text=cut_words.READING)


def pooled_shown(table: Sequence[Pooled], own: Own) -> Shown:
    """Show each method over all checkpoints, and beside them a visitor's own: what they say together, and each."""
    said = grid_words.claim_finding(table[0], table)
    scene = forest_scene(table, own, said.heading)
    return Shown(said, [Block(scene)], tables={"": grid_words.pooled_table(table)}, text=grid_words.MEANING)
