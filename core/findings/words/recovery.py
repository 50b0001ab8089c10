"""Recover's sentences: what comes back when a pruned model is trained again, and what does not."""

import numpy as np

from core.findings.recovery import Returned
from core.findings.words import Finding, points, points_span
from core.findings.words.cut import training_words
from core.findings.words.numbers import decimals, main_score, percent, two_places
from core.request.catalog import METRICS
from core.results.names import brief_name, in_sentence, point_labels, removed_name
from core.results.recovery import Recovery

EXPLANATION = """A recovery trains a pruned model again, its zeros held: how much of its score and similarity returns?
There is none of this model. Prune it in the Lab, and train it again there or by this command:"""
RUNNING = "Training the pruned model again"
COMMAND = "python -m core.recover RESULT.json --amount 0.8"
READING = """A column is a layer of the pruned model after so many steps, a row a layer of the unpruned one before any.
Trained as long, the unpruned model tells what training alone changes. Differences of scores are paired, with 95 %
intervals, in hundredths of the score. How certain a similarity is, is not measured here."""


def step_name(step: int) -> str:
    """Name a moment of training."""
    return f"After {step} steps of training" if step else "Before training"


def came_back(recovery: Recovery, known: Returned) -> str:
    """Say how much of the lost score came back, or that this or the loss may be chance."""
    lost, gained, symbol = known.lost, known.gained, METRICS[recovery.task.main_metric].symbol
    share = -gained.value / lost.value if lost.value else 0.0
    part = "All" if share >= 0.995 else "About half" if 0.45 <= share < 0.55 else percent(share)
    if lost.high >= 0:
        return f"Pruning changed {symbol} by {points(lost.value, 1, is_signed=True)}, which may be chance"
    return (
        f"{part} of the lost {symbol} came back"
        if gained.low > 0
        else f"Lost {symbol} is not shown to come back"
    )


def recover_finding(recovery: Recovery, known: Returned | None) -> Finding:
    """Say what came back, beside the unpruned model, and what did not; before the end, how far the training is."""
    symbol, last = METRICS[recovery.task.main_metric].symbol, recovery.frames[-1]
    if known is None:
        return Finding(f"{step_name(last.step)}: {main_score(recovery.task, last)}")
    change = np.nan_to_num(known.own[-1] - known.own[0])
    k = int(np.abs(change).argmax())
    start, end, alone = (two_places(row[k]) for row in (known.own[0], known.own[-1], known.kept))
    layer, moved = (
        f"layer {point_labels(recovery.points)[k]}'s similarity",
        f"from {start} to {end}",
    )
    moved = f"fell {moved}, in the unpruned model to {alone}" if change[k] < 0 else f"rose {moved}"
    before, after, full, trained = (decimals(score, 3) for score in known.scores)
    removed = (
        f"{removed_name(recovery.amount, recovery)} by {in_sentence(brief_name(recovery.pruning))}"
    )
    missing = known.missing
    still = (
        f"{points(missing.value, 1, is_signed=True)} ({points_span(missing.low, missing.high, 1)})"
    )
    return Finding(
        f"{came_back(recovery, known)}; {layer} {moved}",
        (
            f"With {removed}, {last.step} steps of training take {symbol} from {before} to {after}, and the unpruned "
            f"model's from {full} to {trained}.",
            f"The difference from the unpruned model is {still}; {layer} ends at {end}, and at {alone} in the unpruned "
            "model trained as long.",
            f"All layers and the classifier were trained, zeros held, for {training_words(recovery.rows)}; the scores "
            f"are of {len(recovery.task.examples)} other rows.",
        ),
    )
