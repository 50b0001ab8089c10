"""Linear CKA with the unbiased HSIC1, over minibatches: sum first, divide last.

CKA (Kornblith et al. 2019, arXiv 1905.00414) divides the sum of HSIC1 (`core.similarity.gram`)
over the minibatches by the root of the two self-similarities' sums.

The delete-one jackknife (Quenouille 1956; Tukey 1958) needs no resampled
representations. HSIC1 does not change when a_i + a_j is added off the diagonal, so the
U-centred matrices K, L, with zero row sums, stand for the raw matrices even without
example m. The rest has the row sums -K_im, whose total is 0, and eq. 3 becomes

    HSIC1 without m = [T - 2 (n-2)/(n-3) · p_m] / ((n-1)(n-4)),    p_m = Σ_i K_im L_im,    T = Σ_m p_m.

(A bootstrap counts one example as two that agree, which biases the unbiased HSIC.)
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.similarity.gram import Comparison, Grams, OwnComparison, compare

Array = npt.NDArray[np.float64]


class Compared(NamedTuple):
    """A pruned model beside the baseline.

    Attributes:
        values: (baseline points, pruned points), or (points,) where a point is compared with its own baseline alone;
            NaN where similarity is undefined.
        without: (points, n), each point with its own baseline without each example; None if that is unknown.
    """

    values: Array
    without: Array | None = None

    @property
    def own(self) -> Array:
        """Each point with its own baseline, (points,)."""
        return self.values if self.values.ndim == 1 else self.values.diagonal()


Comparer = Callable[[Grams], Compared]
"""Compares a pruned model's representations with the baseline's, of which all is computed once that can be."""


def comparer(baseline: Grams) -> Comparer:
    """Compare every point of the baseline with every point of a pruned model."""

    def compared(pruned: Grams) -> Compared:
        comparison = compare(baseline, pruned)
        without = leave_one_out(comparison.own) if comparison.own and baseline.can_leave_one_out else None
        return Compared(cka(comparison).numpy(), without)

    return compared


def cka(compared: Comparison) -> Tensor:
    """Compute CKA of every point of one model with every point of another.

    Returns:
        (first points, second points) float64 in [-1, 1]; NaN where a representation is constant.
    """
    first, second = compared.first.hsic, compared.second.hsic  # (first points,), (second points,)
    scale = torch.outer(first, second).sqrt()  # (first points, second points)
    similarity = compared.hsic / scale  # (first points, second points)
    return torch.where(torch.isfinite(similarity) & (scale > 0), similarity, torch.nan)


def own_cka(compared: OwnComparison) -> Array:
    """Compute CKA of each point in two models over a single batch, (points,); NaN where it is undefined."""
    parts = (compared, compared.first, compared.second)
    cross, first, second = (part.by_example.numpy().sum(-1) for part in parts)  # each (points,)
    defined = (first > 0) & (second > 0)  # (points,)
    scale = np.sqrt(first * second, out=np.ones_like(cross), where=defined)  # (points,)
    return np.where(defined, cross / scale, np.nan)


def leave_one_out(compared: OwnComparison) -> Array:
    """Compute CKA of each point in two models without each example, in closed form (see the module docstring).

    Args:
        compared: A comparison over a single batch, of at least five examples.

    Returns:
        (points, n), for each example m the CKA of the other n - 1; NaN where it is undefined.
    """
    parts = (compared, compared.first, compared.second)
    cross, baseline, pruned = (part.by_example.numpy() for part in parts)  # each (points, n)
    without, baseline_without, pruned_without = map(_sum_without, (cross, baseline, pruned))  # each (points, n)
    defined = _is_more_than_rounding(baseline_without, baseline) & _is_more_than_rounding(pruned_without, pruned)
    scale = np.sqrt(baseline_without * pruned_without, out=np.ones_like(without), where=defined)  # (points, n)
    return np.where(defined, without / scale, np.nan)


def _sum_without(p: Array) -> Array:
    """Compute T - 2 (n-2)/(n-3) · p_m: HSIC1 without m, up to a factor that CKA cancels."""
    n = p.shape[-1]
    return np.asarray(p.sum(-1, keepdims=True) - 2 * (n - 2) / (n - 3) * p)


def _is_more_than_rounding(without: Array, p: Array) -> npt.NDArray[np.bool_]:
    """Whether more than rounding noise remains without example m."""
    return np.asarray(without > 4 * p.shape[-1] * np.finfo(np.float64).eps * p.sum(-1, keepdims=True))
