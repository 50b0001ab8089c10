"""Find the encoder layers, their parts and the classifier of each supported architecture."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, cast

from torch import Tensor, nn

from core.inputs.checkpoint_files import check_model_type


class Tap(NamedTuple):
    """What to record: the tensor that a module reads (its first argument), or the one that it returns."""

    module: nn.Module
    side: Literal["input", "output"]


class Catcher(ExitStack):
    """Records one tensor per tap in every forward pass of a model, that of the module's first call.

    Some modules are called again in the same pass: DeBERTa's query and key matrices read the tokens first and the
    relative positions second. A context manager: on exit every hook is removed.
    """

    def __init__(self, model: nn.Module, taps: Sequence[Tap]) -> None:
        """Register one hook per tap, and one that marks the start of a pass.

        Args:
            model: The model that is run.
            taps: Modules of the model.
        """
        super().__init__()
        self._count = len(taps)
        self._caught: dict[int, Tensor] = {}
        self.callback(model.register_forward_pre_hook(lambda *_: self._caught.clear()).remove)
        for index, (module, side) in enumerate(taps):
            register = module.register_forward_pre_hook if side == "input" else module.register_forward_hook
            self.callback(register(partial(self._catch, index)).remove)

    @property
    def states(self) -> list[Tensor]:
        """The tensors of the last forward pass, in the order of the taps."""
        return [self._caught[index] for index in range(self._count)]

    def _catch(self, index: int, module: nn.Module, inputs: tuple[Tensor, ...], output: Any = None) -> None:
        values = inputs if output is None else output
        self._caught.setdefault(index, values if isinstance(values, Tensor) else values[0])  # most are tuples


@dataclass(frozen=True)
class Rows:
    """The rows of a layer's matrix that compute one thing: all of them, or a block where a layer fuses matrices.

    Attributes:
        path: From a layer to the nn.Linear.
        block: Which of the matrix's equal blocks of rows, from 0.
    """

    path: str
    block: int = 0


@dataclass(frozen=True)
class Architecture:
    """Attribute paths to the parts of an encoder classifier.

    Attributes:
        layers: From the model to its list of encoder layers.
        classifier: From the model to the linear layer that computes the logits. The paths below start at a layer.
        value: Computes the values, from which attention computes the context units.
        attention_dense: Reads the context units.
        attention_norm: The LayerNorm behind the attention block's residual connection.
        intermediate: Compute the intermediate units of the feed-forward network; two if it is gated.
        output: Reads the intermediate units.
        query_key: Compute the queries and the keys, where those have matrices of their own.
        output_norm: The LayerNorm whose output is the layer's; None for layers that normalise first: LayerNorms stand
            before their blocks, none ends a layer, and no hidden unit is a layer's own.
    """

    layers: str
    classifier: str = "classifier.out_proj"
    value: Rows = Rows("attention.self.value")
    attention_dense: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    intermediate: tuple[Rows, ...] = (Rows("intermediate.dense"),)
    output: str = "output.dense"
    query_key: tuple[str, str] = ("attention.self.query", "attention.self.key")
    output_norm: str | None = "output.LayerNorm"


_ROBERTA = Architecture("roberta.encoder.layer")

ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture("bert.encoder.layer", classifier="classifier"),
    "distilbert": Architecture(
        layers="distilbert.transformer.layer",
        classifier="classifier",
        value=Rows("attention.v_lin"),
        attention_dense="attention.out_lin",
        attention_norm="sa_layer_norm",
        intermediate=(Rows("ffn.lin1"),),
        output="ffn.lin2",
        query_key=("attention.q_lin", "attention.k_lin"),
        output_norm="output_layer_norm",
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": Architecture("electra.encoder.layer"),
    "mpnet": Architecture(
        layers="mpnet.encoder.layer",
        value=Rows("attention.attn.v"),
        attention_dense="attention.attn.o",
        attention_norm="attention.LayerNorm",
        query_key=("attention.attn.q", "attention.attn.k"),
    ),
    "deberta-v2": Architecture(  # and v3
        layers="deberta.encoder.layer",
        classifier="classifier",
        value=Rows("attention.self.value_proj"),
        query_key=("attention.self.query_proj", "attention.self.key_proj"),
    ),
    "modernbert": Architecture(
        layers="model.layers",
        classifier="classifier",
        value=Rows("attn.Wqkv", block=2),
        attention_dense="attn.Wo",
        attention_norm="mlp_norm",
        intermediate=(Rows("mlp.Wi", block=0), Rows("mlp.Wi", block=1)),
        output="mlp.Wo",
        output_norm=None,
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
    return list(model.get_submodule(architecture_of(model).layers).children())


def classifier(model: nn.Module) -> nn.Linear:
    """Return the linear layer that computes the logits, one row per label."""
    return cast(nn.Linear, model.get_submodule(architecture_of(model).classifier))


def classifier_input(model: nn.Module) -> Tap:
    """Return where *what the classifier reads* can be recorded, (micro-batch, width): the input of its linear layer."""
    return Tap(classifier(model), "input")


def attention_block(model: nn.Module, layer: nn.Module) -> Tap:
    """Return where the state behind a layer's attention block can be recorded.

    That is the output of the LayerNorm behind the block's residual connection. A layer that normalises first adds to
    the residual stream: there it is the stream itself, which that LayerNorm reads.
    """
    found = architecture_of(model)
    return Tap(layer.get_submodule(found.attention_norm), "input" if found.output_norm is None else "output")


def linear_weights(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the weight matrix of every nn.Linear inside `module`, in registration order."""
    return (cast(nn.Parameter, layer.weight) for layer in linear_layers(module))  # its stub says Tensor


def linear_layers(module: nn.Module) -> Iterator[nn.Linear]:
    """Yield every nn.Linear inside `module`, in registration order."""
    return (layer for layer in module.modules() if isinstance(layer, nn.Linear))


def num_prunable(model: nn.Module) -> int:
    """Count the encoder's matrix weights, the denominator of `prunable_sparsity`."""
    return sum(weight.numel() for layer in encoder_layers(model) for weight in linear_weights(layer))
