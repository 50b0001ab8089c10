"""A classifier of transformers in float64, one unpadded sentence at a time, without the engine.

A pass keeps what the matrices read, the units and the states at the points, and can set units to
zero on the way. Where an architecture has its parts is written down here once more.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from core.pruning.plan import Plan

Unit = tuple[int, int]  # layer, and 0 for context units or 1 for intermediate units
# Parameter, the dimension that counts the units, the index of the first.
Entries = tuple[str, int, int]


def kept(model: nn.Module, plan: Plan, amount: float) -> dict[str, Tensor]:
    """What a plan keeps of each parameter at an amount, by name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    masks = plan.keep_masks(amount, plan.parameters)
    by_parameter = zip(plan.parameters, masks, strict=True)
    return {names[id(parameter)]: keep for parameter, keep in by_parameter}


class Names(NamedTuple):
    """Where an architecture has its parts, by names in a layer but for the last two.

    Attributes:
        attention: The matrices that make query, key and value.
        dense: The matrix that reads the context units.
        norms: Of the attention block and of the layer.
        middle: What reads the attention block's output.
        inner: The matrix that makes the intermediate units.
        output: The matrix that reads them.
        outside: Matrices outside the encoder.
        layers: The list of layers in the model without its head.
    """

    attention: tuple[str, ...] = (
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
    )
    dense: str = "attention.output.dense"
    norms: tuple[str, ...] = (
        "attention.output.LayerNorm",
        "output.LayerNorm",
    )
    middle: str = "intermediate.dense"
    inner: str = "intermediate.dense"
    output: str = "output.dense"
    outside: tuple[str, ...] = ("bert.pooler.dense", "classifier")
    layers: str = "encoder.layer"


HEAD = ("classifier.dense", "classifier.out_proj")
NAMES = {
    "bert": Names(),
    "distilbert": Names(
        ("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        "attention.out_lin",
        ("sa_layer_norm", "output_layer_norm"),
        *("ffn.lin1", "ffn.lin1", "ffn.lin2"),
        ("pre_classifier", "classifier"),
        "transformer.layer",
    ),
    "roberta": Names(outside=HEAD),
    "electra": Names(outside=("electra.embeddings_project", *HEAD)),
    "mpnet": Names(
        ("attention.attn.q", "attention.attn.k", "attention.attn.v"),
        "attention.attn.o",
        ("attention.LayerNorm", "output.LayerNorm"),
        outside=HEAD,
    ),
    "deberta-v2": Names(
        (
            "attention.self.query_proj",
            "attention.self.key_proj",
            "attention.self.value_proj",
        ),
        outside=("pooler.dense", "classifier"),
    ),
    "modernbert": Names(  # normalises first: the points are the residual stream
        ("attn.Wqkv",),
        "attn.Wo",
        (),
        "mlp_norm",
        "mlp.Wi",
        "mlp.Wo",
        ("head.dense", "classifier"),
        "layers",
    ),
}
# Of DeBERTa, unless it shares those.
POSITIONAL = ("attention.self.pos_key_proj", "attention.self.pos_query_proj")


@dataclass
class Trace:
    """What passes through the model for one sentence of T tokens.

    Attributes:
        reads: What each matrix reads at its first use, by its name: (T, columns), or (columns,)
            behind the encoder.
        units: The values of each layer's units of a type, (T, units).
        states: The state at each point, (T, hidden).
        logits: (labels,).
    """

    reads: dict[str, Tensor] = field(default_factory=dict)
    units: dict[Unit, Tensor] = field(default_factory=dict)
    states: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


class Reference:
    """A copy of a classifier in float64.

    Attributes:
        model: The copy.
        num_layers: Of its encoder.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = deepcopy(model).double().eval()
        self.config = model.config
        self.num_layers = int(model.config.num_hidden_layers)
        self.names = NAMES[self.config.model_type]
        if self.config.model_type == "deberta-v2" and not self.config.share_att_key:
            self.names = self.names._replace(attention=(*self.names.attention, *POSITIONAL))
        self.layers = f"{self.model.base_model_prefix}.{self.names.layers}"
        self.trace = Trace()
        self.removed = dict[Unit, Tensor]()
        for name, module in self.model.named_modules():
            if isinstance(module, nn.Linear):
                module.register_forward_pre_hook(partial(self.note, name))
        for k in range(self.num_layers):
            for kind, part in enumerate((self.names.dense, self.names.output)):
                reader = self.model.get_submodule(self.name(k, part))
                reader.register_forward_pre_hook(partial(self.cut, (k, kind)))
            middle = self.model.get_submodule(self.name(k, self.names.middle))
            middle.register_forward_pre_hook(partial(self.keep, f"layer.{k}.attention"))
            layer = self.model.get_submodule(f"{self.layers}.{k}")
            layer.register_forward_hook(partial(self.keep, f"layer.{k}.output"))

    def note(self, name: str, _: nn.Module, given: tuple[Tensor]) -> None:
        """Keep what a matrix reads."""
        self.trace.reads.setdefault(name, given[0].squeeze(0))

    def cut(self, unit: Unit, _: nn.Module, given: tuple[Tensor]) -> Tensor:
        """Set removed units to zero before they are read, and keep the others."""
        values = given[0]
        if unit in self.removed:
            values = values.index_fill(-1, self.removed[unit], 0.0)
        self.trace.units[unit] = values
        return values

    def keep(self, point: str, _: nn.Module, *passed: Any) -> None:
        """Keep the state that goes into a module, or comes out of it."""
        state = passed[-1]
        self.trace.states[point] = (state if isinstance(state, Tensor) else state[0]).squeeze(0)

    def run(
        self,
        encoded: Mapping[str, Sequence[int]],
        removed: Mapping[Unit, Tensor] | None = None,
    ) -> Trace:
        """Run one tokenised sentence, with the removed units set to zero on the way."""
        self.trace = Trace()
        self.removed = dict(removed or {})
        inputs = {name: torch.tensor([ids]) for name, ids in encoded.items()}
        self.trace.logits = self.model(**inputs).logits[0]
        return self.trace

    # ------------------------------------------------------------ names

    def name(self, layer: int, part: str) -> str:
        return f"{self.layers}.{layer}.{part}"

    def matrices(self, scope: str) -> set[str]:
        """The names of a scope's weight matrices."""
        run = [int(number) for number in re.findall(r"\d+", scope)]
        layers = range(run[0], run[-1] + 1) if run else range(self.num_layers)
        parts = (
            *self.names.attention,
            self.names.dense,
            self.names.inner,
            self.names.output,
        )
        outside = set(self.names.outside) if scope == "all-linear" else set()
        return {
            f"{name}.weight"
            for name in outside | {self.name(k, part) for k in layers for part in parts}
        }

    def entries(self, unit: Unit) -> list[Entries]:
        """Where the units of a layer and type have entries."""
        layer, kind = unit
        starts = [0]
        value = self.names.attention[:3][-1]
        maker = (value, self.names.inner)[kind]
        # ModernBERT has query, key and value in one matrix, and value and gate in one.
        if self.config.model_type == "modernbert":
            starts = (
                [2 * self.config.hidden_size],
                [0, self.config.intermediate_size],
            )[kind]
        names = [f"{self.name(layer, maker)}.{part}" for part in ("weight", "bias")]
        made = [name for name in names if name in self.parameters]
        reader = f"{self.name(layer, (self.names.dense, self.names.output)[kind])}.weight"
        return [
            *((name, 0, start) for name in made for start in starts),
            (reader, 1, 0),
        ]

    def hidden_entries(self, layer: int) -> list[Entries]:
        """Where the hidden units of a layer have entries that the published procedure removes."""
        names = self.names
        columns = [f"{part}.weight" for part in (*names.attention[:3], names.dense, names.inner)]
        biases = [f"{part}.bias" for part in (*names.attention[:3], names.dense)]
        rows = [
            f"{part}.{kind}" for part in (names.output, *names.norms) for kind in ("weight", "bias")
        ]
        return [
            (self.name(layer, part), int(part in columns), 0) for part in (*columns, *biases, *rows)
        ]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())
