"""Where each supported architecture keeps its encoder layers, their parts and the classifier."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal, NamedTuple, cast

from torch import Tensor, nn


class Tap(NamedTuple):
    """A tensor to record: the first argument of a module (`input`), or its result (`output`)."""

    module: nn.Module
    side: Literal["input", "output"]


class Catcher(ExitStack):
    """Records one tensor per tap in every forward pass; removes its hooks on exit.

    Only a module's first call in a pass counts: DeBERTa's query and key matrices read the tokens
    first and the relative positions second.
    """

    def __init__(self, model: nn.Module, taps: Sequence[Tap]) -> None:
        """Register one hook per tap, and one that marks the start of a pass.

        Args:
            model: The model to run.
            taps: Tensors of the model's modules.
        """
        super().__init__()
        self._caught: dict[int, Tensor] = {}
        self._count = len(taps)
        self.callback(model.register_forward_pre_hook(lambda *_: self._caught.clear()).remove)
        for index, (module, side) in enumerate(taps):
            catch = partial(self._catch, index)
            is_input = side == "input"
            register = (
                module.register_forward_pre_hook if is_input else module.register_forward_hook
            )
            self.callback(register(catch).remove)

    @property
    def states(self) -> list[Tensor]:
        """The tensors recorded in the last forward pass, in the order of the taps."""
        return [self._caught[index] for index in range(self._count)]

    def _catch(
        self,
        index: int,
        module: nn.Module,
        inputs: tuple[Tensor, ...],
        output: Any = None,
    ) -> None:
        values = inputs if output is None else output
        if not isinstance(values, Tensor):  # mostly tuples
            values = values[0]
        self._caught.setdefault(index, values)


class RowBlock(NamedTuple):
    """A block of rows of an nn.Linear.

    It is the whole matrix, unless the architecture fuses several into one.

    Attributes:
        path: Path from an encoder layer to the nn.Linear.
        block: Index of the block, from 0, among blocks of equal size.
    """

    path: str
    block: int = 0


class Architecture(NamedTuple):
    """Attribute paths to the parts of an encoder classifier.

    The first two start at the model, the others at a layer.

    Attributes:
        layers: The list of encoder layers.
        classifier: The linear layer that computes the logits.
        value: The rows that compute the values, which attention averages into the context units.
        attention_dense: The matrix that reads the context units.
        attention_norm: The LayerNorm after the attention block's residual connection.
        intermediate: The rows that compute the feed-forward network's intermediate units; two
            blocks if it is gated.
        output: The matrix that reads the intermediate units.
        query_key: The matrices of the queries and the keys, if they are separate.
        output_norm: The LayerNorm that ends a layer. None for pre-norm layers, which normalise the
            input of each block instead, so that no hidden unit belongs to a single layer.
    """

    layers: str
    classifier: str = "classifier.out_proj"
    value: RowBlock = RowBlock("attention.self.value")
    attention_dense: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    intermediate: tuple[RowBlock, ...] = (RowBlock("intermediate.dense"),)
    output: str = "output.dense"
    query_key: tuple[str, str] = ("attention.self.query", "attention.self.key")
    output_norm: str | None = "output.LayerNorm"


_ROBERTA = Architecture("roberta.encoder.layer")

ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture("bert.encoder.layer", classifier="classifier"),
    "distilbert": Architecture(
        layers="distilbert.transformer.layer",
        classifier="classifier",
        value=RowBlock("attention.v_lin"),
        attention_dense="attention.out_lin",
        attention_norm="sa_layer_norm",
        intermediate=(RowBlock("ffn.lin1"),),
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
        value=RowBlock("attention.attn.v"),
        attention_dense="attention.attn.o",
        attention_norm="attention.LayerNorm",
        query_key=("attention.attn.q", "attention.attn.k"),
    ),
    "deberta-v2": Architecture(  # and v3
        layers="deberta.encoder.layer",
        classifier="classifier",
        value=RowBlock("attention.self.value_proj"),
        query_key=("attention.self.query_proj", "attention.self.key_proj"),
    ),
    "modernbert": Architecture(
        layers="model.layers",
        classifier="classifier",
        value=RowBlock("attn.Wqkv", block=2),
        attention_dense="attn.Wo",
        attention_norm="mlp_norm",
        intermediate=(RowBlock("mlp.Wi", block=0), RowBlock("mlp.Wi", block=1)),
        output="mlp.Wo",
        output_norm=None,
    ),
}


def architecture_of(model: nn.Module) -> Architecture:
    """Look up the paths to a model's parts.

    `core.inputs.checkpoint_files` has refused unsupported types.
    """
    return ARCHITECTURES[str(model.config.model_type)]  # type: ignore[union-attr]


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """Return the encoder layers in depth order."""
    return list(model.get_submodule(architecture_of(model).layers).children())


def classifier(model: nn.Module) -> nn.Linear:
    """Return the linear layer that computes the logits, one row per label."""
    return cast(nn.Linear, model.get_submodule(architecture_of(model).classifier))


def head_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the parameters behind the encoder layers, which no layer reads.

    A pooler, a last norm, the classifier.
    """
    base, stack, *_ = architecture_of(model).layers.split(".")
    # The stack also holds what all layers share.
    before = (f"{base}.embeddings", f"{base}.{stack}.")
    return (weight for name, weight in model.named_parameters() if not name.startswith(before))


def attention_block(model: nn.Module, layer: nn.Module) -> Tap:
    """Return the tap of the state after a layer's attention block: (micro-batch, longest, hidden).

    It is the output of the LayerNorm after the block's residual connection. In a pre-norm layer the
    state is the residual stream itself, which that LayerNorm reads.
    """
    paths = architecture_of(model)
    norm = layer.get_submodule(paths.attention_norm)
    return Tap(norm, "input" if paths.output_norm is None else "output")


def linear_weights(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the weight matrix of every nn.Linear inside `module`, in registration order."""
    # The stub of nn.Linear says Tensor.
    return (cast(nn.Parameter, layer.weight) for layer in linear_layers(module))


def linear_layers(module: nn.Module) -> Iterator[nn.Linear]:
    """Yield every nn.Linear inside `module`, in registration order."""
    return (layer for layer in module.modules() if isinstance(layer, nn.Linear))


def num_prunable(model: nn.Module) -> int:
    """Count the weights of the encoder's matrices, the denominator of `prunable_sparsity`."""
    return sum(
        weight.numel() for layer in encoder_layers(model) for weight in linear_weights(layer)
    )
