"""Ranks of weights within rows, and a plan that removes the lowest-ranked weights of every row.

`amount` is a fraction of the columns: in each row the int(amount · columns) lowest-ranked
weights are removed, ties by column.

Cost: one sort per matrix, for all amounts together; two bytes per weight for the ranks.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.pruning.plan import Plan

_INDEX_BITS = 32  # of a 64-bit key; the upper half is the score
_INDEX = (1 << _INDEX_BITS) - 1


def ranks(scores: Tensor) -> Tensor:
    """Rank each score in its row, the smallest first, ties by column.

    The bits of non-negative float32 numbers sort like integers. With the column appended, keys are
    distinct and need no stable sort, which makes this many times faster than `torch.argsort`.

    Args:
        scores: (rows, columns) float32, non-negative.

    Returns:
        (rows, columns) int16, or int32 for more than 2**15 columns.
    """
    columns = scores.shape[1]
    keys = scores.contiguous().numpy().view(np.uint32).astype(np.int64)  # (rows, columns)
    keys <<= _INDEX_BITS
    keys |= np.arange(columns)
    keys.sort(axis=1)
    keys &= _INDEX  # the columns in order
    dtype = torch.int16 if columns <= 1 << 15 else torch.int32
    places = torch.arange(columns, dtype=dtype)
    result = torch.empty(scores.shape, dtype=places.dtype)  # (rows, columns)
    return result.scatter_(1, torch.from_numpy(keys), places.expand_as(scores))


class RowPlan(Plan):
    """Removes the lowest-ranked weights of every row."""

    def __init__(
        self,
        weights: list[nn.Parameter],
        scores: Iterable[Tensor],
    ) -> None:
        """Rank the weights.

        Args:
            weights: Matrices, each (rows, columns).
            scores: For each matrix, (rows, columns) float32, non-negative; the lowest of a row are
                removed first.
        """
        self.parameters = weights
        self._ranks = [*map(ranks, scores)]

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each matrix's mask of the weights that stay; see `core.pruning.Plan`."""
        for rank in self._ranks:
            yield rank >= int(amount * rank.shape[1])  # (rows, columns)
