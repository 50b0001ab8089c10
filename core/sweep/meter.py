"""Prune a checkpoint by one amount after another, and measure what it then does."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

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
from core.inputs.prepare import Inputs, prepare
from core.pruning.magnitude import scoped_weights
from core.pruning.plan import (
    Baseline,
    Calibration,
    Plan,
    PrunedModel,
    Removed,
    module_of,
)
from core.request.controls import likely_amounts
from core.request.scope import first_emptied_point, point_names
from core.request.sweep_request import SweepRequest, check_scope, check_texts
from core.results.names import stage_name
from core.results.prediction import Prediction
from core.similarity import gram
from core.sweep.origin import check_same_content


def silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


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
    if examples:
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


class Meter(ExitStack):
    """Prunes a checkpoint by one amount after another, and measures it in the same buffers.

    On exit from the context, the checkpoint is restored.

    Attributes:
        checkpoint: The baseline, pruned in place.
        points: Names of the points.
        windows: All forward passes of one amount.
        model: Prunes the checkpoint.
        buffers: What `measure` fills.
        passes: Number of models measured so far.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        inputs: Inputs,
        plan: Plan,
        report: Report,
        *,
        empties: bool = False,
    ) -> None:
        """Prepare all amounts of a request.

        Args:
            checkpoint: The loaded baseline.
            inputs: The request and the evaluation examples.
            plan: The plan of the request's method, from `make_plan`.
            report: Called with (stage, done, total) after each micro-batch; it may raise an
                exception to cancel.
            empties: Whether the emptied model will be measured.
        """
        super().__init__()
        record, model, tokenizer = checkpoint
        request = inputs.request
        rest = inputs.rest
        self.checkpoint = checkpoint
        self.points = point_names(request.points, record.num_layers)
        token_bytes = len(self.points) * record.hidden_size * 4
        self.windows = plan_windows(tokenizer, inputs.subset.texts, token_bytes)
        self._rest = micro_batches(tokenizer, rest.texts) if rest else []
        self.model = self.enter_context(PrunedModel(model, plan))
        recorder = Recorder(model, self.points, record.id, request.dtype)
        self._recorder = self.enter_context(recorder)
        self.buffers = self.new_buffers()
        self.passes = 0
        self._report = report
        batches = sum(len(window.micro_batches) for window in self.windows)
        self._per_amount = batches + len(self._rest)
        self._total = self._per_amount * likely_amounts(request) + batches * empties
        self._done = 0

    def new_buffers(self) -> Representations:
        """Allocate buffers that `run` can fill."""
        head = classifier(self.checkpoint.model)
        hidden_size = self.checkpoint.record.hidden_size
        return Representations(self.windows, head, len(self.points), hidden_size)

    def run(self, window: Window, buffers: Representations, stage: str) -> None:
        """Run a window's examples through the model as currently pruned.

        Args:
            window: One of `windows`.
            buffers: Receives the representations and logits.
            stage: The stage to report after each micro-batch.

        Raises:
            PrunescopeError: A logit or a representation is not finite.
        """
        recorder = self._recorder

        def store(part: MicroBatch) -> None:
            buffers.store(part, recorder.run(part), recorder.states)

        self._each(window.micro_batches, store, stage)
        # A mean is finite only if all of its tokens are.
        check_finite(buffers.mean, self.checkpoint.record.id)

    def _each(
        self, batches: Sequence[MicroBatch], work: Callable[[MicroBatch], None], stage: str
    ) -> None:
        """Do some work on every micro-batch where the model is, and report each."""
        model = self.checkpoint.model
        for batch in batches:
            in_parts(model, batch, work)
            self._done += 1
            self._report(stage + where(model), self._done, self._total)

    def measure(self, amount: float) -> PrunedMeasurement:
        """Prune the model and run it on all examples."""
        self._total = max(self._total, self._done + self._per_amount)
        stage = stage_name(amount)
        removed = self.model.prune(amount)
        measured = self.look(stage)
        return PrunedMeasurement(
            measured.logits,
            measured.grams,
            amount,
            removed,
            self._rest_predictions(stage),
        )

    def _rest_predictions(self, stage: str) -> Predictions:
        count = sum(len(batch.examples) for batch in self._rest)
        labels = torch.zeros(count, dtype=torch.int64)  # (rest,)

        def predict(part: MicroBatch) -> None:
            labels[part.examples] = self._recorder.run(part).argmax(-1)

        self._each(self._rest, predict, stage)
        return tuple(labels.tolist())

    def look(self, stage: str) -> Measurement:
        """Run the model as it is on all examples but the further ones."""
        return self._measurement(tokens=gram.prepare(self._run_all(stage)))

    def measure_emptied(self, scope: str | None) -> Measurement:
        """Set every matrix of a scope to zero and run the model, for `mean` and `cls`.

        Points before the scope, which emptying does not change, become undefined.

        Args:
            scope: The scope; None for a method of units, which can empty the whole encoder.
        """
        with self.model.emptied(scoped_weights(self.checkpoint.model, scope)):
            self._run_all("Measuring the emptied model")
        first = first_emptied_point(self.points, scope)
        for features in (self.buffers.mean, self.buffers.cls):
            features[:first] = 0  # what does not vary has no similarity
        return self._measurement()

    def _run_all(self, stage: str) -> list[Tensor]:
        """Fill the buffers, and return the Gram matrices of all minibatches of tokens."""
        self.passes += 1
        tokens = list[Tensor]()
        for window in self.windows:
            self.run(window, self.buffers, stage)
            # (points, minibatch, minibatch) of each minibatch
            tokens += map(gram.u_centred_gram, self.buffers.tokens(window))
        return tokens

    def _measurement(self, **further: gram.Grams) -> Measurement:
        """Return what the buffers hold, with further Gram matrices."""
        features = self.buffers.features.items()  # each (points, examples, width)
        grams = {name: gram.prepare(gram.u_centred_bands(values)) for name, values in features}
        return Measurement(self.buffers.logits.numpy().copy(), grams | further)


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
            logits = recorder.run(text).double()  # (1, labels)
            probabilities.append(tuple(logits.softmax(-1)[0].tolist()))

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
