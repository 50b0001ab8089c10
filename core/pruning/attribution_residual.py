"""Attribution pruning of hidden units, as the published experiment did it (after arXiv 2205.04157).

Formula: score_i = |Σ h_ti · ∂L/∂h_ti| over all calibration examples and tokens t, signed
until the end, with hidden unit i of the *layer's output* h and the cross-entropy L of the
gold label. The smallest scores go; what a hidden unit consists of, see `units.hidden_units`.

Two things differ from the published code on purpose: it scored in training mode, with
dropout, and counted padding; here the baseline is in eval mode and padding is left out.

Cost: one forward and one backward pass over the calibration examples a sweep.
`amount` is a fraction of a layer's hidden units.
"""

from torch import Tensor
from torch.nn.functional import cross_entropy

from core.encoder.architectures import encoder_layers, part
from core.encoder.hooks import Catcher
from core.pruning.calibration import Halves, attributions, reliability
from core.pruning.plan import Baseline, Planning
from core.pruning.units import UnitPlan, hidden_units


def plan(baseline: Baseline) -> Planning:
    """Scores the hidden units; see the module's text and `core.pruning.Planning`.

    Args:
        baseline: With calibration examples.
    """
    assert baseline.calibration is not None  # the catalog says that this method needs them
    layers = hidden_units(baseline.model)
    halves = [[Halves(units.size) for units in types] for types in layers]
    outputs = [part(baseline.model, layer, "output_norm") for layer in encoder_layers(baseline.model)]
    with Catcher(outputs, "output") as values:
        for batch, found in attributions(baseline.model, baseline.calibration, values, loss):
            for (one,), attribution in zip(halves, found, strict=True):
                one.add(batch.examples, attribution)  # (micro-batch, units)
            yield
    return UnitPlan(layers, [[one.total.abs()] for (one,) in halves], reliability(halves))


def loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Sums the cross-entropy over examples."""
    return cross_entropy(logits, gold, reduction="sum")
