"""One forward pass: from examples to logits and the representations at every point.

Examples run through the model in order of length (`core.encoder.batches`); all results are in
evaluation order. The reductions `mean` and `cls` are one vector per example; `tokens` stays packed,
without padding.

Linear layers run by oneDNN. PyTorch multiplies float32 matrices by MKL, which leaves AVX-512 unused
on processors not made by Intel and takes about twice as long there (measured on an AMD EPYC: 110
against 240 GFLOPS a core). Both round in float32; their results differ in the seventh digit, like
those of two processors.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from core.encoder.architectures import (
    Catcher,
    Tap,
    attention_block,
    classifier,
    encoder_layers,
)
from core.encoder.batches import MicroBatch, Window
from core.encoder.device import on_processor
from core.errors import PrunescopeError
from core.request.catalog import DTYPE

READ = "read"  # what the classifier reads, in the place of a reduction's name


class _Linear(TorchFunctionMode):
    """Replaces `torch.nn.functional.linear`, for inference."""

    def __init__(self, linear: Callable[..., Tensor]) -> None:
        super().__init__()
        self._linear = linear

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.linear:
            func = self._linear
        return func(*args, **(kwargs or {}))


def _onednn(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply by oneDNN, whose operator has no gradient, on the processor."""
    if values.dtype != torch.float32 or values.device.type != "cpu":
        return functional.linear(values, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(values, weight, bias, "none", [], "")


def _short(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply token vectors in bfloat16, on any device.

    The head, whose few numbers decide predictions, stays in float32, as does what is added,
    normalised and pooled.
    """
    if values.dim() == 2:
        return functional.linear(values, weight, bias)
    if bias is not None:
        bias = bias.bfloat16()
    product = functional.linear(values.bfloat16(), weight.bfloat16(), bias)
    return product.float()


@cache
def _has_onednn() -> bool:
    """Whether this machine and this PyTorch have the operator, which is no public API."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False  # elsewhere PyTorch's own choice is faster
    unit = torch.eye(2)
    try:
        product = _onednn(unit, unit, torch.ones(2))
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(product, unit + 1)


def fast_linear(dtype: str = DTYPE) -> AbstractContextManager[object]:
    """Return a context for linear layers without gradients: oneDNN, if available, or bfloat16."""
    if dtype != DTYPE:
        return _Linear(_short)
    return _Linear(_onednn) if _has_onednn() else nullcontext()


def check_finite(values: Tensor, checkpoint: str) -> None:
    """Refuse numbers that overflowed float32: NaN has no argmax and no similarity.

    Args:
        values: Logits or representations of any shape.
        checkpoint: Name of the model's checkpoint, for the message.

    Raises:
        PrunescopeError: A value is not finite.
    """
    if not values.isfinite().all():
        fault = f"'{checkpoint}' computes numbers that are not finite, beyond float32's 3.4e38"
        remedy = "choose another checkpoint, or smaller amounts if it answers unpruned"
        raise PrunescopeError(f"{fault}: {remedy}")


class Recorder(Catcher):
    """Records hidden states during a forward pass, and last what the classifier reads.

    The states are (micro-batch, longest, hidden); what the classifier reads is (micro-batch,
    width).
    """

    def __init__(
        self,
        model: nn.Module,
        points: Sequence[str],
        checkpoint: str = "",
        dtype: str = DTYPE,
    ) -> None:
        """Register one hook per point.

        Args:
            model: An encoder classifier in eval mode.
            points: Names from `core.request.scope`.
            checkpoint: Name of the model's checkpoint, for messages.
            dtype: The dtype of the products of token vectors.
        """
        taps = [_tap_of(model, point) for point in points]
        super().__init__(model, [*taps, Tap(classifier(model), "input")])
        self.model = model
        self.checkpoint = checkpoint
        self._dtype = dtype

    @torch.inference_mode()
    def run(self, batch: MicroBatch) -> Tensor:
        """Run the model on a micro-batch, and fill `states`.

        Returns:
            (micro-batch, labels) logits, on the processor.

        Raises:
            PrunescopeError: A logit is not finite.
        """
        with fast_linear(self._dtype):
            logits = on_processor(self.model(**batch.inputs).logits)  # (micro-batch, labels)
        check_finite(logits, self.checkpoint)
        return logits


def _tap_of(model: nn.Module, point: str) -> Tap:
    _, number, place = point.split(".")
    layer = encoder_layers(model)[int(number)]
    return attention_block(model, layer) if place == "attention" else Tap(layer, "output")


class Representations:
    """Buffers of a pruned model's logits and reduced representations, in evaluation order.

    All amounts share them. They are on the processor.

    Attributes:
        logits: (examples, labels) float32.
        read: (1, examples, width) float32, what the classifier reads, as a single point.
        mean: (points, examples, hidden) float32, the mean over real tokens.
        cls: (points, examples, hidden) float32, the first token.
        packed: (points, tokens of the largest window, hidden) float32, the current window's real
            tokens.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        head: nn.Linear,
        num_points: int,
        hidden: int,
    ) -> None:
        """Allocate the buffers.

        Args:
            windows: The examples that run.
            head: The classifier.
            num_points: Number of points.
            hidden: Size of the hidden states.
        """
        num_examples = 0
        num_tokens = 0  # of the largest window
        for window in windows:
            num_examples += sum(map(len, window.tokens))
            tokens = sum(int(real.sum()) for real in window.tokens)
            num_tokens = max(num_tokens, tokens)
        self.logits = torch.zeros(num_examples, head.out_features)
        self.read = torch.zeros(1, num_examples, head.in_features)
        self.mean = torch.zeros(num_points, num_examples, hidden)
        self.cls = torch.zeros_like(self.mean)
        self.packed = torch.zeros(num_points, num_tokens, hidden)
        self._padded = torch.empty(0)  # for all minibatches: new buffers would fragment memory

    @property
    def features(self) -> dict[str, Tensor]:
        """Vectors of each example by reduction, and under READ what the classifier reads."""
        return {"mean": self.mean, "cls": self.cls, READ: self.read}

    @torch.inference_mode()
    def store(self, batch: MicroBatch, logits: Tensor, recorded: Sequence[Tensor]) -> None:
        """Reduce one micro-batch where the model is, and hand it over.

        Args:
            batch: The examples, on the model's device.
            logits: (micro-batch, labels), on the processor.
            recorded: For each point, (micro-batch, longest, hidden), and last (micro-batch, width),
                what the classifier reads; see `Recorder`.
        """
        *states, read = recorded
        self.logits[batch.examples] = logits
        self.read[0, batch.examples] = on_processor(read)
        for point, state in enumerate(states):
            real = state.flatten(0, 1)[batch.cells]  # (real tokens, hidden)
            self.packed[point, batch.slots] = on_processor(real)
            self.cls[point, batch.examples] = on_processor(state[:, 0])
            self.mean[point, batch.examples] = on_processor(batch.mean(state))

    @torch.inference_mode()
    def tokens(self, window: Window) -> Iterator[Tensor]:
        """Yield the flattened tokens of each minibatch of the window that was stored last.

        Yields:
            (points, minibatch, longest · hidden) float32, zero at padding; the next minibatch
            overwrites it.
        """
        start = 0
        points, _, hidden = self.packed.shape
        for real in window.tokens:
            end = start + int(real.sum())
            padded = self._padded.resize_(points, *real.shape, hidden).zero_()
            padded[:, real] = self.packed[:, start:end]
            yield padded.flatten(2)
            start = end
