"""Linear CKA with the unbiased HSIC1, over minibatches: sum first, divide last.

HSIC1 (Song et al. 2012; Nguyen et al. 2021, arXiv 2010.15327, eq. 3) of two Gram
matrices K, L with zeroed diagonals is

    [tr(KL) + (1ᵀK1)(1ᵀL1)/((n-1)(n-2)) - 2/(n-2) · 1ᵀKL1] / (n(n-3)),

which is the inner product <Ũ(K), Ũ(L)> / (n(n-3)) of the U-centred matrices
(Székely & Rizzo 2014): Ũ(K)_ij = K_ij - (r_i + r_j)/(n-2) + s/((n-1)(n-2)) off the
diagonal and 0 on it, with row sums r and total s. So a Gram matrix is U-centred
once, and HSIC1 of all pairs of layers is one matrix product.

CKA (Kornblith et al. 2019, arXiv 1905.00414) divides the sum of HSIC1 over the
minibatches by the root of the two self-similarities' sums.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def u_centred_gram(features: Tensor) -> Tensor:
    """Computes U-centred Gram matrices of the features.

    Features are centred over the batch first: HSIC1 does not change, but float32 keeps its digits.

    Args:
        features: (points, n, features) float32 or float64, n ≥ 4.

    Returns:
        (points, n, n) float64 with zero diagonal and zero row sums.

    Raises:
        ValueError: Fewer than four examples.
    """
    n = features.shape[-2]
    if n < 4:
        raise ValueError(f"CKA over {n} examples: the unbiased HSIC needs at least 4")
    centred = features - features.mean(-2, keepdim=True)  # (points, n, features)
    gram = (centred @ centred.mT).double()  # (points, n, n)
    gram = gram * varies(features, centred)
    gram.diagonal(dim1=-2, dim2=-1).zero_()
    rows = gram.sum(-1, keepdim=True)  # (points, n, 1)
    total = rows.sum(-2, keepdim=True)  # (points, 1, 1)
    gram = gram - (rows + rows.mT) / (n - 2) + total / ((n - 1) * (n - 2))  # (points, n, n)
    gram.diagonal(dim1=-2, dim2=-1).zero_()
    return gram


def varies(features: Tensor, centred: Tensor) -> Tensor:
    """Tells constant features from varying ones: what the mean's rounding leaves is no variation.

    Args:
        features: (points, n, features).
        centred: The same, less their mean over the batch.

    Returns:
        (points, 1, 1) bool.
    """
    bound = 4 * torch.finfo(features.dtype).eps * _largest(features)  # (points, 1, 1)
    return _largest(centred) > bound  # (points, 1, 1)


def _largest(features: Tensor) -> Tensor:
    largest: Tensor = torch.linalg.vector_norm(features, torch.inf, (-2, -1), keepdim=True)  # (points, 1, 1)
    return largest


def hsic(grams: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Sums HSIC1 of all pairs of points over the minibatches.

    Args:
        grams: For each minibatch (points, n, n), U-centred.
        others: The same minibatches at other points or of another model.

    Returns:
        (points, other points) float64.
    """
    return torch.stack([_hsic1(a, b) for a, b in zip(grams, others, strict=True)]).sum(0)


def self_hsic(grams: Sequence[Tensor]) -> Tensor:
    """Sums HSIC1 of each point with itself over the minibatches.

    Args:
        grams: For each minibatch (points, n, n), U-centred.

    Returns:
        (points,) float64, never negative.
    """
    return torch.stack([gram.square().sum((-2, -1)) / _pairs(gram) for gram in grams]).sum(0)


def example_sums(gram: Tensor, other: Tensor) -> Tensor:
    """Splits tr(KL) of each point with the same point of another model by example, for `core.sweep.statistics`.

    Args:
        gram: (points, n, n), U-centred.
        other: The same examples of another model, or the same again.

    Returns:
        (points, n) float64, Σ_i K_im L_im.
    """
    return (gram * other).sum(-1)


def _hsic1(gram: Tensor, other: Tensor) -> Tensor:
    return gram.flatten(1) @ other.flatten(1).T / _pairs(gram)  # (points, other points)


def _pairs(gram: Tensor) -> int:
    n = gram.shape[-1]
    return n * (n - 3)


def cka(baseline: Sequence[Tensor], pruned: Sequence[Tensor]) -> Tensor:
    """Compares every baseline point with every pruned point.

    Args:
        baseline: For each minibatch (points, n, n), U-centred.
        pruned: The same minibatches of the pruned model.

    Returns:
        (baseline points, pruned points) float64 in [-1, 1]; NaN where a representation is constant.
    """
    scale = torch.outer(self_hsic(baseline), self_hsic(pruned)).sqrt()  # (baseline points, pruned points)
    similarity = hsic(baseline, pruned) / scale  # (baseline points, pruned points)
    return torch.where(torch.isfinite(similarity) & (scale > 0), similarity, torch.nan)
