"""Really remove layers: a smaller model that its configuration alone describes.

Nothing is zeroed: `num_hidden_layers` says what is left, so that transformers loads it as any other.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from torch import nn

from core.encoder.architectures import architecture_of


def cut(model: nn.Module, layers: Sequence[int]) -> Any:
    """Make a smaller model; what it keeps of the larger one's weights is the same memory.

    Args:
        model: A classifier whose layers do not differ by their place.
        layers: The encoder layers that stay, ascending, from 0.

    Returns:
        A model of the same class, with the configuration of its size.
    """
    small: Any = deepcopy(model, {id(weight): nn.Parameter(weight.data) for weight in model.parameters()})
    stack: Any = small.get_submodule(architecture_of(model).layers)
    for layer in sorted({*range(len(stack))} - {*layers}, reverse=True):
        del stack[layer]
    small.config.num_hidden_layers = len(stack)  # DistilBERT writes it as n_layers
    return small
