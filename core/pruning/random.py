"""The control of magnitude: in each matrix as many weights, drawn at random.

Every weight gets a random number from (seed, matrix); in each matrix as many of the
smallest go as magnitude pruning removes there at that amount. So a layer loses as
much as under magnitude pruning, and what a smaller amount removes, a larger one
removes too. `amount` is a fraction of the scope's weights.

Cost: magnitude's, and one random number a weight and amount. They are drawn again for
each amount: keeping them would take as much memory as the weights.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.pruning.magnitude import MagnitudePlan, keep_above, scoped_weights, smallest
from core.pruning.plan import Baseline, Planning


class RandomPlan:
    """How many weights of each matrix go at each amount; implements `core.pruning.Plan`."""

    reliability: tuple[float | None, ...] = ()

    def __init__(self, weights: list[nn.Parameter], amounts: Sequence[float], seed: int) -> None:
        """Asks magnitude pruning where it cuts.

        Args:
            weights: The scope's matrices in parameter order, float32.
            amounts: Fractions in [0, 1).
            seed: Another one draws other weights.
        """
        self.parameters = weights
        self._magnitude = MagnitudePlan(weights, amounts)
        self._seed = seed

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yields the mask of what stays of each matrix; see `core.pruning.Plan`."""
        for index, kept in enumerate(self._magnitude.keep_masks(amount, baseline)):
            draws = np.random.default_rng([self._seed, index]).random(kept.numel(), dtype=np.float32)
            numbers = torch.from_numpy(draws).view(kept.shape)  # (rows, columns)
            (cut,) = smallest([numbers], [kept.numel() - int(torch.count_nonzero(kept))])
            keep, _ = keep_above(cut, numbers)
            yield keep


def plan(baseline: Baseline) -> Planning:
    """Plans random pruning; see the module's text.

    Args:
        baseline: With a scope and a seed.
    """
    return RandomPlan(scoped_weights(baseline.model, baseline.scope), baseline.amounts, baseline.seed)
    yield  # pragma: no cover; makes this a Planning that is done at once
