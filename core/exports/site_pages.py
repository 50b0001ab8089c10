"""What each page of the static edition holds, for every choice that its address knows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.charts import pages
from core.charts.pages import Shown
from core.charts.story import story
from core.exports.methods_page import markdown_html, methods_html
from core.exports.site_shelf import Shelf
from core.findings.accuracy import metrics_of
from core.findings.choices import halves, isolated
from core.findings.layers import layers_of
from core.findings.pooled import Pooled
from core.findings.sentences import ALL, examples_of
from core.findings.words import Finding, points
from core.findings.words import compare as compare_words
from core.findings.words import cut as cut_words
from core.findings.words import layers as layers_words
from core.findings.words import story as story_words
from core.findings.words.lab import caution
from core.findings.words.methods import methods_parts
from core.findings.words.pages import label_of
from core.findings.words.sentences import flip_choices
from core.request.catalog import REDUCTION_TITLES
from core.results.cut import CutStudy
from core.results.names import brief_label, checkpoint_name, data_name, point_names, pruning_name
from core.results.schema import SweepResult

SEPARATOR = "|"  # of the values of a page's choices
KEY_CHARS = 12  # of a result's key in the name of a file
MOST_LABELS = 20  # of the labels of a task; with more, examples are not told apart by theirs


@dataclass(frozen=True)
class Choice:
    """What a page lets its reader choose.

    Attributes:
        name: Of the parameter of the address.
        label: Over the choice.
        options: The values with their names on screen; the empty one stands for no parameter.
        default: The value without a parameter.
    """

    name: str
    label: str
    options: Mapping[str, str]
    default: str


@dataclass(frozen=True)
class Page:
    """A page of one result, of two, of a study, or of none.

    Attributes:
        name: Of its file.
        choices: What it lets its reader choose.
        show: Returns what it shows for a value of each choice, by its name.
        html: Writes what says how to read it.
    """

    name: str
    choices: Sequence[Choice]
    show: Callable[..., Shown]
    html: Callable[[str], str] = markdown_html


def name_of(page: str, *keys: str) -> str:
    """Name the file of a page."""
    return "-".join((page, *(key[:KEY_CHARS] for key in keys)))


def choice(name: str, options: Mapping[str, str], default: str | None = None) -> list[Choice]:
    """Offer options, the first one where no default is given; a single one is no choice."""
    first = next(iter(options)) if default is None else default
    return [Choice(name, label_of(name), options, first)] if len(options) > 1 else []


BY_REDUCTION = choice("reduction", REDUCTION_TITLES)


def story_page(result: SweepResult, shelf: Shelf) -> Page:
    """Tell the story of a result."""
    near, alone, notes = shelf.beside(result), shelf.beside(result, halves), tuple(filter(None, [caution(result)]))

    def show(reduction: str, metric: str | None = None) -> Shown:
        steps = story(result, reduction, near, alone, metric)
        return Shown(Finding(pruning_name(result)), notes=notes, text=story_words.HOW_TO_READ, steps=steps)

    choices = [*BY_REDUCTION, *choice("metric", metrics_of(result))]
    return Page(name_of("story", result.key), choices, show)


def layers_page(result: SweepResult, shelf: Shelf) -> Page:
    """Show every layer of a result in a row, and the selected one as a curve."""
    near = [*shelf.beside(result), *shelf.beside(result, isolated)]
    titles = {"": layers_words.FIRST_TO_CHANGE} | {name.label: name.title for name in point_names(result.points)}

    def show(reduction: str, layer: str = "") -> Shown:
        layer = layer or layers_of(result, reduction).selected.label
        shown = pages.layers_shown(result, near, reduction, layer)
        if not shown.blocks:
            return shown
        blocks = [*shown.blocks, *filter(None, [pages.halves_block(result, near, reduction)])]
        return replace(shown, blocks=blocks, tables=pages.layers_tables(result, near, reduction))

    return Page(name_of("layers", result.key), [*BY_REDUCTION, *choice("layer", titles)], show)


def compare_page(first: SweepResult, second: SweepResult, shelf: Shelf) -> Page:
    """Show how two results differ."""
    two, near = (first, second), [*shelf.beside(first), *shelf.beside(second)]
    choices = [*choice("axis", compare_words.AXES), *BY_REDUCTION, *choice("metric", metrics_of(*two))]
    return Page(name_of("compare", first.key, second.key), choices, partial(pages.compare_shown, two, near))


def sentences_page(result: SweepResult, _: Shelf) -> Page:
    """Show which examples flip; their texts only where they were written for this project."""
    names, written = result.task.label_names, result.task.source == "written"
    offered = len(names) <= MOST_LABELS and not any(SEPARATOR in name or name == "__proto__" for name in names)
    labels = {ALL: "Any", **{name: brief_label(name) for name in names if offered}}
    choices = [*choice("flips", flip_choices(result, examples_of(result))), *choice("label", labels)]
    show = partial(pages.sentences_shown, result, with_texts=written)
    return Page(name_of("sentences", result.key), choices, show)


def present_page(result: SweepResult, shelf: Shelf) -> Page:
    """Show one result over the whole window."""
    titles, caption = shelf.playlist(result), f"{checkpoint_name(result)}, {data_name(result)}"
    heading = titles[result.key]
    block = pages.present_block(result, shelf.beside(result), heading, caption)
    shown = Shown(Finding(heading), [block], turn=list(titles))
    return Page(name_of("present", result.key), (), lambda: shown)


def cut_page(study: CutStudy) -> Page:
    """Show which layers can go."""
    limits = {str(most): points(most) for most in cut_words.MOST}
    return Page(name_of("cut", study.key), choice("most", limits, cut_words.USUAL), partial(pages.cut_shown, study))


def grid_page(table: Sequence[Pooled]) -> Page:
    """Show what all shipped checkpoints say of each method, above the list of results; without a table only that."""
    shown = Shown(Finding("All results"))
    if table:
        shown = pages.pooled_shown(table, {})
        shown = replace(shown, text=f"{shown.blocks[0].scene.caption[-1]}\n\n{shown.text}")
    return Page("grid", (), lambda: shown)


def methods_page() -> Page:
    """Explain what the pictures mean."""
    return Page("methods", (), partial(Shown, Finding(methods_parts()[0].title), text=methods_html()), str)
