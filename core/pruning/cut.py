"""Remove whole layers: a smaller model, not zeros in place.

Its configuration says how many layers are left, so that transformers loads it like any other model.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from torch import nn

from core.encoder.architectures import architecture_of


def cut(model: nn.Module, layers: Sequence[int]) -> Any:
    """Make a smaller model, which shares the memory of the weights it keeps.

    Args:
        model: A classifier; ModernBERT, whose first layer differs, can only lose its last ones.
        layers: The encoder layers that stay, ascending, from 0.

    Returns:
        A model of the same class, with its own configuration.
    """
    shared = {id(weight): nn.Parameter(weight.data) for weight in model.parameters()}
    small: Any = deepcopy(model, shared)
    stack: Any = small.get_submodule(architecture_of(model).layers)
    for layer in sorted({*range(len(stack))} - {*layers}, reverse=True):
        del stack[layer]
    small.config.num_hidden_layers = len(stack)  # DistilBERT saves it as n_layers
    kinds = getattr(small.config, "layer_types", None)  # ModernBERT's
    if kinds:
        small.config.layer_types = [kinds[layer] for layer in layers]
    return small
