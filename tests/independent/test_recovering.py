"""A recovery is what a loop of one's own makes of the same weights and rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recovery import found, tiny_sweep
from tiny import loaded
from torch import Tensor, nn
from torch.nn.utils import prune

from core.training.recovery import recover
from tests.independent.refitting import (
    Rows,
    Texts,
    classifier,
    training,
)
from tests.independent.statistics import own_cka

# Predictions, (judged,), and mean token vectors, (layers, judged, hidden).
Look = tuple[np.ndarray, np.ndarray]


def look(model: Any, judged: Rows) -> Look:
    """Run a model on one unpadded row at a time."""
    predictions = []
    means = []
    with torch.no_grad():
        for row in range(len(judged.texts)):
            output = model(**judged.encoded([row]), output_hidden_states=True)
            predictions.append(int(output.logits.argmax()))
            means.append(np.stack([state[0].mean(0) for state in output.hidden_states[1:]]))
    return np.array(predictions), np.stack(means, 1)


def looks(
    folder: Path,
    texts: Texts,
    labels: Sequence[int],
    judged: Texts,
    amount: float,
    how: Mapping[str, Any],
) -> list[Look]:
    """Prune by magnitude, train all layers and the head, and look before and after each step.

    Args:
        folder: A BERT classifier.
        texts: The rows to train on.
        labels: Their labels.
        judged: The rows to look at.
        amount: The share of the encoder's weights to remove.
        how: `steps`, `batch`, `rate` and `seed`.
    """
    rows = Rows(folder, texts)
    model = classifier(folder)
    linear = [part for part in model.bert.encoder.modules() if isinstance(part, nn.Linear)]
    # Keeps what it removes at zero.
    prune.global_unstructured(
        [(part, "weight") for part in linear],
        prune.L1Unstructured,
        amount=amount,
    )

    def loss(batch: np.ndarray) -> Tensor:
        gold = torch.tensor([labels[row] for row in batch])
        return model(**rows.encoded(batch), labels=gold).loss

    parts = (model.bert.encoder.layer, model.bert.pooler, model.classifier)
    steps = training(parts, loss, rows.lengths(), how)
    return [look(model, Rows(folder, judged)) for _ in steps]


def test_a_recovery_agrees_with_a_loop_of_its_own(tmp_path: Path) -> None:
    inputs = found(tmp_path, tiny_sweep(tmp_path), steps=25, rate=3e-3)

    recovery, _ = recover(loaded(inputs.swept.resolved), inputs)

    how = vars(recovery.rows.training)
    folder = inputs.swept.resolved.folder
    judged = inputs.swept.subset.texts
    texts = inputs.rows.texts
    labels = inputs.rows.record.gold
    pruned, unpruned = (looks(folder, texts, labels, judged, amount, how) for amount in (0.6, 0.0))
    _, baseline = unpruned[0]
    for frames, expected in (
        (recovery.frames, pruned),
        (recovery.unpruned, unpruned),
    ):
        for frame in frames:
            predictions, means = expected[frame.step]
            assert (predictions != np.array(frame.predictions)).sum() <= 1
            np.testing.assert_allclose(frame.own("mean"), own_cka(baseline, means), atol=2e-3)
        own = [frame.own("mean") for frame in frames]
        assert np.ptp(own, axis=0).max() > 0.02, "training changes what is compared"
