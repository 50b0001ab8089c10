"""Where an architecture keeps its encoder layers: the one table that pruning and representations read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import cast

from torch import nn

from core.catalog import check_model_type


@dataclass(frozen=True)
class Architecture:
    """Paths of the parts of an encoder classifier.

    Attributes:
        layers: From the model to the list of encoder layers.
        attention_output: From a layer to the module whose output is the attention block after residual and LayerNorm.
    """

    layers: str
    attention_output: str


ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture("bert.encoder.layer", "attention.output"),
}


def architecture_of(model: nn.Module) -> Architecture:
    """Looks up where `model` keeps its layers.

    Raises:
        PrunescopeError: The model's type is not in the table.
    """
    model_type = str(model.config.model_type)  # type: ignore[union-attr]
    check_model_type(model_type, type(model).__name__)
    return ARCHITECTURES[model_type]


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """Gives the encoder layers in depth order."""
    return list(attrgetter(architecture_of(model).layers)(model))


def attention_output(model: nn.Module, layer: nn.Module) -> nn.Module:
    """Gives the module whose output is the layer's attention block after residual and LayerNorm."""
    module: nn.Module = attrgetter(architecture_of(model).attention_output)(layer)
    return module


def linear_weights(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yields the weight matrix of every nn.Linear inside `module`, in registration order."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            yield cast(nn.Parameter, part.weight)  # its stub says Tensor


def num_prunable(model: nn.Module) -> int:
    """Counts the encoder's matrix weights, the denominator of `prunable_sparsity`."""
    return sum(weight.numel() for layer in encoder_layers(model) for weight in linear_weights(layer))
