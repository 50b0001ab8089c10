"""Prune a checkpoint by one amount after another, and measure what it then does."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.encoder.architectures import classifier
from core.encoder.batches import (
    MicroBatch,
    Window,
    micro_batches,
    plan_windows,
    tokenise,
)
from core.encoder.device import in_parts, where
from core.encoder.loading import Checkpoint, borrow
from core.encoder.representations import Recorder, Representations, check_finite
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.pruning import (
    Baseline,
    Calibration,
    Plan,
    PrunedModel,
    Removed,
    module_of,
)
from core.pruning.magnitude import scoped_weights
from core.request.catalog import METHODS
from core.request.scope import first_emptied_point, point_names
from core.request.sweep_request import SweepRequest, check_scope, check_texts
from core.results.names import stage_name
from core.results.prediction import Prediction
from core.similarity import gram
from core.sweep.origin import check_same_content


def silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


class Runner(ExitStack):
    """A checkpoint that can be pruned by any amount of a request and run on all examples.

    On exit from the context, the checkpoint is restored.

    Attributes:
        checkpoint: The baseline, pruned in place.
        points: Names of the points.
        windows: All forward passes of one amount.
        model: Prunes the checkpoint.
        recorder: Runs the model and records the hidden states.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        subset: EvalSubset,
        request: SweepRequest,
        plan: Plan,
    ) -> None:
        """Prepare all amounts of a request.

        Args:
            checkpoint: The loaded baseline.
            subset: The evaluation examples.
            request: Points, amounts and dtype.
            plan: The plan of the request's method, from `make_plan`.
        """
        super().__init__()
        baseline = checkpoint.model
        record = checkpoint.record
        self.checkpoint = checkpoint
        self.points = point_names(request.points, record.num_layers)
        token_bytes = len(self.points) * record.hidden_size * 4
        self.windows = plan_windows(checkpoint.tokenizer, subset.texts, token_bytes)
        self.model = self.enter_context(PrunedModel(baseline, plan))
        recorder = Recorder(baseline, self.points, record.id, request.dtype)
        self.recorder = self.enter_context(recorder)

    @property
    def micro_batches(self) -> int:
        """Number of micro-batches of one amount."""
        return sum(len(window.micro_batches) for window in self.windows)

    def buffers(self) -> Representations:
        """Allocate the buffers that `run` fills."""
        head = classifier(self.checkpoint.model)
        hidden_size = self.checkpoint.record.hidden_size
        return Representations(self.windows, head, len(self.points), hidden_size)

    def run(self, window: Window, buffers: Representations, step: Callable[[], None]) -> None:
        """Run a window's examples through the model as currently pruned.

        Args:
            window: One of `windows`.
            buffers: Receives the representations and logits.
            step: Called after each micro-batch; it may raise an exception to cancel.

        Raises:
            PrunescopeError: A logit or a representation is not finite.
        """
        recorder = self.recorder

        def store(part: MicroBatch) -> None:
            buffers.store(part, recorder.run(part), recorder.states)

        for batch in window.micro_batches:
            in_parts(recorder.model, batch, store)
            step()
        # A mean is finite only if all of its tokens are.
        check_finite(buffers.mean, self.checkpoint.record.id)


def make_plan(
    checkpoint: Checkpoint,
    examples: EvalSubset | None,
    request: SweepRequest,
    report: Report,
) -> Plan:
    """Make the plan of a request's method, and score calibration examples if the method needs them.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples; None for a method that needs none.
        request: Method, scope, amounts and seed.
        report: Called with (stage, done, total); it may raise an exception to cancel.
    """
    calibration = None
    if examples and METHODS[request.method].calibrated:
        batches = micro_batches(checkpoint.tokenizer, examples.texts)
        calibration = Calibration(batches, torch.tensor(examples.record.gold), report)
    baseline = Baseline(
        checkpoint.model,
        request.amounts,
        request.scope,
        request.seed,
        calibration,
        request.control_of,
    )
    return module_of(request.method).plan(baseline)


Predictions = tuple[int, ...]  # label indices


@dataclass(frozen=True)
class Measurement:
    """What was measured of one model on all examples.

    Attributes:
        logits: (examples, labels) float32.
        grams: Gram matrices of its representations by reduction, and under `READ` of what its
            classifier reads.
    """

    logits: npt.NDArray[np.float32]
    grams: Mapping[str, gram.Grams]

    @property
    def predictions(self) -> Predictions:
        """The most probable label of each example."""
        return tuple(self.logits.argmax(-1).tolist())


@dataclass(frozen=True)
class PrunedMeasurement(Measurement):
    """What was measured of a pruned model.

    Attributes:
        amount: The pruning amount.
        removed: The fractions that pruning removed.
        rest_predictions: Predictions for the further examples, on which only the working range is
            judged, in their order.
    """

    amount: float
    removed: Removed
    rest_predictions: Predictions


class Meter:
    """Measures one model after another in the same buffers, and counts the micro-batches.

    Args:
        runner: The model and the examples.
        rest: Further examples, for predictions alone.
        report: Called with (stage, done, total) after each micro-batch; it may raise an exception
            to cancel.
        amounts: Number of amounts that will probably be measured.
        empties: Whether the emptied model will be measured.

    Attributes:
        passes: Number of models measured so far.
    """

    def __init__(
        self,
        runner: Runner,
        rest: EvalSubset | None,
        report: Report,
        amounts: int,
        empties: bool,
    ) -> None:
        self._runner = runner
        self._report = report
        self._buffers = runner.buffers()
        self._rest = micro_batches(runner.checkpoint.tokenizer, rest.texts) if rest else []
        self._per_amount = runner.micro_batches + len(self._rest)
        self._total = self._per_amount * amounts + runner.micro_batches * empties
        self._done = self.passes = 0

    def measure(self, amount: float) -> PrunedMeasurement:
        """Prune the model and run it on all examples."""
        self._total = max(self._total, self._done + self._per_amount)
        stage = stage_name(amount)
        removed = self._runner.model.prune(amount)
        measured = self.look(stage)
        return PrunedMeasurement(
            measured.logits,
            measured.grams,
            amount,
            removed,
            self._rest_predictions(stage),
        )

    def _rest_predictions(self, stage: str) -> Predictions:
        recorder = self._runner.recorder
        count = sum(len(batch.examples) for batch in self._rest)
        labels = torch.zeros(count, dtype=torch.int64)  # (rest,)

        def predict(part: MicroBatch) -> None:
            labels[part.examples] = recorder.run(part).argmax(-1)

        for batch in self._rest:
            in_parts(recorder.model, batch, predict)
            self._step(stage)
        return tuple(labels.tolist())

    def look(self, stage: str) -> Measurement:
        """Run the model as it is on all examples but the further ones."""
        return self._measurement(tokens=gram.prepare(self._run(stage)))

    def measure_emptied(self, scope: str | None) -> Measurement:
        """Set every matrix of a scope to zero and run the model, for `mean` and `cls`.

        Points before the scope, which emptying does not change, become undefined.

        Args:
            scope: The scope; None for a method of units, which can empty the whole encoder.
        """
        runner = self._runner
        buffers = self._buffers
        with runner.model.emptied(scoped_weights(runner.checkpoint.model, scope)):
            self._run("Measuring the emptied model")
        first = first_emptied_point(runner.points, scope)
        for features in (buffers.mean, buffers.cls):
            features[:first] = 0  # what does not vary has no similarity
        return self._measurement()

    def _step(self, stage: str) -> None:
        self._done += 1
        self._report(
            stage + where(self._runner.checkpoint.model),
            self._done,
            self._total,
        )

    def _run(self, stage: str) -> list[Tensor]:
        """Fill the buffers, and return the Gram matrices of all minibatches of tokens."""
        self.passes += 1
        tokens = list[Tensor]()
        for window in self._runner.windows:
            self._runner.run(window, self._buffers, partial(self._step, stage))
            # (points, minibatch, minibatch) of each minibatch
            tokens += map(gram.u_centred_gram, self._buffers.tokens(window))
        return tokens

    def _measurement(self, **further: gram.Grams) -> Measurement:
        """Return what the buffers hold, with further Gram matrices."""
        features = self._buffers.features.items()  # each (points, examples, width)
        grams = {name: gram.prepare(gram.u_centred_bands(values)) for name, values in features}
        return Measurement(self._buffers.logits.numpy().copy(), grams | further)


def predict(
    request: SweepRequest, revision: str, texts: Sequence[str], report: Report
) -> Prediction:
    """Compute the probability of every label at every amount.

    Args:
        request: Checkpoint, task, method, scope, seed and amounts, on data with calibration
            examples.
        revision: Hash of the checkpoint's content, from the result beside the text.
        texts: One text for each of the task's text columns.
        report: Called with (stage, done, total); it may raise an exception to cancel.

    Raises:
        PrunescopeError: A text is refused, the checkpoint's content has changed, checkpoint, task
            and scope do not fit together, or logits are not finite.
    """
    inputs = prepare(request, report)
    task = inputs.subset.task
    checked_texts = check_texts(texts, task)
    check_same_content(inputs.resolved, request.checkpoint, revision)
    probabilities = list[tuple[float, ...]]()
    with borrow(inputs.resolved) as checkpoint:
        model = checkpoint.model
        record = checkpoint.record
        tokenizer = checkpoint.tokenizer
        check_scope(request.scope, request.method, record.num_layers)
        plan = make_plan(checkpoint, inputs.calibration, request, report)
        # The page itself warns about long texts.
        tokens = tokenise(tokenizer, *checked_texts, verbose=False)["input_ids"]
        (batch,) = micro_batches(tokenizer, [checked_texts])
        tokens_read = batch.inputs["input_ids"].tolist()[0]

        def answer(text: MicroBatch) -> None:
            probabilities.append(tuple(recorder.run(text).double().softmax(-1)[0].tolist()))

        with (
            PrunedModel(model, plan) as pruned,
            Recorder(model, (), record.id, request.dtype) as recorder,
        ):
            for done, amount in enumerate(request.amounts):
                report(stage_name(amount), done, len(request.amounts))
                pruned.prune(amount)
                in_parts(model, batch, answer)
        return Prediction(
            amounts=request.amounts,
            labels=task.label_names,
            probabilities=tuple(probabilities),
            num_tokens=len(tokens),
            num_unknown=tokens_read.count(tokenizer.unk_token_id),
        )
