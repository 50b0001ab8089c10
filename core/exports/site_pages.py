"""What each page of the static edition holds, for every choice that its address knows.

It is what the app's page of the same name shows: the same facts, words and pictures, put together without a server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from core.charts.compare import compare_scene
from core.charts.cut import cut_scene
from core.charts.forest import forest_scene
from core.charts.layers import layer_scene
from core.charts.passed import halves_scene, passed_scene
from core.charts.result import STAGE, result_scene
from core.charts.sentences import flip_scene
from core.charts.story import Step, story
from core.charts.view import Scene
from core.exports.methods_page import markdown_html, methods_html
from core.exports.site_shelf import Shelf
from core.findings import compare, passed
from core.findings.accuracy import metrics_of
from core.findings.choices import halves, isolated, middle_of, reductions_of
from core.findings.claim import verdict
from core.findings.comparable import controls_of, isolated_controls_of, isolated_of
from core.findings.cut import By, chosen, frontier_of
from core.findings.layers import THRESHOLDS, Look, layers_of, own_measures
from core.findings.pooled import Pooled
from core.findings.sentences import ALL, examples_of, flip_choices, selected
from core.findings.words import Said, Table, points
from core.findings.words import compare as compare_words
from core.findings.words import cut as cut_words
from core.findings.words import grid as grid_words
from core.findings.words import layers as layers_words
from core.findings.words import sentences as sentences_words
from core.findings.words import story as story_words
from core.findings.words.lab import caution
from core.findings.words.numbers import percent
from core.findings.words.pages import label_of
from core.findings.words.passed import halves_said, passed_said
from core.findings.words.present import HINT
from core.findings.words.verdict import criteria_table, numbers_table
from core.request.catalog import MEASURES, METRICS, REDUCTIONS, SURVIVAL_THRESHOLD
from core.results.cut import CutStudy
from core.results.names import checkpoint_name, data_name, label_words, models_name, point_names, pruning_name
from core.results.once import once
from core.results.schema import SweepResult

KEY_CHARS = 12  # of a result's key in the name of a file
NOTHING = Said("")
MOST_LABELS = 20  # of the labels of a task; with more, examples are not told apart by theirs


@dataclass(frozen=True)
class Choice:
    """What a page lets its reader choose.

    Attributes:
        name: Of the parameter of the address.
        label: Over the choice.
        options: The values with their names on screen; the empty one stands for no parameter.
        default: The value without a parameter.
        segmented: Whether all options stand side by side.
    """

    name: str
    label: str
    options: Mapping[str, str]
    default: str
    segmented: bool = True


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
    said: Said = NOTHING
    start: float | None = None
    group: str = ""
    picks: str = ""
    choices: Mapping[str, Scene] = field(default_factory=dict)
    spoken: Mapping[str, str] = field(default_factory=dict)
    stage: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Shown:
    """What a page shows for one combination of its choices.

    Attributes:
        said: The heading and the sentences.
        blocks: The pictures.
        notes: What is said beside them in boxes.
        tables: The details, by their titles.
        text: How to read all this, as HTML that is this program's own.
        steps: The scenes of a story.
        turn: The keys of the results that the arrow keys step through.
    """

    said: Said
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    text: str = ""
    steps: Sequence[Step] = ()
    turn: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """A page of one result, of two, of a study, or of none.

    Attributes:
        name: Of its file.
        choices: What it lets its reader choose.
        show: Returns what it shows for a value of each choice; None where these do not go together.
    """

    name: str
    choices: Sequence[Choice]
    show: Callable[..., Shown | None]


def name_of(page: str, *keys: str) -> str:
    """Name the file of a page."""
    return "-".join((page, *(key[:KEY_CHARS] for key in keys)))


def choice(name: str, options: Mapping[str, str], default: str | None = None, segmented: bool = True) -> list[Choice]:
    """Offer options, the first one where no default is given; a single one is no choice."""
    first = next(iter(options)) if default is None else default
    return [Choice(name, label_of(name), options, first, segmented)] if len(options) > 1 else []


def story_page(result: SweepResult, shelf: Shelf) -> Page:
    """Tell the story of a result."""
    metrics, entry = {name: METRICS[name].title for name in metrics_of(result)}, shelf.study_of(result)
    near, alone, study = shelf.beside(result), shelf.beside(result, halves), shelf.study(entry) if entry else None

    def show(reduction: str, metric: str | None = None) -> Shown:
        steps = story(result, reduction, near, alone, study, shelf.yardstick(result, reduction), metric)
        text = story_words.AGAINST if result.against else story_words.HOW_TO_READ
        notes = tuple(filter(None, [caution(result)]))
        return Shown(Said(pruning_name(result)), notes=notes, text=markdown_html(text), steps=steps)

    choices = [_reductions(result), *choice("metric", metrics)]
    return Page(name_of("story", result.key), choices, show)


def _reductions(*results: SweepResult) -> Choice:
    options = reductions_of(*results)
    return Choice("reduction", label_of("reduction"), options, next(iter(options)))


def layers_page(result: SweepResult, shelf: Shelf) -> Page:
    """Show every layer of a result in a row, and the selected one as a curve."""
    near = [*shelf.beside(result), *shelf.beside(result, isolated)]
    titles = {"": layers_words.FIRST_TO_CHANGE} | {name.label: name.title for name in point_names(result.points)}
    measures = {name: MEASURES[name].title for name in own_measures(result, _reductions(result).default)}
    thresholds = {} if result.against else {str(threshold): str(threshold) for threshold in sorted(THRESHOLDS)}

    def show(reduction: str, *rest: str) -> Shown | None:
        values = dict(zip([known.name for known in choices[1:]], rest, strict=True))
        measure, threshold = values.get("measure", "cka"), values.get("threshold", SURVIVAL_THRESHOLD)
        look = Look(reduction, float(threshold), measure)
        if measure not in own_measures(result, reduction):
            return None
        layer = values.get("layer") or layers_of(result, look).selected.label
        said = once(layers_words.layers_said, result, layer, near, look)
        if not said.sentences:  # similarity is undefined
            return Shown(said)
        if result.against:
            scene = replace(result_scene(result, reduction), title=said.heading)
            tables = {"": layers_words.closest_table(result, reduction)}
            text = layers_words.AGAINST
        else:
            scene = layer_scene(result, look, layer, controls_of(result, near))
            twins = shelf.yardstick(result, reduction) if measure == "cka" else None
            tables = {
                "": layers_words.survival_table(result, look, twins),
                "Verdict": once(criteria_table, result, near),
            }
            text = layers_words.READING
        first = Block(scene, start=middle_of(result.amounts), group="layers", picks="layer")
        blocks, tables = (
            [first, *_alone(result, layer, reduction, near)],
            {**tables, "Numbers": once(numbers_table, result, near)},
        )
        return Shown(said, blocks, tables=tables, text=markdown_html(text))

    choices = [_reductions(result), *choice("threshold", thresholds, str(SURVIVAL_THRESHOLD))]
    choices += [*choice("measure", measures), *choice("layer", titles, segmented=False)]
    return Page(name_of("layers", result.key), choices, show)


def _alone(result: SweepResult, layer: str, reduction: str, near: Sequence[SweepResult]) -> list[Block]:
    """Show what each layer, and each half of them, passes on when it alone is pruned, as far as that was measured."""
    alone, drawn, shown = isolated_of(result, near), list(isolated_controls_of(result, near).values()), []
    if found := once(passed.passed_on, result, near, reduction):
        scene = passed_scene(result, reduction, layer, found)
        shown.append(Block(scene, passed_said(layer, found, passed.shipped()), middle_of(scene.amounts)))
    if harm := once(passed.harm_of, alone):
        said = halves_said(once(verdict, result, near, reduction).lead, harm, passed.shipped())
        scene = once(halves_scene, result, reduction, alone, drawn, said.heading)
        shown.append(Block(scene, said, harm.removed))
    return shown


def compare_page(first: SweepResult, second: SweepResult, shelf: Shelf) -> Page:
    """Show how two results differ."""
    two, near = (first, second), [*shelf.beside(first), *shelf.beside(second)]
    metrics = {name: METRICS[name].title for name in metrics_of(*two)}

    def show(axis: str, reduction: str, metric: str = next(iter(metrics))) -> Shown:
        by = cast(compare.Axis, axis)
        scene = compare_scene(first, second, reduction, by, metric)
        said = once(compare_words.compare_said, two, reduction, near, metric)
        tests = once(compare.paired_comparisons, two, metric) if said.sentences else []
        names = compare.distinguishing_names(two)
        return Shown(
            Said(compare_words.compare_heading(two, metric), said.sentences),
            [
                Block(
                    scene,
                    start=compare.START if axis == "damage" else middle_of(scene.amounts),
                    group=f"compare-{axis}",
                )
            ],
            compare_words.compare_notes(two, by, reduction),
            {compare_words.PAIRED: compare_words.paired_table(tests, metric, names) if tests else []},
            markdown_html(compare_words.HOW_TO_READ),
        )

    choices = [*choice("axis", compare_words.AXES), _reductions(*two), *choice("metric", metrics)]
    return Page(name_of("compare", first.key, second.key), choices, show)


def sentences_page(result: SweepResult, _: Shelf) -> Page:
    """Show which examples flip; their texts only where they were written for this project."""
    examples = examples_of(result)
    if result.task.source != "written":
        examples = [replace(example, texts=()) for example in examples]
    said, names = sentences_words.sentences_said(result, examples), result.task.label_names
    labels = {ALL: "Any", **{name: label_words(name) for name in names if len(names) <= MOST_LABELS}}

    def show(flips: str, label: str = ALL) -> Shown | None:
        if not (found := selected(result, examples, label, flips)):
            return None
        notes = () if examples[0].texts else (sentences_words.NO_TEXTS,)
        tables = {"Examples, earliest flip first": sentences_words.examples_table(result, found)}
        block = Block(flip_scene(result, found), start=None)
        return Shown(said, [block], notes, tables, markdown_html(sentences_words.EXPLANATION))

    choices = [
        *choice("flips", flip_choices(result, examples), segmented=False),
        *choice("label", labels, segmented=False),
    ]
    return Page(name_of("sentences", result.key), choices, show)


def present_page(result: SweepResult, shelf: Shelf) -> Page:
    """Show one result over the whole window."""
    titles, near, caption = shelf.playlist(result), shelf.beside(result), f"{models_name(result)}, {data_name(result)}"
    heading = titles.get(result.key) or pruning_name(result)
    scenes = {
        name: replace(result_scene(result, name, STAGE), title=heading, caption=(caption, REDUCTIONS[name].title))
        for name in result.reductions
    }
    spoken = {name: story_words.in_short(result, near, name) for name in scenes}
    stage = {"heading": heading, "caption": caption, "hint": HINT}
    first = next(iter(scenes.values()))
    block = Block(first, start=result.amounts[0], choices=scenes, spoken=spoken, stage=stage)
    shown = Shown(Said(heading), [block], turn=list(titles))
    return Page(name_of("present", result.key), (), lambda: shown)


def cut_page(study: CutStudy) -> Page:
    """Show which layers can go."""
    known, names = frontier_of(study), (checkpoint_name(study), data_name(study))
    caption = (*names, *filter(None, [cut_words.machine_words(known)]))

    def show(by: str, most: str) -> Shown:
        found = chosen(known, cast(By, by), float(most))
        said = cut_words.cut_said(known, found, cast(By, by), float(most))
        scene = cut_scene(known, found, said.heading, caption)
        return Shown(
            said, [Block(scene)], tables={"": cut_words.regrets_table(known)}, text=markdown_html(cut_words.READING)
        )

    limits = {str(most): f"{points(most)} or {percent(most)}" for most in cut_words.MOST}
    choices = [*choice("by", cut_words.BY), *choice("most", limits, cut_words.USUAL)]
    return Page(name_of("cut", study.key), choices, show)


def grid_page(table: Sequence[Pooled]) -> Page:
    """Show what all shipped checkpoints say of each method, above the list of results; without a table only that."""
    shown = Shown(Said("All results"))
    if table:
        said = grid_words.claim_said(table[0], table)
        scene = forest_scene(table, {}, said.heading)
        text = f"{scene.caption[-1]}\n\n{grid_words.MEANING}"
        shown = Shown(said, [Block(scene)], tables={"": grid_words.pooled_table(table)}, text=markdown_html(text))
    return Page("grid", (), lambda: shown)


def methods_page() -> Page:
    """Explain what the pictures mean."""
    return Page("methods", (), partial(Shown, Said(""), text=methods_html()))
