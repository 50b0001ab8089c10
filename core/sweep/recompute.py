"""Recomputes a frame of a result, by our engine and by torch-cka."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from torch import Tensor

from core.encoder.loading import Checkpoint, borrow
from core.errors import PrunescopeError
from core.inputs.checkpoints import check_same_content
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, prepare
from core.pruning import Plan
from core.request.amounts import amount_text, parse_amounts
from core.request.catalog import REDUCTIONS
from core.request.sweep_request import SweepRequest, checked
from core.results.provenance import request_of
from core.results.schema import Frame, SweepResult
from core.similarity.torch_cka import Pair, torch_cka_matrix
from core.sweep.runner import Progress, Runner, make_plan, open_runner
from core.sweep.sweep import sweep


def torch_cka_matrices(runner: Runner, amount: float, report: Report) -> dict[str, Tensor]:
    """Asks torch-cka about the baseline and one pruning amount, in every reduction.

    Args:
        runner: Prepared for the amount.
        amount: The pruning amount.
        report: Called with (stage, done, total) after each forward pass.

    Returns:
        For each reduction (baseline points, pruned points) float32; NaN where torch-cka has no value.
    """
    baseline, pruned = runner.buffers(), runner.buffers()
    num_points = len(runner.points)

    def token_pairs() -> Iterator[Pair]:
        """Runs both models window by window, so that only two windows of tokens are in memory."""
        done = 0
        for window in runner.windows:
            for at, buffers in ((0.0, baseline), (amount, pruned)):
                runner.model.prune(at)
                for _ in runner.run(window, buffers):
                    done += 1
                    report("Asking torch-cka", done, 2 * runner.micro_batches)
            yield from zip(baseline.tokens(window), pruned.tokens(window), strict=True)

    num_minibatches = sum(len(window.minibatches) for window in runner.windows)
    tokens = torch_cka_matrix(token_pairs(), num_minibatches, num_points)  # fills `mean` and `cls` on the way
    return {
        "mean": torch_cka_matrix([(baseline.mean, pruned.mean)], 1, num_points),
        "cls": torch_cka_matrix([(baseline.cls, pruned.cls)], 1, num_points),
        "tokens": tokens,
    }


ENGINE_TOLERANCE = 1e-5  # the same machine gives the same bits; other processors and thread counts move the seventh
TORCH_CKA_TOLERANCE = 1e-4  # it computes in float32
ACCURACY_TOLERANCE = 0.0

Values = Sequence[Sequence[float | None]]  # (baseline points, pruned points); None and NaN: undefined


@dataclass(frozen=True)
class Deviations:
    """How far a stored frame is from a new computation of it, in absolute values.

    Attributes:
        amount: The frame's pruning amount.
        engine: For each reduction the largest deviation of a CKA value from our engine's; infinite where only one
            of the two is undefined.
        torch_cka: The same against torch-cka's.
        accuracy: Deviation of the accuracy from our engine's.
    """

    amount: float
    engine: dict[str, float]
    torch_cka: dict[str, float]
    accuracy: float

    @property
    def within_tolerance(self) -> bool:
        """Whether the frame is confirmed."""
        return (
            max(self.engine.values()) <= ENGINE_TOLERANCE
            and max(self.torch_cka.values()) <= TORCH_CKA_TOLERANCE
            and self.accuracy <= ACCURACY_TOLERANCE
        )

    def to_json(self) -> dict[str, Any]:
        """Gives plain JSON values, which know no infinity: null stands for it."""
        values = asdict(self)
        for name in ("engine", "torch_cka"):
            values[name] = {reduction: value if isfinite(value) else None for reduction, value in values[name].items()}
        return {**values, "within_tolerance": self.within_tolerance}


def verify_frame(
    result: SweepResult,
    amount: float,
    checkpoint: str | None = None,
    data: str | None = None,
    report: Report | None = None,
) -> Deviations:
    """Computes one frame again, from the checkpoint and the examples that its result names.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: Where the checkpoint is; None finds what the result names, unless it is a folder.
        data: `written`, `hub` or a folder; None finds what the result names, unless it is a folder.
        report: Called with (stage, done, total); an exception that it raises ends the verification, unchanged.

    Raises:
        PrunescopeError: The amount is not in the result, or checkpoint or examples are not those of the result.
    """
    report = report or _silent
    stored = frame_of(result, amount)
    request = frame_request(result, stored.amount, checkpoint, data)
    inputs = prepare(request, report)
    check_same_content(inputs.resolved, result.checkpoint.id, result.checkpoint.revision)
    check_same_examples(result, inputs.subset)
    with borrow(inputs.resolved) as baseline:
        plan = make_plan(baseline, inputs.calibration, request, report)
        ours = _recompute(baseline, inputs, request, plan, report)
        with open_runner(baseline, inputs.subset, request, plan) as runner:
            theirs = torch_cka_matrices(runner, stored.amount, report)
    return Deviations(
        amount=stored.amount,
        engine={name: _deviation(stored.cka[name], ours.cka[name]) for name in REDUCTIONS},
        torch_cka={name: _deviation(stored.cka[name], theirs[name].tolist()) for name in REDUCTIONS},
        accuracy=abs((stored.metrics["accuracy"] or 0.0) - (ours.metrics["accuracy"] or 0.0)),
    )


def frame_of(result: SweepResult, amount: float) -> Frame:
    """Finds the frame of an amount.

    Args:
        result: A result.
        amount: A pruning amount.

    Raises:
        PrunescopeError: The result has no such frame.
    """
    for frame in result.frames:
        if amount_text(frame.amount) == amount_text(amount):
            return frame
    near = sorted(sorted(result.amounts, key=lambda other: abs(other - amount))[:3])
    raise PrunescopeError(
        f"amount {amount_text(amount)} is not among the result's {len(result.amounts)}: "
        f"choose one of them, such as {', '.join(map(amount_text, near))}"
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Reports nothing."""


def frame_request(result: SweepResult, amount: float, checkpoint: str | None, data: str | None) -> SweepRequest:
    """Asks for a result's baseline and one amount of it.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: As `verify_frame` takes it.
        data: As `verify_frame` takes it.

    Raises:
        PrunescopeError: It is not known where checkpoint or examples are.
    """
    if result.checkpoint.source == "folder" and not checkpoint:
        raise PrunescopeError(
            f"the result was computed on the checkpoint folder '{result.checkpoint.id}', and does not say where that "
            "is: give it with --checkpoint"
        )
    if result.task.source == "folder" and not data:
        raise PrunescopeError(
            f"the result was computed on the data folder '{result.task.source_name}', and does not say where that is: "
            "give it with --data, or hub where it is the same data"
        )
    request = request_of(result)
    return checked(
        replace(
            request,
            checkpoint=checkpoint or request.checkpoint,
            data=data or request.data,
            amounts=parse_amounts([amount]),
        )
    )


def check_same_examples(result: SweepResult, subset: EvalSubset) -> None:
    """Refuses other examples than the result's.

    Args:
        result: A stored result.
        subset: The examples that were found.

    Raises:
        PrunescopeError: Their content is another one.
    """
    if subset.fingerprint != result.task.fingerprint:
        raise PrunescopeError(
            f"the examples of '{subset.source_name}' have the fingerprint {subset.fingerprint[:12]}, "
            f"the result's from '{result.task.source_name}' have {result.task.fingerprint[:12]}: give that data"
        )


def _recompute(baseline: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan, report: Report) -> Frame:
    """Runs the request's sweep and gives its last frame."""
    with closing(sweep(baseline, inputs, request, plan)) as events:
        for event in events:
            if isinstance(event, Progress):
                report("Recomputing", event.done, event.total)
            if isinstance(event, SweepResult):
                return event.frames[-1]
    raise AssertionError("a sweep ends in its result")


def _deviation(stored: Values, computed: Values) -> float:
    """Finds the largest absolute difference of two matrices; infinite where only one has a value."""
    first, second = np.array(stored, dtype=np.float64), np.array(computed, dtype=np.float64)  # (points, points)
    differences = np.abs(first - second)  # (points, points)
    differences[np.isnan(first) & np.isnan(second)] = 0.0
    return float(np.nan_to_num(differences, nan=np.inf).max())
