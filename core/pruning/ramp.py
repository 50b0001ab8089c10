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
    used_up = np.sort(1 / np.array(slopes))  # (groups,)
    scales = np.append(0, used_up)  # (scales,)
    shares_at = np.minimum(np.outer(scales, slopes), 1)  # (scales, groups)
    totals = (shares_at * sizes).sum(1)  # (scales,)
    scale = np.interp(total, totals, scales)
    shares = np.minimum(np.multiply(slopes, scale), 1)  # (groups,)
    until = (shares * sizes).cumsum()  # (groups,)
    ends = np.floor(until + 0.5)  # (groups,) whole numbers with an exact sum
    counts = np.diff(ends, prepend=0)  # (groups,)
    return counts.astype(int).tolist()


def plan(baseline: Baseline) -> MagnitudePlan:
    """Plan pruning along a ramp; see the module docstring.

    Args:
        baseline: With a scope.
    """
    layers = encoder_layers(baseline.model)
    rises = [1.0]
    if len(layers) > 1:
        rises = np.linspace(0.5, 1.5, len(layers)).tolist()
    slope_of = dict[int, float]()
    for rise, layer in zip(rises, layers, strict=True):
        for weight in linear_weights(layer):
            slope_of[id(weight)] = rise

    slopes = list[float]()
    groups = list[list[nn.Parameter]]()
    sizes = list[int]()
    weights = scoped_weights(baseline.model, baseline.scope)
    for slope, members in groupby(weights, lambda weight: slope_of.get(id(weight), 1.0)):
        group = list(members)
        slopes.append(slope)
        groups.append(group)
        sizes.append(sum(weight.numel() for weight in group))

    counts = dict[float, list[int]]()
    for amount in baseline.amounts:
        total = round(amount * sum(sizes))
        counts[amount] = shared_out(total, sizes, slopes)
    return MagnitudePlan(groups, counts)
