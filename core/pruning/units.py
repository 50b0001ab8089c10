"""Whole units: the entries of a unit, and the plan that removes the lowest-ranked units.

A unit is a position along one dimension of several parameters. Removing it zeroes its
entries in all of them. `amount` is a fraction of the units: in each layer and type, the
`round(amount · units)` lowest-ranked units are removed, ties by index.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.encoder.architectures import Part, encoder_layers, part


@dataclass(frozen=True)
class Units:
    """The units of one type in one layer.

    Attributes:
        entries: The parameters in which a unit has entries, each with the dimension that counts the units.
        reader: The nn.Linear that takes the units' values as input; None if no single module does.
    """

    entries: tuple[tuple[nn.Parameter, int], ...]
    reader: nn.Module | None = None

    @property
    def size(self) -> int:
        """Number of units."""
        parameter, dimension = self.entries[0]
        return parameter.shape[dimension]


ROW, COLUMN = 0, 1  # of a weight matrix (out, in): what makes an output, what reads an input


def clean_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return the units that can be removed without touching others: each layer's context and intermediate units.

    A context unit is an input of the attention's output matrix: a row and a bias of the value matrix make it, one
    column reads it. An intermediate unit is its counterpart between the two matrices of the feed-forward network.

    Returns:
        For each layer: context units, intermediate units.
    """
    return [
        (_between(model, layer, "value", "attention_dense"), _between(model, layer, "intermediate", "output"))
        for layer in encoder_layers(model)
    ]


def _between(model: nn.Module, layer: nn.Module, maker: Part, reader: Part) -> Units:
    made, read = part(model, layer, maker), part(model, layer, reader)
    return Units((*_rows(made), _column(read)), read)


def _rows(module: nn.Module) -> tuple[tuple[nn.Parameter, int], ...]:
    return tuple((parameter, ROW) for parameter in module.parameters())  # weight and bias


def _column(module: nn.Module) -> tuple[nn.Parameter, int]:
    return module.get_parameter("weight"), COLUMN


def _bias(module: nn.Module) -> tuple[nn.Parameter, int]:
    return module.get_parameter("bias"), ROW


def hidden_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return each layer's hidden units as the published procedure removes them.

    Hidden unit i owns column i of query, key, value, attention output and intermediate matrix; bias i of query,
    key, value and attention output; row and bias i of the output matrix; gain and bias i of both LayerNorms.

    Returns:
        For each layer one type: its hidden units.
    """
    return [(_hidden(model, layer),) for layer in encoder_layers(model)]


def _hidden(model: nn.Module, layer: nn.Module) -> Units:
    def get(name: Part) -> nn.Module:
        return part(model, layer, name)

    attention = [get("query"), get("key"), get("value"), get("attention_dense")]
    return Units(
        (
            *map(_column, [*attention, get("intermediate")]),
            *map(_bias, attention),
            *(
                entry
                for module in (get("output"), get("attention_norm"), get("output_norm"))
                for entry in _rows(module)
            ),
        )
    )


class UnitPlan:
    """The ranks of all units of every layer and type; implements `core.pruning.Plan`.

    Attributes:
        scores: For each layer and type (units,); the lowest is removed first.
    """

    def __init__(
        self,
        layers: Sequence[Sequence[Units]],
        scores: Sequence[Sequence[Tensor]],
        reliability: tuple[float | None, ...] = (),
    ) -> None:
        """Rank the units.

        Args:
            layers: For each layer its unit types.
            scores: For each layer and type (units,); the lowest is removed first, of equal scores the lowest index.
            reliability: Reliability of the scores, one value per layer.
        """
        self.scores = scores
        self.reliability = reliability
        self._removals: dict[int, list[tuple[int, Tensor]]] = {}  # parameter -> [(dimension, units in order)]
        self.parameters: list[nn.Parameter] = []
        for types, layer_scores in zip(layers, scores, strict=True):
            for units, type_scores in zip(types, layer_scores, strict=True):
                order = torch.argsort(type_scores, stable=True)  # (units,)
                for parameter, dimension in units.entries:
                    if id(parameter) not in self._removals:
                        self.parameters.append(parameter)
                    self._removals.setdefault(id(parameter), []).append((dimension, order))

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each parameter's mask of the entries that stay; see `core.pruning.Plan`."""
        for parameter, values in zip(self.parameters, baseline, strict=True):
            keep = torch.ones_like(values, dtype=torch.bool)  # of the parameter's shape
            for dimension, order in self._removals[id(parameter)]:
                keep.index_fill_(dimension, order[: round(amount * len(order))], False)
            yield keep
