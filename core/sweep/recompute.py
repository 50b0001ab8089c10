"""Recompute a frame with our engine and with torch-cka, and compare the stored frame."""

import json
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, NamedTuple, cast

import numpy as np
from torch import Tensor

from core.encoder.loading import borrow
from core.inputs.hub import Report
from core.request.catalog import DTYPE, REDUCTIONS, SINGLE_BATCH
from core.results.schema import Frame, SweepResult
from core.similarity.torch_cka import torch_cka_matrix
from core.sweep.meter import Meter, make_plan, silent
from core.sweep.origin import find_inputs, frame_of
from core.sweep.sweep import sweep

# By where or in what a result was computed: the allowed deviations of CKA from our engine's and
# from torch-cka's, and the share of predictions that may differ, if any then at least one.
# torch-cka computes in float32. One machine repeats its bits; other processors and thread counts
# move the seventh digit.
TOLERANCES = {
    "": (1e-5, 1e-4, 0.0),
    "on another device": (1e-4, 2e-4, 1 / 500),
    "in bfloat16": (1e-3, 2e-3, 1 / 250),
}
FLOOR_FACTOR = 100  # the emptied model's representations hardly vary, which magnifies rounding

Values = Sequence[float | None] | Sequence[Sequence[float | None]]
"""(baseline points, pruned points) or (points,)."""


class Deviations(NamedTuple):
    """Absolute deviations of a stored frame from a new computation.

    They are infinite where only one value is defined.

    Attributes:
        amount: The frame's pruning amount.
        engine: The largest deviation of a CKA value from our engine's, by reduction.
        torch_cka: The same from torch-cka's.
        accuracy: The deviation of the accuracy from our engine's.
        others: The largest deviations of the floor and of what the classifier reads, by name.
        examples: The number of examples.
        cause: A key of TOLERANCES.
    """

    amount: float
    engine: dict[str, float]
    torch_cka: dict[str, float]
    accuracy: float
    others: dict[str, float]
    examples: int
    cause: str

    @property
    def within_tolerance(self) -> bool:
        """Whether the frame is confirmed."""
        engine, torch_cka, changed = TOLERANCES[self.cause]
        return (
            max(self.engine.values()) <= engine
            and max(self.torch_cka.values()) <= torch_cka
            and self.accuracy <= ceil(self.examples * changed) / self.examples
            and max(self.others.values(), default=0.0) <= engine * FLOOR_FACTOR
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, with null for infinity, which JSON lacks."""
        values = {
            **self._asdict(),
            "within_tolerance": self.within_tolerance,
            "allowed": TOLERANCES[self.cause][0],
        }
        return cast(
            dict[str, Any],
            json.loads(json.dumps(values), parse_constant=lambda _: None),
        )


def verify_frame(
    result: SweepResult,
    amount: float,
    checkpoint: str | None = None,
    data: str | None = None,
    report: Report = silent,
) -> Deviations:
    """Recompute one frame from the checkpoint and the examples that its result names.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: See `find_inputs`.
        data: See `find_inputs`.
        report: Called with (stage, done, total); it may raise an exception to cancel.

    Raises:
        PrunescopeError: The result lacks the amount, or the checkpoint or the examples are not
            those of the result.
    """
    stored = frame_of(result, amount)
    inputs = find_inputs(result, stored.amount, checkpoint, data, report)
    with borrow(inputs.resolved) as baseline:
        plan = make_plan(baseline, inputs.calibration, inputs.request, report)

        def step(_: str, done: int, total: int) -> None:
            report("Recomputing", done, total)

        ours = sweep(baseline, inputs, step, plan=plan)
        with Meter(baseline, inputs, plan, report) as meter:
            theirs = _torch_cka_matrices(meter, stored.amount)
    recomputed = ours.frames[-1]
    engine = {}
    by_torch_cka = {}
    for reduction in REDUCTIONS:
        matrix = stored.matrix(reduction)
        engine[reduction] = _deviation(matrix, recomputed.matrix(reduction))
        by_torch_cka[reduction] = _deviation(matrix, theirs[reduction].tolist())
    accuracies = [frame.metrics["accuracy"] or 0.0 for frame in (stored, recomputed)]
    cause = ""
    if result.dtype != DTYPE:
        cause = "in bfloat16"
    elif result.environment.get("device") != ours.environment["device"]:
        cause = "on another device"
    return Deviations(
        amount=stored.amount,
        engine=engine,
        torch_cka=by_torch_cka,
        accuracy=abs(accuracies[0] - accuracies[1]),
        others=_other_deviations(result, stored, ours),
        examples=len(stored.predictions),
        cause=cause,
    )


def _other_deviations(result: SweepResult, stored: Frame, ours: SweepResult) -> dict[str, float]:
    """Compare what the classifier reads, and the floor."""
    deviations = {}
    if stored.read is not None:  # missing from older results
        deviations["What the classifier reads"] = _deviation([stored.read], [ours.frames[-1].read])
    if result.floor and ours.floor:
        for reduction, row in result.floor.cka.items():
            deviations[f"Floor, {reduction}"] = _deviation([row], [ours.floor.cka[reduction]])
    return deviations


def _torch_cka_matrices(meter: Meter, amount: float) -> dict[str, Tensor]:
    """Compute CKA of the baseline with the model pruned by an amount, by torch-cka.

    Returns:
        By reduction, (baseline points, pruned points) float32, NaN where undefined.
    """
    baseline = meter.buffers
    pruned = meter.new_buffers()
    stage = "Asking torch-cka"

    def token_pairs() -> Iterator[tuple[Tensor, Tensor]]:
        """Run both models by window, so that memory holds one window's tokens of each."""
        for window in meter.windows:
            meter.model.prune(0.0)
            meter.run(window, baseline, stage)
            meter.model.prune(amount)
            meter.run(window, pruned, stage)
            yield from zip(baseline.tokens(window), pruned.tokens(window), strict=True)

    points = len(meter.points)
    num_minibatches = sum(len(window.tokens) for window in meter.windows)
    tokens = torch_cka_matrix(token_pairs(), num_minibatches, points)  # also fills the features
    matrices = {"tokens": tokens}
    for name in SINGLE_BATCH:
        pair = baseline.features[name], pruned.features[name]  # each (points, examples, hidden)
        matrices[name] = torch_cka_matrix([pair], 1, points)
    return matrices


def _deviation(stored: Values, computed: Values) -> float:
    """Return the largest absolute difference of two arrays, infinite where only one has a value."""
    first = np.array(stored, dtype=np.float64)  # (points[, points])
    second = np.array(computed, dtype=np.float64)  # (points[, points])
    differences = np.abs(first - second)  # (points[, points])
    differences[np.isnan(first) & np.isnan(second)] = 0.0
    return float(np.nan_to_num(differences, nan=np.inf).max())
