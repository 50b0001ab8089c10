"""Write the model of a frame, a recovery or a study of cuts for transformers.

The first two have zeros in place, as they were measured: they are neither smaller nor faster. A cut
model is both. Weights keep the dtype of the checkpoint, those of a recovery are float32; loaded in
float32, the folder reproduces the numbers.
"""

import shutil
from pathlib import Path

from huggingface_hub import ModelCard
from platformdirs import user_cache_path
from torch import float32, nn

from core.encoder.loading import borrow, replaced_atomically, save
from core.errors import PrunescopeError
from core.exports.model_card import (
    RESULT_FILE,
    cut_card,
    model_card,
    recovered_card,
)
from core.findings.cut import frontier_of
from core.inputs.checkpoints import CARD, Resolved, licence_of
from core.inputs.cut_rows import CutInputs
from core.inputs.hub import Report
from core.inputs.uploads import SMALLER_MODELS
from core.pruning.plan import PrunedModel
from core.request.amounts import amount_text
from core.request.limits import is_hosted, limits
from core.results.cut import CutStudy, Trained
from core.results.key import sealed
from core.results.recovery import Recovery
from core.results.schema import SweepResult
from core.sweep.meter import make_plan
from core.sweep.origin import check_same_content, find_pruning, frame_of
from core.training.cut_study import refit_again


def write_pruned(
    result: SweepResult,
    amount: float,
    checkpoint: str | None,
    data: str | None,
    report: Report,
) -> Path:
    """Prune a result's checkpoint as one of its frames was pruned, and write it.

    Args:
        result: A whole sweep.
        amount: One of its pruning amounts.
        checkpoint: The place of the checkpoint; None takes it from the result, which does not know
            that of a folder.
        data: The place of the examples, for a method that scores them; None likewise.
        report: Called with (stage, done, total); an exception raised by it ends the export.

    Returns:
        The folder: config.json, model.safetensors, the tokenizer, README.md.

    Raises:
        PrunescopeError: The result lacks the amount, the checkpoint or the examples are not those
            of the result, or the folder cannot be written or is too large here.
    """
    frame = frame_of(result, amount)
    request, resolved, calibration = find_pruning(result, frame.amount, checkpoint, data, report)
    with borrow(resolved) as baseline:
        plan = make_plan(baseline, calibration, request, report)
        report("Writing", 0, 1)
        with PrunedModel(baseline.model, plan) as pruned:
            pruned.prune(frame.amount)
            pruning = f"{result.pruning.method}-{amount_text(frame.amount)}"
            name = f"{result.task.name}-{pruning}-{result.key[:8]}"
            folder = user_cache_path("prunescope") / "pruned_checkpoints" / name
            return _written(
                folder,
                pruned.model,
                resolved,
                model_card(result, frame, licence_of(resolved.folder)),
            )


def write_cut(
    study: CutStudy,
    left: int,
    inputs: CutInputs,
    report: Report,
    folder: Path | None = None,
) -> Path:
    """Refit one depth of a study again, and write it.

    Args:
        study: A whole study.
        left: The number of layers that stay.
        inputs: The checkpoint and the rows of the study.
        report: Called with (stage, done, total); an exception raised by it ends the export.
        folder: The folder to write to; None takes one of the user's cache.

    Returns:
        The folder: config.json, model.safetensors, the tokenizer, README.md; of the cache on a
            hosted server, a ZIP.

    Raises:
        PrunescopeError: The study offers no such model, the inputs are not the study's, or the
            folder cannot be written or is too large here.
    """
    choice = next(
        (choice for choice in frontier_of(study).choices if choice.depth.layers == left),
        None,
    )
    if choice is None:
        raise PrunescopeError(
            f"the study offers no smaller model of {left} layers: choose what it shows"
        )
    check_same_content(inputs.resolved, study.checkpoint.id, study.checkpoint.revision)
    name = f"{study.task.name}-{left}-layers-{study.key[:8]}"
    place = folder or user_cache_path("prunescope") / SMALLER_MODELS / name
    with borrow(inputs.resolved) as full:
        model, differing = refit_again(full, inputs, study, left, report)
        report("Writing", 0, 1)
        card = cut_card(
            study,
            choice,
            place.name,
            licence_of(inputs.resolved.folder),
            differing,
        )
        return _written(place, model, inputs.resolved, card, study)


def write_recovered(
    recovery: Recovery,
    model: nn.Module,
    resolved: Resolved,
    folder: Path | None = None,
) -> Path:
    """Write the trained model of a recovery; see `write_cut`."""
    name = f"{recovery.task.name}-trained-{recovery.key[:8]}"
    place = folder or user_cache_path("prunescope") / SMALLER_MODELS / name
    return _written(
        place,
        model,
        resolved,
        recovered_card(recovery, place.name, licence_of(resolved.folder)),
        recovery,
    )


def _written(
    folder: Path,
    model: nn.Module,
    resolved: Resolved,
    card: str,
    origin: Trained | None = None,
) -> Path:
    """Write a model with its tokenizer, its card and what it is from, all or nothing.

    On a hosted server, as a ZIP.
    """
    with replaced_atomically(folder) as whole:
        size = save(
            model,
            resolved,
            whole,
            float32 if isinstance(origin, Recovery) else None,
        )
        if size > (most := limits().export_bytes):
            raise PrunescopeError(
                f"the model has {size / 2**20:,.0f} MiB, more than the {most / 2**20:,.0f} allowed "
                "here: run Prunescope on your own computer"
            )
        ModelCard(card).save(whole / CARD)
        if origin:
            (whole / RESULT_FILE).write_text(sealed(origin).model_dump_json(), "utf-8")
    if not is_hosted():
        return folder
    archive = shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
    shutil.rmtree(folder)
    return Path(archive)
