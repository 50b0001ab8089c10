"""Make a checkpoint's lowest layers a classifier of their own: train the last of them and the head.

Layers below the trained ones never change, so the hidden states that they compute are kept in
memory and enter the trained layers directly. Depths are refitted from the fewest layers up; between
two of them the states advance.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.encoder.architectures import (
    Catcher,
    Tap,
    classifier,
    encoder_layers,
    head_parameters,
)
from core.encoder.batches import MICRO_BATCH, Encoded, MicroBatch
from core.encoder.device import device_of, in_parts, on_processor
from core.encoder.loading import Checkpoint, stored_dtype
from core.encoder.representations import Recorder, check_finite, fast_linear
from core.inputs.cut_rows import CutInputs
from core.pruning.cut import cut
from core.request.scope import point_names
from core.training.loop import Answer, Rows, in_order, train

Report = Callable[[float], None]
"""Called with the share that is done; an exception that it raises ends the work."""


class Refitted(NamedTuple):
    """The lowest layers of a checkpoint, refitted.

    Attributes:
        model: A classifier; the weights are rounded as they will be saved.
        steps: The step of training whose weights were kept.
        logits: (judged rows, labels).
    """

    model: Any
    steps: int
    logits: Tensor


class Refitting:
    """Refits one depth after another of a checkpoint, which is never changed.

    Attributes:
        rows: The rows, tokenised.
    """

    def __init__(self, checkpoint: Checkpoint, inputs: CutInputs) -> None:
        """Tokenise the rows.

        Args:
            checkpoint: The full model.
            inputs: The three sets of rows and the settings of the training.
        """
        self._checkpoint = checkpoint
        self._inputs = inputs
        self._dtype = stored_dtype(inputs.resolved)  # in which models will be saved
        self.rows = Encoded(checkpoint.tokenizer, inputs.texts)
        self._entered = 0  # the layer that `_states` enter
        tokens = int(self.rows.lengths.sum())
        self._states = torch.empty(tokens, checkpoint.record.hidden_size)  # packed

    def outputs(self, report: Report) -> tuple[Tensor, Tensor]:
        """Run the full model on all rows, whose softened answers `refit` learns.

        Returns:
            Its logits, (rows, labels), and the mean over the tokens of each layer's output,
                (layers, rows, hidden).
        """
        model = self._checkpoint.model
        record = self._checkpoint.record
        count = len(self.rows.lengths)
        means = torch.empty(record.num_layers, count, record.hidden_size)
        logits = torch.empty(count, classifier(model).out_features)

        def keep(batch: MicroBatch) -> None:
            logits[batch.examples] = recorder.run(batch)
            for layer, state in enumerate(recorder.states[:-1]):
                means[layer, batch.examples] = on_processor(batch.mean(state))

        with Recorder(model, point_names("layer", record.num_layers), record.id) as recorder:
            self._each(model, np.arange(count), keep, report)
        softened = logits / self._inputs.record.training.temperature
        self._targets = softened.softmax(-1)  # (rows, labels)
        return logits, means

    def refit(self, layers: int, report: Report) -> Refitted:
        """Train the last of the lowest layers and the head, round the weights, and judge.

        Args:
            layers: The number of layers that stay, no fewer than in the last call.
            report: Called with the share of the training that is done.

        Raises:
            PrunescopeError: A loss or a logit is not finite.
        """
        trained, stopping, judged = self._inputs.numbers
        how = self._inputs.record.training
        start = max(0, layers - how.layers)
        self._advance(start, report)
        model = cut(self._checkpoint.model, range(layers))
        for weight in trainable(model, start):
            weight.data = weight.data.clone()
        upper = cut(model, range(start, layers))  # shares the memory of the model's weights
        weights = trainable(upper, 0)
        run = self._fed(upper)
        answer = answering(upper, self.rows, run)
        steps = train(
            weights,
            answer,
            self._targets,
            self.rows.lengths,
            (trained, stopping),
            how,
            lambda done: report(done / how.steps),
        )
        for weight in weights:
            weight.data.copy_(weight.data.to(self._dtype))
        logits = torch.empty_like(self._targets)

        def judge(batch: MicroBatch) -> None:
            logits[batch.examples] = on_processor(run(batch))

        self._each(upper, judged, judge, lambda _: report(1.0))
        check_finite(logits[judged], self._checkpoint.record.id)
        return Refitted(model, steps, logits[judged])

    def _advance(self, layer: int, report: Report) -> None:
        """Compute the states that enter a layer from those that enter a lower one."""
        if layer == self._entered:
            return
        between = cut(self._checkpoint.model, range(self._entered, layer))
        run = self._fed(between)
        last = Tap(encoder_layers(between)[-1], "output")

        def keep(batch: MicroBatch) -> None:
            run(batch)
            states = catcher.states[0].flatten(0, 1)[batch.cells]  # (real tokens, hidden)
            self._states[batch.slots] = on_processor(states)

        rows = np.arange(len(self.rows.lengths))
        with Catcher(between, [last]) as catcher:
            self._each(between, rows, keep, lambda _: report(0.0))
        self._entered = layer

    def _fed(self, model: Any) -> Callable[[MicroBatch], Tensor]:
        """Return a function that feeds the states to a model's first layer and computes logits."""
        if not self._entered:
            return lambda batch: model(**batch.inputs).logits
        fed = list[Tensor]()
        encoder_layers(model)[0].register_forward_pre_hook(
            lambda _, inputs: (fed.pop(), *inputs[1:])
        )

        def run(batch: MicroBatch) -> Tensor:
            states = self._states[batch.slots].to(batch.real.device)  # (real tokens, hidden)
            padded = states.new_zeros(batch.real.numel(), states.shape[1])
            padded.index_copy_(0, batch.cells, states)
            fed[:] = [padded.view(*batch.real.shape, -1)]  # (batch, longest, hidden)
            return model(**batch.inputs).logits

        return run

    @torch.no_grad()
    def _each(
        self,
        model: Any,
        rows: Rows,
        work: Callable[[MicroBatch], None],
        report: Report,
    ) -> None:
        """Do some work on micro-batches in order of length, where a model is."""
        chunks = in_order(rows, self.rows.lengths, MICRO_BATCH)
        with fast_linear():
            for done, chunk in enumerate(chunks, 1):
                in_parts(model, self.rows.pack(chunk), work)
                report(done / len(chunks))


def answering(model: nn.Module, rows: Encoded, run: Callable[[MicroBatch], Tensor]) -> Answer:
    """Return a function that runs a model on some of the rows, where the model is.

    `run` computes logits.
    """
    return lambda chosen: run(rows.pack(chosen).on(device_of(model)))


def trainable(model: nn.Module, start: int) -> list[nn.Parameter]:
    """Freeze a model but for the encoder layers from one on and the head; return their weights."""
    weights = list[nn.Parameter]()
    for layer in encoder_layers(model)[start:]:
        weights += layer.parameters()
    weights += head_parameters(model)
    model.requires_grad_(False)
    for weight in weights:
        weight.requires_grad_()
    return weights
