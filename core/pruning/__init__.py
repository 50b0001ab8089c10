"""Pruning methods: one per file behind one small protocol, and the registry.

A method reads the baseline once and makes a plan for all amounts. For each amount, the plan says which entries of
which parameters stay. `PrunedModel` applies a plan in place and restores the baseline at the end.
"""

from collections.abc import Callable, Mapping

from core.pruning import attribution, attribution_residual, magnitude, random, random_neuron, wanda
from core.pruning.calibration import Calibration
from core.pruning.plan import Baseline, Plan, Planning, PrunedModel, Removed

REGISTRY: Mapping[str, Callable[[Baseline], Planning]] = {
    "magnitude": magnitude.plan,
    "wanda": wanda.plan,
    "random": random.plan,
    "attribution": attribution.plan,
    "attribution-residual": attribution_residual.plan,
    "random-neuron": random_neuron.plan,
}

__all__ = ["REGISTRY", "Baseline", "Calibration", "Plan", "Planning", "PrunedModel", "Removed"]
