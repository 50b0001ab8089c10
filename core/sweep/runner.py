"""Prune a checkpoint by any amount of a request, and run it over all examples."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from core.encoder.architectures import classifier
from core.encoder.batches import Window, micro_batches, plan_windows
from core.encoder.loading import Checkpoint
from core.encoder.representations import Recorder, Representations, check_finite
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import scored_on
from core.pruning import Baseline, Calibration, Plan, PrunedModel, module_of
from core.request.catalog import METHODS
from core.request.points import point_names
from core.request.sweep_request import SweepRequest
from core.sweep.search import best_subsets


def silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


@dataclass(frozen=True)
class Runner:
    """A checkpoint ready to be pruned by any amount of a request and run over all examples; see `open_runner`.

    Attributes:
        checkpoint: The baseline, pruned in place.
        points: Names of the points.
        windows: Every forward pass of one amount.
        model: Prunes the checkpoint.
        recorder: Runs the model and catches the hidden states.
    """

    checkpoint: Checkpoint
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
        head, hidden = classifier(self.checkpoint.model), self.checkpoint.record.hidden_size
        return Representations(self.windows, head, len(self.points), hidden)

    def run(self, window: Window, buffers: Representations, step: Callable[[], None]) -> None:
        """Run a window's examples through the model as currently pruned.

        Args:
            window: One of `windows`.
            buffers: Receives the representations and logits.
            step: Called after each micro-batch; an exception that it raises ends the run, unchanged.

        Raises:
            PrunescopeError: They are not finite.
        """
        for batch in window.micro_batches:
            logits = self.recorder.run(batch)
            *states, read = self.recorder.states
            buffers.store(batch, logits, states, read)
            step()
        check_finite(buffers.mean, self.checkpoint.record.id)  # a mean is finite only where every token is


def make_plan(checkpoint: Checkpoint, examples: EvalSubset | None, request: SweepRequest, report: Report) -> Plan:
    """Make the plan of a request's method, scoring calibration examples if the method needs them.

    Args:
        checkpoint: The loaded baseline.
        examples: The calibration examples; None for a method without any. See `scored_on`.
        request: Method, scope, amounts and seed.
        report: Called with (stage, done, total); an exception that it raises ends the planning, unchanged.
    """
    calibration, model = None, checkpoint.model
    if examples := scored_on(request, examples):
        measured = checkpoint.measured.setdefault(examples.record.fingerprint, {})
        batches = micro_batches(checkpoint.tokenizer, examples.texts)
        calibration = Calibration(batches, torch.tensor(examples.record.gold), report, measured)
        if METHODS[request.method].removes == "layers":
            measured["kept"] = measured.get("kept") or best_subsets(checkpoint, examples, report)
    baseline = Baseline(model, request.amounts, request.scope, request.seed, calibration, request.control_of)
    return module_of(request.method).plan(baseline)


@contextmanager
def open_runner(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest, plan: Plan) -> Iterator[Runner]:
    """Prepare all amounts of a request whose parts fit together; restore the model at the end.

    Args:
        checkpoint: The loaded baseline.
        subset: The evaluation examples.
        request: Points and amounts.
        plan: The plan of the request's method, from `make_plan`.
    """
    points = point_names(request.points, checkpoint.record.num_layers)
    windows = plan_windows(checkpoint.tokenizer, subset.texts, len(points) * checkpoint.record.hidden_size * 4)
    with (
        PrunedModel(checkpoint.model, plan) as model,
        Recorder(checkpoint.model, points, checkpoint.record.id) as recorder,
    ):
        yield Runner(checkpoint, points, windows, model, recorder)
