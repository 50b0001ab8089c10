"""Magnitude pruning with equal shares: in every encoder layer the same share of its weights, those closest to zero.

Formula: of a layer of n_l of the encoder's n weights, the round(amount · n) · n_l / n smallest |w| become 0, rounded to
whole weights that sum to round(amount · n); among equal |w| the lowest index goes first. `amount` is a fraction of the
encoder's weights. Cost: that of magnitude pruning.
"""

from functools import partial

from core.pruning.guided import plan_by

plan = partial(plan_by, "uniform")
