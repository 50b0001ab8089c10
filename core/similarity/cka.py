"""Linear CKA with the unbiased HSIC1, over minibatches: sum first, divide last.

CKA (Kornblith et al. 2019, arXiv 1905.00414) divides the sum of HSIC1 (`core.similarity.gram`)
over the minibatches by the root of the two self-similarities' sums.

The delete-one jackknife (Quenouille 1956; Tukey 1958) needs no resampled
representations. HSIC1 does not change when a_i + a_j is added off the diagonal, so the
U-centred matrices K, L, with zero row sums, can replace the raw matrices even without
example m. What remains has the row sums -K_im, whose total is 0, and eq. 3 becomes

    HSIC1 without m = [T - 2 (n-2)/(n-3) · p_m] / ((n-1)(n-4)),
    p_m = Σ_i K_im L_im,    T = Σ_m p_m.

(A bootstrap counts one example as two that agree, which biases the unbiased HSIC.)
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.similarity.gram import Grams, hsic, own_products

Array = npt.NDArray[np.float64]


def cka(first: Grams, second: Grams) -> Tensor:
    """Compute CKA of every point of one model with every point of another.

    Returns:
        (first points, second points) float64 in [-1, 1]; NaN where a representation is constant.
    """
    products = torch.outer(first.hsic, second.hsic)  # (first points, second points)
    scale = products.sqrt()
    similarity = hsic(first, second) / scale
    is_defined = torch.isfinite(similarity) & (scale > 0)
    return torch.where(is_defined, similarity, torch.nan)


def leave_one_out(first: Grams, second: Grams) -> Array:
    """Compute CKA of each point in two models without each example (see the module docstring).

    Args:
        first: One model, over a single batch of at least five examples.
        second: The other.

    Returns:
        (points, n), for each example m the CKA of the other n - 1; NaN where it is undefined.
    """
    cross = _sum_without(own_products(first, second).numpy())  # (points, n)
    a = _sum_without(first.by_example.numpy())  # (points, n)
    b = _sum_without(second.by_example.numpy())  # (points, n)
    is_defined = _exceeds_rounding(a, first)  # (points, n)
    is_defined &= _exceeds_rounding(b, second)
    scale = np.ones_like(cross)  # (points, n)
    np.sqrt(a * b, out=scale, where=is_defined)
    return np.where(is_defined, cross / scale, np.nan)


def _sum_without(p: Array) -> Array:
    """Compute T - 2 (n-2)/(n-3) · p_m: HSIC1 without m, up to a factor that CKA cancels."""
    n = p.shape[-1]
    total = p.sum(-1, keepdims=True)  # (points, 1)
    share = 2 * (n - 2) / (n - 3) * p  # (points, n)
    return np.asarray(total - share)


def _exceeds_rounding(left: Array, model: Grams) -> npt.NDArray[np.bool_]:
    """Whether more than rounding noise is left without example m, (points, n)."""
    p = model.by_example.numpy()  # (points, n)
    total = p.sum(-1, keepdims=True)  # (points, 1)
    unit = np.finfo(np.float64).eps
    noise = 4 * p.shape[-1] * unit * total  # (points, 1)
    return np.asarray(left > noise)
