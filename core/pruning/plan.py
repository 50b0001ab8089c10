"""A method's input (Baseline) and output (Plan), and the model that applies and undoes a plan (PrunedModel).

Some methods score calibration examples. Their scores are summed over even and odd examples
separately: the rank correlation of the two sums (split-half reliability) tells signal from chance.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from core.encoder.architectures import Catcher, Tap, encoder_layers, linear_weights
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


class Halves:
    """Sums of scores over even and over odd examples.

    Attributes:
        sums: (halves, scores) float64.
    """

    def __init__(self, size: int) -> None:
        """Start `size` scores at zero."""
        self.sums = torch.zeros(2, size, dtype=torch.float64)  # (halves, scores)

    def add(self, examples: Tensor, scores: Tensor) -> None:
        """Add the scores of a micro-batch.

        Args:
            examples: (micro-batch,) positions of the examples.
            scores: (micro-batch, scores).
        """
        self.sums.index_add_(0, examples % 2, on_processor(scores).double())

    @property
    def total(self) -> Tensor:
        """(scores,) float64, summed over all examples."""
        return self.sums.sum(0)

    @property
    def agreement(self) -> float:
        """Spearman's rank correlation of the two halves' magnitudes; NaN if a half is constant."""
        first, second = self.sums.abs()  # each (scores,)
        if bool((first == first[0]).all() or (second == second[0]).all()):
            return float("nan")
        return float(spearmanr(first.numpy(), second.numpy()).statistic)


def attributions(
    model: nn.Module,
    calibration: Calibration,
    taps: Sequence[Sequence[Tap]],
    objective: Objective,
    transform: Callable[[Tensor], Tensor],
) -> list[list[Halves]]:
    """Multiply activations by their gradients: to first order, what the objective loses without them.

    Args:
        model: The baseline in eval mode.
        calibration: The examples.
        taps: For each layer and unit type, the tap of their activations, (micro-batch, longest,
            units).
        objective: The function to differentiate.
        transform: Applied to each example's attributions, summed over real tokens, before they are
            added up.

    Returns:
        The sums for each layer and unit type.
    """
    halves = list[Halves]()

    def add(batch: MicroBatch) -> None:
        with torch.enable_grad():
            logits = model(**batch.inputs).logits  # (micro-batch, labels)
            value = objective(logits, calibration.gold[batch.examples].to(logits.device))
            gradients = torch.autograd.grad(
                value, caught.states
            )  # each (micro-batch, longest, units)
        pairs = zip(caught.states, gradients, strict=True)
        attribution = [
            (state.detach() * gradient * batch.real[..., None]).sum(1) for state, gradient in pairs
        ]
        halves.extend(
            Halves(scores.shape[-1]) for scores in attribution[len(halves) :]
        )  # each (micro-batch, units)
        for sums, scores in zip(halves, attribution, strict=True):
            sums.add(batch.examples, transform(scores))

    with Catcher(model, [tap for types in taps for tap in types]) as caught:
        calibration.each(model, add)
    in_order = iter(halves)
    return [[next(in_order) for _ in types] for types in taps]


def reliability(layers: Sequence[Sequence[Halves]]) -> tuple[float | None, ...]:
    """Compute each layer's split-half reliability.

    Args:
        layers: For each layer, the scores of its unit types or matrices.

    Returns:
        The mean agreement of each layer; None where one is undefined.
    """
    means = [
        sum(halves.agreement for halves in layer) / len(layer) if layer else float("nan")
        for layer in layers
    ]
    return tuple(None if value != value else value for value in means)


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
        reliability: Agreement of two halves of the calibration examples, one value per layer; empty
            without examples.
    """

    parameters: list[nn.Parameter]
    reliability: tuple[float | None, ...] = ()

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
        self.model, self.plan = model, plan
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
        for parameter, values, keep in zip(
            self.plan.parameters, self._baseline, masks, strict=True
        ):
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
