"""Recompute a frame with our engine and with torch-cka, and measure how far the stored frame deviates."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from math import ceil
from typing import Any, NamedTuple, cast

import numpy as np
from torch import Tensor

from core.encoder.loading import borrow
from core.inputs.hub import Report
from core.request.catalog import DTYPE, REDUCTIONS, SINGLE_BATCH
from core.request.sweep_request import SweepRequest
from core.results.schema import Frame, SweepResult
from core.similarity.torch_cka import torch_cka_matrix
from core.sweep.meter import Runner, make_plan, silent
from core.sweep.origin import find_inputs, frame_of
from core.sweep.sweep import sweep

# What may deviate, by where or in what a result was computed: CKA from our engine's, CKA from torch-cka's, and a share
# of predictions, if any then one of them. torch-cka computes in float32. One machine repeats its bits; other processors
# and thread counts move the seventh digit.
TOLERANCES = {
    "": (1e-5, 1e-4, 0.0),
    "on another device": (1e-4, 2e-4, 1 / 500),
    "in bfloat16": (1e-3, 2e-3, 1 / 250),
}
FLOOR_FACTOR = 100  # the emptied model's representations hardly vary, which magnifies rounding

Values = (
    Sequence[float | None] | Sequence[Sequence[float | None]]
)  # (baseline points, pruned points) or (points,)


class Deviations(NamedTuple):
    """Absolute deviations of a stored frame from a new computation; infinite where only one value is defined.

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
        allowed = {"within_tolerance": self.within_tolerance, "allowed": TOLERANCES[self.cause][0]}
        values = {**self._asdict(), **allowed}
        return cast(dict[str, Any], json.loads(json.dumps(values), parse_constant=lambda _: None))


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
        PrunescopeError: The result lacks the amount, or the checkpoint or the examples are not those of the result.
    """
    stored = frame_of(result, amount)
    request, inputs = find_inputs(result, stored.amount, checkpoint, data, report)
    with borrow(inputs.resolved) as baseline:
        plan = make_plan(baseline, inputs.calibration, request, report)
        ours = sweep(
            baseline,
            inputs,
            request,
            lambda _, done, total: report("Recomputing", done, total),
            plan=plan,
        )
        with Runner(baseline, inputs.subset, request, plan) as runner:
            theirs = _torch_cka_matrices(runner, request, report)
    recomputed, is_here = (
        ours.frames[-1],
        result.environment.get("device") == ours.environment["device"],
    )
    return Deviations(
        amount=stored.amount,
        engine={
            name: _deviation(stored.matrix(name), recomputed.matrix(name)) for name in REDUCTIONS
        },
        torch_cka={
            name: _deviation(stored.matrix(name), theirs[name].tolist()) for name in REDUCTIONS
        },
        accuracy=abs((stored.metrics["accuracy"] or 0.0) - (recomputed.metrics["accuracy"] or 0.0)),
        others=_other_deviations(result, stored, ours),
        examples=len(stored.predictions),
        cause="in bfloat16" if result.dtype != DTYPE else "" if is_here else "on another device",
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


def _torch_cka_matrices(runner: Runner, request: SweepRequest, report: Report) -> dict[str, Tensor]:
    """Compute CKA by torch-cka: by reduction, (baseline points, pruned points) float32, NaN where undefined."""
    baseline, pruned, done, points = (
        runner.buffers(),
        runner.buffers(),
        count(1),
        len(runner.points),
    )

    def token_pairs() -> Iterator[tuple[Tensor, Tensor]]:
        """Run both models window by window, so that memory holds only one window's tokens of each."""
        for window in runner.windows:
            for amount, buffers in ((0.0, baseline), (request.amounts[-1], pruned)):
                runner.model.prune(amount)
                runner.run(
                    window,
                    buffers,
                    lambda: report("Asking torch-cka", next(done), 2 * runner.micro_batches),
                )
            yield from zip(baseline.tokens(window), pruned.tokens(window), strict=True)

    num_minibatches = sum(len(window.tokens) for window in runner.windows)
    matrices = {
        "tokens": torch_cka_matrix(token_pairs(), num_minibatches, points)
    }  # also fills the features
    for name in SINGLE_BATCH:
        features = baseline.features[name], pruned.features[name]  # each (points, examples, hidden)
        matrices[name] = torch_cka_matrix([features], 1, points)
    return matrices


def _deviation(stored: Values, computed: Values) -> float:
    """Return the largest absolute difference of two arrays, infinite where only one has a value."""
    first, second = (
        np.array(stored, dtype=np.float64),
        np.array(computed, dtype=np.float64),
    )  # (points[, points])
    differences = np.abs(first - second)  # (points[, points])
    differences[np.isnan(first) & np.isnan(second)] = 0.0
    return float(np.nan_to_num(differences, nan=np.inf).max())
