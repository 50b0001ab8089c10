"""A method's input (Baseline) and output (Plan), and the model that applies and undoes a plan."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from core.encoder.architectures import (
    Catcher,
    Tap,
    encoder_layers,
    linear_weights,
)
from core.encoder.batches import MicroBatch
from core.encoder.device import in_parts, on_processor
from core.inputs.hub import Report

SCORING = "Scoring on calibration examples"  # a stage

Objective = Callable[[Tensor, Tensor], Tensor]
"""(logits (micro-batch, labels), gold (micro-batch,)) -> a scalar, the sum over examples."""


class Calibration(NamedTuple):
    """Labelled examples to compute scores on.

    Attributes:
        batches: All examples in order of length.
        gold: (examples,) int64 label indices, by `MicroBatch.examples`.
        report: Called with (stage, done, total) after each micro-batch; it may raise an exception
            to cancel.
    """

    batches: Sequence[MicroBatch]
    gold: Tensor
    report: Report

    def each(self, model: nn.Module, work: Callable[[MicroBatch], None]) -> None:
        """Do some work on every micro-batch where the model is, and report each; see `in_parts`."""
        for done, batch in enumerate(self.batches, 1):
            in_parts(model, batch, work)
            self.report(SCORING, done, len(self.batches))


def attributions(
    model: nn.Module,
    calibration: Calibration,
    taps: Sequence[Sequence[Tap]],
    objective: Objective,
    transform: Callable[[Tensor], Tensor],
) -> list[list[Tensor]]:
    """Multiply activations by their gradients: to first order, what the objective loses.

    Args:
        model: The baseline in eval mode.
        calibration: The examples.
        taps: For each layer and unit type, the tap of their activations, (micro-batch, longest,
            units).
        objective: The function to differentiate.
        transform: Applied to each example's attributions, summed over real tokens, before they are
            added up.

    Returns:
        The sums for each layer and unit type, (units,) float64.
    """
    sums = dict[int, Tensor]()

    def add(batch: MicroBatch) -> None:
        with torch.enable_grad():
            logits = model(**batch.inputs).logits  # (micro-batch, labels)
            value = objective(logits, calibration.gold[batch.examples].to(logits.device))
            # Each (micro-batch, longest, units).
            gradients = torch.autograd.grad(value, caught.states)
        for k, (state, gradient) in enumerate(zip(caught.states, gradients, strict=True)):
            scores = transform(batch.total(state.detach() * gradient))  # (micro-batch, units)
            sums[k] = sums.get(k, 0) + total_of(scores)

    with Catcher(model, [tap for types in taps for tap in types]) as caught:
        calibration.each(model, add)
    in_order = iter(sums.values())
    return [[next(in_order) for _ in types] for types in taps]


def total_of(scores: Tensor) -> Tensor:
    """Sum (micro-batch, scores) over the examples, in float64 on the processor."""
    return on_processor(scores).double().sum(0)


class Baseline(NamedTuple):
    """The input of a method, before anything is removed.

    Attributes:
        model: The baseline in eval mode, float32.
        amounts: All amounts that the plan must serve, in [0, 1).
        scope: `encoder`, `all-linear`, `layer:K` or `layers:A-B`, from 0; None for a neuron method.
        seed: The seed of a random method.
        calibration: Labelled examples; None for a method that needs none.
        controls: The method that a random method is matched to.
    """

    model: nn.Module
    amounts: Sequence[float]
    scope: str | None = None
    seed: int = 0
    calibration: Calibration | None = None
    controls: str | None = None


class Plan(Protocol):
    """The masks of one method on one baseline, for every amount of a sweep.

    Attributes:
        parameters: The parameters that the plan may change.
    """

    parameters: list[nn.Parameter]

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield, for each parameter, a mask of the entries that stay.

        Args:
            amount: The fraction of what the method removes, in (0, 1).
            baseline: The unpruned values of `parameters`, in the same order, on the processor.

        Yields:
            A bool tensor for each of `parameters`, of its shape; False where an entry is removed.
        """
        ...


def module_of(method: str) -> Any:
    """Return the module that implements a method of the catalog."""
    return import_module(f"core.pruning.{method.replace('-', '_')}")


class Removed(NamedTuple):
    """How much pruning removed, as fractions.

    Attributes:
        sparsity: Removed / all parameters of the model.
        prunable_sparsity: Removed encoder matrix weights / all encoder matrix weights.
        layer_sparsity: The same per layer.
    """

    sparsity: float
    prunable_sparsity: float
    layer_sparsity: tuple[float, ...]


class PrunedModel(ExitStack):
    """A model that is pruned in place, any number of times, from one copy of its baseline.

    On exit from the context, the parameters have their baseline values again, bit for bit.
    """

    def __init__(self, model: nn.Module, plan: Plan) -> None:
        """Copy the parameters that the plan may change.

        Args:
            model: The baseline, whose parameters will change in place.
            plan: A plan made for this model.
        """
        super().__init__()
        self.callback(self.restore)
        self.model = model
        self.plan = plan
        self._baseline = [on_processor(parameter).clone() for parameter in plan.parameters]
        self._num_parameters = sum(parameter.numel() for parameter in model.parameters())
        self._layers = [list(linear_weights(layer)) for layer in encoder_layers(model)]

    def restore(self) -> None:
        """Restore the baseline values of every parameter."""
        for parameter, values in zip(self.plan.parameters, self._baseline, strict=True):
            parameter.data.copy_(values)

    def prune(self, amount: float) -> Removed:
        """Prune the baseline by `amount`, whatever the current state of the model.

        Args:
            amount: The fraction of what the plan's method removes, in [0, 1).

        Returns:
            The fractions removed; a removed weight counts even if it was already zero.
        """
        if amount == 0:
            self.restore()
            return self._fractions({})
        removed: dict[int, int] = {}
        masks = self.plan.keep_masks(amount, self._baseline)
        parameters = zip(self.plan.parameters, self._baseline, masks, strict=True)
        for parameter, values, keep in parameters:
            parameter.data.copy_(values * keep)
            removed[id(parameter)] = keep.numel() - int(torch.count_nonzero(keep))
        return self._fractions(removed)

    @contextmanager
    def emptied(self, weights: Sequence[nn.Parameter]) -> Iterator[None]:
        """Set matrices to zero within a context; biases are kept.

        Args:
            weights: Matrices of the model, such as those of a scope; the plan need not contain
                them.
        """
        planned = {id(parameter) for parameter in self.plan.parameters}
        others = [
            (weight, weight.detach().clone()) for weight in weights if id(weight) not in planned
        ]
        self.restore()
        try:
            for weight in weights:
                weight.data.zero_()
            yield
        finally:
            for weight, values in others:
                weight.data.copy_(values)
            self.restore()

    def _fractions(self, removed: dict[int, int]) -> Removed:
        counts = [sum(removed.get(id(weight), 0) for weight in layer) for layer in self._layers]
        sizes = [sum(weight.numel() for weight in layer) for layer in self._layers]
        return Removed(
            sparsity=sum(removed.values()) / self._num_parameters,
            prunable_sparsity=sum(counts) / sum(sizes),
            layer_sparsity=tuple(count / size for count, size in zip(counts, sizes, strict=True)),
        )
