"""Whole units: the entries of a unit, and the plan that removes the lowest-ranked units.

A unit is a position along one dimension of several parameters. Removing it zeroes its
entries in all of them. `amount` is a fraction of the units: in each layer and type, the
`round(amount · units)` lowest-ranked units are removed, ties by index.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.encoder.architectures import Rows, architecture_of, encoder_layers
from core.pruning.plan import Plan


class Entries(NamedTuple):
    """One entry per unit in a parameter.

    Attributes:
        parameter: A matrix or a vector.
        dimension: The dimension that counts the units.
        start: The index of the first unit there.
    """

    parameter: nn.Parameter
    dimension: int
    start: int = 0


class Units(NamedTuple):
    """The units of one type in one layer.

    Attributes:
        size: Number of units.
        entries: Where each unit has entries.
    """

    size: int
    entries: tuple[Entries, ...]


ROW, COLUMN = 0, 1  # of a weight matrix (out, in): what makes an output, what reads an input


def clean_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return the units that can be removed without touching others: each layer's context and intermediate units.

    A context unit is an input of the attention's output matrix: a row and a bias of the value matrix make it, one
    column reads it. An intermediate unit is its counterpart between the two matrices of the feed-forward network. If
    that is gated, two rows make a unit, one in each half of the first matrix.

    Returns:
        For each layer: context units, intermediate units.
    """
    found = architecture_of(model)
    return [
        (_between(layer, (found.value,), found.attention_dense), _between(layer, found.intermediate, found.output))
        for layer in encoder_layers(model)
    ]


def _between(layer: nn.Module, makers: Sequence[Rows], path: str) -> Units:
    read = Entries(layer.get_submodule(path).get_parameter("weight"), COLUMN)
    size = read.parameter.shape[COLUMN]
    made = (
        Entries(parameter, ROW, rows.block * size)
        for rows in makers
        for parameter in layer.get_submodule(rows.path).parameters()  # weight and, if it has one, bias
    )
    return Units(size, (*made, read))


def hidden_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return each layer's hidden units as the published procedure removes them.

    Hidden unit i owns column i of query, key, value, attention output and intermediate matrix; bias i of query,
    key, value and attention output; row and bias i of the output matrix; gain and bias i of both LayerNorms.
    DeBERTa's matrices that read relative positions alone are no part of it.

    Returns:
        For each layer one type: its hidden units.
    """
    found = architecture_of(model)
    assert found.output_norm is not None  # `core.inputs.prepare` refuses layers that normalise first
    attention = [*found.query_key, found.value.path, found.attention_dense]
    whole = [found.output, found.attention_norm, found.output_norm]  # weight and bias
    owned = [(f"{path}.weight", COLUMN) for path in (*attention, *(rows.path for rows in found.intermediate))]
    owned += [(f"{path}.{kind}", ROW) for path in whole for kind in ("weight", "bias")]
    owned += [(f"{path}.bias", ROW) for path in attention]
    every = [
        tuple(Entries(layer.get_parameter(name), dimension) for name, dimension in owned)
        for layer in encoder_layers(model)
    ]
    return [(Units(len(entries[-1].parameter), entries),) for entries in every]


class UnitPlan(Plan):
    """The ranks of all units of every layer and type.

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
        self.scores, self.reliability, self.parameters = scores, reliability, []
        self._removals: dict[int, list[tuple[Entries, Tensor]]] = {}  # parameter -> [(entries, units in order)]
        for types, layer_scores in zip(layers, scores, strict=True):
            for units, type_scores in zip(types, layer_scores, strict=True):
                order = torch.argsort(type_scores, stable=True)  # (units,)
                for entries in units.entries:
                    if id(entries.parameter) not in self._removals:
                        self.parameters.append(entries.parameter)
                    self._removals.setdefault(id(entries.parameter), []).append((entries, order))

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each parameter's mask of the entries that stay; see `core.pruning.Plan`."""
        for parameter, values in zip(self.parameters, baseline, strict=True):
            keep = torch.ones_like(values, dtype=torch.bool)  # of the parameter's shape
            for entries, order in self._removals[id(parameter)]:
                lowest = order[: round(amount * len(order))]  # (removed,)
                keep.index_fill_(entries.dimension, entries.start + lowest, False)
            yield keep
