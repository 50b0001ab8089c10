"""Write one frame of a result as a checkpoint: a folder in the Hub's format that any program can load.

The weights are pruned as in the sweep and stored in float32: the folder reproduces the frame's numbers. Removed weights
are zero, so the model is neither smaller nor faster.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import ModelCardData
from platformdirs import user_cache_path

from core.encoder.loading import Checkpoint, borrow
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.inputs.checkpoints import Resolved
from core.inputs.hub import Report
from core.inputs.licence import CARD, licence_of
from core.pruning import PrunedModel
from core.request.amounts import amount_text
from core.request.catalog import METHODS
from core.request.limits import is_hosted
from core.results.names import amount_name, checkpoint_name, data_name, method_name, pruning_name
from core.results.provenance import recipe, task_of
from core.results.schema import Frame, SweepResult
from core.sweep.origin import find_pruning, frame_of
from core.sweep.runner import make_plan


def folder_for(result: SweepResult, amount: float) -> Path:
    """Return the folder for a pruned checkpoint, in the user's cache directory."""
    name = f"{result.task.name}-{result.pruning.method}-{amount_text(amount)}-{result.key[:8]}"
    return user_cache_path("prunescope") / "pruned_checkpoints" / name


def write_pruned(result: SweepResult, amount: float, checkpoint: str | None, data: str | None, report: Report) -> Path:
    """Prune a result's checkpoint as one of its frames was pruned, and write it.

    Args:
        result: A whole sweep.
        amount: One of its pruning amounts.
        checkpoint: Where the checkpoint is; None uses what the result names, which fails for a folder.
        data: Where the examples are, for a method that scores them; None uses what the result names, which fails for a
            folder.
        report: Called with (stage, done, total); an exception that it raises ends the export, unchanged.

    Returns:
        The folder: config.json, model.safetensors, the tokenizer, README.md.

    Raises:
        PrunescopeError: The server is hosted, the result lacks the amount, the checkpoint or the examples are not those
            of the result, or the folder cannot be written.
    """
    if is_hosted():
        raise PrunescopeError(
            "a hosted server does not write pruned checkpoints, which you could not reach there: run Prunescope on "
            "your own computer"
        )
    frame = frame_of(result, amount)
    request, resolved, calibration = find_pruning(result, frame.amount, checkpoint, data, report)
    report("Loading the checkpoint", 0, 1)
    with borrow(resolved) as baseline:
        plan = make_plan(baseline, calibration, request, report)
        report("Writing", 0, 1)
        with PrunedModel(baseline.model, plan) as pruned:
            pruned.prune(frame.amount)
            return _write(result, frame, baseline, resolved)


def _write(result: SweepResult, frame: Frame, pruned: Checkpoint, resolved: Resolved) -> Path:
    """Write the folder whole or not at all."""
    folder = folder_for(result, frame.amount)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=folder.parent) as temporary:
            whole = Path(temporary) / folder.name
            pruned.model.save_pretrained(whole)  # type: ignore[operator]
            pruned.tokenizer.save_pretrained(whole)
            (whole / CARD).write_text(model_card(result, frame, licence_of(resolved.folder)), encoding="utf-8")
            if (resolved.folder / TRAINING_EXAMPLES).is_file():  # keeps the pruned model from being evaluated on them
                shutil.copy(resolved.folder / TRAINING_EXAMPLES, whole)
            shutil.rmtree(folder, ignore_errors=True)
            whole.rename(folder)
    except OSError as error:
        raise PrunescopeError(
            f"cannot write {folder} ({error.strerror or error}): make room there, or choose another XDG_CACHE_HOME"
        ) from error
    return folder


def model_card(result: SweepResult, frame: Frame, licence: str | None) -> str:
    """Write the README of a pruned checkpoint: base, method, amount, sparsity, scores, command.

    Args:
        result: The sweep.
        frame: The frame whose weights the folder holds.
        licence: The base's, where it is known.
    """
    checkpoint, task, method = result.checkpoint, task_of(result.task), METHODS[result.pruning.method]
    on_hub = checkpoint.source == "hub"
    metadata = ModelCardData(
        license=licence,
        base_model=checkpoint.id if on_hub else None,
        metrics=list(frame.metrics),
        pipeline_tag="text-classification",
        tags=["pruned", method.name],
    )
    scores = "\n".join(
        f"| {name.replace('_', ' ')} | {_number(value)} | {_interval(frame.intervals.get(name))} |"
        for name, value in frame.metrics.items()
    )
    made_by = recipe(result)
    calibration = result.pruning.calibration
    scored_on = (
        f" Scores were computed on {calibration.num_examples} examples, {calibration.source_name}."
        if calibration
        else ""
    )
    return f"""---
{metadata.to_yaml()}
---

# {checkpoint_name(result)}, pruned by {amount_name(frame.amount)}

{pruning_name(result)}, written by Prunescope. {task.title}: {task.question} The labels are in the order
{", ".join(result.task.label_names)}.

## Base

`{checkpoint.id}`, {"revision" if on_hub else "content"} `{checkpoint.revision}`, {checkpoint.architecture},
{checkpoint.num_layers} layers, hidden size {checkpoint.hidden_size}. {"" if licence else "Its own licence applies."}

## Pruning

{method_name(result)}: {method.explanation}{scored_on}

| | |
|---|---|
| method | {method.name} |
| scope | {result.pruning.scope or "-"} |
| seed | {result.pruning.seed if method.seeded else "-"} |
| amount | {amount_text(frame.amount)} |
| sparsity: removed / all parameters | {frame.sparsity:.4f} |
| prunable sparsity: removed / all encoder matrix weights | {frame.prunable_sparsity:.4f} |

Removed weights are zeros in dense float32 tensors: the model is neither smaller nor faster than its base. It was not
trained after pruning.

## Scores

On {data_name(result)}:

| metric | value | 95 % interval |
|---|---|---|
{scores}

## How it was computed

```shell
{made_by.command}
```

{made_by.missing}

The result's key is `{result.key}`.
"""


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _interval(interval: tuple[float, float] | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "unknown"
