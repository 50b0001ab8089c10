"""Compose what each page shows, in the app and the static edition: pictures, sentences, details."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from core.charts.compare import compare_scene
from core.charts.cut import cut_scene
from core.charts.forest import forest_scene
from core.charts.layers import layer_scene
from core.charts.recovery import recover_scene
from core.charts.result import STAGE, result_scene
from core.charts.sentences import flip_scene
from core.charts.story import Step, story
from core.charts.view import Scene
from core.findings import compare, passed
from core.findings.accuracy import metric_of, metrics_of
from core.findings.choices import alone, companions, middle_of
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_of
from core.findings.cut import chosen, frontier_of
from core.findings.layers import layers_of
from core.findings.pooled import Pooled
from core.findings.recovery import returned
from core.findings.sentences import ALL, examples_of, selected
from core.findings.words import Finding, Table, numbered
from core.findings.words import compare as compare_words
from core.findings.words import cut as cut_words
from core.findings.words import grid as grid_words
from core.findings.words import layers as layers_words
from core.findings.words import recovery as recovery_words
from core.findings.words import sentences as sentences_words
from core.findings.words import story as story_words
from core.findings.words.lab import caution
from core.findings.words.passed import halves_words
from core.findings.words.verdict import criteria_table, range_table
from core.request.catalog import REDUCTIONS
from core.request.pages import Choice
from core.results import names as n
from core.results.cached_call import cached_call
from core.results.cut import CutStudy, Result
from core.results.library import TRAINED, Entry, entry_of
from core.results.recovery import Recovery
from core.results.schema import SweepResult


class Block(NamedTuple):
    """A picture that moves, and the words around it.

    Attributes:
        scene: The picture.
        finding: The heading above it and the sentences below.
        start: The amount shown first.
        group: The players that move together; empty for a player that moves alone.
        picks: The parameter that a click on a row of the picture sets.
        choices: The scenes between which the player itself lets its viewer switch, by reduction.
        stage: The words around a picture for a projector, and the keys of the results that its
            arrow keys step through.
    """

    scene: Scene
    finding: Finding = Finding("")
    start: float | None = None
    group: str = ""
    picks: str = ""
    choices: Mapping[str, Scene] = {}
    stage: Mapping[str, Any] | None = None


class Shown(NamedTuple):
    """What a page shows for one combination of its choices.

    Attributes:
        finding: The heading and the sentences.
        blocks: The pictures.
        notes: The remarks that stand in boxes of their own.
        tables: The details, by their titles.
        text: The explanation of how to read all this, in Markdown.
        steps: The scenes of a story.
        alone: A sentence below the pictures that leads to the story's scene on layers pruned alone.
    """

    finding: Finding
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    tables: Mapping[str, Table] = {}
    text: str = ""
    steps: Sequence[Step] = ()
    alone: str = ""


Show = Callable[..., Shown]
Read = Callable[[Iterable[Entry]], list[SweepResult]]


# ---------------------------------------------------------------- what a page takes


def options_of(choice: Choice, *subjects: Any) -> Mapping[str, str]:
    """Return the values of a choice and their names on screen.

    The default comes first unless the choice names another.

    Args:
        choice: One of the page's.
        subjects: The results or the study on show.
    """
    result = subjects[0]
    match choice.name:
        case "metric":
            return metrics_of(*subjects)
        case "layer":
            return {"": layers_words.FIRST_TO_CHANGE, **dict(n.point_names(result.points))}
        case "flips":
            return sentences_words.flip_choices(result, examples_of(result))
        case "keep":
            return cut_words.depth_choices(result)
        case "label":
            labels = {name: n.brief_label(name) for name in result.task.label_names}
            return {ALL: "Any", **labels}
    return choice.options


# ---------------------------------------------------------------- what each page shows


def story_shown(
    result: SweepResult,
    near: Sequence[SweepResult],
    reduction: n.ReductionKey,
    **trained: Any,
) -> Shown:
    """Tell the story of a result: see `story`.

    `trained` holds the study and the recovery of its model.
    """
    steps = cached_call(story, result, reduction, near, *map(trained.get, TRAINED))
    notes = tuple(filter(None, [caution(result)]))
    return Shown(
        Finding(n.pruning_name(result)),
        notes=notes,
        text=story_words.HOW_TO_READ,
        steps=steps,
    )


def layers_shown(
    result: SweepResult,
    near: Sequence[SweepResult],
    reduction: n.ReductionKey,
    layer: n.PointLabel = "",
) -> Shown:
    """Show every layer in a row, the selected one as a curve, and what either half does alone.

    There is no picture where similarity is undefined.

    Args:
        result: A whole sweep.
        near: What it is judged beside, and its layers pruned alone.
        reduction: A key of REDUCTIONS.
        layer: The selected one; empty for the first to change.
    """
    layer = layer or cached_call(layers_of, result, reduction).selected.label
    finding = cached_call(layers_words.layers_finding, result, layer, near, reduction)
    if not finding.sentences:
        return Shown(finding)
    scene = cached_call(
        layer_scene,
        result,
        reduction,
        layer,
        controls_of(result, near),
    )
    block = Block(scene, start=middle_of(result.amounts), picks="layer")
    harm = cached_call(passed.harm_of, isolated_of(result, near))
    harmed = (
        halves_words(
            cached_call(
                verdict,
                result,
                near,
                reduction,
            ).lead,
            harm,
        )
        if harm
        else ""
    )
    tables = {
        "": layers_words.survival_table(result, reduction),
        "Verdict": cached_call(criteria_table, result, near),
        "Numbers": cached_call(range_table, result),
    }
    return Shown(
        finding,
        [block],
        tables=tables,
        text=layers_words.READING,
        alone=harmed,
    )


def compare_shown(
    first: SweepResult,
    second: SweepResult,
    near: Sequence[SweepResult],
    axis: compare.Axis,
    reduction: n.ReductionKey,
    metric: str | None = None,
) -> Shown:
    """Show how two results differ at equal places; `near` holds what either is judged beside."""
    two = first, second
    scene = cached_call(compare_scene, *two, reduction, axis, metric)
    sentences = cached_call(
        compare_words.compare_sentences,
        two,
        reduction,
        near,
        metric,
    )
    finding = Finding(scene.title, sentences)
    judged_by = metric_of(first, metric)  # where there are tests, both have the same task
    tests = cached_call(compare.paired_comparisons, two, judged_by) if sentences else []
    table = compare_words.paired_table(
        tests,
        judged_by,
        compare.distinguishing_names(two),
    )
    start = compare.START if axis == "damage" else middle_of(scene.amounts)
    return Shown(
        finding,
        [Block(scene, start=start, group=f"compare-{axis}")],
        compare_words.compare_notes(two, axis, reduction),
        {compare_words.PAIRED: table},
        compare_words.HOW_TO_READ,
    )


def sentences_shown(
    result: SweepResult,
    _: Sequence[SweepResult],
    flips: str,
    label: str = ALL,
    with_texts: bool = True,
) -> Shown:
    """Show which examples flip, with their texts if they are kept; no picture if none fits."""
    examples = [
        example if with_texts else replace(example, texts=()) for example in examples_of(result)
    ]
    finding = sentences_words.flips_finding(result, examples)
    matches = selected(result, examples, label, flips)
    if not matches:
        return Shown(
            finding,
            (),
            (sentences_words.NO_FIT,),
            text=sentences_words.EXPLANATION,
        )
    title = f"{numbered(len(matches), 'example')}, earliest flip first"
    tables = {title: sentences_words.examples_table(result, matches)}
    notes = () if matches[0].texts else (sentences_words.NO_TEXTS,)
    return Shown(
        finding,
        [Block(cached_call(flip_scene, result, matches))],
        notes,
        tables,
        sentences_words.EXPLANATION,
    )


def present_shown(
    result: SweepResult,
    _: Sequence[SweepResult],
    titles: Mapping[str, str],
    caption: str = "",
) -> Shown:
    """Show one result over the whole window, by every reduction.

    Args:
        result: A whole sweep.
        titles: The titles, by key, of the results that the arrow keys step through, this one among
            them.
        caption: The line below the picture; empty for the checkpoint and the data.
    """
    heading = titles[result.key]
    caption = caption or f"{n.checkpoint_name(result)}, {n.data_name(result)}"
    scenes = {}
    for name, reduction in REDUCTIONS.items():
        scene = cached_call(result_scene, result, name, STAGE)
        scenes[name] = scene._replace(title=heading, caption=(caption, reduction.title))
    stage = {
        "heading": heading,
        "caption": caption,
        "hint": story_words.HINT,
        "key": result.key,
        "keys": list(titles),
    }
    first = next(iter(scenes.values()))
    return Shown(
        Finding(heading),
        [Block(first, start=result.amounts[0], choices=scenes, stage=stage)],
    )


def cut_shown(study: CutStudy, _: Sequence[SweepResult], most: str, keep: str = "") -> Shown:
    """Show which layers can go.

    Args:
        study: The study.
        most: The share of the score that may be lost.
        keep: The number of layers that stay in the model to describe; empty for the one that the
            answer names.
    """
    frontier = cached_call(frontier_of, study)
    finding = cut_words.cut_finding(frontier, float(most))
    choice = chosen(frontier, float(most), keep)
    of_choice = Finding("", (cut_words.choice_sentence(frontier, choice, float(most)),))
    block = Block(cut_scene(frontier, choice, finding.heading), of_choice, picks="keep")
    text = f"{cut_words.READING}\n\n{cut_words.refit_words(study)}"
    return Shown(finding, [block], text=text, alone=cut_words.WHY_TOP)


def recover_shown(recovery: Recovery, _: Sequence[SweepResult] = ()) -> Shown:
    """Show what comes back when a pruned model is trained again, perhaps up to now."""
    finding = recovery_words.recover_finding(recovery, cached_call(returned, recovery))
    return Shown(
        finding,
        [Block(recover_scene(recovery, finding.heading))],
        text=recovery_words.READING,
    )


def pooled_shown(table: Sequence[Pooled]) -> Shown:
    """Show each method over all checkpoints; without a table, nothing."""
    if not table:
        return Shown(Finding("All results"))
    finding = grid_words.claim_finding(table[0])
    scene = forest_scene(table, finding.heading)
    block = Block(scene, Finding("", grid_words.differences(table)))
    return Shown(finding, [block], text=f"{scene.caption[-1]}\n\n{grid_words.MEANING}")


# By the names of the pages: what composes them,
SHOWN: Mapping[str, Show] = {
    "Story": story_shown,
    "Present": present_shown,
    "Layers": layers_shown,
    "Sentences": sentences_shown,
    "Compare": compare_shown,
    "Cut": cut_shown,
    "Recover": recover_shown,
}
# and what chooses the results that each result on show is judged beside.
BESIDE = {
    "Story": (companions, alone),
    "Layers": (companions, alone),
    "Compare": (companions,),
}


def compose(
    page: str,
    subjects: Sequence[Result],
    entries: Sequence[Entry],
    read: Read,
    **choices: Any,
) -> Shown:
    """Compose what a page shows.

    Args:
        page: The page's name.
        subjects: The results or the study that it is about.
        entries: The available results.
        read: Reads some of them.
        choices: A value for each choice, and what else this page takes.
    """
    own = [
        cached_call(entry_of, subject) for subject in subjects if isinstance(subject, SweepResult)
    ]
    near = read(
        other
        for entry in own
        for choose in BESIDE.get(page, ())
        for other in choose(entry, entries)
    )
    return SHOWN[page](*subjects, near, **choices)
