"""Recompute a frame of a result with our engine and with torch-cka, and measure how far the stored frame deviates."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import count
from math import isfinite
from typing import Any

import numpy as np
from torch import Tensor

from core.encoder.loading import Checkpoint, borrow
from core.inputs.checkpoints import Resolved
from core.inputs.hub import Report
from core.inputs.prepare import Inputs
from core.pruning import Plan
from core.request.catalog import LEAST_LEFT, MEASURES
from core.request.sweep_request import SweepRequest
from core.results.schema import Frame, SweepResult
from core.similarity.torch_cka import Pair, torch_cka_matrix
from core.sweep.against import measuring
from core.sweep.origin import find_inputs, frame_of
from core.sweep.runner import Progress, Runner, make_plan, open_runner, returned
from core.sweep.sweep import sweep

ENGINE_TOLERANCE = 1e-5  # the same machine gives the same bits; other processors and thread counts move the seventh
TORCH_CKA_TOLERANCE = 1e-4  # torch-cka computes in float32
ACCURACY_TOLERANCE = 0.0
FLOOR_TOLERANCE = ENGINE_TOLERANCE / LEAST_LEFT**0.5  # partial CKA divides what is left by at least that root

Values = Sequence[float | None] | Sequence[Sequence[float | None]]  # (baseline points, pruned points) or (points,)


@dataclass(frozen=True)
class Deviations:
    """How far a stored frame deviates from a new computation, in absolute values.

    Attributes:
        amount: The frame's pruning amount.
        engine: For each reduction the largest deviation of a CKA value from our engine's; infinite if only one of the
            two values is undefined.
        torch_cka: The same from torch-cka's values.
        accuracy: The deviation of the accuracy from our engine's.
        others: The largest deviation of the floor and of every other measure from our engine's, by name.
    """

    amount: float
    engine: dict[str, float]
    torch_cka: dict[str, float]
    accuracy: float
    others: dict[str, float] = field(default_factory=dict)

    @property
    def within_tolerance(self) -> bool:
        """Whether the frame is confirmed."""
        return (
            max(self.engine.values()) <= ENGINE_TOLERANCE
            and max(self.torch_cka.values()) <= TORCH_CKA_TOLERANCE
            and self.accuracy <= ACCURACY_TOLERANCE
            and max(self.others.values(), default=0.0) <= FLOOR_TOLERANCE
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; null stands for infinity, which JSON lacks."""
        values = asdict(self)
        for name in ("engine", "torch_cka", "others"):
            values[name] = {reduction: value if isfinite(value) else None for reduction, value in values[name].items()}
        return {**values, "within_tolerance": self.within_tolerance}


def verify_frame(
    result: SweepResult,
    amount: float,
    checkpoint: str | None = None,
    data: str | None = None,
    report: Report | None = None,
    against: str | None = None,
) -> Deviations:
    """Recompute one frame from the checkpoints and the examples that its result names.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: See `find_inputs`.
        data: See `find_inputs`.
        report: Called with (stage, done, total); an exception that it raises ends the verification, unchanged.
        against: See `find_inputs`.

    Raises:
        PrunescopeError: The result lacks the amount, or a checkpoint or the examples are not those of the result.
    """
    report = report or _silent
    stored = frame_of(result, amount)
    request, inputs = find_inputs(result, stored.amount, checkpoint, data, report, against)
    with borrow(inputs.resolved) as baseline:
        plan = make_plan(baseline, inputs.calibration, request, report)
        ours = _recompute(baseline, inputs, request, plan, report)
        with open_runner(baseline, inputs.subset, request, plan) as runner:
            if inputs.against:
                theirs = _torch_cka_against(inputs.against, runner, request, report)
            else:
                theirs = _torch_cka_matrices(runner, stored.amount, report)
    return Deviations(
        amount=stored.amount,
        engine={name: _deviation(stored.matrix(name), ours.frames[-1].matrix(name)) for name in result.reductions},
        torch_cka={name: _deviation(stored.matrix(name), theirs[name].tolist()) for name in result.reductions},
        accuracy=abs((stored.metrics["accuracy"] or 0.0) - (ours.frames[-1].metrics["accuracy"] or 0.0)),
        others=_other_deviations(result, stored, ours),
    )


def _silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


def _recompute(baseline: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan, report: Report) -> SweepResult:
    """Run the request's sweep, whose last frame is the one to verify."""
    with closing(sweep(baseline, inputs, request, plan)) as events:
        for event in events:
            if isinstance(event, Progress):
                report("Recomputing", event.done, event.total)
            if isinstance(event, SweepResult):
                return event
    raise AssertionError("a sweep ends in its result")


def _other_deviations(result: SweepResult, stored: Frame, ours: SweepResult) -> dict[str, float]:
    """Compare the floor and every measure but CKA."""
    unknown = (None,) * len(result.points)
    deviations = {}
    for measure in result.measures:
        for reduction in MEASURES[measure].reductions if measure != "cka" else ():
            known = [frame.similarity[measure][reduction] or unknown for frame in (stored, ours.frames[-1])]
            deviations[f"{MEASURES[measure].title}, {reduction}"] = _deviation(*known)
    if result.floor and ours.floor:
        for reduction, row in result.floor.cka.items():
            deviations[f"Floor, {reduction}"] = _deviation([row], [ours.floor.cka[reduction]])
    return deviations


def _torch_cka_matrices(runner: Runner, amount: float, report: Report) -> dict[str, Tensor]:
    """Compute with torch-cka, for each reduction, (baseline points, pruned points) float32; NaN: undefined."""
    baseline, pruned = runner.buffers(), runner.buffers()
    num_points = (len(runner.points), len(runner.points))

    def token_pairs() -> Iterator[Pair]:
        """Run both models window by window: memory holds only two windows of tokens."""
        done = 0
        for window in runner.windows:
            for pruned_by, buffers in ((0.0, baseline), (amount, pruned)):
                runner.model.prune(pruned_by)
                for _ in runner.run(window, buffers):
                    done += 1
                    report("Asking torch-cka", done, 2 * runner.micro_batches)
            yield from zip(baseline.tokens(window), pruned.tokens(window), strict=True)

    num_minibatches = sum(len(window.minibatches) for window in runner.windows)
    tokens = torch_cka_matrix(token_pairs(), num_minibatches, num_points)  # fills `mean` and `cls` as well
    return {
        "mean": torch_cka_matrix([(baseline.mean, pruned.mean)], 1, num_points),
        "cls": torch_cka_matrix([(baseline.cls, pruned.cls)], 1, num_points),
        "tokens": tokens,
    }


def _torch_cka_against(against: Resolved, runner: Runner, request: SweepRequest, report: Report) -> dict[str, Tensor]:
    """Compute the same against another checkpoint, for the reductions over a single batch."""
    other_model = returned(measuring(against, runner.subset, request), report)
    pruned = runner.buffers()
    runner.model.prune(request.amounts[-1])
    done = count(1)
    for window in runner.windows:
        for _ in runner.run(window, pruned):
            report("Asking torch-cka", next(done), runner.micro_batches)
    found = {}
    for name, features in (("mean", pruned.mean), ("cls", pruned.cls)):  # each (points, examples, hidden)
        rows = other_model.samples[name].features
        assert rows is not None  # as of every single batch
        found[name] = torch_cka_matrix([(rows, features)], 1, (len(rows), len(features)))
    return found


def _deviation(stored: Values, computed: Values) -> float:
    """Return the largest absolute difference of two arrays, infinite if only one has a value somewhere."""
    first, second = np.array(stored, dtype=np.float64), np.array(computed, dtype=np.float64)  # (points, points) or less
    differences = np.abs(first - second)  # as they
    differences[np.isnan(first) & np.isnan(second)] = 0.0
    return float(np.nan_to_num(differences, nan=np.inf).max())
