"""Write a model that a study of cuts has judged: a folder that plain transformers loads, really smaller.

On a hosted server it is a ZIP of that folder, which a visitor takes away.
"""

import shutil
from pathlib import Path

from platformdirs import user_cache_path

from core.encoder.loading import borrow
from core.encoder.saving import save, written_whole
from core.errors import PrunescopeError
from core.exports.model_card import cut_card
from core.inputs.checkpoints import CARD, licence_of, resolve, suited
from core.inputs.disk import SMALLER_MODELS
from core.inputs.hub import Report
from core.pruning.cut import model_of
from core.request.amounts import amount_text
from core.request.limits import is_hosted, limits
from core.results.cut import CutStudy
from core.sweep.origin import check_same_content, place_of


def write_cut(
    study: CutStudy, left: int, share: float, checkpoint: str | None, report: Report, folder: Path | None = None
) -> Path:
    """Make a smaller model of a study anew, and write it.

    Args:
        study: A whole study.
        left: How many layers stay: the measured choice of so many.
        share: Of the feed-forward units, what is removed from each of them.
        checkpoint: Where the checkpoint is; None uses what the study names, which fails for a folder.
        report: Called with (stage, done, total); an exception that it raises ends the export, unchanged.
        folder: Where to, new or empty; None for one of the user's cache, which it replaces.

    Returns:
        The folder: config.json, model.safetensors, the tokenizer, README.md; hosted, a ZIP of it.

    Raises:
        PrunescopeError: The study offers no such model, the checkpoint is not the study's, or the folder cannot
            be written or is too large here.
    """
    smaller = study.choice(left, share)
    resolved = suited(resolve(place_of(study.checkpoint, checkpoint), report), study.task.name)
    check_same_content(resolved, study.checkpoint.id, study.checkpoint.revision)
    name = f"{study.task.name}-{left}-layers-{amount_text(share)}-{study.key[:8]}"
    target = folder or user_cache_path("prunescope") / SMALLER_MODELS / name
    with borrow(resolved) as full:
        report("Writing", 0, 1)
        small = model_of(full.model, smaller)
        with written_whole(target) as whole:
            size = save(small, resolved, whole)
            if size > (most := limits().export_bytes):
                fault = f"the smaller model has {size / 2**20:,.0f} MiB, more than the {most / 2**20:,.0f} allowed here"
                raise PrunescopeError(f"{fault}: run Prunescope on your own computer")
            parameters = sum(weight.numel() for weight in small.parameters())
            card = cut_card(study, smaller, target.name, (size, parameters), licence_of(resolved.folder))
            (whole / CARD).write_text(card, encoding="utf-8")
    if not is_hosted():
        return target
    archive = shutil.make_archive(str(target), "zip", target.parent, target.name)
    shutil.rmtree(target)
    return Path(archive)
