"""The control of attribution: as many units of each layer and type, drawn at random.

Every unit gets a random rank from (seed, layer, type), so a larger amount removes
everything that a smaller amount does. `amount` is a fraction of the units, per layer and
type. Cost: negligible.
"""

import numpy as np
import torch

from core.pruning.plan import Baseline, Planning
from core.pruning.units import UnitPlan, clean_units


def plan(baseline: Baseline) -> Planning:
    """Rank the clean units at random; see the module docstring.

    Args:
        baseline: With a seed.
    """
    layers = clean_units(baseline.model)
    scores = [
        [
            torch.from_numpy(np.random.default_rng([baseline.seed, layer, kind]).permutation(units.size))
            for kind, units in enumerate(types)
        ]
        for layer, types in enumerate(layers)
    ]
    return UnitPlan(layers, scores)
    yield  # pragma: no cover; makes this function a Planning that ends at once
