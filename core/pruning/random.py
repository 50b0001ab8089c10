"""The control of magnitude: as many weights of each matrix, drawn at random.

Every weight gets a random number from (seed, matrix). In each matrix the smallest
numbers are removed, as many as magnitude pruning removes there at that amount. So a
layer loses as much as under magnitude pruning, and a larger amount removes everything
that a smaller amount does. `amount` is a fraction of the scope's weights.

Cost: that of magnitude, and one random number per weight and amount. The numbers are
drawn again for each amount: storing them would take as much memory as the weights.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.pruning.magnitude import MagnitudePlan, keep_above, scoped_weights, smallest
from core.pruning.plan import Baseline, Planning


class RandomPlan:
    """The number of weights to remove from each matrix at each amount; implements `core.pruning.Plan`."""

    reliability: tuple[float | None, ...] = ()

    def __init__(self, weights: list[nn.Parameter], amounts: Sequence[float], seed: int) -> None:
        """Find where magnitude pruning cuts.

        Args:
            weights: The scope's matrices in parameter order, float32.
            amounts: Fractions in [0, 1).
            seed: For the random numbers.
        """
        self.parameters = weights
        self._magnitude = MagnitudePlan(weights, amounts)
        self._seed = seed

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each matrix's mask of the weights that stay; see `core.pruning.Plan`."""
        for index, kept in enumerate(self._magnitude.keep_masks(amount, baseline)):
            draws = np.random.default_rng([self._seed, index]).random(kept.numel(), dtype=np.float32)
            numbers = torch.from_numpy(draws).view(kept.shape)  # (rows, columns)
            (cut,) = smallest([numbers], [kept.numel() - int(torch.count_nonzero(kept))])
            keep, _ = keep_above(cut, numbers)
            yield keep


def plan(baseline: Baseline) -> Planning:
    """Plan random pruning; see the module docstring.

    Args:
        baseline: With a scope and a seed.
    """
    return RandomPlan(scoped_weights(baseline.model, baseline.scope), baseline.amounts, baseline.seed)
    yield  # pragma: no cover; makes this function a Planning that ends at once
