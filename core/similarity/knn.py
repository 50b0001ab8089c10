"""Mutual k-nearest neighbours: how many of an example's nearest neighbours two representations share.

A check on CKA, which a few far examples can move: it sees neighbourhoods alone. With the k = 10 nearest neighbours N_i
and N'_i of example i by cosine on centred features (the example itself left out, ties by index), and with
m = mean |N_i ∩ N'_i| / k, the value is (m - c) / (1 - c). c = k / (n - 1) is the share that chance gives, so that 1 is
the same neighbours and 0 is chance.
"""

from torch import Tensor

from core.request.catalog import NEIGHBOURS
from core.similarity.gram import varies
from core.similarity.measure import Compared, Comparer, Sample

FEWEST = 2 * NEIGHBOURS + 2  # examples


def comparer(baseline: Sample, emptied: Sample | None) -> Comparer | None:
    """Compare every point of the baseline with every point of a pruned model; None with too few examples."""
    if baseline.features is None or baseline.features.shape[-2] < FEWEST:
        return None
    neighbours = nearest(baseline.features)  # (points, n, n)

    def compared(pruned: Sample) -> Compared:
        assert pruned.features is not None  # as the baseline
        return Compared(mutual_knn(neighbours, nearest(pruned.features)).numpy())

    return compared


def nearest(features: Tensor) -> Tensor:
    """Find each example's nearest neighbours.

    Args:
        features: (points, n, features) float32 or float64.

    Returns:
        (points, n, n) float32, 1 where the column's example is one of the row's nearest; NaN at a point whose features
        do not vary or where an example lies in the centre.

    Raises:
        ValueError: Fewer than 2k + 2 examples.
    """
    n = features.shape[-2]
    if n < FEWEST:
        raise ValueError(f"{NEIGHBOURS} nearest neighbours of {n} examples: at least {FEWEST} are needed")
    centred = (features - features.mean(-2, keepdim=True)).double()  # (points, n, features)
    lengths = centred.norm(dim=-1, keepdim=True)  # (points, n, 1)
    cosine = (centred / lengths) @ (centred / lengths).mT  # (points, n, n)
    cosine.diagonal(dim1=-2, dim2=-1).fill_(-2)  # last of all
    order = cosine.argsort(dim=-1, descending=True, stable=True)[..., :NEIGHBOURS]  # (points, n, k)
    found = cosine.new_zeros(cosine.shape).scatter_(-1, order, 1.0)  # (points, n, n)
    defined = varies(features) & (lengths > 0).all(-2, keepdim=True)  # (points, 1, 1)
    neighbours: Tensor = found.where(defined, float("nan")).float()  # (points, n, n)
    return neighbours


def mutual_knn(baseline: Tensor, pruned: Tensor) -> Tensor:
    """Compare every baseline point with every pruned point.

    Args:
        baseline: (points, n, n) from `nearest`.
        pruned: (points, n, n) from `nearest`, the same examples.

    Returns:
        (baseline points, pruned points) float64, at most 1; NaN where a representation has no neighbours.
    """
    n = baseline.shape[-1]
    shared = baseline.flatten(1).double() @ pruned.flatten(1).double().T  # (baseline points, pruned points)
    chance = NEIGHBOURS / (n - 1)
    value: Tensor = (shared / (n * NEIGHBOURS) - chance) / (1 - chance)  # (baseline points, pruned points)
    return value
