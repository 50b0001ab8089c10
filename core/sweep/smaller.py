"""Remove feed-forward units of the models that a study of cuts chose, the same number in every layer.

They are scored (`core.pruning.attribution`) on each chosen model itself: with some layers gone, other units matter, and
scores of the full model kept up to four points less accuracy.
"""

from dataclasses import replace

import torch

from core.encoder.batches import micro_batches
from core.encoder.loading import Checkpoint
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs
from core.pruning import Baseline, Calibration, attribution
from core.pruning.cut import cut, most_attributed
from core.results.cut import SHARES, CutStudy, Narrow, packed
from core.sweep.cut_choices import Judge
from core.sweep.subsets import SubsetRunner

NARROWING = "Removing feed-forward units"  # a stage


def narrowed(study: CutStudy, checkpoint: Checkpoint, inputs: CutInputs, report: Report) -> tuple[Narrow, ...]:
    """Remove SHARES of the units of the full model and of the measured choice of each size.

    Args:
        study: A whole study.
        checkpoint: Its model, which is never changed.
        inputs: What the study was made from.
        report: Called with (stage, done, total); an exception that it raises ends the work, unchanged.
    """
    depth, found, examples = checkpoint.record.num_layers, list[Narrow](), (inputs.calibration, inputs.subset)
    judge = Judge(inputs.subset.record, inputs.subset.task.metrics, study.full.judged or ())
    calibration = Calibration(
        micro_batches(checkpoint.tokenizer, inputs.calibration.texts),
        torch.tensor(inputs.calibration.record.gold),
        lambda *_: report(NARROWING, len(found), depth * len(SHARES)),
    )
    for left in range(depth, 0, -1):
        layers, whole = study.measured_choice(left).layers, tuple(range(left))
        small = cut(checkpoint.model, layers)
        plan = attribution.plan(Baseline(small, SHARES, calibration=calibration))
        scores = [intermediate for _, intermediate in plan.scores]
        for share in SHARES:
            report(NARROWING, len(found), depth * len(SHARES))
            kept = most_attributed(scores, share)
            narrow = replace(checkpoint, model=cut(small, whole, kept))
            scored, judged = (SubsetRunner(narrow, some).run([whole])[whole][0] for some in examples)
            bits = tuple(packed(units.numpy(), len(scores[0])) for units in kept)
            shape = {"layers": layers, "share": share, "units": len(kept[0]), "kept": bits}
            found.append(Narrow(**shape, calibration=scored, judged=judged, worth=judge.worth(judged)))
    return tuple(found)
