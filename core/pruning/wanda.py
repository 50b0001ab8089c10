"""Wanda in one pass: weights times the norm of their inputs (Sun et al. 2023, arXiv 2306.11695).

Formula: S_ij = |W_ij| · ‖X_j‖₂ (their equation 1), with the norm of input feature j over
the real tokens of all calibration examples on the baseline. In each output row the
int(amount · columns) smallest are removed, ties by column. So `amount` is a fraction of
every row and, except for rounding down, of the scope's weights. Labels are not used.
In DeBERTa, matrices that read both tokens and relative positions are scored on tokens;
those that read only relative positions are scored on them, the same in every example.

Cost: one forward pass over the calibration examples, and the cost of `rows.RowPlan`.
"""

import torch
from torch import Tensor

from core.encoder.architectures import Catcher, Tap, linear_layers
from core.encoder.batches import MicroBatch
from core.encoder.device import on_processor
from core.pruning.magnitude import scoped_weights
from core.pruning.plan import Baseline, total_of
from core.pruning.rows import RowPlan

at_random = RowPlan  # the control also draws within rows


def score(weight: Tensor, norms: Tensor) -> Tensor:
    """Multiply each weight's magnitude by the norm of its input.

    Args:
        weight: (rows, columns) float32.
        norms: (columns,).

    Returns:
        (rows, columns) float32.
    """
    magnitudes = on_processor(weight).abs()  # (rows, columns)
    return magnitudes * norms.to(weight.dtype)


def plan(baseline: Baseline) -> RowPlan:
    """Measure the norms; see the module docstring.

    Args:
        baseline: With a scope and calibration examples.
    """
    assert baseline.calibration is not None  # the catalog marks this method as calibrated
    weights = scoped_weights(baseline.model, baseline.scope)
    squares = {}  # each (columns,) float64
    for weight in weights:
        columns = weight.shape[1]
        squares[id(weight)] = torch.zeros(columns, dtype=torch.float64)
    modules = [module for module in linear_layers(baseline.model) if id(module.weight) in squares]
    taps = [Tap(module, "input") for module in modules]

    def add(batch: MicroBatch) -> None:
        with torch.inference_mode():
            baseline.model(**batch.inputs)
        for module, state in zip(modules, inputs.states, strict=True):
            summed = _squares(on_processor(state), batch)  # (micro-batch, columns)
            squares[id(module.weight)] += total_of(summed)

    with Catcher(baseline.model, taps) as inputs:
        baseline.calibration.each(baseline.model, add)
    scores = (score(weight, squares[id(weight)].sqrt()) for weight in weights)
    return RowPlan(weights, scores)


def _squares(state: Tensor, batch: MicroBatch) -> Tensor:
    """Sum the squares of each example's real inputs.

    Args:
        state: (micro-batch, longest, columns) of tokens, (micro-batch, columns) of what the
            classifier reads, or (1, positions, columns) of relative positions.
        batch: The examples.

    Returns:
        (micro-batch, columns) float64.
    """
    squares = state.double().square()
    if state.dim() == 2:
        return squares
    if state.shape[:2] != batch.real.shape:
        return squares.sum(1).expand(len(batch.examples), -1)
    real = on_processor(batch.real)[..., None]  # (micro-batch, longest, 1)
    return (squares * real).sum(1)
