"""Recover's sentences: what comes back when a pruned model is trained again, and what does not."""

import numpy as np

from core.findings.recovery import Returned
from core.findings.words import Finding, points, points_with_interval
from core.findings.words.cut import training_words
from core.findings.words.numbers import (
    decimals,
    main_score,
    percent,
    two_places,
)
from core.request.catalog import METRICS
from core.results.names import (
    brief_name,
    in_sentence,
    point_labels,
    removed_name,
)
from core.results.recovery import Recovery

EXPLANATION = """A recovery trains a pruned model again, its zeros held: how much of its score and
similarity returns?
There is none of this model. Prune it in the Lab, and train it again there or by this command:"""
RUNNING = "Training the pruned model again"
COMMAND = "python -m core.recover RESULT.json --amount 0.8"
READING = """A column is a layer of the pruned model after so many steps, a row a layer of the
unpruned one before any. Trained as long, the unpruned model tells what training alone changes.
Differences of scores are paired, with 95 % intervals, in hundredths of the score. How certain a
similarity is, is not measured here."""


def step_name(step: int) -> str:
    """Name a moment of training."""
    return f"After {step} steps of training" if step else "Before training"


def came_back(recovery: Recovery, returned: Returned) -> str:
    """Say how much of the lost score came back, or that this or the loss may be chance."""
    lost = returned.lost
    gained = returned.gained
    symbol = METRICS[recovery.task.main_metric].symbol
    if lost.high >= 0:
        change = points(lost.value, 1, is_signed=True)
        return f"Pruning changed {symbol} by {change}, which may be chance"
    if gained.low <= 0:
        return f"Lost {symbol} is not shown to come back"
    share = -gained.value / lost.value
    part = "All" if share >= 0.995 else "About half" if 0.45 <= share < 0.55 else percent(share)
    return f"{part} of the lost {symbol} came back"


def recover_finding(recovery: Recovery, returned: Returned | None) -> Finding:
    """Say what came back, beside the unpruned model, and what did not.

    Before the end, say how far the training is.
    """
    last = recovery.frames[-1]
    if returned is None:
        return Finding(f"{step_name(last.step)}: {main_score(recovery.task, last)}")
    change = np.nan_to_num(returned.own[-1] - returned.own[0])  # (points,)
    k = int(np.abs(change).argmax())
    start, end, alone = (
        two_places(similarity[k])
        for similarity in (returned.own[0], returned.own[-1], returned.kept)
    )
    layer = f"layer {point_labels(recovery.points)[k]}'s similarity"
    moved = f"rose from {start} to {end}"
    if change[k] < 0:
        moved = f"fell from {start} to {end}, in the unpruned model to {alone}"
    before, after, full, trained = (decimals(score, 3) for score in returned.scores)
    removed = removed_name(recovery.amount, recovery)
    symbol = METRICS[recovery.task.main_metric].symbol
    return Finding(
        f"{came_back(recovery, returned)}; {layer} {moved}",
        (
            f"With {removed} by {in_sentence(brief_name(recovery.pruning))}, {last.step} steps of "
            f"training take {symbol} from {before} to {after}, and the unpruned model's from "
            f"{full} to {trained}.",
            "The difference from the unpruned model is "
            f"{points_with_interval(returned.missing)}; {layer} ends at {end}, and at {alone} in "
            "the unpruned model trained as long.",
            "All layers and the classifier were trained, zeros held, for "
            f"{training_words(recovery.rows)}; the scores are of {len(recovery.task.examples)} "
            "other rows.",
        ),
    )
