"""From a result back to its request and to the command that recomputes it; no torch."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from core.request.amounts import amount_text
from core.request.catalog import DEFAULT_CONTROLLED, METHODS, RECIPE, TASKS, Task
from core.request.limits import HOSTED_LIMITS, LOCAL_LIMITS
from core.request.points import points_of
from core.request.sweep_request import RangeExamples, SweepRequest, flag_of, is_made
from core.request.tasks import made_task
from core.results.schema import CheckpointRecord, SweepResult, TaskRecord

PLACEHOLDER = "./"  # begins what stands for a path that a result does not hold
DATA_FOLDER = f"{PLACEHOLDER}DATA_FOLDER"
OWN_FILE = f"{PLACEHOLDER}OWN_SENTENCES"
EARLIER_OWN_SPLIT = "upload"  # of sentences of one's own in results of an earlier version, without columns


@dataclass(frozen=True)
class Recipe:
    """How to recompute a result.

    Attributes:
        command: A command to paste.
        missing: What to fill in or to do first, in sentences; empty if the commands are complete.
        first: Commands that make weights which are not shipped.
    """

    command: str
    missing: str = ""
    first: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """All commands in their order, one a line."""
        return "\n".join((*self.first, self.command))


def recipe(result: SweepResult, request: SweepRequest | None = None) -> Recipe:
    """Return how to recompute a result.

    Args:
        result: A whole sweep. It holds no paths, so placeholders stand for folders.
        request: The request that led to it, if known; then its paths are printed.
    """
    if request is not None:
        return Recipe(command_line(_pinned(request, result)))
    request = request_of(result)
    if request.data == DATA_FOLDER:
        request = replace(request, source_name=result.task.source_name)
    made = (known.recipe.command for known in (result.checkpoint, result.against) if known and known.recipe)
    return Recipe(command_line(request), " ".join(_placeholders(result, request)), tuple(dict.fromkeys(made)))


def request_of(result: SweepResult) -> SweepRequest:
    """Return the request that leads to a whole result, with placeholders for folders.

    A placeholder begins with `./`: a bare name of a folder could be taken for an id on the Hub.
    """
    checkpoint, task, pruning = result.checkpoint, result.task, result.pruning
    return SweepRequest(
        checkpoint=_name_of(checkpoint),
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
        split=task.split if task.data else None,
        text=task.columns.text if task.columns else (),
        label=task.columns.label if task.columns else None,
        label_map=tuple((task.label_map or {}).items()),
        against=_name_of(result.against) if result.against else None,
    )


def can_be_found(request: SweepRequest) -> bool:
    """Whether a request names every input: no folder has a placeholder, and weights that are made have been made."""
    names = filter(None, (request.checkpoint, request.against, request.data))
    if any(name.startswith(PLACEHOLDER) for name in names):
        return False
    return all(is_made(name) for name in (request.checkpoint, request.against or "") if name.startswith(RECIPE))


def _name_of(checkpoint: CheckpointRecord) -> str:
    """Return what a request calls a checkpoint."""
    ids = {"hub": f"{checkpoint.id}@{checkpoint.revision}", "folder": f"{PLACEHOLDER}{checkpoint.id}"}
    return checkpoint.id if checkpoint.recipe else ids.get(checkpoint.source, checkpoint.id)


def task_of(record: TaskRecord) -> Task:
    """Return a result's task: a preset, or the one that its columns and labels make."""
    columns = record.columns.text if record.columns else ("text",)
    return TASKS.get(record.name) or made_task(columns, record.label_names)


def lacks_place(record: TaskRecord) -> bool:
    """Whether a result's examples come from a file or folder, whose place no result records."""
    return record.source in ("folder", "file")


def _range_examples(result: SweepResult) -> RangeExamples:
    judged = result.working_range
    return "all" if judged and judged.examples > len(result.task.examples) else "subset"


def _data_of(task: TaskRecord) -> str:
    """Return where the examples are; a folder named by the data set's own id holds the same data as the Hub."""
    if task.data:
        return task.data
    if task.source == "file" and task.files:
        return f"{PLACEHOLDER}{task.files[0].name}"
    if task.source == "file" or task.split == EARLIER_OWN_SPLIT:
        return OWN_FILE
    if task.source != "folder":
        return task.source
    preset = TASKS.get(task.name)
    return "hub" if preset and task.source_name == preset.dataset_id else DATA_FOLDER


def _pinned(request: SweepRequest, result: SweepResult) -> SweepRequest:
    """Write paths as absolute ones, checkpoints on the Hub with their commits, and the columns by name."""
    checkpoint = _pinned_checkpoint(request.checkpoint, result.checkpoint)
    against = _pinned_checkpoint(request.against, result.against) if request.against and result.against else None
    data, columns = result.task.data or request.data, result.task.columns
    if lacks_place(result.task):
        data = str(Path(data or "").resolve())
    if columns:  # also where they were guessed
        request = replace(request, text=columns.text, label=columns.label)
    judged_on = _range_examples(result)  # a stored result may have been judged on more than was asked for
    return replace(request, checkpoint=checkpoint, data=data, against=against, range_examples=judged_on)


def _pinned_checkpoint(asked: str, found: CheckpointRecord) -> str:
    if asked.startswith(("embedded:", RECIPE)):  # though the result may come from a copy of it in a folder
        return asked
    return str(Path(asked).resolve()) if found.source == "folder" else _name_of(found)


def _placeholders(result: SweepResult, request: SweepRequest) -> list[str]:
    """Say what belongs in each placeholder of a request."""
    task = result.task
    sentences = []
    for known in filter(None, (result.checkpoint, result.against)):
        if known.recipe:
            sentences.append(
                f"The weights of {known.id} (content {known.revision[:12]}…) are not shipped. Make them first, as "
                "above; another processor gives slightly different ones. docs/recipes.md says which folders the "
                "command needs."
            )
        elif known.source == "folder":
            sentences.append(
                f"Replace {_name_of(known)} with the path of the checkpoint folder (content {known.revision[:12]}…)."
            )
    if request.data == DATA_FOLDER:
        sentences.append(
            f"Replace {DATA_FOLDER} with the path of the folder that holds {task.name}/{task.split}-….parquet of this "
            f"result's data: {task.source_name}."
        )
    if request.data == OWN_FILE:
        sentences.append(
            f"An earlier version read {task.source_name} and did not record its columns: choose the file again in the "
            "Lab."
        )
    if task.files and task.files[-1].rows[1] == HOSTED_LIMITS.rows:
        sentences.append(
            f"A public copy reads the first {HOSTED_LIMITS.rows:,} rows of a table, this command up to "
            f"{LOCAL_LIMITS.rows:,}: of a longer table it draws other examples."
        )
    if request.data != OWN_FILE and task.source == "file" and task.files:
        content = task.files[0].sha256
        sentences.append(
            f"{request.data} is the file with the content {content[:12]}…: run this in its folder, or write its path."
            if content
            else f"Replace {request.data} with the path of the file: a shared server records neither its name nor its "
            "content."
        )
    return sentences


def command_line(request: SweepRequest) -> str:
    """Return the command that computes a request, without options at their defaults."""
    unsaid = {**vars(SweepRequest("", "", "")), "control_of": DEFAULT_CONTROLLED.get(request.method)}
    if METHODS[request.method].is_control:  # the seed is part of every key
        unsaid["seed"] = None
    words = ["python", "-m", "core.precompute"]
    for name, value in {"checkpoint": "", "against": "", **vars(request)}.items():
        if value in (None, unsaid[name]):
            continue
        if name == "label_map":
            meanings = [f"{mark}={meaning or ''}" for mark, meaning in request.label_map]
            if any(meaning.startswith("-") for meaning in meanings):
                words += [word for meaning in meanings for word in _option("--label-map", meaning)]
            else:
                words += ["--label-map", *meanings]
        elif name == "text":
            columns = zip(("--text", "--text2"), request.text, strict=False)
            words += [word for flag, column in columns for word in _option(flag, column)]
        else:
            listed = {"amounts": map(amount_text, request.amounts), "measures": request.measures}.get(name)
            words += _option(flag_of(name), str(value) if listed is None else ",".join(listed))
    return shlex.join(words)


def _option(flag: str, value: str) -> tuple[str, ...]:
    """Write an option; a value such as `-1=negative` would be taken for an option of its own."""
    return (f"{flag}={value}",) if value.startswith("-") else (flag, value)
