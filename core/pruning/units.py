"""Whole units: their entries, and a plan that removes the lowest-ranked units.

A unit is one index along a dimension of several parameters. Removing it zeroes its
entries in all of them. `amount` is a fraction of the units: in each layer and type, the
round(amount · units) lowest-ranked units are removed, ties by index.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.encoder.architectures import RowBlock, architecture_of, encoder_layers
from core.pruning.plan import Plan


class Entries(NamedTuple):
    """The entries of all units in one parameter.

    Attributes:
        parameter: A matrix or a vector.
        dimension: The dimension along which the units lie.
        start: The index of the first unit in that dimension.
    """

    parameter: nn.Parameter
    dimension: int
    start: int = 0


class Units(NamedTuple):
    """The units of one type in one layer.

    Attributes:
        size: Number of units.
        entries: Their entries, one element per parameter.
    """

    size: int
    entries: tuple[Entries, ...]


# Of a weight matrix (out, in): a row computes an output, a column reads an input.
ROW = 0
COLUMN = 1


def clean_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return the units that can be removed cleanly: context and intermediate units.

    A context unit is an input of the attention's output matrix: one row and bias of the value
    matrix compute it, and one column reads it. An intermediate unit lies between the two matrices
    of the feed-forward network in the same way. If the network is gated, two rows compute a unit,
    one in each half of the first matrix.

    Returns:
        For each layer: context units, intermediate units.
    """
    paths = architecture_of(model)
    layers = list[tuple[Units, ...]]()
    for layer in encoder_layers(model):
        context = _between(layer, (paths.value,), paths.attention_dense)
        intermediate = _between(layer, paths.intermediate, paths.output)
        layers.append((context, intermediate))
    return layers


def _between(layer: nn.Module, makers: Sequence[RowBlock], reader: str) -> Units:
    columns = Entries(layer.get_submodule(reader).get_parameter("weight"), COLUMN)
    size = columns.parameter.shape[COLUMN]
    entries = [columns]
    for maker in makers:
        for parameter in layer.get_submodule(maker.path).parameters():  # weight and bias, if any
            entries.append(Entries(parameter, ROW, maker.block * size))
    return Units(size, tuple(entries))


def hidden_units(model: nn.Module) -> list[tuple[Units, ...]]:
    """Return each layer's hidden units, as the published procedure removes them.

    Hidden unit i owns column i of the query, key, value, attention output and intermediate
    matrices; bias i of query, key, value and attention output; row and bias i of the output matrix;
    gain and bias i of both LayerNorms. DeBERTa's matrices that read only relative positions are
    left alone.

    Returns:
        For each layer one type: its hidden units.
    """
    paths = architecture_of(model)
    assert paths.output_norm is not None  # `core.inputs.prepare` refuses pre-norm layers
    attention = [*paths.query_key, paths.value.path, paths.attention_dense]
    intermediate = [rows.path for rows in paths.intermediate]
    owned = dict[str, int]()  # the dimension by name of the parameter
    for path in (*attention, *intermediate):
        owned[f"{path}.weight"] = COLUMN
    for path in (paths.output, paths.attention_norm, paths.output_norm):
        owned[f"{path}.weight"] = ROW
        owned[f"{path}.bias"] = ROW
    for path in attention:
        owned[f"{path}.bias"] = ROW
    layers = list[tuple[Units, ...]]()
    for layer in encoder_layers(model):
        entries = [Entries(layer.get_parameter(name), owned[name]) for name in owned]
        size = len(entries[-1].parameter)
        layers.append((Units(size, tuple(entries)),))
    return layers


class UnitPlan(Plan):
    """Removes the lowest-ranked units of every layer and type.

    Attributes:
        scores: For each layer and type, (units,); the lowest is removed first.
    """

    def __init__(
        self,
        layers: Sequence[Sequence[Units]],
        scores: Sequence[Sequence[Tensor]],
    ) -> None:
        """Rank the units.

        Args:
            layers: For each layer, its types of units.
            scores: For each layer and type, (units,); the lowest is removed first, of equal scores
                the lowest index.
        """
        self.scores = scores
        self.parameters = []
        # By parameter: the entries of units of a type, and these units in order.
        self._removals: dict[int, list[tuple[Entries, Tensor]]] = {}
        for types, layer_scores in zip(layers, scores, strict=True):
            for units, type_scores in zip(types, layer_scores, strict=True):
                order = torch.argsort(type_scores, stable=True)  # (units,)
                for entries in units.entries:
                    key = id(entries.parameter)
                    if key not in self._removals:
                        self._removals[key] = []
                        self.parameters.append(entries.parameter)
                    self._removals[key].append((entries, order))

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each parameter's mask of the entries that stay; see `core.pruning.Plan`."""
        for parameter, values in zip(self.parameters, baseline, strict=True):
            keep = torch.ones_like(values, dtype=torch.bool)  # of the parameter's shape
            for entries, order in self._removals[id(parameter)]:
                count = round(amount * len(order))
                lowest = entries.start + order[:count]  # (removed,)
                keep.index_fill_(entries.dimension, lowest, False)
            yield keep
