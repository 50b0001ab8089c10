"""The whole procedure: prunes, runs, compares and scores, amount by amount.

An iterator of progress and frames that ends in a SweepResult. Closing it between
two events cancels the sweep; however it ends, the model is left as it was found.
"""

import platform
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
from torch import Tensor

from core.encoder.batches import MINIBATCH
from core.encoder.loading import Checkpoint, check_labels
from core.encoder.representations import Representations
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
from core.similarity.cka import cka, example_sums, u_centred_gram
from core.sweep.metrics import evaluate
from core.sweep.runner import Progress, Runner, open_runner, planning
from core.sweep.statistics import Array, layer_statistics, leave_one_out

ESTIMATORS = {"mean": "full", "cls": "full", "tokens": f"minibatch-{MINIBATCH}"}

SINGLE_BATCH = ("mean", "cls")  # reductions over one batch of all examples: one can be left out

Grams = dict[str, list[Tensor]]  # reduction -> for each (mini)batch (points, n, n), U-centred
Replicates = dict[str, list[Array | None]]  # reduction -> for each amount (points, n)


@dataclass(frozen=True)
class FrameReady:
    """One pruning amount is done.

    Attributes:
        header: What belongs to every frame.
        frame: Its numbers.
    """

    header: Header
    frame: Frame


Event = Progress | FrameReady | SweepResult


def sweep(
    checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan | None = None
) -> Generator[Event, None, None]:
    """Checks that the parts fit and starts a sweep.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: Evaluation and calibration examples.
        request: Method, scope, points and amounts.
        plan: Of the same request, where `planning` made it already.

    Returns:
        Events: Progress after each micro-batch, FrameReady after each amount, at last the SweepResult (not saved).

    Raises:
        PrunescopeError: The parts do not fit together.
    """
    _check_fit(checkpoint, inputs.subset, request)  # here, not at the first event: a refusal should come at once
    return _events(checkpoint, inputs, request, plan)


def _events(
    checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan | None
) -> Generator[Event, None, None]:
    started, subset = time.monotonic(), inputs.subset
    plan = plan or (yield from planning(checkpoint, inputs.calibration, request))
    pruning = pruning_record(request, inputs.calibration, plan.reliability)
    header, frames, replicates, done = None, [], Replicates(), 0
    with open_runner(checkpoint, subset, request, plan) as runner:
        buffers, baseline = runner.buffers(), Grams()
        for amount in request.amounts:
            removed = runner.model.prune(amount)
            grams: Grams = {name: [] for name in REDUCTIONS}
            for _ in _run(runner, buffers, grams):
                done += 1
                yield Progress(amount, done, runner.micro_batches * len(request.amounts))
            baseline = baseline or grams
            header = header or _header(runner, pruning, _length_control(runner, baseline))
            frames.append(_frame(amount, removed, subset, buffers.logits, baseline, grams))
            for name in SINGLE_BATCH:
                replicates.setdefault(name, []).append(_without_each(baseline[name][0], grams[name][0]))
            yield FrameReady(header, frames[-1])
    assert header is not None  # parse_amounts always gives the baseline's amount 0
    yield _result(header, frames, request, _statistics(frames, replicates), time.monotonic() - started)


def _check_fit(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest) -> None:
    check_labels(checkpoint, subset.task)
    check_scope(request.scope, request.method, checkpoint.record.num_layers)
    check_not_training_data(subset, checkpoint.training_digests, checkpoint.record.id)
    bound = limits().examples
    if len(subset.rows) > bound:
        raise PrunescopeError(f"{len(subset.rows)} examples: choose at most {bound}")


def _run(runner: Runner, buffers: Representations, grams: Grams) -> Iterator[None]:
    """Runs all examples through the model and fills `grams`; yields after each micro-batch."""
    for window in runner.windows:
        yield from runner.run(window, buffers)
        grams["tokens"] += [u_centred_gram(tokens) for tokens in buffers.tokens(window)]
    grams["mean"].append(u_centred_gram(buffers.mean))
    grams["cls"].append(u_centred_gram(buffers.cls))


def _length_control(runner: Runner, baseline: Grams) -> tuple[float | None, ...]:
    """CKA of the padding mask alone with each baseline point, flattened tokens: what length explains."""
    masks = [real[None].float() for window in runner.windows for real in window.tokens]  # each (1, minibatch, longest)
    return _matrix(cka([u_centred_gram(mask) for mask in masks], baseline["tokens"]))[0]


def _matrix(values: Tensor) -> Matrix:
    """Writes a matrix for the file: undefined values as None."""
    return tuple(tuple(None if value != value else value for value in row) for row in values.tolist())


def _frame(amount: float, removed: Removed, subset: EvalSubset, logits: Tensor, baseline: Grams, grams: Grams) -> Frame:
    predictions = tuple(logits.argmax(-1).tolist())  # (examples,)
    metrics, intervals = evaluate(subset.task.metrics, subset.gold, predictions)
    return Frame(
        amount=amount,
        sparsity=removed.sparsity,
        prunable_sparsity=removed.prunable_sparsity,
        layer_sparsity=removed.layer_sparsity,
        metrics=metrics,
        intervals=intervals,
        cka={name: _matrix(cka(baseline[name], grams[name])) for name in REDUCTIONS},
        predictions=predictions,
    )


def _header(runner: Runner, pruning: PruningRecord, length_control: tuple[float | None, ...]) -> Header:
    return Header(
        checkpoint=runner.checkpoint.record,
        task=runner.subset.record(),
        pruning=pruning,
        cka=CkaRecord(points=runner.points, estimators=ESTIMATORS, length_control=length_control),
    )


def _without_each(baseline: Tensor, pruned: Tensor) -> Array | None:
    """CKA of each point with its own baseline without each example, (points, n); none where too few examples stay."""
    if baseline.shape[-1] <= MIN_EXAMPLES:
        return None
    pairs = ((baseline, pruned), (baseline, baseline), (pruned, pruned))
    return leave_one_out(*(example_sums(one, other).numpy() for one, other in pairs))


def _statistics(frames: Sequence[Frame], replicates: Replicates) -> dict[str, LayerStatistics] | None:
    known = {name: [one for one in of_amounts if one is not None] for name, of_amounts in replicates.items()}
    if not all(known.values()):
        return None
    amounts = [frame.amount for frame in frames]
    return {
        name: layer_statistics(
            amounts,
            np.array([np.diag(np.array(frame.cka[name], dtype=np.float64)) for frame in frames]),  # (frames, points)
            np.stack(of_amounts),  # (frames, points, n)
        )
        for name, of_amounts in known.items()
    }


def _result(
    header: Header,
    frames: Sequence[Frame],
    request: SweepRequest,
    statistics: dict[str, LayerStatistics] | None,
    seconds: float,
) -> SweepResult:
    return SweepResult(
        **dict(header),
        key=result_key(header.checkpoint.revision, header.task, header.pruning, request.points, request.amounts, DTYPE),
        frames=tuple(frames),
        statistics=statistics,
        environment=environment(),
        seconds=round(seconds, 3),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def environment() -> dict[str, str | int]:
    """Describes what the numbers were computed with."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "numpy")},
        "engine": ENGINE_VERSION,
        "platform": f"{sys.platform} {platform.machine()}",
        "device": "cpu",
        "dtype": DTYPE,
        "threads": torch.get_num_threads(),
    }
