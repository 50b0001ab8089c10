"""Attribution pruning of hidden units, as in the published experiment (after arXiv 2205.04157).

Formula: score_i = |Σ h_ti · ∂L/∂h_ti|, summed with sign over all calibration examples and
tokens t, with hidden unit i of the *layer's output* h and the cross-entropy L of the gold
label. The units with the smallest scores are removed; `units.hidden_units` lists the parts
of a hidden unit.

This differs from the published code in two ways, on purpose: that code scored in training
mode, with dropout, and counted padding; here the baseline is in eval mode and padding is
excluded.

Cost: one forward and one backward pass over the calibration examples per sweep.
`amount` is a fraction of a layer's hidden units.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.encoder.architectures import Tap, encoder_layers
from core.pruning.plan import Baseline, attributions
from core.pruning.units import UnitPlan, hidden_units

units = hidden_units


def plan(baseline: Baseline) -> UnitPlan:
    """Score the hidden units; see the module docstring.

    Args:
        baseline: With calibration examples.
    """
    assert baseline.calibration is not None  # the catalog marks this method as calibrated
    outputs = [[Tap(layer, "output")] for layer in encoder_layers(baseline.model)]
    signed = attributions(baseline.model, baseline.calibration, outputs, loss, torch.positive)
    scores = [[total.abs()] for (total,) in signed]
    return UnitPlan(hidden_units(baseline.model), scores)


def loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Sum the cross-entropy over examples."""
    return cross_entropy(logits, gold, reduction="sum")
