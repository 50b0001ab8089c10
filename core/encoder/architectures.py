"""Where an architecture keeps its encoder layers and their parts: the table that pruning and representations read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal, cast

from torch import nn

from core.inputs.checkpoint_files import check_model_type


@dataclass(frozen=True)
class Architecture:
    """Paths of the parts of an encoder classifier.

    Attributes:
        layers: From the model to the list of encoder layers; every other path starts at a layer.
        query: Makes the queries, as `key` the keys and `value` the values.
        attention_dense: Reads the context units that attention makes of the values.
        attention_norm: The LayerNorm whose output is the attention block after the residual connection.
        intermediate: Makes the intermediate units of the feed-forward network.
        output: Reads them.
        output_norm: The LayerNorm whose output is the layer's.
    """

    layers: str
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    attention_dense: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    intermediate: str = "intermediate.dense"
    output: str = "output.dense"
    output_norm: str = "output.LayerNorm"


Part = Literal[
    "query", "key", "value", "attention_dense", "attention_norm", "intermediate", "output", "output_norm"
]  # fmt: skip

_BERT = Architecture("bert.encoder.layer")
_ROBERTA = replace(_BERT, layers="roberta.encoder.layer")

ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": _BERT,
    "distilbert": Architecture(
        layers="distilbert.transformer.layer",
        query="attention.q_lin",
        key="attention.k_lin",
        value="attention.v_lin",
        attention_dense="attention.out_lin",
        attention_norm="sa_layer_norm",
        intermediate="ffn.lin1",
        output="ffn.lin2",
        output_norm="output_layer_norm",
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": replace(_BERT, layers="electra.encoder.layer"),
    "mpnet": replace(
        _BERT,
        layers="mpnet.encoder.layer",
        query="attention.attn.q",
        key="attention.attn.k",
        value="attention.attn.v",
        attention_dense="attention.attn.o",
        attention_norm="attention.LayerNorm",
    ),
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


def part(model: nn.Module, layer: nn.Module, name: Part) -> nn.Module:
    """Gives a part of one of the model's encoder layers, by its name in `Architecture`."""
    return cast(nn.Module, attrgetter(getattr(architecture_of(model), name))(layer))


def linear_weights(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yields the weight matrix of every nn.Linear inside `module`, in registration order."""
    for layer in linear_layers(module):
        yield cast(nn.Parameter, layer.weight)  # its stub says Tensor


def linear_layers(module: nn.Module) -> Iterator[nn.Linear]:
    """Yields every nn.Linear inside `module`, in registration order."""
    return (layer for layer in module.modules() if isinstance(layer, nn.Linear))


def num_prunable(model: nn.Module) -> int:
    """Counts the encoder's matrix weights, the denominator of `prunable_sparsity`."""
    return sum(weight.numel() for layer in encoder_layers(model) for weight in linear_weights(layer))
