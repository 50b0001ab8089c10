"""Fill in what a study of cuts says of the models that it chose: narrower feed-forward parts, size and speed.

The units are scored (`core.pruning.attribution`) on each chosen model itself: with some layers gone, other units
matter, and scores of the full model kept up to four points less accuracy.
"""

import numpy as np
import torch
from torch import nn

from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint
from core.encoder.representations import Recorder
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs
from core.pruning import Baseline, Calibration, attribution
from core.pruning.cut import cut, most_attributed
from core.results.cut import SHARES, CutStudy, Narrow, packed
from core.sweep.cut_choices import Judge
from core.sweep.speed import PASSES, measure

NARROWING = "Removing feed-forward units"  # a stage
BACKWARD, NARROWER = 3.0, 0.7  # the time of scoring, and of a narrower layer, in forward passes of a whole one
UNSORTED = 2.5  # of a plain pass over sentences of all lengths, in passes in order of length by oneDNN


def complete(study: CutStudy, checkpoint: Checkpoint, inputs: CutInputs, report: Report) -> CutStudy:
    """Add `widths` and `measured`, neither of which is part of the key.

    Args:
        study: A whole study.
        checkpoint: Its model, which is never changed.
        inputs: What the study was made from.
        report: Called with (stage, done, total); an exception that it raises ends the work, unchanged.
    """
    widths = narrowed(study, checkpoint, inputs, report)
    chosen = [study.measured_choice(left) for left in range(checkpoint.record.num_layers - 1, 0, -1)]
    measured = measure(checkpoint, inputs.resolved, [*chosen, *widths], inputs.subset.texts, report)
    return study.model_copy(update={"widths": widths, "measured": measured})


def layers_to_complete(depth: int, calibration: float, judged: float, sentence: float) -> float:
    """Estimate what `complete` runs, in layers times tokens.

    Args:
        depth: The model's layers.
        calibration: Tokens of the calibration examples.
        judged: Tokens of the judged examples.
        sentence: Tokens of one.
    """
    chosen = depth * (depth + 1) / 2  # layers of one model of each size
    narrowing = chosen * (BACKWARD * calibration + len(SHARES) * NARROWER * (calibration + judged))
    models = depth * (1 + len(SHARES)) - 1
    sentences = sum(batch * (passes + 1) for batch, passes in PASSES.items())
    return narrowing + UNSORTED * models * sentences * sentence * (depth + NARROWER * depth / 2)


def narrowed(study: CutStudy, checkpoint: Checkpoint, inputs: CutInputs, report: Report) -> tuple[Narrow, ...]:
    """Remove SHARES of the feed-forward units of the full model and of the measured choice of each size."""
    depth, found, judged, calibration = checkpoint.record.num_layers, list[Narrow](), inputs.subset, inputs.calibration
    judge = Judge(judged.record, judged.task.metrics, study.full.judged or ())
    scored, others = (micro_batches(checkpoint.tokenizer, examples.texts) for examples in (calibration, judged))
    gold = torch.tensor(calibration.record.gold)

    def step(*_: object) -> None:
        report(NARROWING, len(found), depth * len(SHARES))

    for left in range(depth, 0, -1):
        layers = study.measured_choice(left).layers
        small = cut(checkpoint.model, layers)
        plan = attribution.plan(Baseline(small, SHARES, calibration=Calibration(scored, gold, step)))
        scores = [intermediate for _, intermediate in plan.scores]
        for share in SHARES:
            step()
            kept = most_attributed(scores, share)
            narrow = cut(small, range(left), kept)
            on_scored, on_others = (_predictions(narrow, batches) for batches in (scored, others))
            found.append(
                Narrow(
                    layers=layers,
                    calibration=on_scored,
                    judged=on_others,
                    worth=judge.worth(on_others),
                    share=share,
                    units=len(kept[0]),
                    kept=tuple(packed(units.numpy(), len(scores[0])) for units in kept),
                )
            )
    return tuple(found)


def _predictions(model: nn.Module, batches: list[MicroBatch]) -> tuple[int, ...]:
    found = np.zeros(sum(len(batch.examples) for batch in batches), np.int64)  # (examples,)
    with Recorder(model, ()) as recorder:
        for batch in batches:
            found[batch.examples] = recorder.run(batch).argmax(-1)
    return tuple(found.tolist())
