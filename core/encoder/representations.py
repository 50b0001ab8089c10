"""One inference pass: from examples to logits and the representations at every point.

Examples run through the model in order of length (`core.encoder.batches`); all output is in evaluation order. `mean`
and `cls` are one vector per example. `tokens` stays packed, without padding.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from core.encoder.architectures import Catcher, Tap, attention_block, classifier_input, encoder_layers
from core.encoder.batches import MicroBatch, Window
from core.encoder.onednn import fast_linear
from core.errors import PrunescopeError

READ = "read"


def check_finite(values: Tensor, checkpoint: str) -> None:
    """Refuse what a model has computed if float32 could not hold it: NaN has no argmax and no similarity.

    Args:
        values: Logits or representations, of any shape.
        checkpoint: The model's checkpoint, for the message.

    Raises:
        PrunescopeError: One of them is not finite.
    """
    if not values.isfinite().all():
        fault = f"'{checkpoint}' computes numbers that are not finite, beyond float32's 3.4e38"
        raise PrunescopeError(f"{fault}: choose another checkpoint, or smaller amounts if it answers unpruned")


class Recorder(Catcher):
    """Catches the hidden states at the chosen points during a forward pass, and last what the classifier reads.

    Of the states those are (micro-batch, longest, hidden), and that is (micro-batch, width).
    """

    def __init__(self, model: nn.Module, points: Sequence[str], checkpoint: str = "checkpoint") -> None:
        """Register one hook per point.

        Args:
            model: An encoder classifier in eval mode.
            points: Names from `core.request.points`.
            checkpoint: The model's checkpoint, for messages.
        """
        super().__init__(model, [*(_tap_of(model, point) for point in points), classifier_input(model)])
        self.model, self.checkpoint = model, checkpoint

    @torch.inference_mode()
    def run(self, batch: MicroBatch) -> Tensor:
        """Run the model once; `states` are then those of this batch.

        Args:
            batch: Examples padded to their longest.

        Returns:
            Logits, (micro-batch, labels).

        Raises:
            PrunescopeError: They are not finite.
        """
        with fast_linear():
            logits: Tensor = self.model(**batch.inputs).logits  # (micro-batch, labels)
        check_finite(logits, self.checkpoint)
        return logits


def _tap_of(model: nn.Module, point: str) -> Tap:
    _, number, place = point.split(".")
    layer = encoder_layers(model)[int(number)]
    return attention_block(model, layer) if place == "attention" else Tap(layer, "output")


class Representations:
    """A pruned model's logits and reduced representations of all examples, in evaluation order.

    All amounts share the buffers.

    Attributes:
        logits: (examples, labels) float32.
        read: (1, examples, width) float32, what the classifier reads, as one more point.
        mean: (points, examples, hidden) float32, the mean over real tokens.
        cls: (points, examples, hidden) float32, the first token.
        packed: (points, tokens of the largest window, hidden) float32, real tokens of the current window.
    """

    def __init__(self, windows: Sequence[Window], head: nn.Linear, num_points: int, hidden: int) -> None:
        """Allocate the buffers for what runs; `head` is the classifier."""
        num_examples = sum(len(real) for window in windows for real in window.tokens)
        num_tokens = max(sum(int(real.sum()) for real in window.tokens) for window in windows)
        self.logits = torch.zeros(num_examples, head.out_features)
        self.read = torch.zeros(1, num_examples, head.in_features)
        self.mean = torch.zeros(num_points, num_examples, hidden)
        self.cls = torch.zeros(num_points, num_examples, hidden)
        self.packed = torch.zeros(num_points, num_tokens, hidden)
        self._padded = torch.empty(0)  # shared by all minibatches: new buffers would fragment memory

    @property
    def features(self) -> dict[str, Tensor]:
        """What is one vector per example, by reduction, and under READ what the classifier reads."""
        return {"mean": self.mean, "cls": self.cls, READ: self.read}

    @torch.inference_mode()
    def store(self, batch: MicroBatch, logits: Tensor, states: Sequence[Tensor], read: Tensor) -> None:
        """Reduce one micro-batch.

        Args:
            batch: The examples that have run.
            logits: (micro-batch, labels).
            states: For each point (micro-batch, longest, hidden).
            read: (micro-batch, width), what the classifier reads.
        """
        self.logits[batch.examples] = logits
        self.read[0, batch.examples] = read
        for point, state in enumerate(states):
            real = state[batch.real]  # (real tokens, hidden)
            self.packed[point, batch.slots] = real
            self.cls[point, batch.examples] = state[:, 0]
            total = (state * batch.real[..., None]).sum(1)  # (micro-batch, hidden)
            self.mean[point, batch.examples] = total / batch.lengths[:, None]

    @torch.inference_mode()
    def tokens(self, window: Window) -> Iterator[Tensor]:
        """Yield the flattened tokens of each minibatch of the last window.

        Args:
            window: The window whose micro-batches were stored last.

        Yields:
            (points, minibatch, longest · hidden) float32, padding zero; the next minibatch overwrites it.
        """
        start = 0
        num_points, _, hidden = self.packed.shape
        for real in window.tokens:
            end = start + int(real.sum())
            padded = self._padded.resize_(num_points, *real.shape, hidden)  # (points, minibatch, longest, hidden)
            padded.zero_()
            padded[:, real] = self.packed[:, start:end]
            yield padded.flatten(2)  # (points, minibatch, longest · hidden)
            start = end
