"""Names on screen of points, amounts, checkpoints, data, prunings and whole results."""

from collections.abc import Sequence
from itertools import groupby, takewhile
from typing import NamedTuple

from core.request.amounts import amount_text
from core.request.catalog import CHECKPOINTS, DTYPE, FAMILIES, METHODS, POINTS, REDUCTIONS, TASKS
from core.request.scope import run_of
from core.results.cut import CutStudy, Result
from core.results.recovery import Recovery
from core.results.schema import Pruning, SweepResult

PROPER_NOUNS = ("CKA", "F1", "Matthews", "Wanda")  # names that begin with one keep their capital
LABEL_CHARS = 80  # the longest name of a label on screen
SEPARATOR = " · "  # between the parts of a name
CUT = "layers removed"  # the pruning of a study of cuts
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


def points_name(points: Sequence[str]) -> str:
    """Name the kind of a result's points as part of a sentence."""
    parts = {point.rpartition(".")[2] for point in points}
    return in_sentence(
        POINTS["both" if len(parts) > 1 else "layer" if "output" in parts else "attention"]
    )


def amount_name(amount: float) -> str:
    """Write an amount in percent: `50 %`, `12.25 %`; rounded to one decimal if two are not enough: `16.7 %`."""
    percent = round(100 * amount, 4)
    return f"{amount_text(percent if percent == round(percent, 2) else round(percent, 1))} %"


def stage_name(amount: float) -> str:
    """Name the stage of a run at an amount."""
    return f"{amount_name(amount)} removed" if amount else "Measuring the unpruned model"


def brief_label(label: str) -> str:
    """Shorten a long label's name to its beginning."""
    return label if len(label) <= LABEL_CHARS else f"{label[: LABEL_CHARS - 1]}…"


def checkpoint_name(result: Result) -> str:
    """Return the checkpoint's title in the catalog, with its seed if it has a recipe, else its id; and a rare dtype."""
    checkpoint, dtype = result.checkpoint, "" if result.dtype == DTYPE else f" in {result.dtype}"
    if checkpoint.recipe and checkpoint.recipe.family in FAMILIES:
        return f"{FAMILIES[checkpoint.recipe.family]}, seed {checkpoint.recipe.seed}{dtype}"
    return (
        CHECKPOINTS[checkpoint.id].title if checkpoint.id in CHECKPOINTS else checkpoint.id
    ) + dtype


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
    """Name the method and its scope, and for a random control also the method that it follows and its seed."""
    return (
        training_name(result.pruning, result.amount)
        if isinstance(result, Recovery)
        else name_of(result.pruning)
    )


def name_of(pruning: Pruning, with_control: bool = True, with_encoder: bool = True) -> str:
    """Name a pruning like `pruning_name` or `brief_name`, or the method and its scope alone."""
    method, layers = METHODS[pruning.method], pruned_layers(pruning)
    is_random_unit = method.is_random and method.granularity == "neuron"
    name = f"Pruning of {in_sentence(method.name)}" if is_random_unit else f"{method.name} pruning"
    additions, is_matched = [method.variant], with_control and pruning.controls
    if layers:
        name += f" of {layers} alone"
    elif pruning.scope != "encoder" or (with_encoder and not is_matched):
        name += SCOPES[pruning.scope]
    if pruning.controls and is_matched:
        controlled = METHODS[pruning.controls]
        name += f", matched to {in_sentence(controlled.name)}"
        additions += [controlled.variant, f"seed {pruning.seed}"]
    in_brackets = ", ".join(filter(None, additions))
    return f"{name} ({in_brackets})" if in_brackets else name


def brief_name(pruning: Pruning) -> str:
    """Name a pruning in a heading: without the usual scope, and without what a control is matched to."""
    return name_of(pruning, with_control=False, with_encoder=False)


def pruned_layers(pruning: Pruning) -> str:
    """Name the layers that are pruned alone, counted from 1: `layer 2`, `layers 1 to 3`; empty if all are pruned."""
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
    """Name the whole of an amount: `weights`, `units`, `layer 2's weights`, `the weights of layers 1 to 3`."""
    units, layers, run = (
        units_name(result),
        pruned_layers(result.pruning),
        run_of(result.pruning.scope),
    )
    if run is None:
        return units
    return f"{layers}'s {units}" if len(run) == 1 else f"the {units} of {layers}"


def in_sentence(name: str) -> str:
    """Write a name inside a sentence: with a small first letter, unless it is a proper noun."""
    return name if name.startswith(PROPER_NOUNS) else name[0].lower() + name[1:]


def capitalised(words: str) -> str:
    """Capitalise the first letter, and no other."""
    return words[0].upper() + words[1:]


def result_name(result: Result) -> str:
    """Name a result in a list: the data first, because a narrow list cuts off the end."""
    pruning = CUT if isinstance(result, CutStudy) else pruning_name(result)
    return SEPARATOR.join((data_name(result), checkpoint_name(result), pruning))


def training_name(pruning: Pruning, amount: float) -> str:
    """Name a model that was trained again."""
    return (
        f"{brief_name(pruning)}, {amount_name(amount)}, trained again"
        if amount
        else "unpruned, trained as long"
    )


def origins(results: Sequence[SweepResult | Recovery], reduction: ReductionKey) -> tuple[str, ...]:
    """Return the caption of pictures, a line each: checkpoint, data and pruning of all results, and the reduction."""
    names = [
        (checkpoint_name(result), data_name(result), in_sentence(pruning_name(result)))
        for result in results
    ]
    return "; ".join(map(_together, zip(*names, strict=True))), REDUCTIONS[reduction].title


def _together(names: Sequence[str]) -> str:
    """Write different names as one, what they share only once: `800 examples of SST-2 and CoLA validation`."""
    different = list(dict.fromkeys(names))
    words = [name.split() for name in different]
    start = _alike(words)
    end = _alike([name[start:][::-1] for name in words])
    parts = [" ".join(name[start : len(name) - end]) for name in words]
    if not all(parts):  # there is one, or one is the beginning of another
        return listed(different)
    return " ".join((*words[0][:start], listed(parts), *words[0][len(words[0]) - end :]))


def _alike(names: Sequence[Sequence[str]]) -> int:
    """Count the words with which all names begin."""
    return len([*takewhile(lambda words: len({*words}) == 1, zip(*names, strict=False))])


def spanned(labels: Sequence[str], among: Sequence[str]) -> str:
    """List some labels in depth order; three or more in a row become a range: `1, 3 and 7 to 12`."""
    parts: list[str] = []
    for _, group in groupby(enumerate(labels), key=lambda item: among.index(item[1]) - item[0]):
        run = [label for _, label in group]
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    return listed(parts)


def listed(words: Sequence[str]) -> str:
    """Join words into a list: `1, 2 and 3`."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
