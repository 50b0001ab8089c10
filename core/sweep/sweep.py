"""The whole procedure: measure the baseline; then, for each amount, prune, run, compare, emit.

A sweep is an iterator of progress and frames that ends in a SweepResult. Close it between two events to cancel the
sweep. However it ends, the model is restored.
"""

import platform
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from core.encoder.batches import MINIBATCH
from core.encoder.loading import Checkpoint, check_labels
from core.errors import PrunescopeError
from core.inputs.examples import EvalSubset
from core.inputs.prepare import DTYPE, Inputs, pruning_record
from core.inputs.training_overlap import check_not_training_data
from core.pruning import Plan, Removed
from core.request.catalog import ENGINE_VERSION, MIN_EXAMPLES, REDUCTIONS
from core.request.limits import limits
from core.request.sweep_request import SweepRequest, check_scope
from core.results.schema import (
    CkaRecord,
    Frame,
    Header,
    LayerStatistics,
    Matrix,
    PruningRecord,
    SweepResult,
    result_key,
)
from core.similarity.cka import Array, Grams, cka, compare, leave_one_out, prepare, u_centred_bands, u_centred_gram
from core.sweep.metrics import evaluate
from core.sweep.runner import Progress, Runner, open_runner, planning
from core.sweep.statistics import layer_statistics

ESTIMATORS = {"mean": "full", "cls": "full", "tokens": f"minibatch-{MINIBATCH}"}

SINGLE_BATCH = ("mean", "cls")  # reductions over one batch of all examples, where the jackknife works


@dataclass(frozen=True)
class FrameReady:
    """One pruning amount is done.

    Attributes:
        header: The part that all frames share.
        frame: The amount's numbers.
    """

    header: Header
    frame: Frame


Event = Progress | FrameReady | SweepResult


def sweep(
    checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan | None = None
) -> Generator[Event, None, None]:
    """Check that the parts fit together and start a sweep.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: Evaluation and calibration examples.
        request: Method, scope, points and amounts.
        plan: The request's plan, if `planning` has made it already.

    Returns:
        Events: Progress after each micro-batch, FrameReady after each amount, and finally the SweepResult, unsaved.

    Raises:
        PrunescopeError: The parts do not fit together.
    """
    check_fit(checkpoint, inputs.subset, request)  # here, not at the first event, to refuse at once
    return _events(checkpoint, inputs, request, plan)


def check_fit(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest) -> None:
    """Refuse a checkpoint, examples and a request that do not fit together.

    Raises:
        PrunescopeError: They do not.
    """
    check_labels(checkpoint, subset.task)
    check_scope(request.scope, request.method, checkpoint.record.num_layers)
    check_not_training_data(subset, checkpoint.training_digests, checkpoint.record.id)
    bound = limits().examples
    if len(subset.rows) > bound:
        raise PrunescopeError(f"{len(subset.rows)} examples: choose at most {bound}")


def _events(
    checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan | None
) -> Generator[Event, None, None]:
    started, subset = time.monotonic(), inputs.subset
    plan = plan or (yield from planning(checkpoint, inputs.calibration, request))
    with open_runner(checkpoint, subset, request, plan) as runner:
        meter = _Meter(runner, len(request.amounts))
        unpruned, *amounts = request.amounts
        baseline = yield from meter.measure(unpruned)
        header = _header(runner, pruning_record(request, inputs.calibration, plan.reliability), baseline)
        results = [_compare(subset, baseline, baseline)]
        yield FrameReady(header, results[-1].frame)
        for amount in amounts:
            results.append(_compare(subset, baseline, (yield from meter.measure(amount))))
            yield FrameReady(header, results[-1].frame)
    yield _result(header, results, request, time.monotonic() - started)


# ---------------------------------------------------------------- measure one model


@dataclass(frozen=True)
class _Measured:
    """A pruned model's output for all examples.

    Attributes:
        amount: The pruning amount.
        removed: What pruning removed.
        predictions: (examples,) label indices.
        grams: The Gram matrices of each reduction.
    """

    amount: float
    removed: Removed
    predictions: tuple[int, ...]
    grams: Mapping[str, Grams]


class _Meter:
    """Measures the model at one amount after another, in the same buffers, and counts the micro-batches.

    Args:
        runner: The model and the examples.
        num_amounts: How many amounts will be measured.
    """

    def __init__(self, runner: Runner, num_amounts: int) -> None:
        self._runner, self._buffers = runner, runner.buffers()
        self._done, self._total = 0, runner.micro_batches * num_amounts

    def measure(self, amount: float) -> Generator[Progress, None, _Measured]:
        """Prune the model and run it over all examples; yield after each micro-batch."""
        runner, buffers = self._runner, self._buffers
        removed, tokens = runner.model.prune(amount), list[Tensor]()
        for window in runner.windows:
            for _ in runner.run(window, buffers):
                self._done += 1
                yield Progress(amount, self._done, self._total)
            tokens += map(u_centred_gram, buffers.tokens(window))  # one (points, minibatch, minibatch) per minibatch
        pieces = {"mean": u_centred_bands(buffers.mean), "cls": u_centred_bands(buffers.cls), "tokens": tokens}
        return _Measured(
            amount=amount,
            removed=removed,
            predictions=tuple(buffers.logits.argmax(-1).tolist()),
            grams={name: prepare(pieces[name]) for name in REDUCTIONS},
        )


def _header(runner: Runner, pruning: PruningRecord, baseline: _Measured) -> Header:
    return Header(
        checkpoint=runner.checkpoint.record,
        task=runner.subset.record(),
        pruning=pruning,
        cka=CkaRecord(
            points=runner.points,
            estimators=ESTIMATORS,
            length_control=_length_control(runner, baseline.grams["tokens"]),
        ),
    )


def _length_control(runner: Runner, baseline: Grams) -> tuple[float | None, ...]:
    """Compute the CKA of the padding mask alone with each baseline point's flattened tokens: what length explains."""
    masks = [real[None].float() for window in runner.windows for real in window.tokens]  # each (1, minibatch, longest)
    return _matrix(cka(compare(prepare([u_centred_gram(mask) for mask in masks]), baseline)))[0]


# ---------------------------------------------------------------- compare two models


@dataclass(frozen=True)
class _Compared:
    """A pruned model beside the baseline.

    Attributes:
        frame: The numbers for the file.
        leave_one_out: For each reduction over a single batch the CKA of each point with its own baseline without each
            example, (points, n); empty if too few examples remain.
    """

    frame: Frame
    leave_one_out: Mapping[str, Array]


def _compare(subset: EvalSubset, baseline: _Measured, pruned: _Measured) -> _Compared:
    metrics, intervals = evaluate(subset.task.metrics, subset.gold, pruned.predictions)
    comparisons = {name: compare(baseline.grams[name], pruned.grams[name]) for name in REDUCTIONS}
    frame = Frame(
        amount=pruned.amount,
        sparsity=pruned.removed.sparsity,
        prunable_sparsity=pruned.removed.prunable_sparsity,
        layer_sparsity=pruned.removed.layer_sparsity,
        metrics=metrics,
        intervals=intervals,
        cka={name: _matrix(cka(compared)) for name, compared in comparisons.items()},
        predictions=pruned.predictions,
    )
    reductions = SINGLE_BATCH if len(subset.rows) > MIN_EXAMPLES else ()
    return _Compared(frame, {name: leave_one_out(comparisons[name]) for name in reductions})


def _matrix(values: Tensor) -> Matrix:
    """Convert a matrix for the file, undefined values to None."""
    return tuple(tuple(None if value != value else value for value in row) for row in values.tolist())


# ---------------------------------------------------------------- the result


def _result(header: Header, results: Sequence[_Compared], request: SweepRequest, seconds: float) -> SweepResult:
    return SweepResult(
        **dict(header),
        key=result_key(header.checkpoint.revision, header.task, header.pruning, request.points, request.amounts, DTYPE),
        frames=tuple(compared.frame for compared in results),
        statistics={name: _statistics(name, results) for name in results[0].leave_one_out} or None,
        environment=environment(),
        seconds=round(seconds, 3),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _statistics(reduction: str, results: Sequence[_Compared]) -> LayerStatistics:
    matrices = np.array([compared.frame.cka[reduction] for compared in results], dtype=np.float64)
    return layer_statistics(
        [compared.frame.amount for compared in results],
        matrices.diagonal(axis1=1, axis2=2),  # (frames, points)
        np.stack([compared.leave_one_out[reduction] for compared in results]),  # (frames, points, n)
    )


def environment() -> dict[str, str | int]:
    """Describe the software and the machine that compute the numbers."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "numpy")},
        "engine": ENGINE_VERSION,
        "platform": f"{sys.platform} {platform.machine()}",
        "device": "cpu",
        "dtype": DTYPE,
        "threads": torch.get_num_threads(),
    }
