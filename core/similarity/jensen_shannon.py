"""How far apart the output distributions of two models are: the Jensen-Shannon divergence in bits (Lin 1991).

It is the square of SciPy's distance: 0 for equal distributions, 1 for disjoint ones.
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

Array = npt.NDArray[np.float64]


def divergences(baseline: npt.NDArray[np.float32], pruned: npt.NDArray[np.float32]) -> Array:
    """Compute the Jensen-Shannon divergence of each example's output distributions.

    Args:
        baseline: (examples, labels) logits of the unpruned model.
        pruned: (examples, labels) logits of the pruned model.

    Returns:
        (examples,) bits, in [0, 1].
    """
    before, after = (softmax(logits.astype(np.float64), axis=1) for logits in (baseline, pruned))
    squared = jensenshannon(before, after, base=2, axis=1) ** 2  # (examples,)
    return np.asarray(np.nan_to_num(squared))  # rounding below 0 under SciPy's root gives NaN: equal distributions
