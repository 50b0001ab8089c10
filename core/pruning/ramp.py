"""Magnitude pruning along a ramp: upper layers lose more of their weights than lower ones.

Formula: layer l of L (from 0) loses the share amount · (1/2 + l / (L - 1)) of its weights, those
closest to zero; matrices outside the layers lose the share `amount`. If a share would exceed 1, or
only some layers are pruned, all other shares grow in proportion, so that round(amount · n) of the n
weights go in total. One layer alone loses the share `amount`. No examples are needed.

Cost: that of magnitude pruning.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from torch import nn

from core.encoder.architectures import encoder_layers, linear_weights
from core.pruning.magnitude import MagnitudePlan, scoped_weights
from core.pruning.plan import Baseline


def shared_out(total: int, sizes: Sequence[int], slopes: Sequence[float]) -> list[int]:
    """Share out a number of weights to remove.

    Args:
        total: The number, at most the sum of the sizes.
        sizes: The number of weights in each group of matrices.
        slopes: For each group, what its share of weights to remove is proportional to until the
            share is 1.

    Returns:
        The number of weights that each group loses.
    """
    # Where nothing is removed, and where each group is used up; totals are linear in between.
    scales = [0, *sorted(1 / np.array(slopes))]
    totals = (np.minimum(np.outer(scales, slopes), 1) * sizes).sum(1)  # (scales,)
    shares = np.minimum(np.multiply(slopes, np.interp(total, totals, scales)), 1)  # (groups,)
    ends = np.floor((shares * sizes).cumsum() + 0.5)  # (groups,) whole numbers with an exact sum
    return [int(count) for count in np.diff(ends, prepend=0)]


def plan(baseline: Baseline) -> MagnitudePlan:
    """Plan pruning along a ramp; see the module docstring.

    Args:
        baseline: With a scope.
    """
    layers = encoder_layers(baseline.model)
    rises = np.linspace(0.5, 1.5, len(layers)).tolist() if len(layers) > 1 else [1.0]
    slope_of = dict[int, float]()
    for rise, layer in zip(rises, layers, strict=True):
        slope_of |= dict.fromkeys(map(id, linear_weights(layer)), rise)
    slopes = list[float]()
    groups = list[list[nn.Parameter]]()
    weights = scoped_weights(baseline.model, baseline.scope)
    for slope, group in groupby(weights, lambda weight: slope_of.get(id(weight), 1.0)):
        slopes.append(slope)
        groups.append(list(group))
    sizes = [sum(weight.numel() for weight in group) for group in groups]
    counts = dict[float, list[int]]()
    for amount in baseline.amounts:
        counts[amount] = shared_out(round(amount * sum(sizes)), sizes, slopes)
    return MagnitudePlan(groups, counts)
