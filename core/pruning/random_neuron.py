"""The control of attribution: as many units per layer and type, drawn at random.

Every unit gets a random rank from (seed, layer, type); what a smaller amount removes,
a larger one removes too. `amount` is a fraction of the units, per layer and type.
Cost: none worth naming.
"""

import numpy as np
import torch

from core.pruning.plan import Baseline, Planning
from core.pruning.units import UnitPlan, clean_units


def plan(baseline: Baseline) -> Planning:
    """Ranks the clean units at random; see the module's text.

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
    yield  # pragma: no cover; makes this a Planning that is done at once
