"""Choose how many weights each layer loses: the search behind the methods `cka` and `divergence`.

Each layer is pruned alone, by layer-wise magnitude, in STEPS shares of its weights; the calibration
examples run from that layer on, those before it are computed once. Two losses are measured of each
layer and share in the same passes: 1 - CKA of what the classifier reads with the unpruned model's
(`mean`'s and `cls`'s estimator), and the mean Jensen-Shannon divergence of the output distributions,
in bits. Labels are not used. Losses are rounded to 1e-4, so that processors agree.

For a total, the shares are those with the smallest sum of losses, found by dynamic programming over
the layers; among equal sums, lower layers lose more. A total between two steps lies between their
shares. So masks need not be nested over amounts.

Cost: about (layers + 1) / 2 · STEPS forward passes over the calibration examples, for all amounts together.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.encoder.architectures import classifier, encoder_layers, linear_weights
from core.encoder.stack import Entered, Stack
from core.pruning.magnitude import MagnitudePlan, ranked_together
from core.pruning.plan import Baseline, Calibration, PrunedModel
from core.results.schema import AllocationRecord
from core.similarity.cka import own_cka
from core.similarity.gram import Grams, compare_own, prepare, u_centred_bands
from core.similarity.jensen_shannon import divergences

CHOOSING = "Choosing each layer's share"  # a stage
STEPS = 20  # equal shares of a layer's weights that are tried
PRECISION = 10_000  # losses are whole numbers of 1 / PRECISION

Losses = npt.NDArray[np.int64]


class Search(NamedTuple):
    """The losses of each layer pruned alone.

    Attributes:
        losses: By criterion, (layers, STEPS + 1) in units of 1 / PRECISION, by the share k / STEPS.
        passes: What they cost, in forward passes over the calibration examples.
    """

    losses: Mapping[str, Losses]
    passes: float


def layer_passes(depth: int) -> int:
    """Count the layers that a search computes of each calibration example."""
    return 2 * depth + STEPS * depth * (depth + 1) // 2


def search(model: nn.Module, calibration: Calibration) -> Search:
    """Measure the losses of each layer pruned alone; see the module docstring.

    Args:
        model: The baseline in eval mode; pruned in place and restored.
        calibration: The examples.
    """
    stack, linear, examples = Stack(model), classifier(model), len(calibration.gold)
    total = layer_passes(stack.depth) * len(calibration.batches)
    entered = [stack.enter(batch) for batch in calibration.batches]
    states = [micro_batch.state for micro_batch in entered]  # what the layer at hand reads, unpruned
    logits, read = torch.empty(examples, linear.out_features), torch.empty(1, examples, linear.in_features)

    def layer(number: int, micro_batch: Entered, state: Tensor) -> Tensor:
        state = stack.layer(number, micro_batch, state)
        calibration.report(CHOOSING, stack.passes, total)
        return state

    def outcome(first: int) -> tuple[npt.NDArray[np.float32], Grams]:
        """Run the layers from one on; return the logits, (examples, labels), and what the classifier reads."""
        for micro_batch, state in zip(entered, states, strict=True):
            for number in range(first, stack.depth):
                state = layer(number, micro_batch, state)
            answer, rows = stack.finish(micro_batch, state), micro_batch.batch.examples
            logits[rows], read[0, rows] = answer.logits, answer.read
        return logits.numpy().copy(), prepare(u_centred_bands(read))

    baseline, baseline_read = outcome(0)
    losses = {name: np.zeros((stack.depth, STEPS + 1), dtype=np.int64) for name in ("cka", "divergence")}
    shares = {step: step / STEPS for step in range(1, STEPS + 1)}
    for number, module in enumerate(encoder_layers(model)):
        plan = ranked_together(list(linear_weights(module)), [*shares.values()])
        with PrunedModel(model, plan) as pruned:
            for step, share in shares.items():
                pruned.prune(share)
                answers, answers_read = outcome(number)
                (similarity,) = np.nan_to_num(own_cka(compare_own(baseline_read, answers_read)))
                losses["cka"][number, step] = round(PRECISION * (1 - similarity))
                losses["divergence"][number, step] = round(PRECISION * divergences(baseline, answers).mean())
        states = [layer(number, *known) for known in zip(entered, states, strict=True)]
    return Search(losses, stack.passes / stack.depth / len(entered))


def best_shares(losses: Losses) -> list[tuple[int, ...]]:
    """Find the shares with the smallest sum of losses for every total.

    Args:
        losses: (layers, steps + 1), by layer and steps removed.

    Returns:
        For each total from 0 to layers · steps, the steps of each layer; among equal sums, lower layers have more.
    """
    least, choices = np.zeros(1, dtype=np.int64), list[npt.NDArray[np.int64]]()
    for row in losses[::-1]:  # the layers from one on, by their total: the least sum, and the layer's steps in it
        sums = np.full((len(row), len(least) + len(row) - 1), np.iinfo(np.int64).max)  # (steps + 1, totals)
        for step, loss in enumerate(row):
            sums[step, step : step + len(least)] = loss + least
        choices.insert(0, len(row) - 1 - sums[::-1].argmin(0))  # (totals,), the most steps of those as good
        least = sums.min(0)  # (totals,)
    found = []
    for left in range(len(least)):
        shares = []
        for choice in choices:
            shares.append(int(choice[left]))
            left -= shares[-1]
        found.append(tuple(shares))
    return found


def counts_of(shares: Sequence[tuple[int, ...]], size: int, total: int) -> tuple[int, ...]:
    """Turn steps into numbers of weights that sum to a total, which may lie between two numbers of steps.

    Args:
        shares: From `best_shares`.
        size: The weights of the model's layers, which are all of one size.
        total: How many go.
    """
    steps, between = divmod(total * (len(shares) - 1), size)
    lower, upper = shares[steps], shares[min(steps + 1, len(shares) - 1)]
    return shared_out(total, [low * (size - between) + high * between for low, high in zip(lower, upper, strict=True)])


def shared_out(total: int, parts: Sequence[int]) -> tuple[int, ...]:
    """Share a total out in proportion to parts, by largest remainders; among equal ones, the first gets more."""
    whole = max(sum(parts), 1)
    counts = [total * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: -(total * parts[index] % whole))
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return tuple(counts)


def plan_by(criterion: Literal["uniform", "cka", "divergence"], baseline: Baseline) -> MagnitudePlan:
    """Plan the removal of the weights closest to zero in each layer, by the shares that a criterion chooses.

    Args:
        criterion: `uniform` for equal shares.
        baseline: With calibration examples, but for equal shares.
    """
    groups = [list(linear_weights(layer)) for layer in encoder_layers(baseline.model)]
    sizes = [sum(weight.numel() for weight in group) for group in groups]
    totals = {amount: round(amount * sum(sizes)) for amount in baseline.amounts}
    passes = 0.0
    if criterion == "uniform":
        counts = {amount: shared_out(total, sizes) for amount, total in totals.items()}
    else:
        assert baseline.calibration is not None  # the catalog marks these methods as calibrated
        known = baseline.calibration.measured
        found = known["losses"] = known.get("losses") or search(baseline.model, baseline.calibration)
        shares, passes = best_shares(found.losses[criterion]), found.passes
        counts = {amount: counts_of(shares, sum(sizes), total) for amount, total in totals.items()}
    record = AllocationRecord(criterion=criterion, passes=passes, counts=tuple(counts.values()))
    return MagnitudePlan(groups, counts, record)
