"""From a result back to its request and to the command that recomputes it; no torch."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED, METHODS, TASKS
from core.request.points import points_of
from core.request.sweep_request import OWN_SPLIT, RangeExamples, SweepRequest, is_own
from core.results.schema import SweepResult, TaskRecord

DATA_FOLDER = "./DATA_FOLDER"  # stands for the path that a result does not hold
OWN_FILE = "./OWN_SENTENCES"


@dataclass(frozen=True)
class Recipe:
    """How to recompute a result.

    Attributes:
        command: A command to paste.
        missing: What to fill in or to do first, in sentences; empty if the command is complete.
    """

    command: str
    missing: str = ""


def recipe(result: SweepResult, request: SweepRequest | None = None) -> Recipe:
    """Return how to recompute a result.

    Args:
        result: A whole sweep. It holds no paths, so placeholders stand for folders.
        request: The request that led to it, if known; then its paths are printed.
    """
    if request is not None:
        return Recipe(command_line(_pinned(request, result)), _kept_sentences(result) if _is_own(result) else "")
    request = request_of(result)
    if request.data == DATA_FOLDER:
        request = replace(request, source_name=result.task.source_name)
    return Recipe(command_line(request), " ".join(_placeholders(result, request)))


def request_of(result: SweepResult) -> SweepRequest:
    """Return the request that leads to a whole result, with placeholders for folders.

    A placeholder begins with `./`: a bare folder name could be taken for an id on the Hub.
    """
    checkpoint, task, pruning = result.checkpoint, result.task, result.pruning
    ids = {"hub": f"{checkpoint.id}@{checkpoint.revision}", "folder": f"./{checkpoint.id}", "embedded": checkpoint.id}
    return SweepRequest(
        checkpoint=ids[checkpoint.source],
        task=task.name,
        method=pruning.method,
        scope=pruning.scope,
        points=points_of(result.points, checkpoint.num_layers) or "attention",
        amounts=pruning.stop.amounts if pruning.stop else result.amounts,
        num_examples=len(task.examples),
        seed=pruning.seed,
        control_of=pruning.controls,
        measures=result.measures,
        until_damage=pruning.stop.damage if pruning.stop else None,
        range_examples=_range_examples(result),
        data=_data_of(task),
    )


def _range_examples(result: SweepResult) -> RangeExamples:
    judged = result.working_range
    return "all" if judged and judged.examples > len(result.task.examples) else "subset"


def _data_of(task: TaskRecord) -> str:
    """Return where the examples are; a folder named by the data set's own id holds the same data as the Hub."""
    if task.source != "folder":
        return task.source
    if task.split == OWN_SPLIT:
        return OWN_FILE
    return "hub" if task.source_name == TASKS[task.name].dataset_id else DATA_FOLDER


def _is_own(result: SweepResult) -> bool:
    return result.task.source == "folder" and result.task.split == OWN_SPLIT


def _pinned(request: SweepRequest, result: SweepResult) -> SweepRequest:
    """Write folders as absolute paths, and a checkpoint on the Hub with its commit."""
    checkpoint = request.checkpoint
    if not checkpoint.startswith("embedded:"):  # though the result may come from a copy of it in a folder
        in_folder = result.checkpoint.source == "folder"
        checkpoint = str(Path(checkpoint).resolve()) if in_folder else request_of(result).checkpoint
    data = request.data
    if data and data not in ("written", "hub") and not is_own(data):
        data = str(Path(data).resolve())
    return replace(request, checkpoint=checkpoint, data=data)


def _placeholders(result: SweepResult, request: SweepRequest) -> list[str]:
    """Say what belongs in each placeholder of a request."""
    checkpoint, task = result.checkpoint, result.task
    sentences = []
    if checkpoint.source == "folder":
        content = checkpoint.revision[:12]
        sentences.append(f"Replace {request.checkpoint} with the path of the checkpoint folder (content {content}…).")
    if request.data == DATA_FOLDER:
        sentences.append(
            f"Replace {DATA_FOLDER} with the path of the folder that holds {task.name}/{task.split}-….parquet of this "
            f"result's data: {task.source_name}."
        )
    if request.data == OWN_FILE:
        sentences.append(
            f"The command line cannot read {task.source_name}, and a result holds no sentences: choose the file again "
            "in the Lab."
        )
    return sentences


def _kept_sentences(result: SweepResult) -> str:
    return (
        f"This works while this computer's cache keeps the {result.task.source_name}; after that, and elsewhere, "
        "choose the file again in the Lab."
    )


def command_line(request: SweepRequest) -> str:
    """Return the command that computes a request, without options at their defaults."""
    default = SweepRequest(request.checkpoint, request.task)
    seed_counts = METHODS[request.method].seeded or request.seed != default.seed  # the seed is part of every key
    arguments = {
        "--checkpoint": request.checkpoint,
        "--task": request.task,
        "--method": request.method,
        "--scope": request.scope if request.scope != default.scope else None,
        "--points": request.points if request.points != default.points else None,
        "--amounts": ",".join(map(amount_text, request.amounts)) if request.amounts != default.amounts else None,
        "--examples": request.num_examples,
        "--seed": request.seed if seed_counts else None,
        "--control-of": request.control_of if request.control_of != DEFAULT_CONTROLLED.get(request.method) else None,
        "--measures": ",".join(request.measures) if request.measures != default.measures else None,
        "--until-damage": request.until_damage,
        "--range-examples": request.range_examples if request.range_examples != default.range_examples else None,
        "--data": request.data,
        "--source-name": request.source_name,
    }
    given = [word for flag, value in arguments.items() if value is not None for word in (flag, str(value))]
    return shlex.join(["python", "-m", "core.precompute", *given])
