"""Refits the lowest layers of a BERT from the description alone: plain transformers and torch, sentences, no states."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import kl_div
from transformers import AutoModelForSequenceClassification, AutoTokenizer

Texts = Sequence[tuple[str, ...]]


def batches_of(
    rows: np.ndarray, lengths: np.ndarray, size: int, steps: int, seed: int
) -> list[np.ndarray]:
    """Pools of eight batches of shuffled rows, sorted by length, cut, and shuffled again, until there are enough."""
    random, found = np.random.RandomState(seed), list[np.ndarray]()
    while len(found) < steps:
        shuffled, epoch = random.permutation(rows), list[np.ndarray]()
        for start in range(0, len(rows), 8 * size):
            pool = sorted(shuffled[start : start + 8 * size], key=lambda row: lengths[row])
            epoch += [np.array(pool[first : first + size]) for first in range(0, len(pool), size)]
        found += [epoch[number] for number in random.permutation(len(epoch))]
    return found[:steps]


def refitted(
    folder: Path,
    texts: Texts,
    counts: tuple[int, int],
    layers: int,
    how: dict[str, float],
    dtype: torch.dtype,
) -> tuple[torch.Tensor, int]:
    """Train the last `how["layers"]` of the lowest layers and the head on the full model's answers.

    Args:
        folder: A BERT classifier.
        texts: Rows to train on, rows that stop, rows to judge.
        counts: The numbers of the first two.
        layers: The layers that stay.
        how: `layers`, `steps`, `batch`, `rate`, `temperature` and `seed`.
        dtype: Of the saved weights.

    Returns:
        The logits of the judged rows, and the step that was kept.
    """
    tokenizer, (trained, stopping) = AutoTokenizer.from_pretrained(folder), counts
    full, small = (
        AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        for _ in range(2)
    )
    small.bert.encoder.layer = small.bert.encoder.layer[:layers]
    lengths = np.array(
        [len(tokenizer(*text, truncation=True, max_length=128).input_ids) for text in texts]
    )

    def run(model: torch.nn.Module, rows: Sequence[int]) -> torch.Tensor:
        columns = [list(column) for column in zip(*(texts[row] for row in rows), strict=True)]
        options = {"padding": True, "truncation": True, "max_length": 128, "return_tensors": "pt"}
        return model.eval()(**tokenizer(*columns, **options)).logits

    with torch.no_grad():
        order = np.argsort(lengths)
        answers = torch.empty(len(texts), full.config.num_labels)
        for start in range(0, len(order), 64):
            answers[order[start : start + 64]] = run(full, order[start : start + 64])

    def loss(rows: Sequence[int]) -> torch.Tensor:
        heat = how["temperature"]
        learned, taught = (
            (logits / heat).log_softmax(-1) for logits in (run(small, rows), answers[rows])
        )
        return kl_div(learned, taught, reduction="batchmean", log_target=True) * heat**2

    weights = [*small.bert.pooler.parameters(), *small.classifier.parameters()]
    weights += small.bert.encoder.layer[max(0, layers - int(how["layers"])) :].parameters()
    optimizer, steps = torch.optim.AdamW(weights, weight_decay=0.01), int(how["steps"])
    kept, best, best_step = [weight.detach().clone() for weight in weights], float("inf"), 0
    order = batches_of(np.arange(trained), lengths, int(how["batch"]), steps, int(how["seed"]))
    for step in range(steps + 1):
        if step % 25 == 0 or step == steps:
            with torch.no_grad():
                chunks = np.array_split(
                    np.arange(trained, trained + stopping), max(1, stopping // 32)
                )
                value = sum(float(loss(chunk)) * len(chunk) for chunk in chunks) / stopping
            if value < best:
                kept, best, best_step = [weight.detach().clone() for weight in weights], value, step
            elif step >= best_step + 75:
                break
        if step < steps:
            for group in optimizer.param_groups:
                group["lr"] = how["rate"] * min(
                    (step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps)
                )
            optimizer.zero_grad()
            loss(order[step]).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
    with torch.no_grad():
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value.to(dtype))
        judged = range(trained + stopping, len(texts))
        return torch.cat(
            [run(small, judged[start : start + 32]) for start in range(0, len(judged), 32)]
        ), best_step
