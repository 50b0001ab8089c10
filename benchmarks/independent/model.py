"""A BERT classifier written out in float64, one unpadded example at a time, without transformers' or the engine's code.

Pruning is a mask on the weights; a trace keeps what passes between the matrices, for scores and for representations.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor

from core.errors import PrunescopeError

Array = npt.NDArray[np.float64]
Example = tuple[Tensor, Tensor]  # token ids and segment ids, each (tokens,)

MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)  # of an encoder layer, in parameter order
MINIBATCH = 32  # examples, of the reduction `tokens`


@dataclass
class Trace:
    """What passes through the model for one example of T tokens.

    Attributes:
        inputs: What each matrix reads, by its name: (T, columns), or (columns,) after the encoder.
        states: The state at each point, by its name: (T, hidden).
        logits: (labels,).
    """

    inputs: dict[str, Tensor] = field(default_factory=dict)
    states: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass(frozen=True)
class Bert:
    """A BERT classifier.

    Attributes:
        weights: Its parameters by name, float64.
        layers: Encoder layers.
        heads: Attention heads.
        epsilon: What LayerNorm adds to the variance.
    """

    weights: Mapping[str, Tensor]
    layers: int
    heads: int
    epsilon: float

    def matrices(self, scope: str | None) -> list[str]:
        """Name the matrices of a scope in parameter order; None is the encoder."""
        layers = [int(scope.removeprefix("layer:"))] if scope and scope.startswith("layer:") else range(self.layers)
        inside = [f"bert.encoder.layer.{k}.{matrix}" for k in layers for matrix in MATRICES]
        return [*inside, "bert.pooler.dense", "classifier"] if scope == "all-linear" else inside

    def pruned(self, keep: Mapping[str, Tensor]) -> "Bert":
        """Multiply parameters by their masks, by parameter name."""
        masked = {name: self.weights[name] * mask.double() for name, mask in keep.items()}
        return Bert({**self.weights, **masked}, self.layers, self.heads, self.epsilon)

    def emptied(self, scope: str | None) -> "Bert":
        """Set every matrix of a scope to zero; biases stay."""
        names = [f"{matrix}.weight" for matrix in self.matrices(scope)]
        return self.pruned({name: torch.zeros_like(self.weights[name]) for name in names})

    def forward(self, example: Example, differentiable: bool = False) -> Trace:
        """Run one example through the model.

        Args:
            example: Token ids and segment ids.
            differentiable: Whether the trace's tensors can be differentiated by one another.
        """
        ids, segments = example
        seen = Trace()
        embeddings = "bert.embeddings."
        words, positions, kinds = (
            self.weights[f"{embeddings}{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        state = self._norm(f"{embeddings}LayerNorm", words[ids] + positions[: len(ids)] + kinds[segments])
        state.requires_grad_(differentiable)
        for k in range(self.layers):
            layer = f"bert.encoder.layer.{k}."
            context = self._attention(f"{layer}attention.self.", state, seen)  # (T, hidden)
            attended = self._linear(f"{layer}attention.output.dense", context, seen) + state  # (T, hidden)
            attended = self._norm(f"{layer}attention.output.LayerNorm", attended)
            inner = gelu(self._linear(f"{layer}intermediate.dense", attended, seen))  # (T, intermediate)
            state = self._linear(f"{layer}output.dense", inner, seen) + attended  # (T, hidden)
            state = self._norm(f"{layer}output.LayerNorm", state)
            seen.states |= {f"layer.{k}.attention": attended, f"layer.{k}.output": state}
        pooled = torch.tanh(self._linear("bert.pooler.dense", state[0], seen))  # (hidden,)
        seen.logits = self._linear("classifier", pooled, seen)
        return seen

    def _attention(self, name: str, state: Tensor, seen: Trace) -> Tensor:
        """Mix the values by softmax(Q Kᵀ / √d) in each head: (T, hidden) -> (T, hidden)."""
        tokens, hidden = state.shape
        width = hidden // self.heads
        query, key, value = (
            self._linear(f"{name}{part}", state, seen).reshape(tokens, self.heads, width).transpose(0, 1)
            for part in ("query", "key", "value")
        )  # each (heads, T, width)
        weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(width), dim=-1)  # (heads, T, T)
        return (weights @ value).transpose(0, 1).reshape(tokens, hidden)

    def _linear(self, name: str, state: Tensor, seen: Trace) -> Tensor:
        seen.inputs[name] = state
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, name: str, state: Tensor) -> Tensor:
        centred = state - state.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + self.epsilon)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def gelu(x: Tensor) -> Tensor:
    """Compute x · Φ(x), with the normal distribution's Φ."""
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def read_bert(folder: Path) -> Bert:
    """Read a checkpoint's safetensors.

    Raises:
        PrunescopeError: It is not a BERT as written out here.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = (config["model_type"], config["hidden_act"])
    if kind != ("bert", "gelu"):
        raise PrunescopeError(f"{folder} is {kind[0]} with {kind[1]}: give a BERT with gelu")
    weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items()}
    return Bert(weights, config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"])


def tokenised(tokenizer: Any, texts: Sequence[tuple[str, ...]], max_length: int) -> list[Example]:
    """Turn each example's one or two texts into token ids and segment ids."""
    encoded = [tokenizer(*example, truncation=True, max_length=max_length) for example in texts]
    return [(torch.tensor(ids["input_ids"]), torch.tensor(ids["token_type_ids"])) for ids in encoded]


# ---------------------------------------------------------------- representations


@dataclass(frozen=True)
class Seen:
    """One model's output for all examples.

    Attributes:
        states: For each example (points, tokens, hidden).
        logits: (examples, labels).
    """

    states: list[Array]
    logits: Array


def see(model: Bert, examples: Sequence[Example], points: Sequence[str]) -> Seen:
    """Run a model over the examples, one at a time."""
    states, logits = [], []
    with torch.no_grad():
        for trace in map(model.forward, examples):
            states.append(np.stack([trace.states[point].numpy() for point in points]))  # (points, tokens, hidden)
            logits.append(trace.logits.numpy())
    return Seen(states, np.stack(logits))


def vectors(states: Sequence[Array]) -> dict[str, Array]:
    """Reduce token vectors to one vector per example, by the mean and by the first token.

    Args:
        states: For each example (points, tokens, hidden).

    Returns:
        By reduction (points, examples, hidden).
    """
    return {
        "mean": np.stack([state.mean(1) for state in states], axis=1),
        "cls": np.stack([state[:, 0] for state in states], axis=1),
    }


def token_vectors(states: Sequence[Array]) -> list[Array]:
    """Lay the tokens of each example end to end: for each minibatch (points, n, longest · hidden), padding zero."""
    return list(map(_flattened, _minibatches(states)))


def _minibatches(states: Sequence[Array]) -> Iterator[Sequence[Array]]:
    """Cut examples into minibatches of 32; the remainder joins the last one."""
    full = max(len(states) // MINIBATCH, 1)
    ends = [*(MINIBATCH * k for k in range(1, full)), len(states)]
    return (states[start:end] for start, end in zip([0, *ends], ends, strict=False))


def _flattened(states: Sequence[Array]) -> Array:
    num_points, _, hidden = states[0].shape
    longest = max(state.shape[1] for state in states)
    padded = np.zeros((num_points, len(states), longest, hidden))
    for index, state in enumerate(states):
        padded[:, index, : state.shape[1]] = state
    return padded.reshape(num_points, len(states), longest * hidden)
