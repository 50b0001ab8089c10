"""Measure a model at one pruning amount after another: what it predicts, and how it represents the examples."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.encoder.batches import MicroBatch, encode, plan_windows
from core.inputs.examples import EvalSubset
from core.pruning import Removed
from core.request.catalog import MAX_LENGTH
from core.results.schema import CheckpointRecord
from core.similarity import Sample
from core.similarity.gram import prepare, u_centred_bands, u_centred_gram
from core.sweep.runner import OTHER_CHECKPOINT, Progress, Runner

Predictions = tuple[int, ...]  # label indices


@dataclass(frozen=True)
class Measured:
    """A model's output for all examples.

    Attributes:
        logits: (examples, labels) float32.
        samples: Its representations by reduction; their features are valid until the next model is measured.
    """

    logits: npt.NDArray[np.float32]
    samples: Mapping[str, Sample]

    @property
    def predictions(self) -> Predictions:
        """The most probable label of each example."""
        return tuple(self.logits.argmax(-1).tolist())


@dataclass(frozen=True)
class Pruned(Measured):
    """A pruned model's output for all examples.

    Attributes:
        amount: The pruning amount.
        removed: What pruning removed.
        rest_predictions: For the examples that only the working range is judged on, in their order.
    """

    amount: float
    removed: Removed
    rest_predictions: Predictions


@dataclass(frozen=True)
class OtherModel(Measured):
    """The output of another checkpoint's model, of which nothing is pruned; its logits may mean nothing.

    Attributes:
        record: The checkpoint.
    """

    record: CheckpointRecord


class Meter:
    """Measures one model after another in the same buffers, and counts the micro-batches.

    Args:
        runner: The model and the examples.
        rest: Further examples, of which only the predictions are wanted.
        num_amounts: How many amounts will probably be measured; where it gets more, half as many are expected again.
        at_most: How many there are.
        empties: Whether the emptied model will be measured.
    """

    def __init__(self, runner: Runner, rest: EvalSubset | None, num_amounts: int, at_most: int, empties: bool) -> None:
        self._runner, self._buffers = runner, runner.buffers()
        self._rest_gold = rest.gold if rest else ()
        self._rest = _rest_batches(runner, rest) if rest else []
        self._per_amount = runner.micro_batches + len(self._rest)
        self._done = 0
        self._total, self._most = (
            self._per_amount * count + runner.micro_batches * empties for count in (num_amounts, at_most)
        )

    def measure(self, amount: float) -> Generator[Progress, None, Pruned]:
        """Prune the model and run it over all examples; yield after each micro-batch."""
        if self._done == self._total:
            more = self._per_amount * max(self._total // self._per_amount // 2, 1)
            self._total = min(self._total + more, self._most)
        removed = self._runner.model.prune(amount)
        tokens = yield from self._run(amount)
        rest = yield from self._predict_rest(amount)
        samples = {**self._single_batches(), "tokens": Sample(None, prepare(tokens))}
        return Pruned(self._logits(), samples, amount, removed, rest)

    def measure_emptied(self, scope: str | None, first: int) -> Generator[Progress, None, Measured]:
        """Set every matrix of a scope to zero and run the model, for the reductions over a single batch.

        Args:
            scope: See `Runner.emptied`.
            first: The first point for which the emptied model says something; those before become undefined.
        """
        with self._runner.emptied(scope):
            yield from self._run(0.0)
        for features in (self._buffers.mean, self._buffers.cls):
            features[:first] = 0  # what does not vary is similar to nothing
        return Measured(self._logits(), self._single_batches())

    def measure_other_model(self) -> Generator[Progress, None, OtherModel]:
        """Run another checkpoint's model as it is, for the reductions over a single batch."""
        yield from self._run(None)
        return OtherModel(self._logits(), self._single_batches(), self._runner.checkpoint.record)

    def _run(self, amount: float | None) -> Generator[Progress, None, list[Tensor]]:
        """Fill the buffers; return the Gram matrices of all minibatches of tokens."""
        tokens = list[Tensor]()
        for window in self._runner.windows:
            for _ in self._runner.run(window, self._buffers):
                yield self._progress(amount)
            tokens += map(u_centred_gram, self._buffers.tokens(window))  # one (points, minibatch, minibatch) each
        return tokens

    def _predict_rest(self, amount: float) -> Generator[Progress, None, Predictions]:
        predicted = torch.zeros(len(self._rest_gold), dtype=torch.int64)  # (rest,)
        for batch in self._rest:
            predicted[batch.examples] = self._runner.recorder.run(batch).argmax(-1)
            yield self._progress(amount)
        return tuple(predicted.tolist())

    def _progress(self, amount: float | None) -> Progress:
        self._done += 1
        return Progress(amount, self._done, self._total, OTHER_CHECKPOINT)

    def _single_batches(self) -> dict[str, Sample]:
        features = {"mean": self._buffers.mean, "cls": self._buffers.cls}  # each (points, examples, hidden)
        return {name: Sample(values, prepare(u_centred_bands(values))) for name, values in features.items()}

    def _logits(self) -> npt.NDArray[np.float32]:
        return self._buffers.logits.numpy().copy()  # (examples, labels)


def _rest_batches(runner: Runner, rest: EvalSubset) -> list[MicroBatch]:
    tokenizer = runner.checkpoint.tokenizer
    (window,) = plan_windows(encode(tokenizer, rest.texts, MAX_LENGTH), tokenizer, bytes_per_token=0)
    return window.micro_batches
