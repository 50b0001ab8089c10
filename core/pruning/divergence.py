"""Magnitude pruning guided by answers: each layer's share is chosen by the divergence of the output distributions.

As `core.pruning.cka`, with another loss: the mean Jensen-Shannon divergence from the unpruned model's distributions.
"""

from functools import partial

from core.pruning.guided import plan_by

plan = partial(plan_by, "divergence")
