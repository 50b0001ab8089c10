"""Write one frame of a result as a checkpoint: a folder in the Hub's format that any program can load.

The weights are pruned as in the sweep and stored in the dtype in which they came: loaded in float32, the folder
reproduces the frame's numbers. Removed weights are zeros in place, so the model is neither smaller nor faster.
"""

from pathlib import Path

from platformdirs import user_cache_path

from core.encoder.loading import borrow
from core.encoder.saving import save, written_whole
from core.errors import PrunescopeError
from core.exports.model_card import model_card
from core.inputs.checkpoints import CARD, licence_of
from core.inputs.hub import Report
from core.pruning import PrunedModel
from core.request.amounts import amount_text
from core.request.limits import is_hosted
from core.results.schema import SweepResult
from core.sweep.origin import find_pruning, frame_of
from core.sweep.runner import make_plan


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
        raise PrunescopeError("a hosted server writes no pruned checkpoints: run Prunescope on your own computer")
    frame = frame_of(result, amount)
    request, resolved, calibration = find_pruning(result, frame.amount, checkpoint, data, report)
    with borrow(resolved) as baseline:
        plan = make_plan(baseline, calibration, request, report)
        report("Writing", 0, 1)
        with PrunedModel(baseline.model, plan) as pruned:
            pruned.prune(frame.amount)
            name = f"{result.task.name}-{result.pruning.method}-{amount_text(frame.amount)}-{result.key[:8]}"
            folder = user_cache_path("prunescope") / "pruned_checkpoints" / name
            with written_whole(folder) as whole:
                save(pruned.model, resolved, whole)
                (whole / CARD).write_text(model_card(result, frame, licence_of(resolved.folder)), encoding="utf-8")
            return folder
