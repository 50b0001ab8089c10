"""The control of a weight method: as many weights of each matrix or row, drawn at random.

Every weight gets a random number from (seed, matrix). Where the controlled method removes
k weights of a matrix, or of each row (Wanda), the k weights with the smallest numbers are
removed. So a layer loses as much as under that method, and a larger amount removes all
that a smaller amount removes. `amount` is a fraction of the scope's weights.

Cost: one random number per weight and one sort per matrix, for all amounts together; four
bytes per weight for ranks in a matrix, two for ranks in a row; and the plan of the
controlled method, unless that draws in rows.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from core.pruning.magnitude import scoped_weights
from core.pruning.plan import Baseline, Plan, module_of
from core.pruning.rows import ranks


class MatrixPlan(Plan):
    """Removes as many weights of each matrix as another plan, by rank."""

    def __init__(self, controlled: Plan, numbers: Iterable[Tensor]) -> None:
        """Rank the numbers.

        Args:
            controlled: The other plan, of matrices alone.
            numbers: For each matrix, (rows, columns) from `draws`; the lowest are removed first.
        """
        self.parameters = controlled.parameters
        self._controlled = controlled
        self._ranks = []
        for drawn in numbers:
            row = drawn.view(1, -1)  # (1, entries)
            self._ranks.append(ranks(row).view_as(drawn))

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each matrix's mask of the weights that stay; see `core.pruning.Plan`."""
        masks = self._controlled.keep_masks(amount, baseline)
        for rank, keep in zip(self._ranks, masks, strict=True):
            removed = keep.numel() - int(torch.count_nonzero(keep))
            yield rank >= removed  # (rows, columns)


def draws(weights: Sequence[Tensor], seed: int) -> Iterator[Tensor]:
    """Draw a number for every weight of each matrix, from the seed and the matrix's index alone.

    Args:
        weights: Matrices, each (rows, columns).
        seed: The request's seed.

    Yields:
        (rows, columns) float32, uniform in [0, 1).
    """
    for index, weight in enumerate(weights):
        random = np.random.default_rng([seed, index])
        numbers = random.random(weight.shape, dtype=np.float32)  # (rows, columns)
        yield torch.from_numpy(numbers)


def plan(baseline: Baseline) -> Plan:
    """Plan random pruning; see the module docstring.

    Args:
        baseline: With a scope, a seed and the controlled method.
    """
    assert baseline.controls is not None  # a checked request
    controlled = module_of(baseline.controls)
    weights = scoped_weights(baseline.model, baseline.scope)
    numbers = draws(weights, baseline.seed)
    if hasattr(controlled, "at_random"):
        return controlled.at_random(weights, numbers)
    return MatrixPlan(controlled.plan(baseline), numbers)
