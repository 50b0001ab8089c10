"""The control of a neuron method: as many units of each layer and type, drawn at random.

Every unit gets a random rank from (seed, layer, type), so a larger amount removes all
that a smaller amount removes. The units are those of the controlled method, and removing
one means the same. `amount` is a fraction of the units, per layer and type.

Cost: negligible.
"""

import numpy as np
import torch

from core.pruning.plan import Baseline, module_of
from core.pruning.units import UnitPlan


def plan(baseline: Baseline) -> UnitPlan:
    """Rank the controlled method's units at random; see the module docstring.

    Args:
        baseline: With a seed and the controlled method.
    """
    assert baseline.controls is not None  # a checked request
    layers = module_of(baseline.controls).units(baseline.model)
    scores = list[list[torch.Tensor]]()
    for layer, types in enumerate(layers):
        scores.append([])
        for kind, units in enumerate(types):
            random = np.random.default_rng([baseline.seed, layer, kind])
            scores[-1].append(torch.from_numpy(random.permutation(units.size)))
    return UnitPlan(layers, scores)
