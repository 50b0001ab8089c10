"""Whole layers: of as many as stay, those with which the model answers best on the calibration examples.

Formula: with amount a of L layers, the round((1 - a) · L) that stay are the subset of this size whose main metric is
highest, of equals the one whose predictions change least, then the lowest layers. Up to ALL_UP_TO layers all subsets
are run, of more those that a beam search looks at (`core.sweep.search`, as in a study of cuts). So the layers that stay
need not be nested over amounts. All parameters of a layer that goes become 0, and it is passed by (`PrunedModel`).

`amount` is a fraction of the layers: 0, 1/L … (L - 1)/L. Cost: of six layers some ten forward passes over the
calibration examples, of twelve some 120.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from core.encoder.architectures import encoder_layers
from core.pruning.plan import Baseline, Plan


class LayerPlan(Plan):
    """The layers that stay, of each number of layers; see the module docstring."""

    def __init__(self, baseline: Baseline) -> None:
        """Take what was measured: under `kept`, by how many stay, the layers that stay."""
        assert baseline.calibration is not None  # the catalog marks this method as calibrated
        self._layers, self._kept = encoder_layers(baseline.model), baseline.calibration.measured["kept"]
        self.parameters = [parameter for layer in self._layers for parameter in layer.parameters()]

    def keep_masks(self, amount: float, baseline: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each parameter's mask, all of it or nothing; see `core.pruning.Plan`."""
        kept = self._kept[max(round((1 - amount) * len(self._layers)), 1)]
        for number, layer in enumerate(self._layers):
            for parameter in layer.parameters():
                yield torch.full_like(parameter, number in kept, dtype=torch.bool)


plan = LayerPlan
