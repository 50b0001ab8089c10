"""Tokenise examples and pack them into micro-batches for the model.

Examples run in order of length, so that short ones are never padded to long ones. Every micro-batch
records the positions of its examples in the evaluation order.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from core.request.catalog import MAX_LENGTH
from core.wall.confined import within

TOKENISED_AT_ONCE = 128  # examples
TOKENISING_SECONDS = 3.0  # deadline for as many examples; long ones take 0.1 s
MICRO_BATCH = 16  # examples per forward pass; 8, 32 and 128 were slower on two cores
MINIBATCH = 32  # examples per Gram matrix of flattened tokens
WINDOW_BYTES = 256 * 1024**2  # limit on the token vectors in memory at once

Lengths = np.ndarray[Any, np.dtype[np.int64]]  # (examples,) tokens, special ones included


def tokenise(tokenizer: Any, *texts: str | list[str], **options: Any) -> Any:
    """Call a tokenizer on texts, or lists of texts, under a deadline.

    Its patterns and replacements may never end.
    """
    with within(TOKENISING_SECONDS):
        return tokenizer(*texts, **options)


def minibatches(num_examples: int) -> list[range]:
    """Cut the evaluation order into minibatches; merge a shorter last one into the one before."""
    starts = range(0, max(num_examples - MINIBATCH, 0) + 1, MINIBATCH)
    return [range(start, end) for start, end in pairwise([*starts, num_examples])]


class MicroBatch(NamedTuple):
    """Examples of similar length, padded to their longest, ready for the model.

    Attributes:
        examples: (micro-batch,) positions in evaluation order.
        inputs: The model's arguments, each (micro-batch, longest).
        real: (micro-batch, longest) bool, False for padding.
        cells: (real tokens,) position of each real token in the padded examples end to end.
        slots: (real tokens,) position of each real token in the window's packed tokens.
    """

    examples: Tensor
    inputs: dict[str, Tensor]
    real: Tensor
    cells: Tensor
    slots: Tensor

    def on(self, device: torch.device) -> Self:
        """Copy what a model and pooling read to a device.

        `examples` and `slots` stay on the processor.
        """
        inputs = {name: values.to(device) for name, values in self.inputs.items()}
        real = self.real.to(device)
        cells = self.cells.to(device)
        return self._replace(inputs=inputs, real=real, cells=cells)

    @property
    def lengths(self) -> Tensor:
        """(micro-batch,) int64, the number of real tokens."""
        return self.real.sum(1)

    def total(self, values: Tensor) -> Tensor:
        """Sum (micro-batch, longest, units) over the real tokens: (micro-batch, units)."""
        real = self.real[..., None]  # (micro-batch, longest, 1)
        return (values * real).sum(1)

    def mean(self, values: Tensor) -> Tensor:
        """Average (micro-batch, longest, units) over the real tokens: (micro-batch, units)."""
        return self.total(values) / self.lengths[:, None]

    def halves(self) -> Iterator["MicroBatch"]:
        """Split a micro-batch of several examples into two."""
        half = len(self.examples) // 2
        tokens = int(self.real[:half].sum())
        lower = slice(half), slice(tokens)
        upper = slice(half, None), slice(tokens, None)
        for rows, places in (lower, upper):
            real = self.real[rows]
            yield MicroBatch(
                examples=self.examples[rows],
                inputs={name: values[rows] for name, values in self.inputs.items()},
                real=real,
                cells=_cells(real),
                slots=self.slots[places],
            )


class Window(NamedTuple):
    """Minibatches whose token vectors are in memory at the same time.

    Attributes:
        tokens: For each minibatch, (minibatch, longest) bool, False for padding.
        micro_batches: The window's examples in order of length.
    """

    tokens: list[Tensor]
    micro_batches: list[MicroBatch]


def plan_windows(
    tokenizer: Any, texts: Sequence[tuple[str, ...]], bytes_per_token: int
) -> list[Window]:
    """Prepare the forward passes of one amount; the same windows serve all amounts.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: One or two texts per example, in evaluation order.
        bytes_per_token: Memory for one token's vectors at all points.
    """
    encoded = Encoded(tokenizer, texts)
    groups: list[list[range]] = []
    used_bytes = 0
    for batch in minibatches(len(texts)):
        batch_bytes = int(encoded.lengths[batch].sum()) * bytes_per_token
        if not groups or used_bytes + batch_bytes > WINDOW_BYTES:
            groups.append([])
            used_bytes = 0
        groups[-1].append(batch)
        used_bytes += batch_bytes
    return [_window(encoded, group) for group in groups]


def micro_batches(tokenizer: Any, texts: Sequence[tuple[str, ...]]) -> list[MicroBatch]:
    """Prepare the forward passes of examples whose token vectors are not kept."""
    (window,) = plan_windows(tokenizer, texts, bytes_per_token=0)
    return window.micro_batches


class Encoded:
    """Tokenised examples, any of which can be packed into a micro-batch.

    Attributes:
        lengths: (examples,) tokens.
    """

    def __init__(self, tokenizer: Any, texts: Sequence[tuple[str, ...]]) -> None:
        """Tokenise one or two texts per example; longer ones are cut to MAX_LENGTH tokens."""
        self._tokenizer = tokenizer
        self._features = list[dict[str, list[int]]]()  # the tokenizer's output by example
        for start in range(0, len(texts), TOKENISED_AT_ONCE):
            chunk = texts[start : start + TOKENISED_AT_ONCE]
            columns = map(list, zip(*chunk, strict=True))
            encoded = tokenise(tokenizer, *columns, truncation=True, max_length=MAX_LENGTH)
            for values in zip(*encoded.values(), strict=True):
                self._features.append(dict(zip(encoded, values, strict=True)))
        lengths = [len(feature["input_ids"]) for feature in self._features]
        self.lengths: Lengths = np.array(lengths)
        self._ends = self.lengths.cumsum()  # (examples,) among all tokens

    def pack(self, examples: Lengths, first: int = 0) -> MicroBatch:
        """Pad chosen examples, (micro-batch,), to their longest.

        Slots count from the example `first`.
        """
        features = [self._features[i] for i in examples]
        padded = self._tokenizer.pad(features, padding_side="right", return_tensors="pt")
        real = _real(self.lengths[examples])
        starts = self._ends - self.lengths  # (examples,) among all tokens
        slots = []
        for i in examples:
            start = starts[i] - starts[first]
            slots.append(torch.arange(start, start + self.lengths[i]))
        return MicroBatch(
            examples=torch.from_numpy(examples),
            # Some tokenizers omit the mask.
            inputs={**padded, "attention_mask": real.long()},
            real=real,
            cells=_cells(real),
            slots=torch.cat(slots),
        )


def _window(encoded: Encoded, group: list[range]) -> Window:
    first = group[0].start
    last = group[-1].stop
    order = first + np.argsort(encoded.lengths[first:last], kind="stable")  # (examples,)
    ends = range(MICRO_BATCH, len(order), MICRO_BATCH)
    members = np.split(order, ends)  # each (micro-batch,)
    batches = [encoded.pack(examples, first) for examples in members]
    tokens = [_real(encoded.lengths[batch]) for batch in group]
    return Window(tokens, batches)


def _real(lengths: Lengths) -> Tensor:
    """Return (examples, longest) bool, False for padding."""
    places = torch.arange(int(lengths.max()))  # (longest,)
    return places < torch.from_numpy(lengths)[:, None]


def _cells(real: Tensor) -> Tensor:
    return real.flatten().nonzero().flatten()
