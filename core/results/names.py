"""Names on screen of points, amounts, checkpoints, data, prunings and whole results."""

from collections.abc import Sequence
from itertools import groupby, takewhile
from typing import NamedTuple

from core.request.amounts import amount_text
from core.request.catalog import (
    CHECKPOINTS,
    DTYPE,
    FAMILIES,
    METHODS,
    POINTS,
    REDUCTIONS,
    TASKS,
)
from core.request.scope import run_of
from core.results.cut import Result
from core.results.recovery import Recovery
from core.results.schema import Pruning, SweepResult

PROPER_NOUNS = (
    "CKA",
    "F1",
    "Matthews",
    "Wanda",
)  # names that begin with one keep their capital
LABEL_CHARS = 80  # the longest name of a label on screen
SEPARATOR = " · "  # between the parts of a name
SCOPES = {
    "encoder": " of the encoder",
    "all-linear": " of all linear layers",
    None: "",
}

PointLabel = str  # a layer's name on an axis: `1`; `1a` is its attention block beside outputs
ReductionKey = str  # a key of REDUCTIONS


class PointName(NamedTuple):
    """A point's short name on an axis, and its full name."""

    label: PointLabel
    title: str


def point_names(points: Sequence[str]) -> list[PointName]:
    """Name points such as `layer.0.attention`.

    Layers count from 1; beside outputs, attention blocks are 1a, 2a, ….
    """
    has_outputs = any(point.endswith("output") for point in points)
    names = []
    for point in points:
        _, layer, part = point.split(".")
        number = int(layer) + 1
        block = "attention block" if part == "attention" else part
        mark = "a" if has_outputs and part == "attention" else ""
        names.append(PointName(f"{number}{mark}", f"Layer {number}, {block}"))
    return names


def point_labels(points: Sequence[str]) -> list[PointLabel]:
    """Return the labels of points, in depth order."""
    return [name.label for name in point_names(points)]


def points_name(points: Sequence[str]) -> str:
    """Name the kind of a result's points as part of a sentence."""
    parts = {point.rpartition(".")[2] for point in points}
    kind = "attention"
    if "output" in parts:
        kind = "both" if len(parts) > 1 else "layer"
    return in_sentence(POINTS[kind])


def amount_name(amount: float) -> str:
    """Write an amount in percent: `50 %`, `12.25 %`.

    It is rounded to one decimal if two are not enough: `16.7 %`.
    """
    percent = round(100 * amount, 4)
    if percent != round(percent, 2):
        percent = round(percent, 1)
    return f"{amount_text(percent)} %"


def stage_name(amount: float) -> str:
    """Name the stage of a run at an amount."""
    return f"{amount_name(amount)} removed" if amount else "Measuring the unpruned model"


def brief_label(label: str) -> str:
    """Shorten a long label's name to its beginning."""
    return label if len(label) <= LABEL_CHARS else f"{label[: LABEL_CHARS - 1]}…"


def checkpoint_name(result: Result) -> str:
    """Return the checkpoint's title in the catalog, else its id; and a rare dtype.

    A checkpoint with a recipe is named with its seed.
    """
    name = result.checkpoint.id
    recipe = result.checkpoint.recipe
    if recipe and recipe.family in FAMILIES:
        name = f"{FAMILIES[recipe.family]}, seed {recipe.seed}"
    elif name in CHECKPOINTS:
        name = CHECKPOINTS[name].title
    return name if result.dtype == DTYPE else f"{name} in {result.dtype}"


def data_name(result: Result) -> str:
    """Name the examples that the numbers come from."""
    task, preset = result.task, TASKS.get(result.task.name)
    if preset is None:
        examples = "examples"
    elif task.source == "written" and not preset.dataset_id:
        examples = preset.title.lower()
    elif task.source in ("written", "file"):
        examples = f"{preset.title}-like examples"
    else:
        examples = f"examples of {preset.title} {task.split}"
    return f"{len(task.examples)} {examples}, {task.source_name}"


def pruning_name(result: SweepResult | Recovery) -> str:
    """Name the method and its scope; of a random control also the method and the seed."""
    if isinstance(result, Recovery):
        return training_name(result.pruning, result.amount)
    return name_of(result.pruning)


def name_of(pruning: Pruning, is_brief: bool = False) -> str:
    """Name a pruning like `pruning_name` or `brief_name`."""
    method = METHODS[pruning.method]
    layers = pruned_layers(pruning)
    controls = None if is_brief else pruning.controls
    name = f"{method.name} pruning"
    additions = [method.variant]
    if method.is_random and method.granularity == "neuron":
        name = f"Pruning of {in_sentence(method.name)}"
    if layers:
        name += f" of {layers} alone"
    elif pruning.scope != "encoder" or not (is_brief or controls):
        name += SCOPES[pruning.scope]
    if controls:
        controlled = METHODS[controls]
        name += f", matched to {in_sentence(controlled.name)}"
        additions += [controlled.variant, f"seed {pruning.seed}"]
    in_brackets = ", ".join(filter(None, additions))
    return f"{name} ({in_brackets})" if in_brackets else name


def brief_name(pruning: Pruning) -> str:
    """Name a pruning in a heading: without the usual scope and a control's method."""
    return name_of(pruning, is_brief=True)


def pruned_layers(pruning: Pruning) -> str:
    """Name the layers that are pruned alone, counted from 1: `layer 2`, `layers 1 to 3`.

    Empty if all are pruned.
    """
    run = run_of(pruning.scope)
    if run is None:
        return ""
    return f"layer {run.stop}" if len(run) == 1 else f"layers {run.start + 1} to {run.stop}"


def units_name(result: SweepResult | Recovery) -> str:
    """Return "weights" or "units", whichever a method removes."""
    return "weights" if result.pruning.granularity == "weight" else "units"


def removed_name(amount: float, result: SweepResult | Recovery) -> str:
    """Name an amount beside a picture: `50 % of layer 2's weights removed`."""
    return f"{amount_name(amount)} of {whose_units(result)} removed"


def whose_units(result: SweepResult | Recovery) -> str:
    """Name the whole of an amount: `weights`, `layer 2's weights`, `the units of layers …`."""
    units = units_name(result)
    layers = pruned_layers(result.pruning)
    if not layers:
        return units
    return f"the {units} of {layers}" if layers.startswith("layers") else f"{layers}'s {units}"


def in_sentence(name: str) -> str:
    """Write a name inside a sentence: with a small first letter, unless it is a proper noun."""
    return name if name.startswith(PROPER_NOUNS) else name[0].lower() + name[1:]


def capitalised(words: str) -> str:
    """Capitalise the first letter, and no other."""
    return words[0].upper() + words[1:]


def training_name(pruning: Pruning, amount: float) -> str:
    """Name a model that was trained again."""
    if not amount:
        return "unpruned, trained as long"
    return f"{brief_name(pruning)}, {amount_name(amount)}, trained again"


def origins(results: Sequence[SweepResult | Recovery], reduction: ReductionKey) -> tuple[str, ...]:
    """Return the caption of pictures: a line on all results, and one on the reduction."""
    names = [
        (
            checkpoint_name(result),
            data_name(result),
            in_sentence(pruning_name(result)),
        )
        for result in results
    ]
    parts = map(_together, zip(*names, strict=True))
    return "; ".join(parts), REDUCTIONS[reduction].title


def _together(names: Sequence[str]) -> str:
    """Write names as one, shared words once: `800 examples of SST-2 and CoLA validation`."""
    different = list(dict.fromkeys(names))
    names_in_words = [name.split() for name in different]
    start = _alike(names_in_words)
    end = _alike([words[start:][::-1] for words in names_in_words])
    parts = [" ".join(words[start : len(words) - end]) for words in names_in_words]
    if not all(parts):  # there is one, or one is the beginning of another
        return listed(different)
    first = names_in_words[0]
    return " ".join((*first[:start], listed(parts), *first[len(first) - end :]))


def _alike(names: Sequence[Sequence[str]]) -> int:
    """Count the words with which all names begin."""
    return len([*takewhile(lambda words: len({*words}) == 1, zip(*names, strict=False))])


def spanned(labels: Sequence[str], among: Sequence[str]) -> str:
    """List labels in depth order; three or more in a row become a range: `1, 3 and 7 to 12`."""
    parts: list[str] = []
    for _, group in groupby(enumerate(labels), key=lambda item: among.index(item[1]) - item[0]):
        run = [label for _, label in group]
        if len(run) > 2:
            run = [f"{run[0]} to {run[-1]}"]
        parts += run
    return listed(parts)


def listed(words: Sequence[str]) -> str:
    """Join words into a list: `1, 2 and 3`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
