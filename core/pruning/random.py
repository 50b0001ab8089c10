"""The control of a weight method: as many weights of each matrix or row, drawn at random.

Every weight gets a random number from (seed, matrix). Where the controlled method removes
k weights of a matrix (magnitude, the default) or of each row (Wanda), those with the k
smallest numbers are removed. So a layer loses as much as under that method, and a larger
amount removes everything that a smaller amount does. `amount` is a fraction of the scope's
weights.

Cost: one random number per weight and one sort per matrix, for all amounts together; four
bytes per weight for the ranks in a matrix, two for those in a row. Magnitude's counts cost
as much as magnitude pruning.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.pruning.magnitude import MagnitudePlan, scoped_weights
from core.pruning.plan import Baseline, Plan, Planning
from core.pruning.rows import RowPlan, ranks


class MatrixPlan:
    """Removes as many weights of each matrix as magnitude pruning does; implements `core.pruning.Plan`."""

    reliability: tuple[float | None, ...] = ()

    def __init__(self, weights: list[nn.Parameter], amounts: Sequence[float], numbers: Iterable[Tensor]) -> None:
        """Find where magnitude pruning cuts, and rank the numbers.

        Args:
            weights: The scope's matrices in parameter order, float32.
            amounts: Fractions in [0, 1).
            numbers: For each matrix one number per weight, as `draws` yields them; the lowest are removed first.
        """
        self.parameters = weights
        self._magnitude = MagnitudePlan(weights, amounts)
        self._ranks = [ranks(of_matrix.view(1, -1)).view_as(of_matrix) for of_matrix in numbers]

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each matrix's mask of the weights that stay; see `core.pruning.Plan`."""
        for places, kept in zip(self._ranks, self._magnitude.keep_masks(amount, baseline), strict=True):
            yield places >= kept.numel() - int(torch.count_nonzero(kept))  # (rows, columns)


def draws(weights: Sequence[Tensor], seed: int) -> Iterator[Tensor]:
    """Draw a number for every weight of each matrix.

    Args:
        weights: Matrices, each (rows, columns).
        seed: The numbers depend on it, on the place of a matrix in the sequence, and on nothing else.

    Yields:
        (rows, columns) float32, uniform in [0, 1).
    """
    for index, weight in enumerate(weights):
        numbers = np.random.default_rng([seed, index]).random(weight.shape, dtype=np.float32)  # (rows, columns)
        yield torch.from_numpy(numbers)


def _per_row(weights: list[nn.Parameter], amounts: Sequence[float], numbers: Iterable[Tensor]) -> Plan:
    """Remove as many weights of each row as Wanda does."""
    return RowPlan(weights, numbers)


_ALLOCATIONS: Mapping[str, Callable[[list[nn.Parameter], Sequence[float], Iterable[Tensor]], Plan]] = {
    "magnitude": MatrixPlan,
    "wanda": _per_row,
}


def plan(baseline: Baseline) -> Planning:
    """Plan random pruning; see the module docstring.

    Args:
        baseline: With a scope, a seed and the controlled method.

    Raises:
        ValueError: The controlled method removes no single weights.
    """
    allocate = baseline.controlled("random", _ALLOCATIONS)
    weights = scoped_weights(baseline.model, baseline.scope)
    return allocate(weights, baseline.amounts, draws(weights, baseline.seed))
    yield  # pragma: no cover; makes this function a Planning that ends at once
