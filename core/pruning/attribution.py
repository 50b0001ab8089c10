"""Attribution pruning of whole units, after Yang et al. (2022, arXiv 2205.04157).

Formula: score_i = mean over calibration examples of |Σ_t h_ti · ∂P(y|x)/∂h_ti|, with
the unit's value h_ti at token t and the probability P of the gold label y, on the
baseline in eval mode; padding is excluded. The units are those that can be removed
cleanly: the inputs of the attention's output matrix (context units) and of the
feed-forward network's second matrix (intermediate units). The units with the smallest
scores are removed: the row and bias entry that compute a unit (in a gated network, one
row in each half of the first matrix), and the column that reads it.

The paper sums signed attributions over examples: they cancel, and two halves of the
examples agree poorly. Taking absolute values within each example makes them agree.

Cost: one forward and one backward pass over the calibration examples per sweep.
`amount` is a fraction of the units, per layer and type.
"""

import torch
from torch import Tensor

from core.encoder.architectures import Tap, architecture_of, encoder_layers
from core.pruning.plan import Baseline, attributions
from core.pruning.units import UnitPlan, clean_units

units = clean_units


def plan(baseline: Baseline) -> UnitPlan:
    """Score the clean units; see the module docstring.

    Args:
        baseline: With calibration examples.
    """
    assert baseline.calibration is not None  # the catalog marks this method as calibrated
    paths = architecture_of(baseline.model)
    readers = list[list[Tap]]()
    for layer in encoder_layers(baseline.model):
        modules = map(layer.get_submodule, (paths.attention_dense, paths.output))
        readers.append([Tap(module, "input") for module in modules])
    sums = attributions(
        baseline.model,
        baseline.calibration,
        readers,
        gold_probability,
        torch.abs,
    )
    count = len(baseline.calibration.gold)
    scores = [[total / count for total in types] for types in sums]
    return UnitPlan(clean_units(baseline.model), scores)


def gold_probability(logits: Tensor, gold: Tensor) -> Tensor:
    """Sum P(gold label) over examples; the gradients of different examples do not mix."""
    return logits.softmax(-1).gather(1, gold[:, None]).sum()
