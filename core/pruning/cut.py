"""Really remove layers and feed-forward units: a smaller model that its configuration alone describes.

Nothing is zeroed: `num_hidden_layers` and `intermediate_size` say what is left, so that transformers loads it as any
other. That is also the limit: heads, or another number of units in each layer, no configuration can express.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from core.encoder.architectures import architecture_of
from core.results.cut import Cut, unpacked


def cut(model: nn.Module, layers: Sequence[int], kept: Sequence[Tensor] | None = None) -> Any:
    """Make a smaller model; what it keeps whole of the larger one's weights is the same memory.

    Args:
        model: A classifier whose layers do not differ by their place (`core.inputs.prepare.prepare_cut`).
        layers: The encoder layers that stay, ascending, from 0.
        kept: For each of these layers the positions of the intermediate units that stay, ascending, equally many; None
            keeps all.

    Returns:
        A model of the same class, with the configuration of its size.
    """
    found = architecture_of(model)
    small: Any = deepcopy(model, {id(weight): nn.Parameter(weight.data) for weight in model.parameters()})
    stack: Any = small.get_submodule(found.layers)
    for layer in sorted({*range(len(stack))} - {*layers}, reverse=True):
        del stack[layer]
    small.config.num_hidden_layers = len(stack)  # DistilBERT writes it as n_layers
    for layer, units in zip(stack, kept or (), strict=kept is not None):
        maker, reader = (layer.get_submodule(path) for path in (found.intermediate[0].path, found.output))
        maker.weight.data, maker.bias.data = maker.weight.data[units], maker.bias.data[units]  # (kept, hidden), (kept,)
        reader.weight.data = reader.weight.data[:, units]  # (hidden, kept)
        maker.out_features = reader.in_features = len(units)
        setattr(small.config, "hidden_dim" if hasattr(small.config, "hidden_dim") else "intermediate_size", len(units))
    return small


def most_attributed(scores: Sequence[Tensor], removed: float) -> list[Tensor]:
    """Choose the units that stay, of each layer the same share.

    Args:
        scores: For each layer (units,), the attribution of its intermediate units.
        removed: The share that goes, the least attribution first, of equal ones the lowest position.

    Returns:
        For each layer their positions, ascending.
    """
    return [torch.argsort(of, stable=True)[round(removed * len(of)) :].sort().values for of in scores]


def model_of(model: nn.Module, smaller: Cut) -> Any:
    """Make the smaller model, of at least one layer, that a study of this full model describes; see `cut`."""
    return cut(model, smaller.layers, [torch.from_numpy(unpacked(bits)) for bits in smaller.kept] or None)
