"""Magnitude pruning guided by answers: each layer's share is chosen by the divergence of the output distributions.

As `core.pruning.cka`, with another loss: the mean Jensen-Shannon divergence from the unpruned model's distributions.
"""

from core.pruning.guided import plan_by
from core.pruning.magnitude import MagnitudePlan
from core.pruning.plan import Baseline


def plan(baseline: Baseline) -> MagnitudePlan:
    """Search and plan; see the module docstring."""
    return plan_by("divergence", baseline)
