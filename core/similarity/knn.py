"""Mutual k-nearest neighbours: how many of an example's nearest neighbours two representations share.

A check on CKA, which a few far examples can move: it sees neighbourhoods alone. With the k = 10 nearest neighbours N_i
and N'_i of example i by cosine on centred features (the example itself left out, ties by index), and with
m = mean |N_i ∩ N'_i| / k, the value is (m - c) / (1 - c). c = k / (n - 1) is the share that chance gives, so that 1 is
the same neighbours and 0 is chance.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.request.catalog import NEIGHBOURS
from core.similarity.gram import BAND_BYTES, varies
from core.similarity.measure import Compared, Comparer, Sample

FEWEST = 2 * NEIGHBOURS + 2  # examples


@dataclass(frozen=True)
class Neighbourhoods:
    """Each example's nearest neighbours at every point.

    Attributes:
        nearest: (points, n, k) int64, the neighbours' indices.
        defined: (points,) bool, false where features do not vary or an example lies in the centre.
    """

    nearest: Tensor
    defined: Tensor


def comparer(baseline: Sample, emptied: Sample | None) -> Comparer | None:
    """Compare every point of the baseline with every point of a pruned model; None with too few examples."""
    if baseline.features is None or baseline.features.shape[-2] < FEWEST:
        return None
    neighbourhoods = neighbourhoods_of(baseline.features)

    def compared(pruned: Sample) -> Compared:
        assert pruned.features is not None  # as the baseline
        return Compared(mutual_knn(neighbourhoods, neighbourhoods_of(pruned.features)).numpy())

    return compared


def neighbourhoods_of(features: Tensor) -> Neighbourhoods:
    """Find each example's nearest neighbours, in bands of rows, so that memory grows with n alone.

    Args:
        features: (points, n, features) float32 or float64.

    Raises:
        ValueError: Fewer than 2k + 2 examples.
    """
    n = features.shape[-2]
    if n < FEWEST:
        raise ValueError(f"{NEIGHBOURS} nearest neighbours of {n} examples: at least {FEWEST} are needed")
    centred = (features - features.mean(-2, keepdim=True)).double()  # (points, n, features)
    lengths = centred.norm(dim=-1, keepdim=True)  # (points, n, 1)
    unit = centred / lengths  # (points, n, features)
    nearest = torch.cat([_nearest(unit, rows) for rows in _bands(len(features), n)], dim=-2)  # (points, n, k)
    defined = varies(features) & (lengths > 0).all(-2, keepdim=True)  # (points, 1, 1)
    return Neighbourhoods(nearest, defined.flatten())


def _nearest(unit: Tensor, rows: range) -> Tensor:
    """Find the neighbours of some rows, (points, n, features) -> (points, rows, k)."""
    cosine = unit[:, rows.start : rows.stop] @ unit.mT  # (points, rows, n)
    cosine.diagonal(rows.start, dim1=-2, dim2=-1).fill_(-2)  # itself comes last of all
    order = cosine.argsort(dim=-1, descending=True, stable=True)  # (points, rows, n)
    return order[..., :NEIGHBOURS].contiguous()  # a copy: a view would keep all of the order


def _bands(points: int, n: int) -> list[range]:
    """Cut n rows into bands whose square matrices of all points take at most BAND_BYTES together."""
    size = max(BAND_BYTES // (points * n * torch.float64.itemsize), 1)
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def mutual_knn(baseline: Neighbourhoods, pruned: Neighbourhoods) -> Tensor:
    """Compare every baseline point with every pruned point.

    Args:
        baseline: Of the unpruned model.
        pruned: Of the same examples.

    Returns:
        (baseline points, pruned points) float64, at most 1; NaN where a representation has no neighbours.
    """
    n = baseline.nearest.shape[-2]
    shared = torch.zeros(len(baseline.nearest), len(pruned.nearest), dtype=torch.float64)
    for rows in _bands(len(baseline.nearest) + len(pruned.nearest), n):
        found, again = (_indicators(model.nearest[:, rows.start : rows.stop], n) for model in (baseline, pruned))
        shared += found.flatten(1) @ again.flatten(1).T  # (baseline points, pruned points)
    chance = NEIGHBOURS / (n - 1)
    value = (shared / (n * NEIGHBOURS) - chance) / (1 - chance)  # (baseline points, pruned points)
    return value.where(baseline.defined[:, None] & pruned.defined, float("nan"))


def _indicators(nearest: Tensor, n: int) -> Tensor:
    """Mark neighbours by 1, (points, rows, k) -> (points, rows, n) float64."""
    return torch.zeros(*nearest.shape[:-1], n, dtype=torch.float64).scatter_(-1, nearest, 1.0)
