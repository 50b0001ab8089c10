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

from core.request.catalog import MAX_LENGTH

BAND_BYTES = 32 * 1024**2  # limit on the Gram matrices of all points in memory at once

# ---------------------------------------------------------------- Gram matrices


def u_centred_gram(features: Tensor) -> Tensor:
    """Compute the U-centred Gram matrices of one batch.

    Features are centred over the batch first: HSIC1 does not change, but float32 keeps its digits.

    Args:
        features: (points, n, features) float32 or float64, n ≥ 4.

    Returns:
        (points, n, n) float64 with zero diagonal and zero row sums.
    """
    every_row = slice(0, features.shape[-2])
    gram = _gram(_centred(features), every_row)  # (points, n, n)
    sums = gram.sum(-1, keepdim=True)  # (points, n, 1)
    return _u_centred(gram, sums, every_row)


def u_centred_bands(features: Tensor) -> Iterable[Tensor]:
    """Compute the U-centred Gram matrices of one batch of any size, in bands of rows.

    Args:
        features: See `u_centred_gram`.

    Returns:
        Bands (points, rows, n), which can be iterated over repeatedly: a single stored band if it
        takes at most BAND_BYTES, else several, computed anew in every iteration.
    """
    num_points, n, _ = features.shape
    row_bytes = num_points * n * torch.float64.itemsize
    rows = BAND_BYTES // row_bytes
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
        self._bands = []
        sums = []
        for start in range(0, n, rows):
            band = slice(start, min(start + rows, n))
            gram = _gram(centred, band)  # (points, rows, n)
            self._bands.append(band)
            sums.append(gram.sum(-1, keepdim=True))  # (points, rows, 1)
        self._sums = torch.cat(sums, dim=-2)  # (points, n, 1)

    def __iter__(self) -> Iterator[Tensor]:
        for band in self._bands:
            gram = _gram(self._centred, band)  # (points, rows, n)
            yield _u_centred(gram, self._sums, band)


def _centred(features: Tensor) -> Tensor:
    """Centre features over the batch; a constant representation becomes exactly zero."""
    centred = features - features.mean(-2, keepdim=True)  # (points, n, features)
    centred *= varies(features)
    return centred


def _gram(centred: Tensor, band: slice) -> Tensor:
    """Compute a band of rows of the Gram matrices, with a zero diagonal."""
    products = centred[:, band] @ centred.mT  # (points, rows, n)
    gram = products.double()
    gram.diagonal(band.start, -2, -1).zero_()
    return gram


def _u_centred(gram: Tensor, sums: Tensor, band: slice) -> Tensor:
    """U-centre a band of rows in place, given the whole matrices' row sums, (points, n, 1)."""
    n = gram.shape[-1]
    totals = sums.sum(-2, keepdim=True)  # (points, 1, 1)
    pair_sums = sums[:, band] + sums.mT  # (points, rows, n)
    gram -= pair_sums / (n - 2)
    gram += totals / ((n - 1) * (n - 2))
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
    eps = torch.finfo(features.dtype).eps
    bound = MAX_LENGTH * eps * size  # (points, 1, features)
    differs = largest - smallest > bound  # (points, 1, features)
    return differs.any(-1, keepdim=True)


# ---------------------------------------------------------------- inner products


class Grams(NamedTuple):
    """A model's Gram matrices under one reduction, and their inner products with themselves.

    Attributes:
        pieces: All minibatches, or the bands of a single batch, each (points, rows, n), U-centred.
        hsic: (points,) float64, HSIC1 of each point with itself, summed over the minibatches; never
            negative.
        by_example: (points, examples) float64, Σ_i K_im² of each example m within its minibatch.
    """

    pieces: Iterable[Tensor]
    hsic: Tensor
    by_example: Tensor


def prepare(pieces: Iterable[Tensor]) -> Grams:
    """Compute what every comparison needs from one model.

    Args:
        pieces: All minibatches, or the bands of a single batch, each (points, rows, n), U-centred.
    """
    hsic = []
    sums = []
    for gram in pieces:
        squares = gram.square()  # (points, rows, n)
        total = squares.sum((-2, -1))  # (points,)
        hsic.append(total / _pairs(gram))
        sums.append(squares.sum(-1))  # (points, rows)
    return Grams(
        pieces,
        hsic=torch.stack(hsic).sum(0),
        by_example=torch.cat(sums, -1),
    )


def hsic(first: Grams, second: Grams) -> Tensor:
    """Compute HSIC1 of all points in two models, summed over the minibatches.

    Args:
        first: One model.
        second: The other, on the same examples in the same minibatches.

    Returns:
        (first points, second points) float64.
    """
    terms = []
    for a, b in zip(first.pieces, second.pieces, strict=True):
        products = a.flatten(1) @ b.flatten(1).T  # (first points, second points)
        terms.append(products / _pairs(a))
    return torch.stack(terms).sum(0)


def own_products(first: Grams, second: Grams) -> Tensor:
    """Compute Σ_i K_im L_im of each point in two models, for each example m.

    Returns:
        (points, examples) float64.
    """
    sums = []
    for a, b in zip(first.pieces, second.pieces, strict=True):
        products = a * b  # (points, rows, n)
        sums.append(products.sum(-1))  # (points, rows)
    return torch.cat(sums, -1)


def _pairs(gram: Tensor) -> int:
    n = gram.shape[-1]
    return n * (n - 3)
