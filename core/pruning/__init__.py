"""Pruning methods: one a file behind one small protocol, and the registry.

A method looks at the baseline once and makes a plan for all amounts; the plan
then says, amount by amount, which entries of which parameters are kept.
`PrunedModel` applies a plan in place and gives the baseline back at the end.
"""

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from core.pruning import magnitude
from core.pruning.plan import Plan, PrunedModel, Removed

MakePlan = Callable[[nn.Module, str | None, Sequence[float]], Plan]

REGISTRY: Mapping[str, MakePlan] = {"magnitude": magnitude.plan}

__all__ = ["REGISTRY", "MakePlan", "Plan", "PrunedModel", "Removed"]
