"""Measure a model at one pruning amount after another: what it predicts, and how it represents the examples.

Another checkpoint, whose unpruned layers a pruned one is compared with, is measured as well: it reads the same
sentences with its own tokenizer and is forgotten at once; only its representations stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.encoder.batches import micro_batches
from core.encoder.loading import load
from core.inputs.checkpoints import Resolved
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.pruning import Removed
from core.pruning.magnitude import scoped_weights
from core.pruning.rows import RowPlan
from core.request.points import first_emptied_point
from core.request.sweep_request import SweepRequest
from core.results.names import stage_name
from core.results.schema import CheckpointRecord
from core.similarity.gram import Grams, prepare, u_centred_bands, u_centred_gram
from core.sweep.runner import Runner, open_runner

Predictions = tuple[int, ...]  # label indices


@dataclass(frozen=True)
class Measured:
    """A model's output for all examples.

    Attributes:
        logits: (examples, labels) float32; of another checkpoint they may mean nothing.
        grams: Of its representations, by reduction, and under `READ` of what its classifier reads.
        features: These, but for the flattened tokens, each (points, examples, width) float32; valid until the next
            model is measured.
        record: The checkpoint.
    """

    logits: npt.NDArray[np.float32]
    grams: Mapping[str, Grams]
    features: Mapping[str, Tensor]
    record: CheckpointRecord

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


class Meter:
    """Measures one model after another in the same buffers, and counts the micro-batches.

    Args:
        runner: The model and the examples.
        rest: Further examples, of which only the predictions are wanted.
        report: Called with (stage, done, total) after each micro-batch; an exception that it raises ends the run.
        amounts: How many amounts will probably be measured.
        empties: Whether the emptied model will be measured.
    """

    def __init__(
        self, runner: Runner, rest: EvalSubset | None, report: Report, amounts: int = 1, empties: bool = False
    ) -> None:
        self._runner, self._buffers, self._report = runner, runner.buffers(), report
        self._num_rest = len(rest.texts) if rest else 0
        self._rest = micro_batches(runner.checkpoint.tokenizer, rest.texts) if rest else []
        self._done, self._per_amount = 0, runner.micro_batches + len(self._rest)
        self._total = self._per_amount * amounts + runner.micro_batches * empties

    def measure(self, amount: float) -> Pruned:
        """Prune the model and run it over all examples."""
        self._total = max(self._total, self._done + self._per_amount)
        stage, removed = stage_name(amount), self._runner.model.prune(amount)
        tokens = self._run(stage)
        rest = torch.zeros(self._num_rest, dtype=torch.int64)  # (rest,)
        for batch in self._rest:
            rest[batch.examples] = self._runner.recorder.run(batch).argmax(-1)
            self._step(stage)
        found = self._measured()
        grams = {**found.grams, "tokens": prepare(tokens)}
        return Pruned(found.logits, grams, found.features, found.record, amount, removed, tuple(rest.tolist()))

    def measure_emptied(self, scope: str | None) -> Measured:
        """Set every matrix of a scope to zero and run the model, for the reductions over a single batch.

        Points before the scope, of which the emptied model says nothing, become undefined.

        Args:
            scope: The scope; None for a method of units, which can empty the whole encoder.
        """
        with self._runner.model.emptied(scoped_weights(self._runner.checkpoint.model, scope)):
            self._run("Measuring the emptied model")
        for features in (self._buffers.mean, self._buffers.cls):
            features[: first_emptied_point(self._runner.points, scope)] = 0  # what does not vary is similar to nothing
        return self._measured()

    def measure_other(self) -> Measured:
        """Run another checkpoint's model as it is, for the reductions over a single batch."""
        self._run("Measuring the other checkpoint")
        return self._measured()

    def _step(self, stage: str) -> None:
        self._done += 1
        self._report(stage, self._done, self._total)

    def _run(self, stage: str) -> list[Tensor]:
        """Fill the buffers; return the Gram matrices of all minibatches of tokens."""
        tokens = list[Tensor]()
        for window in self._runner.windows:
            self._runner.run(window, self._buffers, partial(self._step, stage))
            tokens += map(u_centred_gram, self._buffers.tokens(window))  # one (points, minibatch, minibatch) each
        return tokens

    def _measured(self) -> Measured:
        features = self._buffers.features  # each (points, examples, width)
        grams = {name: prepare(u_centred_bands(values)) for name, values in features.items()}
        logits = self._buffers.logits.numpy().copy()  # (examples, labels)
        return Measured(logits, grams, features, self._runner.checkpoint.record)


def measure_other(resolved: Resolved, subset: EvalSubset, request: SweepRequest, report: Report) -> Measured:
    """Load another checkpoint and run it over the evaluation examples; its logits may mean nothing.

    Args:
        resolved: Its files.
        subset: The evaluation examples.
        request: The points.
        report: Called with (stage, done, total) after each micro-batch.

    Raises:
        PrunescopeError: It cannot be read, or lacks weights of its encoder.
    """
    checkpoint = load(resolved, needs_head=False)
    with open_runner(checkpoint, subset, request, RowPlan([], [])) as runner:  # nothing is pruned
        return Meter(runner, None, report).measure_other()
