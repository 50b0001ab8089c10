"""Train the lowest layers of a BERT from the description alone: transformers, torch, sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div
from transformers import AutoModelForSequenceClassification, AutoTokenizer

Texts = Sequence[tuple[str, ...]]
READING = {
    "padding": True,
    "truncation": True,
    "max_length": 128,
    "return_tensors": "pt",
}


class Rows:
    """The rows of a study, as a checkpoint's tokenizer reads them."""

    def __init__(self, folder: Path, texts: Texts) -> None:
        self.texts = texts
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def encoded(self, rows: Sequence[int]) -> Any:
        columns = zip(*(self.texts[row] for row in rows), strict=True)
        return self.tokenizer(*map(list, columns), **READING)

    def lengths(self) -> np.ndarray:
        """Count the tokens of each row."""
        return np.array([self.encoded([k]).input_ids.shape[1] for k in range(len(self.texts))])


def classifier(folder: Path) -> Any:
    """Load a classifier in float32, without dropout."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


def batches_of(lengths: np.ndarray, how: Mapping[str, Any]) -> list[np.ndarray]:
    """Draw batches: pools of eight batches of shuffled rows, sorted by length and cut.

    The batches of an epoch are shuffled again; epochs follow until there are enough batches.
    """
    size = how["batch"]
    random = np.random.RandomState(how["seed"])
    batches: list[np.ndarray] = []
    while len(batches) < how["steps"]:
        shuffled = random.permutation(len(lengths))
        epoch = []
        for start in range(0, len(lengths), 8 * size):
            pool = sorted(
                shuffled[start : start + 8 * size],
                key=lambda row: lengths[row],
            )
            epoch += [np.array(pool[first : first + size]) for first in range(0, len(pool), size)]
        batches += [epoch[number] for number in random.permutation(len(epoch))]
    return batches[: how["steps"]]


def training(
    parts: Iterable[nn.Module],
    loss: Callable[[np.ndarray], Tensor],
    lengths: np.ndarray,
    how: Mapping[str, Any],
) -> Iterator[int]:
    """Take a step of AdamW on the loss of each batch; its rate rises over a tenth, then falls.

    Args:
        parts: The parts of a model that learn.
        loss: Computes the loss of some rows.
        lengths: The number of tokens of each row to train on.
        how: `steps`, `batch`, `rate` and `seed`.

    Yields:
        The number of steps taken, from 0 on.
    """
    weights = [weight for part in parts for weight in part.parameters()]
    optimizer = torch.optim.AdamW(weights, weight_decay=0.01)
    steps = how["steps"]
    for step, rows in enumerate(batches_of(lengths, how)):
        yield step
        rising = (step + 1) / (0.1 * steps)
        falling = (steps - step) / (0.9 * steps)
        optimizer.param_groups[0]["lr"] = how["rate"] * min(rising, falling)
        optimizer.zero_grad()
        loss(rows).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
    yield steps


def refitted(
    folder: Path,
    texts: Texts,
    trained: int,
    layers: int,
    how: dict[str, Any],
    dtype: torch.dtype,
) -> Tensor:
    """Train the last `how["layers"]` of the lowest layers and the head on the full model's answers.

    Args:
        folder: A BERT classifier.
        texts: Rows, first those to train on.
        trained: The number of these.
        layers: The layers that stay.
        how: `layers`, `steps`, `batch`, `rate`, `temperature` and `seed`.
        dtype: Of the saved weights.

    Returns:
        The logits of all rows.
    """
    rows = Rows(folder, texts)
    full = classifier(folder)
    small = classifier(folder)
    small.bert.encoder.layer = small.bert.encoder.layer[:layers]
    with torch.no_grad():
        answers = torch.cat([full(**rows.encoded([k])).logits for k in range(len(texts))])

    def loss(batch: np.ndarray) -> Tensor:
        heat = how["temperature"]
        learned = (small(**rows.encoded(batch)).logits / heat).log_softmax(-1)
        taught = (answers[batch] / heat).log_softmax(-1)
        return kl_div(learned, taught, reduction="batchmean", log_target=True) * heat**2

    last = small.bert.encoder.layer[max(0, layers - how["layers"]) :]
    parts = (small.bert.pooler, small.classifier, last)
    for _ in training(parts, loss, rows.lengths()[:trained], how):
        continue
    for part in parts:
        part.to(dtype).float()
    with torch.no_grad():
        return small(**rows.encoded(range(len(texts)))).logits
