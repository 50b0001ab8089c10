"""A recovery is what a loop of one's own makes of the same weights and rows: plain transformers, torch's pruning."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from recovery import found, tiny_sweep
from tiny import loaded
from torch.nn.utils import prune
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.training.recovery import recover
from tests.independent.refitting import Texts, batches_of
from tests.independent.statistics import own_cka

Look = tuple[
    np.ndarray, np.ndarray
]  # predictions (judged,); mean token vectors (layers, judged, hidden)


def looks(
    folder: Path,
    rows: tuple[Texts, Sequence[int]],
    judged: Texts,
    amount: float,
    how: Mapping[str, float],
    at: set[int],
) -> dict[int, Look]:
    """Prune by magnitude, train all layers and the head, and look at the judged rows on the way.

    Args:
        folder: A BERT classifier.
        rows: Texts to train on, and their labels.
        judged: Texts to look at.
        amount: The share of the encoder's weights to remove.
        how: `steps`, `batch`, `rate` and `seed`.
        at: The steps after which to look.
    """
    tokenizer, (texts, labels), steps = (
        AutoTokenizer.from_pretrained(folder),
        rows,
        int(how["steps"]),
    )
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    options = {"padding": True, "truncation": True, "max_length": 128, "return_tensors": "pt"}
    matrices = [
        (part, "weight")
        for part in model.bert.encoder.modules()
        if isinstance(part, torch.nn.Linear)
    ]
    prune.global_unstructured(
        matrices, prune.L1Unstructured, amount=amount
    )  # which keeps what it removes at zero

    def look() -> Look:
        with torch.no_grad():
            outputs = [
                model(**tokenizer(*row, **options), output_hidden_states=True) for row in judged
            ]
        means = [
            torch.stack([state[0].mean(0) for state in output.hidden_states[1:]])
            for output in outputs
        ]
        return np.array([int(output.logits.argmax()) for output in outputs]), torch.stack(
            means, 1
        ).numpy()

    weights = [
        *model.bert.encoder.layer.parameters(),
        *model.bert.pooler.parameters(),
        *model.classifier.parameters(),
    ]
    optimizer, found = torch.optim.AdamW(weights, weight_decay=0.01), {0: look()}
    lengths = np.array(
        [len(tokenizer(*text, truncation=True, max_length=128).input_ids) for text in texts]
    )
    order = batches_of(np.arange(len(texts)), lengths, int(how["batch"]), steps, int(how["seed"]))
    for step, batch in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = how["rate"] * min(
                (step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps)
            )
        columns = [list(column) for column in zip(*(texts[row] for row in batch), strict=True)]
        optimizer.zero_grad()
        model(
            **tokenizer(*columns, **options), labels=torch.tensor([labels[row] for row in batch])
        ).loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        if step + 1 in at:
            found[step + 1] = look()
    return found


def test_a_recovery_agrees_with_a_loop_of_its_own(tmp_path: Path) -> None:
    inputs = found(tmp_path, tiny_sweep(tmp_path), steps=25, rate=3e-3)
    recovery, _ = recover(loaded(inputs.swept.resolved), inputs)
    how, rows = vars(recovery.rows.training), (inputs.rows.texts, inputs.rows.record.gold)
    folder, judged, steps = (
        inputs.swept.resolved.folder,
        inputs.swept.subset.texts,
        {*recovery.steps},
    )
    pruned, unpruned = (looks(folder, rows, judged, amount, how, steps) for amount in (0.6, 0.0))
    for frames, expected in ((recovery.frames, pruned), (recovery.unpruned, unpruned)):
        for frame in frames:
            predictions, means = expected[frame.step]
            assert (predictions != np.array(frame.predictions)).sum() <= 1
            np.testing.assert_allclose(frame.own("mean"), own_cka(unpruned[0][1], means), atol=2e-3)
        assert np.ptp([frame.own("mean") for frame in frames], axis=0).max() > 0.02, (
            "training changes what is compared"
        )
