"""From a result back to its request, and to the command that recomputes it; no torch."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.request.amounts import amount_text
from core.request.catalog import (
    DEFAULT_CONTROLLED,
    METHODS,
    RECIPE,
    TASKS,
    Task,
)
from core.request.cut_request import (
    CutRequest,
    RecoveryRequest,
    TrainingRequest,
)
from core.request.limits import HOSTED_LIMITS, is_made
from core.request.scope import layers_of
from core.request.sweep_request import (
    DataRequest,
    SweepRequest,
    flag_of,
    made_task,
    meaning_text,
)
from core.results.cut import CutStudy, Result, Trained
from core.results.recovery import Recovery
from core.results.schema import WHOLE, CheckpointRecord, SweepResult, TaskRecord

PLACEHOLDER = "./"  # begins what stands for a path that a result does not hold
DATA_FOLDER = f"{PLACEHOLDER}DATA_FOLDER"
NOWHERE = DataRequest("", "")  # a request without paths


def recompute_script(result: SweepResult, request: SweepRequest | None = None) -> str:
    """Return the commands that compute a result again; comments say what to do or fill in first.

    Args:
        result: A whole sweep. It holds no paths, so placeholders stand for folders.
        request: The request that led to it, if known; its paths are printed.
    """
    again = request_of(result, request or NOWHERE)
    if request is not None:
        return command_line(again)
    notes = _notes(result, again)
    lines = [f"# {' '.join(note.split())}" for note in notes]  # no name breaks a line
    if result.checkpoint.recipe:
        lines.append(result.checkpoint.recipe.command)
    return "\n".join((*lines, command_line(again)))


def request_of(result: SweepResult | Recovery, places: DataRequest = NOWHERE) -> SweepRequest:
    """Return the request that leads to a whole sweep.

    Args:
        result: The sweep, or a recovery, for a sweep of its pruning. It holds no paths. A
            placeholder begins with `./`, since a bare folder name could be taken for an id on the
            Hub.
        places: A request whose paths replace placeholders.
    """
    pruning = result.pruning
    stop = pruning.stop
    amounts: tuple[float, ...] = (0.0,)
    judged = None
    if isinstance(result, SweepResult):
        amounts = result.amounts
        judged = result.working_range
    judged_on_all = judged and judged.examples > len(result.task.examples)
    return SweepRequest(
        **_rows_of(result, places),
        method=pruning.method,
        scope=pruning.scope,
        points=result.points_kind,
        amounts=stop.amounts if stop else amounts,
        seed=pruning.seed,
        control_of=pruning.controls,
        until_damage=stop.damage if stop else None,
        range_examples="all" if judged_on_all else "subset",
        dtype="bfloat16" if result.dtype == "bfloat16" else "float32",
    )


def training_of(result: Trained) -> TrainingRequest:
    """Return the request for a study, or for the model of a recovery; see `request_of`."""
    rows = result.refit if isinstance(result, CutStudy) else result.rows
    fields = _rows_of(result)
    if rows.files and rows.split == WHOLE and rows.files != result.task.files:
        fields["train"] = f"{PLACEHOLDER}{rows.files[0].name}"
    if isinstance(result, CutStudy):
        every = len(result.depths) == result.checkpoint.num_layers - 1
        return CutRequest(**fields, every=every)
    return RecoveryRequest(**fields, key=result.key, amount=result.amount)


def _rows_of(result: Result, places: DataRequest = NOWHERE) -> dict[str, Any]:
    """Return the fields of a request that name the checkpoint and the rows; see `request_of`."""
    task = result.task
    data = _data_of(task, places.data)
    return {
        "checkpoint": checkpoint_place(result.checkpoint, places.checkpoint),
        "task": task.name,
        "num_examples": len(task.examples),
        "data": data,
        "source_name": task.source_name if data == DATA_FOLDER else places.source_name,
        "split": task.split if task.data else None,
        "text": task.columns.text if task.columns else (),
        "label": task.columns.label if task.columns else None,
        "label_map": tuple((task.label_map or {}).items()),
    }


def can_be_found(request: DataRequest) -> bool:
    """Whether a request names every input: no placeholder, and no weights that have to be made."""
    for name in filter(None, (request.checkpoint, *request.sources)):
        if name.startswith(PLACEHOLDER) or (name.startswith(RECIPE) and not is_made(name)):
            return False
    return True


def checkpoint_place(checkpoint: CheckpointRecord, place: str) -> str:
    """Return a checkpoint's name for a request; a placeholder for a folder whose place is unknown.

    The place of a copy of an embedded checkpoint is the original's name.
    """
    if checkpoint.source == "hub":
        return f"{checkpoint.id}@{checkpoint.revision}"
    if checkpoint.source == "embedded" or checkpoint.recipe:
        return checkpoint.id
    return _absolute(place) if place else f"{PLACEHOLDER}{checkpoint.id}"


def _absolute(place: str) -> str:
    return place if place.startswith(("embedded:", RECIPE)) else str(Path(place).resolve())


def task_of(record: TaskRecord) -> Task:
    """Return a result's task: a preset, or the one that its columns and labels make."""
    columns = record.columns.text if record.columns else ("text",)
    return TASKS.get(record.name) or made_task(columns, record.label_names)


def lacks_place(record: TaskRecord) -> bool:
    """Whether a result's examples come from a file or folder, whose place no result records."""
    return record.source in ("folder", "file")


def _data_of(task: TaskRecord, place: str | None) -> str:
    """Return where the examples are; a folder named like the data set holds the Hub's data."""
    if task.data or not lacks_place(task):
        return task.data or task.source
    if place:
        return _absolute(place)
    if task.files:
        return f"{PLACEHOLDER}{task.files[0].name}"
    preset = TASKS.get(task.name)
    return "hub" if preset and task.source_name == preset.dataset_id else DATA_FOLDER


def _notes(result: SweepResult, request: SweepRequest) -> Iterator[str]:
    """Yield what has to be made first, and what replaces each placeholder of a request."""
    task = result.task
    checkpoint = result.checkpoint
    content = f"(content {checkpoint.revision[:12]}…)"
    if checkpoint.recipe:
        yield (
            f"The weights of {checkpoint.id} {content} are not shipped. Make them first, as below; "
            "another processor gives slightly different ones. docs/recipes.md says which folders "
            "the command needs."
        )
    elif checkpoint.source == "folder":
        yield f"Replace {request.checkpoint} with the path of the checkpoint folder {content}."
    if request.data == DATA_FOLDER:
        files = f"{task.name}/{task.split}-….parquet of {task.source_name}"
        yield f"Replace {DATA_FOLDER} with the path of the folder that holds {files}."
    elif task.source == "file" and task.files:
        sha256 = task.files[0].sha256
        whose = f"with the content {sha256[:12]}…" if sha256 else "that the visitor chose"
        yield f"Replace {request.data} with the path of the file {whose}."
    if task.files and task.files[-1].rows[1] == HOSTED_LIMITS.rows:
        yield (
            f"A public copy reads the first {HOSTED_LIMITS.rows:,} rows of a table, "
            "this command draws from more."
        )


def command_line(request: SweepRequest) -> str:
    """Return the command that computes a request, without options at their defaults."""
    defaults = {
        **vars(SweepRequest("", "")),
        "method": "",
        "control_of": DEFAULT_CONTROLLED.get(request.method),
    }
    if METHODS[request.method].is_random:  # its key always holds the seed
        defaults["seed"] = None
    layers = layers_of(request.scope)
    special = {
        "amounts": [("--amounts", ",".join(map(amount_text, request.amounts)))],
        "text": [*zip(("--text", "--text2"), request.text, strict=False)],
        "scope": [("--layers", layers) if layers else ("--scope", str(request.scope))],
        "label_map": [("--label-map", meaning_text(*pair)) for pair in request.label_map],
    }
    words = ["python", "-m", "core.precompute"]
    for name, value in vars(request).items():
        if value in (None, defaults[name]):
            continue
        for flag, text in special.get(name, [(flag_of(name), str(value))]):
            if text.startswith("-"):  # else taken for another option
                words.append(f"{flag}={text}")
            else:
                words += [flag, text]
    return shlex.join(words)
