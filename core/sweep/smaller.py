"""Remove feed-forward units of the models that a study of cuts chose, the same number in every layer.

They are scored (`core.pruning.attribution`) on each chosen model itself: with some layers gone, other units matter.
Scores of the full model kept up to six points less accuracy (SST-2).
"""

from dataclasses import replace

import torch

from core.encoder.batches import micro_batches
from core.encoder.loading import Checkpoint
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs
from core.pruning import Baseline, Calibration, attribution
from core.pruning.cut import cut, most_attributed
from core.results.cut import SHARES, Cut, CutStudy, packed
from core.sweep.cut_choices import worth_of
from core.sweep.subsets import SubsetRunner

NARROWING = "Removing feed-forward units"  # a stage


def narrowed(study: CutStudy, checkpoint: Checkpoint, inputs: CutInputs, report: Report) -> list[Cut]:
    """Remove SHARES of the units of the full model and of the measured choice of each size.

    Args:
        study: A whole study.
        checkpoint: Its model, which is never changed.
        inputs: What the study was made from.
        report: Called with (stage, done, total); an exception that it raises ends the work, unchanged.
    """
    depth, found, examples = checkpoint.record.num_layers, list[Cut](), (inputs.calibration, inputs.subset)
    calibration = Calibration(
        micro_batches(checkpoint.tokenizer, inputs.calibration.texts),
        torch.tensor(inputs.calibration.record.gold),
        lambda *_: report(NARROWING, len(found), depth * len(SHARES)),
    )
    for left in range(depth, 0, -1):
        layers, whole = study.choice(left).layers, tuple(range(left))
        small = cut(checkpoint.model, layers)
        plan = attribution.plan(Baseline(small, SHARES, calibration=calibration))
        scores = [intermediate for _, intermediate in plan.scores]
        for share in SHARES:
            report(NARROWING, len(found), depth * len(SHARES))
            kept = most_attributed(scores, share)
            narrow = replace(checkpoint, model=cut(small, whole, kept))
            scored, judged = (SubsetRunner(narrow, some).run([whole])[whole][0] for some in examples)
            bits = tuple(packed(units.numpy(), len(scores[0])) for units in kept)
            worth = worth_of(inputs.subset, study.full.judged or (), judged)
            found.append(Cut(layers=layers, share=share, kept=bits, calibration=scored, judged=judged, worth=worth))
    return found
