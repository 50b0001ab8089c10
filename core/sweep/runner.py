"""Prune a checkpoint by any amount of a request, and run it over all examples."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import torch

from core.encoder.architectures import classifier
from core.encoder.batches import Window, encode, plan_windows
from core.encoder.loading import Checkpoint
from core.encoder.representations import Recorder, Representations, check_finite
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.pruning import Baseline, Calibration, Plan, PrunedModel, module_of
from core.pruning.magnitude import scoped_weights
from core.request.catalog import MAX_LENGTH
from core.request.points import point_names
from core.request.sweep_request import SweepRequest
from core.results.names import amount_name

Value = TypeVar("Value")

SCORING = "Scoring on calibration examples"  # a stage before the first amount
OTHER_CHECKPOINT = "Measuring the other checkpoint"  # another one


@dataclass(frozen=True)
class Progress:
    """One micro-batch is done.

    Attributes:
        amount: The current pruning amount; None before the first one.
        done: Micro-batches done so far, over all amounts or in a stage before them.
        total: All micro-batches of the same kind.
        before: What is done before the first amount.
    """

    amount: float | None
    done: int
    total: int
    before: str = SCORING

    @property
    def stage(self) -> str:
        """The name of the current stage."""
        return self.before if self.amount is None else f"{amount_name(self.amount)} removed"


@dataclass(frozen=True)
class Runner:
    """A checkpoint ready to be pruned by any amount of a request and run over all examples; see `open_runner`.

    Attributes:
        checkpoint: The baseline, pruned in place.
        subset: The evaluation examples.
        points: Names of the points.
        windows: Every forward pass of one amount.
        model: Prunes the checkpoint.
        recorder: Runs the model and catches the hidden states.
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
        """Allocate the buffers that `run` fills."""
        return Representations(
            num_examples=len(self.subset.rows),
            num_labels=classifier(self.checkpoint.model).out_features,  # another checkpoint has labels of its own
            num_points=len(self.points),
            hidden=self.checkpoint.record.hidden_size,
            num_tokens=max(window.num_tokens for window in self.windows),
        )

    @contextmanager
    def emptied(self, scope: str | None) -> Iterator[None]:
        """Set every matrix of a scope to zero for a while; see `emptied_scope`."""
        with self.model.emptied(scoped_weights(self.checkpoint.model, scope)):
            yield

    def run(self, window: Window, buffers: Representations) -> Iterator[None]:
        """Run a window's examples through the model as currently pruned; yield after each micro-batch.

        Args:
            window: One of `windows`.
            buffers: Receives the representations and logits.

        Raises:
            PrunescopeError: They are not finite.
        """
        for batch in window.micro_batches:
            buffers.store(batch, self.recorder.run(batch), self.recorder.states)
            yield
        check_finite(buffers.mean, self.checkpoint.record.id)  # a mean is finite only where every token is


def planning(
    checkpoint: Checkpoint, examples: EvalSubset | None, request: SweepRequest
) -> Generator[Progress, None, Plan]:
    """Make the plan of a request's method, scoring calibration examples if the method needs them.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples; None for a method without any.
        request: Method, scope, amounts and seed.

    Yields:
        Progress after each micro-batch of calibration examples.

    Returns:
        The plan, through `yield from`.
    """
    calibration = _calibration(checkpoint, examples) if examples else None
    baseline = Baseline(
        checkpoint.model, request.amounts, request.scope, request.seed, calibration, controls=request.control_of
    )
    steps = module_of(request.method).plan(baseline)
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
    """Make the plan of a request's method in one call, reporting progress to a function.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples; None for a method without any.
        request: Method, scope, amounts and seed.
        report: Called with (stage, done, total); an exception that it raises ends the planning, unchanged.
    """
    return returned(planning(checkpoint, examples, request), report)


def returned(steps: Generator[Progress, None, Value], report: Report) -> Value:
    """Take all steps, reporting progress to a function, and return what they lead to.

    Args:
        steps: Such as `planning`.
        report: Called with (stage, done, total); an exception that it raises ends the steps, unchanged.
    """
    with closing(steps):
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                value: Value = end.value
                return value
            report(event.stage, event.done, event.total)


def _calibration(checkpoint: Checkpoint, examples: EvalSubset) -> Calibration:
    encoded = encode(checkpoint.tokenizer, examples.texts, MAX_LENGTH)
    (window,) = plan_windows(encoded, checkpoint.tokenizer, bytes_per_token=0)
    return Calibration(window.micro_batches, torch.tensor(examples.gold))


@contextmanager
def open_runner(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest, plan: Plan) -> Iterator[Runner]:
    """Prepare all amounts of a request whose parts fit together; restore the model at the end.

    Args:
        checkpoint: The loaded baseline.
        subset: The evaluation examples.
        request: Points and amounts.
        plan: The plan of the request's method, from `planning`.
    """
    encoded = encode(checkpoint.tokenizer, subset.texts, MAX_LENGTH)
    points = point_names(request.points, checkpoint.record.num_layers)
    windows = plan_windows(encoded, checkpoint.tokenizer, len(points) * checkpoint.record.hidden_size * 4)
    with (
        PrunedModel(checkpoint.model, plan) as model,
        Recorder(checkpoint.model, points, checkpoint.record.id) as recorder,
    ):
        yield Runner(checkpoint, subset, points, windows, model, recorder)
