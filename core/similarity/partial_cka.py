"""CKA given a third representation: what is alike in two layers beyond what both share with it.

On U-centred Gram matrices, HSIC1 is an inner product (Székely & Rizzo 2014, arXiv 1310.2926), so that CKA is a cosine,
and the partial correlation of i and j given z is the cosine of what is left of both after projecting z out:

    R = (C_ij - C_iz C_jz) / sqrt((1 - C_iz²)(1 - C_jz²)).

Here i is a point of the baseline, j the same point of the pruned model, and z that of the *emptied model*, the floor:
every matrix of the scope zero, biases kept. R says what similarity is left beyond the emptied model's. It is undefined
where (1 - C_iz²)(1 - C_jz²) < 1e-4: where the emptied model explains a layer nearly whole, nothing is left to compare.
"""

import numpy as np

from core.request.catalog import LEAST_LEFT
from core.similarity.cka import Array, Compared, Comparer, leave_one_out, own_cka
from core.similarity.gram import Grams, compare_own


def comparer(baseline: Grams, emptied: Grams | None) -> Comparer | None:
    """Compare each point of a pruned model with its own baseline, given the emptied model; None without one."""
    if emptied is None:
        return None
    baseline_floor = _compared(baseline, emptied)  # the same for every pruned model

    def compared(pruned: Grams) -> Compared:
        own, pruned_floor = _compared(baseline, pruned), _compared(pruned, emptied)
        without = [part.without for part in (own, baseline_floor, pruned_floor) if part.without is not None]
        return Compared(
            partial_cka(own.values, baseline_floor.values, pruned_floor.values),
            partial_cka(*without) if without else None,  # (points, n)
        )

    return compared


def _compared(first: Grams, second: Grams) -> Compared:
    """Compute CKA of each point in two models, and without each example where enough stay."""
    pair = compare_own(first, second)
    return Compared(own_cka(pair), leave_one_out(pair) if first.can_leave_one_out else None)


def partial_cka(own: Array, baseline_floor: Array, pruned_floor: Array) -> Array:
    """Compute partial CKA from three CKA values, elementwise; also from their delete-one replicates.

    Args:
        own: (…) CKA of the baseline and the pruned model, C_ij.
        baseline_floor: (…) CKA of the baseline and the emptied model, C_iz.
        pruned_floor: (…) CKA of the pruned and the emptied model, C_jz.

    Returns:
        (…) in [-1, 1]; NaN where it is undefined.
    """
    left = (1 - baseline_floor**2) * (1 - pruned_floor**2)  # (…)
    defined = left >= LEAST_LEFT  # False for NaN
    scale = np.sqrt(left, out=np.ones_like(left), where=defined)  # (…)
    return np.where(defined, (own - baseline_floor * pruned_floor) / scale, np.nan)
