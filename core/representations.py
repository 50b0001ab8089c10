"""One inference pass: examples in, logits and the representations at every point out.

Examples run through the model in order of length, so that short ones are never
padded to long ones, while everything that leaves this file is in evaluation order.
`mean` and `cls` are one vector an example. `tokens` is kept packed, real tokens only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from core.architectures import attention_output, encoder_layers

MICRO_BATCH = 16  # examples a forward pass takes; 8, 32 and 128 were slower on two cores
MINIBATCH = 32  # examples one Gram matrix of flattened tokens covers
WINDOW_BYTES = 256 * 1024**2  # bound on the token vectors held at once


def point_names(points: str, num_layers: int) -> tuple[str, ...]:
    """Names the places where representations are taken, in depth order.

    Args:
        points: `attention`, `layer` or `both`.
        num_layers: Encoder layers of the model.
    """
    parts = {"attention": ("attention",), "layer": ("output",), "both": ("attention", "output")}[points]
    return tuple(f"layer.{k}.{part}" for k in range(num_layers) for part in parts)


@dataclass(frozen=True)
class Encoded:
    """Tokenised examples.

    Attributes:
        features: What the tokenizer gives, one dict an example, in evaluation order.
        lengths: (examples,) tokens of each, special ones included.
    """

    features: tuple[dict[str, list[int]], ...]
    lengths: np.ndarray[Any, np.dtype[np.int64]]


def encode(tokenizer: Any, texts: Sequence[tuple[str, ...]], max_length: int) -> Encoded:
    """Tokenises examples without padding.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: One or two texts an example.
        max_length: Longer ones are truncated to this many tokens.
    """
    columns = [list(column) for column in zip(*texts, strict=True)]
    encoded = tokenizer(*columns, truncation=True, max_length=max_length)
    features = tuple({name: values[i] for name, values in encoded.items()} for i in range(len(texts)))
    return Encoded(features, np.array([len(feature["input_ids"]) for feature in features]))


def minibatches(num_examples: int, size: int = MINIBATCH) -> list[range]:
    """Cuts the evaluation order into minibatches; a shorter last one joins the one before.

    Args:
        num_examples: Examples in evaluation order.
        size: Examples of a minibatch.
    """
    starts = list(range(0, max(num_examples - size, 0) + 1, size))
    return [range(start, end) for start, end in zip(starts, [*starts[1:], num_examples], strict=True)]


@dataclass(frozen=True)
class MicroBatch:
    """Examples of about one length, padded to their longest, ready for the model.

    Attributes:
        examples: (micro-batch,) positions in evaluation order.
        inputs: What the model takes, each (micro-batch, longest).
        lengths: (micro-batch,) tokens of each.
        real: (micro-batch, longest) bool, False for padding.
        slots: (real tokens,) where each real token goes in the window's packed tokens.
    """

    examples: Tensor
    inputs: dict[str, Tensor]
    lengths: Tensor
    real: Tensor
    slots: Tensor


@dataclass(frozen=True)
class Window:
    """Minibatches whose token vectors are held at the same time.

    Attributes:
        minibatches: Ranges of the evaluation order.
        tokens: For each minibatch its real tokens: (minibatch, longest) bool.
        micro_batches: The window's examples in order of length.
        num_tokens: Real tokens of the window.
    """

    minibatches: list[range]
    tokens: list[Tensor]
    micro_batches: list[MicroBatch]
    num_tokens: int


def plan_windows(encoded: Encoded, tokenizer: Any, bytes_per_token: int) -> list[Window]:
    """Prepares every forward pass of a sweep; the same plan serves all amounts.

    Args:
        encoded: The examples.
        tokenizer: Pads a micro-batch.
        bytes_per_token: Memory that one token takes over all points.
    """
    groups: list[list[range]] = []
    held = 0
    for batch in minibatches(len(encoded.features)):
        needed = int(encoded.lengths[batch].sum()) * bytes_per_token
        if not groups or held + needed > WINDOW_BYTES:
            groups.append([])
            held = 0
        groups[-1].append(batch)
        held += needed
    return [_window(encoded, tokenizer, group) for group in groups]


def _window(encoded: Encoded, tokenizer: Any, group: list[range]) -> Window:
    first, last = group[0].start, group[-1].stop
    lengths = encoded.lengths[first:last]  # (examples of the window,)
    starts = np.concatenate([[0], lengths.cumsum()])  # (examples of the window + 1,) slots of the packed tokens
    order = np.argsort(lengths, kind="stable")  # (examples of the window,)
    return Window(
        minibatches=group,
        tokens=[_real(encoded.lengths[batch]) for batch in group],
        micro_batches=[
            _micro_batch(encoded, tokenizer, first, order[start : start + MICRO_BATCH], starts)
            for start in range(0, len(order), MICRO_BATCH)
        ],
        num_tokens=int(starts[-1]),
    )


def _real(lengths: np.ndarray[Any, np.dtype[np.int64]]) -> Tensor:
    return torch.arange(int(lengths.max())) < torch.from_numpy(lengths)[:, None]  # (examples, longest)


def _micro_batch(
    encoded: Encoded, tokenizer: Any, first: int, members: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]
) -> MicroBatch:
    examples = first + members  # (micro-batch,)
    padded = tokenizer.pad([encoded.features[i] for i in examples], padding_side="right", return_tensors="pt")
    lengths = encoded.lengths[examples]  # (micro-batch,)
    return MicroBatch(
        examples=torch.from_numpy(examples),
        inputs=dict(padded),
        lengths=torch.from_numpy(lengths),
        real=_real(lengths),
        slots=torch.cat([torch.arange(starts[i], starts[i + 1]) for i in members]),
    )


class Recorder:
    """Hooks that catch the hidden states at the wanted points during a forward pass.

    A context manager: on exit every hook is gone.
    """

    def __init__(self, model: nn.Module, points: Sequence[str]) -> None:
        """Registers one hook a point.

        Args:
            model: An encoder classifier in eval mode.
            points: Names as `point_names` gives them.
        """
        self.model = model
        self.states: list[Tensor] = [torch.empty(0)] * len(points)
        self._handles = [
            self._module(name).register_forward_hook(self._catch(index)) for index, name in enumerate(points)
        ]

    def _module(self, point: str) -> nn.Module:
        _, number, part = point.split(".")
        layer = encoder_layers(self.model)[int(number)]
        return attention_output(self.model, layer) if part == "attention" else layer

    def _catch(self, index: int) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self.states[index] = output if isinstance(output, Tensor) else output[0]  # (micro-batch, longest, hidden)

        return hook

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()

    @torch.inference_mode()
    def run(self, batch: MicroBatch) -> Tensor:
        """Runs the model once; `states` then holds the hidden states at every point.

        Args:
            batch: Examples padded to their longest.

        Returns:
            Logits, (micro-batch, labels).
        """
        logits: Tensor = self.model(**batch.inputs).logits  # (micro-batch, labels)
        return logits


class Representations:
    """What one pruned model thinks of all examples, reduced, in evaluation order.

    The buffers are reused from amount to amount: padding is never written, so it stays zero.

    Attributes:
        logits: (examples, labels) float32.
        mean: (points, examples, hidden) float32, the mean over real tokens.
        cls: (points, examples, hidden) float32, the first token.
        packed: (points, tokens of the largest window, hidden) float32, real tokens of the current window.
    """

    def __init__(self, num_examples: int, num_labels: int, num_points: int, hidden: int, num_tokens: int) -> None:
        """Allocates the buffers.

        Args:
            num_examples: Examples in evaluation order.
            num_labels: Labels of the classifier.
            num_points: Points that representations are taken at.
            hidden: The encoder's hidden size.
            num_tokens: Real tokens of the largest window.
        """
        self.logits = torch.zeros(num_examples, num_labels)
        self.mean = torch.zeros(num_points, num_examples, hidden)
        self.cls = torch.zeros(num_points, num_examples, hidden)
        self.packed = torch.zeros(num_points, num_tokens, hidden)

    @torch.inference_mode()
    def store(self, batch: MicroBatch, logits: Tensor, states: Sequence[Tensor]) -> None:
        """Reduces one micro-batch.

        Args:
            batch: What was run.
            logits: (micro-batch, labels).
            states: For each point (micro-batch, longest, hidden).
        """
        self.logits[batch.examples] = logits
        for point, state in enumerate(states):
            real = state[batch.real]  # (real tokens, hidden)
            self.packed[point, batch.slots] = real
            self.cls[point, batch.examples] = state[:, 0]
            total = (state * batch.real[..., None]).sum(1)  # (micro-batch, hidden)
            self.mean[point, batch.examples] = total / batch.lengths[:, None]

    @torch.inference_mode()
    def tokens(self, window: Window) -> Iterator[Tensor]:
        """Yields the flattened tokens of each minibatch of the window that was run last.

        Args:
            window: The window whose micro-batches were stored.

        Yields:
            (points, minibatch, longest · hidden) float32, padding zero.
        """
        start = 0
        num_points, _, hidden = self.packed.shape
        for real in window.tokens:
            end = start + int(real.sum())
            padded = self.packed.new_zeros(num_points, *real.shape, hidden)  # (points, minibatch, longest, hidden)
            padded[:, real] = self.packed[:, start:end]
            yield padded.flatten(2)  # (points, minibatch, longest · hidden)
            start = end
