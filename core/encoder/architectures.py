"""Find the encoder layers, their parts and the classifier of each supported architecture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, cast

from torch import nn

from core.inputs.checkpoint_files import check_model_type


@dataclass(frozen=True)
class Architecture:
    """Attribute paths to the parts of an encoder classifier.

    Attributes:
        layers: From the model to its list of encoder layers.
        classifier: From the model to the linear layer that computes the logits. The paths below start at a layer.
        query: Computes the queries; `key` and `value` likewise.
        attention_dense: Reads the context units that attention computes from the values.
        attention_norm: The LayerNorm whose output is the attention block's, after the residual connection.
        intermediate: Computes the intermediate units of the feed-forward network.
        output: Reads the intermediate units.
        output_norm: The LayerNorm whose output is the layer's.
    """

    layers: str
    classifier: str = "classifier.out_proj"
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

_BERT = Architecture("bert.encoder.layer", classifier="classifier")
_ROBERTA = Architecture("roberta.encoder.layer")

ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": _BERT,
    "distilbert": Architecture(
        layers="distilbert.transformer.layer",
        classifier="classifier",
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
    "electra": Architecture("electra.encoder.layer"),
    "mpnet": Architecture(
        layers="mpnet.encoder.layer",
        query="attention.attn.q",
        key="attention.attn.k",
        value="attention.attn.v",
        attention_dense="attention.attn.o",
        attention_norm="attention.LayerNorm",
    ),
}


def architecture_of(model: nn.Module) -> Architecture:
    """Look up the paths to a model's parts.

    Raises:
        PrunescopeError: The model's type is not supported.
    """
    model_type = str(model.config.model_type)  # type: ignore[union-attr]
    check_model_type(model_type, type(model).__name__)
    return ARCHITECTURES[model_type]


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """Return the encoder layers in depth order."""
    return list(attrgetter(architecture_of(model).layers)(model))


def classifier(model: nn.Module) -> nn.Linear:
    """Return the linear layer that computes the logits, one row per label."""
    return cast(nn.Linear, attrgetter(architecture_of(model).classifier)(model))


def part(model: nn.Module, layer: nn.Module, name: Part) -> nn.Module:
    """Return a part of an encoder layer by its name in `Architecture`."""
    return cast(nn.Module, attrgetter(getattr(architecture_of(model), name))(layer))


def linear_weights(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the weight matrix of every nn.Linear inside `module`, in registration order."""
    for layer in linear_layers(module):
        yield cast(nn.Parameter, layer.weight)  # its stub says Tensor


def linear_layers(module: nn.Module) -> Iterator[nn.Linear]:
    """Yield every nn.Linear inside `module`, in registration order."""
    return (layer for layer in module.modules() if isinstance(layer, nn.Linear))


def num_prunable(model: nn.Module) -> int:
    """Count the encoder's matrix weights, the denominator of `prunable_sparsity`."""
    return sum(weight.numel() for layer in encoder_layers(model) for weight in linear_weights(layer))
