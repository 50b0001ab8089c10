"""Tokenise examples and pack them into micro-batches for the model.

Examples run in order of length, so that short ones are never padded to long ones. Every micro-batch records the
positions of its examples in the evaluation order.
"""

from collections.abc import Iterator, Sequence
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

Features = list[dict[str, list[int]]]  # the tokenizer's output, one dict per example
Lengths = np.ndarray[Any, np.dtype[np.int64]]  # (examples,) tokens, special ones included


def encode(tokenizer: Any, texts: Sequence[tuple[str, ...]]) -> Features:
    """Tokenise examples without padding; longer ones are truncated to MAX_LENGTH tokens.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: One or two texts per example.
    """
    features: Features = []
    for start in range(0, len(texts), TOKENISED_AT_ONCE):
        examples = texts[start : start + TOKENISED_AT_ONCE]
        columns = [list(column) for column in zip(*examples, strict=True)]
        encoded = tokenise(tokenizer, *columns, truncation=True, max_length=MAX_LENGTH)
        features += (
            {name: values[i] for name, values in encoded.items()} for i in range(len(examples))
        )
    return features


def tokenise(tokenizer: Any, *texts: str | list[str], **options: Any) -> Any:
    """Call a tokenizer on texts, or lists of texts, under a deadline: its patterns and replacements may never end."""
    with within(TOKENISING_SECONDS):
        return tokenizer(*texts, **options)


def minibatches(num_examples: int) -> list[range]:
    """Cut the evaluation order into minibatches; merge a shorter last one into the one before."""
    starts = list(range(0, max(num_examples - MINIBATCH, 0) + 1, MINIBATCH))
    return [
        range(start, end) for start, end in zip(starts, [*starts[1:], num_examples], strict=True)
    ]


class MicroBatch(NamedTuple):
    """Examples of similar length, padded to their longest, ready for the model.

    Attributes:
        examples: (micro-batch,) positions in evaluation order.
        inputs: The model's arguments, each (micro-batch, longest).
        lengths: (micro-batch,) number of real tokens.
        real: (micro-batch, longest) bool, False for padding.
        cells: (real tokens,) position of each real token in the padded examples end to end.
        slots: (real tokens,) position of each real token in the window's packed tokens.
    """

    examples: Tensor
    inputs: dict[str, Tensor]
    lengths: Tensor
    real: Tensor
    cells: Tensor
    slots: Tensor

    def on(self, device: torch.device) -> Self:
        """Copy what a model and pooling read to a device; `examples` and `slots` stay on the processor."""
        inputs = {name: values.to(device) for name, values in self.inputs.items()}
        read = {name: getattr(self, name).to(device) for name in ("lengths", "real", "cells")}
        return self._replace(inputs=inputs, **read)

    def halves(self) -> Iterator["MicroBatch"]:
        """Split a micro-batch of several examples into two."""
        half, width = len(self.examples) // 2, self.real.shape[1]
        tokens = int(self.lengths[:half].sum())
        for rows, places, before in (
            (slice(half), slice(tokens), 0),
            (slice(half, None), slice(tokens, None), half),
        ):
            inputs, cells = (
                {name: values[rows] for name, values in self.inputs.items()},
                self.cells[places],
            )
            read = inputs, self.lengths[rows], self.real[rows], cells - before * width
            yield MicroBatch(self.examples[rows], *read, self.slots[places])


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
        """Tokenise one or two texts per example; see `encode`."""
        self._tokenizer, self._features = tokenizer, encode(tokenizer, texts)
        self.lengths: Lengths = np.array([len(feature["input_ids"]) for feature in self._features])
        self._starts = (
            self.lengths.cumsum() - self.lengths
        )  # (examples,) each one's first slot among all tokens

    def pack(self, examples: Lengths, first: int = 0) -> MicroBatch:
        """Pad chosen examples, (micro-batch,), to their longest; slots count from the example `first`."""
        padded = self._tokenizer.pad(
            [self._features[i] for i in examples], padding_side="right", return_tensors="pt"
        )
        real, starts = _real(self.lengths[examples]), self._starts - self._starts[first]
        return MicroBatch(
            examples=torch.from_numpy(examples),
            inputs={**padded, "attention_mask": real.long()},  # some tokenizers omit the mask
            lengths=torch.from_numpy(self.lengths[examples]),
            real=real,
            cells=real.flatten().nonzero().flatten(),
            slots=torch.cat(
                [torch.arange(starts[i], starts[i] + self.lengths[i]) for i in examples]
            ),
        )


def _window(encoded: Encoded, group: list[range]) -> Window:
    first, last = group[0].start, group[-1].stop
    order = first + np.argsort(
        encoded.lengths[first:last], kind="stable"
    )  # (examples of the window,)
    members = np.split(order, range(MICRO_BATCH, len(order), MICRO_BATCH))  # each (micro-batch,)
    batches = [encoded.pack(examples, first) for examples in members]
    return Window([_real(encoded.lengths[batch]) for batch in group], batches)


def _real(lengths: Lengths) -> Tensor:
    return (
        torch.arange(int(lengths.max())) < torch.from_numpy(lengths)[:, None]
    )  # (examples, longest)
