"""The whole procedure: prunes, runs, compares and scores, amount by amount.

An iterator of progress and frames that ends in a SweepResult. Closing it between
two events cancels the sweep; however it ends, the model is left as it was found.
"""

import platform
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count

import numpy as np
import torch
from torch import Tensor

from core.batches import MINIBATCH, Window, encode, plan_windows
from core.catalog import (
    ENGINE_VERSION,
    MAX_LENGTH,
    MIN_EXAMPLES,
    REDUCTIONS,
    SweepRequest,
    amount_text,
    check_scope,
    limits,
)
from core.checkpoints import Checkpoint, check_labels
from core.cka import cka, example_sums, u_centred_gram
from core.errors import PrunescopeError
from core.eval_subset import EvalSubset, check_not_training_data
from core.hub import Report
from core.metrics import evaluate
from core.pruning import REGISTRY, Baseline, Calibration, Plan, PrunedModel, Removed
from core.representations import Recorder, Representations, point_names
from core.requests import DTYPE, Inputs, pruning_record
from core.results import CkaRecord, Frame, Header, LayerStatistics, Matrix, PruningRecord, SweepResult, result_key
from core.statistics import Array, layer_statistics, leave_one_out

ESTIMATORS = {"mean": "full", "cls": "full", "tokens": f"minibatch-{MINIBATCH}"}

SCORING = "Scoring on calibration examples"  # the stage before the first amount, in words

SINGLE_BATCH = ("mean", "cls")  # reductions over one batch of all examples: one can be left out

Grams = dict[str, list[Tensor]]  # reduction -> for each (mini)batch (points, n, n), U-centred
Replicates = dict[str, list[Array | None]]  # reduction -> for each amount (points, n)


@dataclass(frozen=True)
class Progress:
    """One micro-batch is done.

    Attributes:
        amount: The pruning amount at work; none while calibration examples are scored.
        done: Micro-batches done, over all amounts or of the scoring.
        total: Micro-batches of the same.
    """

    amount: float | None
    done: int
    total: int

    @property
    def stage(self) -> str:
        """What is being done, in words."""
        return SCORING if self.amount is None else f"Pruning amount {amount_text(self.amount)}"


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


@dataclass(frozen=True)
class Runner:
    """A checkpoint that can be pruned by any amount of a request and run over all examples; see `open_runner`.

    Attributes:
        checkpoint: The baseline, pruned in place.
        subset: The evaluation examples.
        points: Names of the points.
        windows: Every forward pass of one amount.
        model: Prunes.
        recorder: Runs, and catches the hidden states.
    """

    checkpoint: Checkpoint
    subset: EvalSubset
    points: tuple[str, ...]
    windows: list[Window]
    model: PrunedModel
    recorder: Recorder

    @property
    def micro_batches(self) -> int:
        """Forward passes of one amount."""
        return sum(len(window.micro_batches) for window in self.windows)

    def buffers(self) -> Representations:
        """Allocates the place that `run` fills."""
        return Representations(
            num_examples=len(self.subset.rows),
            num_labels=len(self.subset.task.label_names),
            num_points=len(self.points),
            hidden=self.checkpoint.record.hidden_size,
            num_tokens=max(window.num_tokens for window in self.windows),
        )

    def run(self, window: Window, buffers: Representations) -> Iterator[None]:
        """Runs a window's examples through the model as it is pruned now; yields after each micro-batch.

        Args:
            window: One of `windows`.
            buffers: Holds the representations and logits afterwards.
        """
        for batch in window.micro_batches:
            buffers.store(batch, self.recorder.run(batch), self.recorder.states)
            yield


def planning(
    checkpoint: Checkpoint, examples: EvalSubset | None, request: SweepRequest
) -> Generator[Progress, None, Plan]:
    """Makes the plan of a request's method: scores calibration examples where the method needs them.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples, for a method that scores on some.
        request: Method, scope, amounts and seed.

    Yields:
        Progress after each micro-batch of calibration examples.

    Returns:
        The plan, through `yield from`.
    """
    calibration = _calibration(checkpoint, examples) if examples else None
    baseline = Baseline(checkpoint.model, request.amounts, request.scope, request.seed, calibration)
    steps = REGISTRY[request.method](baseline)
    total = len(calibration.batches) if calibration else 0
    for done in count(1):
        try:
            next(steps)
        except StopIteration as end:
            plan: Plan = end.value
            return plan
        yield Progress(None, done, total)
    raise AssertionError("count() never ends")


def make_plan(checkpoint: Checkpoint, examples: EvalSubset | None, request: SweepRequest, report: Report) -> Plan:
    """Makes the plan of a request's method at once, for callers that are no iterators.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples, for a method that scores on some.
        request: Method, scope, amounts and seed.
        report: Called with (stage, done, total); an exception that it raises ends the planning, unchanged.
    """
    steps = planning(checkpoint, examples, request)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            plan: Plan = end.value
            return plan
        report(event.stage, event.done, event.total)


def _calibration(checkpoint: Checkpoint, examples: EvalSubset) -> Calibration:
    encoded = encode(checkpoint.tokenizer, examples.texts, MAX_LENGTH)
    (window,) = plan_windows(encoded, checkpoint.tokenizer, bytes_per_token=0)
    return Calibration(window.micro_batches, torch.tensor(examples.gold))


@contextmanager
def open_runner(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest, plan: Plan) -> Iterator[Runner]:
    """Prepares all amounts of a request whose parts fit together; at the end the model is as it was found.

    Args:
        checkpoint: The loaded baseline.
        subset: The evaluation examples.
        request: Points and amounts.
        plan: Of the request's method, from `planning`.
    """
    encoded = encode(checkpoint.tokenizer, subset.texts, MAX_LENGTH)
    points = point_names(request.points, checkpoint.record.num_layers)
    windows = plan_windows(encoded, checkpoint.tokenizer, len(points) * checkpoint.record.hidden_size * 4)
    with PrunedModel(checkpoint.model, plan) as model, Recorder(checkpoint.model, points) as recorder:
        yield Runner(checkpoint, subset, points, windows, model, recorder)


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
