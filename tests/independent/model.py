"""Every supported classifier written out for one unpadded sentence, from its weights and its configuration alone.

In float64, without the modules of transformers or of the engine. A pass keeps what the matrices read, the units and the
states at the points, and can set units to zero on the way.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import gelu

Unit = tuple[int, int]  # layer, and 0 for context units or 1 for intermediate units
Entries = tuple[str, int, int]  # parameter, the dimension that counts the units, the index of the first


@dataclass
class Trace:
    """What passes through the model for one sentence of T tokens.

    Attributes:
        reads: What each matrix reads at its first use, by its name: (T, columns), or (columns,) behind the encoder.
        units: The values of each layer's units of a type, (T, units).
        states: The state at each point, (T, hidden).
        logits: (labels,).
    """

    reads: dict[str, Tensor] = field(default_factory=dict)
    units: dict[Unit, Tensor] = field(default_factory=dict)
    states: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


class Written:
    """A classifier whose layers normalise last, as BERT's; the others say below what they do otherwise.

    Attributes:
        weights: Parameters by name, float64.
        config: The model's configuration.
    """

    stem: ClassVar = "bert"
    layer: ClassVar = "encoder.layer"
    attention: ClassVar[tuple[str, ...]] = ("attention.self.query", "attention.self.key", "attention.self.value")
    positional: ClassVar[tuple[str, ...]] = ()  # matrices that read relative positions
    dense: ClassVar = "attention.output.dense"
    attention_norm: ClassVar = "attention.output.LayerNorm"
    inner: ClassVar = "intermediate.dense"
    output: ClassVar = "output.dense"
    output_norm: ClassVar = "output.LayerNorm"
    before: ClassVar[tuple[str, ...]] = ()  # matrices before the encoder
    behind: ClassVar[tuple[str, ...]] = ("bert.pooler.dense", "classifier")

    def __init__(self, weights: Mapping[str, Tensor], config: Any) -> None:
        self.weights = {name: weight.detach().clone().double() for name, weight in weights.items()}
        self.config = config
        self.num_layers, self.heads = int(config.num_hidden_layers), int(config.num_attention_heads)
        self.trace, self.removed, self.segments = Trace(), dict[Unit, Tensor](), ()

    # ------------------------------------------------------------ names

    def name(self, layer: int, part: str) -> str:
        return f"{self.stem}.{self.layer}.{layer}.{part}"

    def layer_matrices(self) -> tuple[str, ...]:
        return (*self.attention, *self.positional, self.dense, self.inner, self.output)

    def matrices(self, scope: str) -> set[str]:
        """The names of a scope's weight matrices."""
        layers = [int(scope.removeprefix("layer:"))] if scope.startswith("layer:") else range(self.num_layers)
        inside = {self.name(k, matrix) for k in layers for matrix in self.layer_matrices()}
        outside = {*self.before, *self.behind} if scope == "all-linear" else set()
        return {f"{name}.weight" for name in inside | outside}

    def entries(self, unit: Unit) -> list[Entries]:
        """Where the units of a layer and type have entries."""
        layer, kind = unit
        maker, reader = ((self.attention[2], self.dense), (self.inner, self.output))[kind]
        made = self.name(layer, maker)
        return [(f"{made}.weight", 0, 0), (f"{made}.bias", 0, 0), (f"{self.name(layer, reader)}.weight", 1, 0)]

    def hidden_entries(self, layer: int) -> list[Entries]:
        """Where the hidden units of a layer have entries, as the published procedure removes them."""
        columns = [f"{part}.weight" for part in (*self.attention, self.dense, self.inner)]
        biases = [f"{part}.bias" for part in (*self.attention, self.dense)]
        rows = [f"{part}.{kind}" for part in (self.output, self.attention_norm, self.output_norm) for kind in
                ("weight", "bias")]  # fmt: skip
        return [(self.name(layer, part), int(part in columns), 0) for part in (*columns, *biases, *rows)]

    # ------------------------------------------------------------ a pass

    def run(
        self, ids: Sequence[int], removed: Mapping[Unit, Tensor] | None = None, segments: Sequence[int] = ()
    ) -> Trace:
        """Runs one sentence.

        Args:
            ids: Its tokens.
            removed: The units that are set to zero on the way, by layer and type.
            segments: Which of two sentences each token belongs to, if there are two.
        """
        self.trace, self.removed, self.segments = Trace(), dict(removed or {}), segments or [0] * len(ids)
        state = self.embed(torch.tensor(ids)).requires_grad_()  # (T, hidden)
        for k in range(self.num_layers):
            state = self.run_layer(k, state)
            self.trace.states[f"layer.{k}.output"] = state
        self.trace.logits = self.classify(state)
        return self.trace

    def run_layer(self, k: int, state: Tensor) -> Tensor:
        context = self.unit((k, 0), self.attend(k, *self.project(k, state)))  # (T, hidden)
        attended = self.norm(self.name(k, self.attention_norm), self.linear(self.name(k, self.dense), context) + state)
        self.trace.states[f"layer.{k}.attention"] = attended
        inner = self.unit((k, 1), gelu(self.linear(self.name(k, self.inner), attended)))  # (T, intermediate)
        return self.norm(self.name(k, self.output_norm), self.linear(self.name(k, self.output), inner) + attended)

    def project(self, k: int, state: Tensor) -> list[Tensor]:
        """Query, key and value, each (heads, T, width)."""
        return [self.split(self.linear(self.name(k, matrix), state)) for matrix in self.attention]

    def attend(self, k: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        weights = self.scores(k, query, key).softmax(-1)  # (heads, T, T)
        return (weights @ value).transpose(0, 1).flatten(1)  # (T, hidden)

    def scores(self, k: int, query: Tensor, key: Tensor) -> Tensor:
        return query @ key.mT / math.sqrt(query.shape[-1])

    def embed(self, ids: Tensor) -> Tensor:
        table = f"{self.stem}.embeddings."
        state = self.weights[f"{table}word_embeddings.weight"][ids]
        for name, rows in (("position", self.positions(len(ids))), ("token_type", self.segments)):
            if f"{table}{name}_embeddings.weight" in self.weights:
                state = state + self.weights[f"{table}{name}_embeddings.weight"][rows]
        return self.norm(f"{table}LayerNorm", state)

    def positions(self, count: int) -> list[int]:
        return list(range(count))

    def classify(self, state: Tensor) -> Tensor:
        pooled, classifier = self.behind
        return self.linear(classifier, self.linear(pooled, state[0]).tanh())

    # ------------------------------------------------------------ its steps

    def linear(self, name: str, state: Tensor) -> Tensor:
        self.trace.reads.setdefault(name, state)
        return state @ self.weights[f"{name}.weight"].mT + self.weights.get(f"{name}.bias", 0)

    def norm(self, name: str, state: Tensor) -> Tensor:
        centred = state - state.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + self.epsilon).sqrt()
        return scaled * self.weights[f"{name}.weight"] + self.weights.get(f"{name}.bias", 0)

    @property
    def epsilon(self) -> float:
        return float(self.config.layer_norm_eps)

    def unit(self, unit: Unit, values: Tensor) -> Tensor:
        if unit in self.removed:
            values = values.index_fill(-1, self.removed[unit], 0.0)
        self.trace.units[unit] = values
        return values

    def split(self, state: Tensor) -> Tensor:
        """(T, hidden) -> (heads, T, width)."""
        return state.unflatten(-1, (self.heads, -1)).transpose(0, 1)


class DistilBert(Written):
    stem, layer = "distilbert", "transformer.layer"
    attention = ("attention.q_lin", "attention.k_lin", "attention.v_lin")
    dense, attention_norm = "attention.out_lin", "sa_layer_norm"
    inner, output, output_norm = "ffn.lin1", "ffn.lin2", "output_layer_norm"
    behind = ("pre_classifier", "classifier")
    epsilon = 1e-12

    def classify(self, state: Tensor) -> Tensor:
        return self.linear("classifier", self.linear("pre_classifier", state[0]).relu())


class Roberta(Written):
    stem = "roberta"
    behind = ("classifier.dense", "classifier.out_proj")

    def positions(self, count: int) -> list[int]:
        return list(range(self.config.pad_token_id + 1, self.config.pad_token_id + 1 + count))


class Electra(Written):
    stem = "electra"
    before = ("electra.embeddings_project",)
    behind = ("classifier.dense", "classifier.out_proj")

    def embed(self, ids: Tensor) -> Tensor:
        return self.linear("electra.embeddings_project", super().embed(ids))

    def classify(self, state: Tensor) -> Tensor:
        return self.linear("classifier.out_proj", gelu(self.linear("classifier.dense", state[0])))


class Mpnet(Written):
    stem = "mpnet"
    attention = ("attention.attn.q", "attention.attn.k", "attention.attn.v")
    dense, attention_norm = "attention.attn.o", "attention.LayerNorm"
    behind = ("classifier.dense", "classifier.out_proj")

    def positions(self, count: int) -> list[int]:
        return list(range(2, 2 + count))

    def scores(self, k: int, query: Tensor, key: Tensor) -> Tensor:
        """Adds a bias per head and bucket of the distance: 16 a direction, 8 exact, the others logarithmic to 128."""

        def bucket(i: int, j: int) -> int:
            distance = abs(i - j)
            if distance >= 8:
                distance = min(15, 8 + int(math.log(distance / 8) / math.log(128 / 8) * 8))
            return distance + 16 * (j > i)

        tokens = range(query.shape[1])
        buckets = torch.tensor([[bucket(i, j) for j in tokens] for i in tokens])  # (T, T)
        bias = self.weights["mpnet.encoder.relative_attention_bias.weight"][buckets]  # (T, T, heads)
        return super().scores(k, query, key) + bias.permute(2, 0, 1)


class DebertaV2(Written):
    """As configured in the tests: content to position and position to content."""

    stem = "deberta"
    attention = ("attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj")
    behind = ("pooler.dense", "classifier")

    @property
    def positional(self) -> tuple[str, ...]:  # type: ignore[override]
        shared = self.config.share_att_key
        return () if shared else ("attention.self.pos_key_proj", "attention.self.pos_query_proj")

    def scores(self, k: int, query: Tensor, key: Tensor) -> Tensor:
        """(q·k + q·K[i - j] + k·Q[i - j]) / √(3 width), with keys K and queries Q of the relative positions."""
        positions = self.weights["deberta.encoder.rel_embeddings.weight"]  # (2 span, hidden)
        if self.config.norm_rel_ebd == "layer_norm":
            positions = self.norm("deberta.encoder.LayerNorm", positions)
        key_name, query_name = self.positional or (self.attention[1], self.attention[0])
        position_keys = self.split(self.linear(self.name(k, key_name), positions))  # (heads, 2 span, width)
        position_queries = self.split(self.linear(self.name(k, query_name), positions))
        tokens, span = range(query.shape[1]), len(positions) // 2
        rows = torch.tensor([[self.place(i - j, span) for j in tokens] for i in tokens])  # (T, T)
        to_position = torch.einsum("hid,hijd->hij", query, position_keys[:, rows])
        to_content = torch.einsum("hjd,hijd->hij", key, position_queries[:, rows])
        return (query @ key.mT + to_position + to_content) / math.sqrt(3 * query.shape[-1])

    def place(self, distance: int, span: int) -> int:
        """The row of a distance: exact ones up to half the buckets, then logarithmic, cut at the ends."""
        half, most = self.config.position_buckets // 2, self.config.max_position_embeddings - 1
        if half > 0 and abs(distance) > half:
            far = math.ceil(math.log(abs(distance) / half) / math.log(most / half) * (half - 1)) + half
            distance = int(math.copysign(far, distance))
        return min(max(distance + span, 0), 2 * span - 1)

    def classify(self, state: Tensor) -> Tensor:
        return self.linear("classifier", gelu(self.linear("pooler.dense", state[0])))


class ModernBert(Written):
    """Normalises first: the points are the residual stream."""

    stem, layer = "model", "layers"
    attention = ("attn.Wqkv",)
    dense, inner, output = "attn.Wo", "mlp.Wi", "mlp.Wo"
    behind = ("head.dense", "classifier")

    @property
    def epsilon(self) -> float:
        return float(self.config.norm_eps)

    def entries(self, unit: Unit) -> list[Entries]:
        layer, kind = unit
        sizes = self.config.hidden_size, self.config.intermediate_size
        maker, starts = (("attn.Wqkv", [2 * sizes[0]]), ("mlp.Wi", [0, sizes[1]]))[kind]
        made = [f"{self.name(layer, maker)}.{part}" for part in ("weight", "bias")]
        rows = [(name, 0, start) for name in made if name in self.weights for start in starts]
        return [*rows, (f"{self.name(layer, (self.dense, self.output)[kind])}.weight", 1, 0)]

    def embed(self, ids: Tensor) -> Tensor:
        return self.norm("model.embeddings.norm", self.weights["model.embeddings.tok_embeddings.weight"][ids])

    def run_layer(self, k: int, state: Tensor) -> Tensor:
        read = self.norm(self.name(k, "attn_norm"), state) if k else state
        query, key, value = map(self.split, self.linear(self.name(k, "attn.Wqkv"), read).chunk(3, -1))
        context = self.unit((k, 0), self.attend(k, self.rotate(k, query), self.rotate(k, key), value))
        state = state + self.linear(self.name(k, self.dense), context)
        self.trace.states[f"layer.{k}.attention"] = state
        value, gate = self.linear(self.name(k, self.inner), self.norm(self.name(k, "mlp_norm"), state)).chunk(2, -1)
        return state + self.linear(self.name(k, self.output), self.unit((k, 1), gelu(value) * gate))

    def is_local(self, k: int) -> bool:
        return self.config.layer_types[k] == "sliding_attention"

    def rotate(self, k: int, state: Tensor) -> Tensor:
        """Turns each pair (x_d, x_{d + width/2}) as a complex number by token / base^(2d / width)."""
        _, tokens, width = state.shape
        base = 10_000.0 if self.is_local(k) else 160_000.0
        angles = torch.arange(tokens)[:, None] / base ** (torch.arange(0, width, 2) / width)  # (T, width / 2)
        pairs = torch.complex(*state.chunk(2, -1)) * torch.polar(torch.ones(()).double(), angles.double())
        return torch.cat([pairs.real, pairs.imag], -1)

    def scores(self, k: int, query: Tensor, key: Tensor) -> Tensor:
        found = super().scores(k, query, key)
        if self.is_local(k):
            tokens = torch.arange(query.shape[1])
            far = (tokens[:, None] - tokens).abs() > self.config.local_attention // 2  # (T, T)
            found = found.masked_fill(far, -math.inf)
        return found

    def classify(self, state: Tensor) -> Tensor:
        state = self.norm("model.final_norm", state)
        pooled = state.mean(0) if self.config.classifier_pooling == "mean" else state[0]
        return self.linear("classifier", self.norm("head.norm", gelu(self.linear("head.dense", pooled))))


WRITTEN: Mapping[str, type[Written]] = {
    "bert": Written,
    "distilbert": DistilBert,
    "roberta": Roberta,
    "xlm-roberta": Roberta,
    "camembert": Roberta,
    "electra": Electra,
    "mpnet": Mpnet,
    "deberta-v2": DebertaV2,
    "modernbert": ModernBert,
}
