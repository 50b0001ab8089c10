"""The study of cuts: what a checkpoint still predicts with only its lowest layers, refitted.

Three sets of rows share one tokenisation: those that refit, those that decide when to stop, those
that judge. What is *held* is a linear probe's score, what is *saved* a model's. Depths are worked
from the fewest layers up, so that the deepest cut's score is known first.
"""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from core.encoder.device import where
from core.encoder.loading import Checkpoint
from core.errors import PrunescopeError
from core.inputs.cut_rows import CutInputs
from core.inputs.examples import EvalSubset
from core.inputs.forecast import refit_rows
from core.inputs.hub import Report
from core.pruning.cut import cut
from core.results.cut import CutStudy, Depth, Score
from core.results.schema import Worth
from core.sweep.meter import silent
from core.sweep.metrics import evaluate
from core.sweep.sweep import ended, environment
from core.training import refit
from core.training.probe import probe
from core.training.refit import Refitted, Refitting
from core.training.speed import PASSES, processor, sizes

STEPS = 1_000  # of the bar
FULL_PASS = "Running the full model"
MEASURING = "Measuring size and speed"

OnScore = Callable[[Score], None]


def _bar(report: Report, works: Sequence[float]) -> Callable[[str], refit.Report]:
    """Divide one bar into phases, whose shares of the work are known before.

    Returns:
        A function that begins the next phase, and returns one that takes the share of it that is
        done.
    """
    ends = np.cumsum([0, *works])
    phases = pairwise(ends)

    def begin(stage: str) -> refit.Report:
        first, last = next(phases)

        def advance(share: float) -> None:
            done = first + share * (last - first)
            report(stage, round(STEPS * done / ends[-1]), STEPS)

        return advance

    return begin


def study(
    checkpoint: Checkpoint,
    inputs: CutInputs,
    report: Report = silent,
    on_score: OnScore = lambda *_: None,
) -> CutStudy:
    """Study a checkpoint's cuts; return the study, unsaved.

    Args:
        checkpoint: The loaded model, which is never changed.
        inputs: The three sets of rows, the depths and the settings of the training.
        report: Called with (stage, done, total) after each step; an exception that it raises ends
            the study.
        on_score: Called with what is held and saved, as soon as a depth is judged.

    Raises:
        PrunescopeError: A loss or a logit is not finite, or all rows that refit have one label.
    """
    started = time.monotonic()
    full_model = checkpoint.model
    refitting = Refitting(checkpoint, inputs)
    begin = _bar(report, _works(refitting, inputs, checkpoint.record.num_layers))
    logits, means = refitting.outputs(begin(FULL_PASS + where(full_model)))
    labels = _labels(logits, inputs)
    studied = list[tuple[Score, Refitted]]()
    for layers in sorted(inputs.depths):
        refitted = refitting.refit(layers, begin(_training(layers) + where(full_model)))
        features = means[layers - 1].numpy()
        saved = refitted.logits.argmax(-1).tolist()
        held = probe(features[: len(labels)], labels, features[len(labels) :])
        score = Score(
            layers=layers,
            held=_worth(inputs.subset, held),
            saved=_worth(inputs.subset, saved),
        )
        on_score(score)
        studied.append((score, refitted))
    models = [cut(full_model, range(len(means)))]  # the full one, in the same memory
    models += [refitted.model for _, refitted in studied]
    full, *smaller = sizes(
        models,
        inputs.resolved,
        checkpoint.tokenizer,
        inputs.subset.texts,
        begin(MEASURING),
    )
    depths = list[Depth]()
    for (score, refitted), size in zip(studied, smaller, strict=True):
        depths.append(Depth(**dict(score), size=size, steps=refitted.steps))
    return CutStudy(
        key=inputs.key,
        checkpoint=checkpoint.record,
        task=inputs.subset.record,
        refit=inputs.record,
        full=_worth(inputs.subset, logits[inputs.numbers[2]].argmax(-1).tolist()),
        full_size=full,
        depths=tuple(reversed(depths)),
        environment={**environment(full_model), "processor": processor()},
        **ended(started),
    )


def refit_again(
    checkpoint: Checkpoint,
    inputs: CutInputs,
    study: CutStudy,
    layers: int,
    report: Report = silent,
) -> tuple[Any, int]:
    """Make the saved model of a study's depth again.

    Args:
        checkpoint: The study's, loaded.
        inputs: The rows of the study.
        study: A whole study.
        layers: The number of layers that stay.
        report: See `study`.

    Returns:
        The model, and the number of judged rows whose predicted label differs from the study's: 0
        on the machine that made the study.

    Raises:
        PrunescopeError: The rows are not those of the study.
    """
    if inputs.key != study.key:
        raise PrunescopeError(
            "the rows or the settings are not those of the study: "
            "give its data, or study them again"
        )
    refitting = Refitting(checkpoint, inputs)
    begin = _bar(report, [1, 1])
    refitting.outputs(begin(FULL_PASS))
    refitted = refitting.refit(layers, begin(_training(layers)))
    (depth,) = (depth for depth in study.depths if depth.layers == layers)
    differs = refitted.logits.argmax(-1).numpy() != np.array(depth.saved.predictions)
    return refitted.model, int(differs.sum())


def _labels(logits: Tensor, inputs: CutInputs) -> np.ndarray:
    """Return the labels that a probe learns, int64.

    The full model's answers, from its logits, replace missing ones.
    """
    answers = logits.argmax(-1).tolist()
    labels = [
        answer if label is None else label
        for label, answer in zip(inputs.labels, answers, strict=False)
    ]
    if len({*labels}) < 2:
        raise PrunescopeError(
            "all rows to refit have one label, and 2 are needed: add rows with other labels"
        )
    return np.array(labels)


def _worth(subset: EvalSubset, predictions: Sequence[int]) -> Worth:
    metrics, intervals = evaluate(subset.task.metrics, subset.record.gold, predictions)
    return Worth(predictions=tuple(predictions), metrics=metrics, intervals=intervals)


def _training(layers: int) -> str:
    return f"Refitting {layers} layer{'s' if layers > 1 else ''}"


def _works(refitting: Refitting, inputs: CutInputs, num_layers: int) -> list[float]:
    """Return the work of each phase, in tokens that a layer reads."""
    rows, tokens = (
        len(refitting.rows.lengths),
        float(refitting.rows.lengths.mean()),
    )
    depths = sorted(inputs.depths)
    trained = [refit_rows(layers, inputs.record.training) for layers in depths]
    measured = sum(batch * passes for batch, passes in PASSES.items()) * (num_layers + sum(depths))
    return [tokens * work for work in (rows * num_layers, *trained, measured)]
