"""U-centred Gram matrices of representations, and the inner products from which CKA is computed.

HSIC1 (Song et al. 2012; Nguyen et al. 2021, arXiv 2010.15327, eq. 3) of two Gram
matrices K, L with zeroed diagonals is

    [tr(KL) + (1ᵀK1)(1ᵀL1)/((n-1)(n-2)) - 2/(n-2) · 1ᵀKL1] / (n(n-3)),

which is the inner product <Ũ(K), Ũ(L)> / (n(n-3)) of the U-centred matrices
(Székely & Rizzo 2014): Ũ(K)_ij = K_ij - (r_i + r_j)/(n-2) + s/((n-1)(n-2)) off the
diagonal and 0 on it, with row sums r and total s. So a Gram matrix is U-centred
once, and HSIC1 of all pairs of layers is one matrix product.

Everything here is a sum over rows of Gram matrices. A batch too large for one matrix
is cut into bands of rows that are computed when needed, so that memory grows with the
number of examples and not with its square.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from core.request.catalog import MAX_LENGTH, MIN_EXAMPLES

BAND_BYTES = 32 * 1024**2  # limit on the Gram matrices of all points in memory at once

# ---------------------------------------------------------------- Gram matrices


def u_centred_gram(features: Tensor) -> Tensor:
    """Compute the U-centred Gram matrices of one batch.

    Features are centred over the batch first: HSIC1 does not change, but float32 keeps its digits.

    Args:
        features: (points, n, features) float32 or float64, n ≥ 4.

    Returns:
        (points, n, n) float64 with zero diagonal and zero row sums.

    Raises:
        ValueError: Fewer than four examples.
    """
    every_row = slice(0, features.shape[-2])
    gram = _gram(_centred(features), every_row)  # (points, n, n)
    return _u_centred(gram, gram.sum(-1, keepdim=True), every_row)


def u_centred_bands(features: Tensor) -> Iterable[Tensor]:
    """Compute the U-centred Gram matrices of one batch of any size, in bands of rows.

    Args:
        features: See `u_centred_gram`.

    Returns:
        Bands (points, rows, n), which can be iterated over repeatedly: a single stored band if it
        takes at most BAND_BYTES, else several, computed anew in every iteration.

    Raises:
        ValueError: Fewer than four examples.
    """
    num_points, n, _ = features.shape
    rows = BAND_BYTES // (num_points * n * torch.float64.itemsize)
    if rows >= n:
        return [u_centred_gram(features)]
    return _Bands(_centred(features), max(rows, 1))


class _Bands:
    """Bands of U-centred Gram matrices, computed anew in every iteration.

    Args:
        centred: (points, n, features).
        rows: Rows of a band.
    """

    def __init__(self, centred: Tensor, rows: int) -> None:
        n = centred.shape[-2]
        self._centred = centred
        self._bands = [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
        sums = [_gram(centred, band).sum(-1, keepdim=True) for band in self._bands]
        self._sums = torch.cat(sums, dim=-2)  # (points, n, 1)

    def __iter__(self) -> Iterator[Tensor]:
        for band in self._bands:
            yield _u_centred(_gram(self._centred, band), self._sums, band)  # (points, rows, n)


def _centred(features: Tensor) -> Tensor:
    """Centre features over the batch; a constant representation becomes exactly zero."""
    n = features.shape[-2]
    if n < 4:
        raise ValueError(f"CKA over {n} examples: the unbiased HSIC needs at least 4")
    centred = features - features.mean(-2, keepdim=True)  # (points, n, features)
    centred *= varies(features)
    return centred


def _gram(centred: Tensor, band: slice) -> Tensor:
    """Compute a band of rows of the Gram matrices, with a zero diagonal."""
    gram = (centred[:, band] @ centred.mT).double()  # (points, rows, n)
    gram.diagonal(band.start, -2, -1).zero_()
    return gram


def _u_centred(gram: Tensor, sums: Tensor, band: slice) -> Tensor:
    """U-centre a band of rows in place, given the whole matrices' row sums, (points, n, 1)."""
    n = gram.shape[-1]
    gram -= (sums[:, band] + sums.mT) / (n - 2)  # (points, rows, n)
    gram += sums.sum(-2, keepdim=True) / ((n - 1) * (n - 2))
    gram.diagonal(band.start, -2, -1).zero_()
    return gram


def varies(features: Tensor) -> Tensor:
    """Find the representations that vary over the batch; the others are constant up to rounding.

    A constant c need not arrive as equal numbers, because the mean over an example's T tokens
    rounds. In whatever order they are added, T - 1 additions and one division move the mean of a
    constant by at most T · u · |c| to first order (Higham, Accuracy and Stability of Numerical
    Algorithms, section 4.2), with the unit roundoff u = eps / 2. So two examples of at most
    MAX_LENGTH tokens differ by at most MAX_LENGTH · eps · |c|, and a feature in which two differ by
    more varies. A step of float16 is at least 2¹² · eps · |c|, well above that bound.

    The batch size does not matter: examples are compared with each other, not with a mean that
    rounds as well. Nor does the number of features: each is judged by its own size, because a small
    feature may vary beside a large constant.

    Args:
        features: (points, n, features).

    Returns:
        (points, 1, 1) bool, whether any feature varies.
    """
    smallest = features.amin(-2, keepdim=True)  # (points, 1, features)
    largest = features.amax(-2, keepdim=True)  # (points, 1, features)
    size = torch.maximum(smallest.abs(), largest.abs())  # (points, 1, features)
    bound = MAX_LENGTH * torch.finfo(features.dtype).eps * size  # (points, 1, features)
    return (largest - smallest > bound).any(-1, keepdim=True)


# ---------------------------------------------------------------- inner products


class Grams(NamedTuple):
    """A model's Gram matrices under one reduction, and their inner products with themselves.

    Attributes:
        pieces: All minibatches, or the bands of a single batch, each (points, rows, n), U-centred.
        hsic: (points,) float64, HSIC1 of each point with itself, summed over the minibatches; never
            negative.
        by_example: (points, examples) float64, Σ_i K_im² of each example m within its minibatch.
        can_leave_one_out: Whether this is a single batch with enough examples to leave one out.
    """

    pieces: Iterable[Tensor]
    hsic: Tensor
    by_example: Tensor
    can_leave_one_out: bool


def prepare(pieces: Iterable[Tensor]) -> Grams:
    """Compute what every comparison needs from one model.

    Args:
        pieces: All minibatches, or the bands of a single batch, each (points, rows, n), U-centred.
    """
    hsic = []
    sums = []
    for gram in pieces:
        squares = gram.square()  # (points, rows, n)
        hsic.append(squares.sum((-2, -1)) / _pairs(gram))  # (points,)
        sums.append(squares.sum(-1))  # (points, rows)
    by_example = torch.cat(sums, -1)  # (points, examples)
    examples = by_example.shape[-1]
    is_single_batch = examples == gram.shape[-1]
    return Grams(
        pieces,
        torch.stack(hsic).sum(0),
        by_example,
        can_leave_one_out=is_single_batch and examples > MIN_EXAMPLES,
    )


def hsic(first: Grams, second: Grams) -> Tensor:
    """Compute HSIC1 of all points in two models, summed over the minibatches.

    Args:
        first: One model.
        second: The other, on the same examples in the same minibatches.

    Returns:
        (first points, second points) float64.
    """
    products = [
        a.flatten(1) @ b.flatten(1).T / _pairs(a)
        for a, b in zip(first.pieces, second.pieces, strict=True)
    ]  # each (first points, second points)
    return torch.stack(products).sum(0)


def own_products(first: Grams, second: Grams) -> Tensor:
    """Compute Σ_i K_im L_im of each point in two models, for each example m.

    Returns:
        (points, examples) float64.
    """
    pairs = zip(first.pieces, second.pieces, strict=True)
    return torch.cat([(a * b).sum(-1) for a, b in pairs], -1)


def _pairs(gram: Tensor) -> int:
    n = gram.shape[-1]
    return n * (n - 3)
