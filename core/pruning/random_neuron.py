"""The control of a neuron method: as many units of each layer and type, drawn at random.

Every unit gets a random rank from (seed, layer, type), so a larger amount removes
everything that a smaller amount does. The units are those of the controlled method,
`attribution` by default, and are removed as it removes them. `amount` is a fraction of the
units, per layer and type. Cost: negligible.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from core.pruning.plan import Baseline, Planning
from core.pruning.units import UnitPlan, Units, clean_units, hidden_units

_ALLOCATIONS: Mapping[str, Callable[[nn.Module], list[tuple[Units, ...]]]] = {
    "attribution": clean_units,
    "attribution-residual": hidden_units,
}


def plan(baseline: Baseline) -> Planning:
    """Rank the controlled method's units at random; see the module docstring.

    Args:
        baseline: With a seed and the controlled method.

    Raises:
        ValueError: The controlled method removes no units.
    """
    layers = baseline.controlled("random-neuron", _ALLOCATIONS)(baseline.model)
    scores = [
        [
            torch.from_numpy(np.random.default_rng([baseline.seed, layer, kind]).permutation(units.size))
            for kind, units in enumerate(types)
        ]
        for layer, types in enumerate(layers)
    ]
    return UnitPlan(layers, scores)
    yield  # pragma: no cover; makes this function a Planning that ends at once
