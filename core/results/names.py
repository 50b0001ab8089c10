"""Names on screen for points, amounts, checkpoints, data, prunings and whole results."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from core.request.amounts import amount_text
from core.request.catalog import CHECKPOINTS, FAMILIES, METHODS, POINTS, REDUCTIONS, TASKS
from core.request.scope import run_of
from core.results.cut import CutStudy, Result
from core.results.schema import Pruning, SweepResult

PROPER_NOUNS = ("CKA", "F1", "Matthews", "Wanda")  # names that begin with them keep their capital
LABEL_CHARS = 80  # of a label's name, on screen
GUESSING = "always guessing the commonest label"  # what a model has to beat
SEPARATOR = " · "  # between the parts of a name
CUT = "layers removed"  # what a study of cuts is called
SCOPES = {"encoder": " of the encoder", "all-linear": " of all linear layers", None: ""}

PointLabel = str  # a layer's name on an axis: `1`, or `1a` for its attention block if outputs are measured too
ReductionKey = str  # a key of REDUCTIONS


class PointName(NamedTuple):
    """A point's short name on an axis, and its full name."""

    label: PointLabel
    title: str


def point_names(points: Sequence[str]) -> list[PointName]:
    """Name points such as `layer.0.attention`: layers count from 1; beside outputs, attention blocks are 1a, 2a, …."""
    parts = [point.split(".") for point in points]
    mark = "a" if len({part for *_, part in parts}) > 1 else ""
    return [
        PointName(f"{int(layer) + 1}{mark}", f"Layer {int(layer) + 1}, attention block")
        if part == "attention"
        else PointName(f"{int(layer) + 1}", f"Layer {int(layer) + 1}, output")
        for _, layer, part in parts
    ]


def point_labels(points: Sequence[str]) -> list[PointLabel]:
    """Return the labels of points, in depth order."""
    return [name.label for name in point_names(points)]


def layer_number(label: PointLabel) -> int:
    """Return the layer of a point's label, counted from 1: 2 of `2` and of `2a`."""
    return int(label.removesuffix("a"))


def points_name(points: Sequence[str]) -> str:
    """Name the kind of points that a result has, as part of a sentence."""
    parts = {point.rpartition(".")[2] for point in points}
    return in_sentence(POINTS["both" if len(parts) > 1 else "layer" if "output" in parts else "attention"])


def amount_name(amount: float) -> str:
    """Write an amount in percent: `50 %`, `12.25 %`; of more decimals, as of a sixth, one is left: `16.7 %`."""
    percent = round(100 * amount, 4)
    return f"{amount_text(percent if percent == round(percent, 2) else round(percent, 1))} %"


def stage_name(amount: float) -> str:
    """Name what a run does at an amount."""
    return f"{amount_name(amount)} removed" if amount else "Measuring the unpruned model"


def brief_label(label: str) -> str:
    """Write a label's name as it is, of a long one its beginning."""
    return label if len(label) <= LABEL_CHARS else f"{label[: LABEL_CHARS - 1]}…"


def checkpoint_name(result: Result) -> str:
    """Return the checkpoint's title in the catalog, with its seed if it has a recipe; else its id."""
    checkpoint = result.checkpoint
    if checkpoint.recipe and checkpoint.recipe.family in FAMILIES:
        return f"{FAMILIES[checkpoint.recipe.family]}, seed {checkpoint.recipe.seed}"
    return CHECKPOINTS[checkpoint.id].title if checkpoint.id in CHECKPOINTS else checkpoint.id


def data_name(result: Result) -> str:
    """Name the examples that the numbers come from."""
    task, count = result.task, len(result.task.examples)
    if task.name not in TASKS:
        return f"{count} examples, {task.source_name}"
    preset = TASKS[task.name]
    title = preset.title
    if task.source == "written" and not preset.dataset_id:
        return f"{count} {title.lower()}, {task.source_name}"
    if task.source in ("written", "file"):
        return f"{count} {title}-like examples, {task.source_name}"
    return f"{count} examples of {title} {task.split}, {task.source_name}"


def pruning_name(result: SweepResult) -> str:
    """Name the method, its scope and, of a random control, the method that it follows and its seed."""
    return name_of(result.pruning)


def method_name(result: SweepResult) -> str:
    """Name the method and its scope."""
    return name_of(result.pruning, with_control=False)


def name_of(pruning: Pruning, with_control: bool = True) -> str:
    """Name a pruning like `pruning_name`, or like `method_name`."""
    title, _, addition = METHODS[pruning.method].title.partition(", ")
    name = f"Pruning of {in_sentence(title)}" if title.endswith(" units") else f"{title} pruning"
    layers, additions = pruned_layers(pruning), [addition]
    name += f" of {layers} alone" if layers else SCOPES[pruning.scope]
    if with_control and pruning.controls:
        title, _, addition = METHODS[pruning.controls].title.partition(", ")
        name = f"{name.removesuffix(SCOPES['encoder'])}, matched to {in_sentence(title)}"
        additions += [addition, f"seed {pruning.seed}"]
    said = ", ".join(filter(None, additions))
    return f"{name} ({said})" if said else name


def pruned_layers(pruning: Pruning) -> str:
    """Name the layers that are pruned alone, counted from 1: `layer 2`, `layers 1 to 3`; empty if all are."""
    run = run_of(pruning.scope)
    if run is None:
        return ""
    return f"layer {run.stop}" if len(run) == 1 else f"layers {run.start + 1} to {run.stop}"


def units_name(result: SweepResult) -> str:
    """Name what a method removes: weights or units."""
    return "weights" if result.pruning.granularity == "weight" else "units"


def removed_name(amount: float, result: SweepResult) -> str:
    """Say how much is removed, as beside a picture: `50 % of layer 2's weights removed`."""
    return f"{amount_name(amount)} of {whose_units(result)} removed"


def whose_units(result: SweepResult) -> str:
    """Name what an amount is a share of: `weights`, `units`, `layer 2's weights`, `the weights of layers 1 to 3`."""
    units, layers = units_name(result), pruned_layers(result.pruning)
    if layers.startswith("layers"):
        return f"the {units} of {layers}"
    return f"{layers}'s {units}" if layers else units


def reduction_name(reduction: ReductionKey) -> str:
    """Name a reduction as part of a sentence, without its brackets, since those would nest."""
    return in_sentence(REDUCTIONS[reduction].title.replace(" (", ": ").replace(")", "").replace(";", ","))


def in_sentence(name: str) -> str:
    """Write a name as inside a sentence, with a small first letter unless that is a proper noun's."""
    return name if name.startswith(PROPER_NOUNS) else name[0].lower() + name[1:]


def capitalised(words: str) -> str:
    """Begin a sentence: with a capital, and the rest as it is."""
    return words[0].upper() + words[1:]


def result_name(result: Result) -> str:
    """Name a result in a list: the data first, because a narrow list cuts the end off."""
    how = CUT if isinstance(result, CutStudy) else pruning_name(result)
    return SEPARATOR.join((data_name(result), checkpoint_name(result), how))


def origins(results: Sequence[SweepResult], reduction: ReductionKey) -> tuple[str, ...]:
    """Name in lines what pictures show: checkpoint, data and pruning of each result, and the reduction of all."""
    names = [(checkpoint_name(result), data_name(result), in_sentence(pruning_name(result))) for result in results]
    return (*dict.fromkeys(map("; ".join, names)), REDUCTIONS[reduction].title)


def spanned(labels: Sequence[str], among: Sequence[str]) -> str:
    """Name some of the labels in depth order: `1, 3 and 7 to 12`, where three or more follow each other."""
    parts: list[str] = []
    for _, places in groupby(enumerate(labels), key=lambda place: among.index(place[1]) - place[0]):
        run = [label for _, label in places]
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return listed(parts)


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence: `1, 2 and 3`."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
