"""Shared by methods that score examples: the examples, attributions, and split-half reliability.

Scores are summed over the even and the odd calibration examples separately. The rank
correlation of the two sums (split-half reliability) separates signal from chance.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from core.encoder.batches import MicroBatch
from core.encoder.hooks import Catcher, Tap
from core.inputs.hub import Report

SCORING = "Scoring on calibration examples"  # a stage

Objective = Callable[[Tensor, Tensor], Tensor]
"""(logits (micro-batch, labels), gold (micro-batch,)) -> a scalar, the sum over examples."""


@dataclass(frozen=True)
class Calibration:
    """Labelled examples to compute scores on.

    Attributes:
        batches: Every example once, in order of length.
        gold: (examples,) int64 label indices, in the order of `MicroBatch.examples`.
        report: Called with (stage, done, total) after each micro-batch; an exception that it raises ends the scoring.
        measured: What methods have measured on the model and these examples, by name: it serves the next one.
    """

    batches: Sequence[MicroBatch]
    gold: Tensor
    report: Report
    measured: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[MicroBatch]:
        """Yield the micro-batches, and report each one when the next is asked for."""
        for done, batch in enumerate(self.batches, 1):
            yield batch
            self.report(SCORING, done, len(self.batches))


class Halves:
    """Sums of scores over the even and over the odd examples.

    Attributes:
        sums: (halves, scores) float64.
    """

    def __init__(self, size: int) -> None:
        """Start at zero for `size` scores."""
        self.sums = torch.zeros(2, size, dtype=torch.float64)  # (halves, scores)

    def add(self, examples: Tensor, scores: Tensor) -> None:
        """Add the scores of some examples.

        Args:
            examples: (micro-batch,) positions.
            scores: (micro-batch, scores).
        """
        self.sums.index_add_(0, examples % 2, scores.double())

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
    of_example: Callable[[Tensor], Tensor],
) -> list[list[Halves]]:
    """Multiply activations by their gradients: to first order, the loss in the objective without them.

    Args:
        model: The baseline in eval mode.
        calibration: The examples.
        taps: For each layer and unit type where their activations are, (micro-batch, longest, units).
        objective: The function to differentiate.
        of_example: What is summed over examples, of the attributions summed over real tokens, (micro-batch, units).

    Returns:
        The sums for each layer and unit type.
    """
    halves = list[Halves]()
    with Catcher(model, [tap for types in taps for tap in types]) as caught:
        for batch in calibration:
            with torch.enable_grad():
                value = objective(model(**batch.inputs).logits, calibration.gold[batch.examples])
                gradients = torch.autograd.grad(value, caught.states)  # each (micro-batch, longest, units)
            halves = halves or [Halves(state.shape[-1]) for state in caught.states]
            for sums, state, gradient in zip(halves, caught.states, gradients, strict=True):
                attribution = (state.detach() * gradient * batch.real[..., None]).sum(1)  # (micro-batch, units)
                sums.add(batch.examples, of_example(attribution))
    in_order = iter(halves)
    return [[next(in_order) for _ in types] for types in taps]


def reliability(layers: Sequence[Sequence[Halves]]) -> tuple[float | None, ...]:
    """Compute each layer's split-half reliability.

    Args:
        layers: For each layer the scores of its unit types or matrices.

    Returns:
        The mean agreement of each layer; None if an agreement is undefined.
    """
    means = [sum(halves.agreement for halves in layer) / len(layer) if layer else float("nan") for layer in layers]
    return tuple(None if value != value else value for value in means)
