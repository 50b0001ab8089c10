"""From a result back to its request and to the command that recomputes it; no torch."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED, METHODS, RECIPE, TASKS, Task
from core.request.limits import HOSTED_LIMITS, is_made
from core.request.sweep_request import SweepRequest, flag_of, made_task, meaning_text
from core.results.schema import CheckpointRecord, SweepResult, TaskRecord

PLACEHOLDER = "./"  # begins what stands for a path that a result does not hold
DATA_FOLDER = f"{PLACEHOLDER}DATA_FOLDER"


@dataclass(frozen=True)
class Recipe:
    """How to recompute a result.

    Attributes:
        script: Commands to paste, one a line: those that make weights which are not shipped, and the result's.
        missing: What to fill in or to do first, in sentences; empty if the commands are complete.
    """

    script: str
    missing: str = ""


def recipe(result: SweepResult, asked: SweepRequest | None = None) -> Recipe:
    """Return how to recompute a result.

    Args:
        result: A whole sweep. It holds no paths, so placeholders stand for folders.
        asked: The request that led to it, if known; then its paths are printed.
    """
    request = request_of(result, asked)
    computed = command_line(request)
    if asked is not None:
        return Recipe(computed)
    made = [result.checkpoint.recipe.command] if result.checkpoint.recipe else []
    return Recipe("\n".join((*made, computed)), " ".join(_missing(result, request)))


def request_of(result: SweepResult, asked: SweepRequest | None = None) -> SweepRequest:
    """Return the request that leads to a whole sweep.

    Args:
        result: It holds no paths. A placeholder for one begins with `./`: a bare name of a folder could be taken for an
            id on the Hub.
        asked: A request with the paths that stand in place of placeholders.
    """
    task = result.task
    places = asked or SweepRequest("", task.name)
    data, pruning, judged = _data_of(task, places.data), result.pruning, result.working_range
    return SweepRequest(
        checkpoint=checkpoint_place(result.checkpoint, places.checkpoint),
        task=task.name,
        num_examples=len(task.examples),
        data=data,
        source_name=task.source_name if data == DATA_FOLDER else places.source_name,
        split=task.split if task.data else None,
        text=task.columns.text if task.columns else (),
        label=task.columns.label if task.columns else None,
        label_map=tuple((task.label_map or {}).items()),
        method=pruning.method,
        scope=pruning.scope,
        points=result.points_kind,
        amounts=pruning.stop.amounts if pruning.stop else result.amounts,
        seed=pruning.seed,
        control_of=pruning.controls,
        until_damage=pruning.stop.damage if pruning.stop else None,
        range_examples="all" if judged and judged.examples > len(task.examples) else "subset",
    )


def can_be_found(request: SweepRequest) -> bool:
    """Whether a request names every input: no folder has a placeholder, and weights that are made have been made."""
    names = filter(None, (request.checkpoint, request.data))
    return all(is_made(name) if name.startswith(RECIPE) else not name.startswith(PLACEHOLDER) for name in names)


def checkpoint_place(checkpoint: CheckpointRecord, place: str | None = None) -> str:
    """Return what a request calls a checkpoint; a placeholder for a folder whose place is not given.

    A copy of an embedded checkpoint has that one's name as its place.
    """
    if checkpoint.source == "hub":
        return f"{checkpoint.id}@{checkpoint.revision}"
    if checkpoint.source == "embedded" or checkpoint.recipe:
        return checkpoint.id
    return _path(place) if place else f"{PLACEHOLDER}{checkpoint.id}"


def _path(place: str) -> str:
    return place if place.startswith(("embedded:", RECIPE)) else str(Path(place).resolve())


def task_of(record: TaskRecord) -> Task:
    """Return a result's task: a preset, or the one that its columns and labels make."""
    columns = record.columns.text if record.columns else ("text",)
    return TASKS.get(record.name) or made_task(columns, record.label_names)


def lacks_place(record: TaskRecord) -> bool:
    """Whether a result's examples come from a file or folder, whose place no result records."""
    return record.source in ("folder", "file")


def _data_of(task: TaskRecord, place: str | None) -> str:
    """Return where the examples are; a folder named by the data set's own id holds the same data as the Hub."""
    if task.data or not lacks_place(task):
        return task.data or task.source
    if place:
        return _path(place)
    if task.files:
        return f"{PLACEHOLDER}{task.files[0].name}"
    preset = TASKS.get(task.name)
    return "hub" if preset and task.source_name == preset.dataset_id else DATA_FOLDER


def _missing(result: SweepResult, request: SweepRequest) -> Iterator[str]:
    """Say what has to be made first, and what belongs in each placeholder of a request."""
    task, checkpoint, replaced = result.task, result.checkpoint, "Replace {} with the path of the {}."
    content = f"(content {checkpoint.revision[:12]}…)"
    if checkpoint.recipe:
        yield (
            f"The weights of {checkpoint.id} {content} are not shipped. Make them first, as above; another processor "
            "gives slightly different ones. docs/recipes.md says which folders the command needs."
        )
    elif checkpoint.source == "folder":
        yield replaced.format(checkpoint_place(checkpoint), f"checkpoint folder {content}")
    if request.data == DATA_FOLDER:
        holds = f"folder that holds {task.name}/{task.split}-….parquet of {task.source_name}"
        yield replaced.format(DATA_FOLDER, holds)
    elif task.source == "file" and task.files:
        sha256 = task.files[0].sha256
        whose = f"with the content {sha256[:12]}…" if sha256 else "that the visitor chose"
        yield replaced.format(request.data, f"file {whose}")
    if task.files and task.files[-1].rows[1] == HOSTED_LIMITS.rows:
        yield f"A public copy reads the first {HOSTED_LIMITS.rows:,} rows of a table, this command draws from more."


def command_line(request: SweepRequest) -> str:
    """Return the command that computes a request, without options at their defaults."""
    unsaid = {**vars(SweepRequest("", "", "")), "control_of": DEFAULT_CONTROLLED.get(request.method)}
    if METHODS[request.method].is_random:  # the seed is part of every key
        unsaid["seed"] = None
    options = {
        "amounts": [("--amounts", ",".join(map(amount_text, request.amounts)))],
        "text": [*zip(("--text", "--text2"), request.text, strict=False)],
        "label_map": [("--label-map", meaning_text(*pair)) for pair in request.label_map],
    }
    words = ["python", "-m", "core.precompute"]
    for name, value in vars(request).items():
        if value not in (None, unsaid[name]):
            for flag, text in options.get(name, [(flag_of(name), str(value))]):
                words += [f"{flag}={text}"] if text.startswith("-") else [flag, text]  # else taken for another option
    return shlex.join(words)
