"""The engine's side of the comparison: its result, its masks and its representations. Nothing is computed here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from torch import Tensor

from core.encoder.batches import MicroBatch
from core.encoder.loading import Checkpoint, borrow
from core.encoder.representations import Representations
from core.inputs.prepare import Inputs, prepare
from core.pruning import Plan
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult
from core.sweep.runner import Runner, make_plan, open_runner
from core.sweep.sweep import has_floor, sweep

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Vectors = dict[str, Array]  # by reduction (points, examples, hidden)


@dataclass(frozen=True)
class Engine:
    """What the engine makes of one request.

    Attributes:
        inputs: The checkpoint's folder and the examples.
        result: As a user gets it.
        exact: The result of the same hidden states, converted to float64 before anything is computed from them.
        masks: For each amount the entries that stay, by parameter name.
        frames: For each amount the representations that `exact` was computed from.
        floor: Those of the emptied model; None where the method has none.
    """

    inputs: Inputs
    result: SweepResult
    exact: SweepResult
    masks: tuple[Mapping[str, Flags], ...]
    frames: tuple[Vectors, ...]
    floor: Vectors | None


def run(request: SweepRequest) -> Engine:
    """Run a request and keep what the comparison needs.

    Args:
        request: A checked request.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or they do not fit together.
    """
    inputs = prepare(request)
    with borrow(inputs.resolved) as checkpoint:
        plan = make_plan(checkpoint, inputs.calibration, request, lambda stage, done, total: None)
        with float64_buffers():
            exact = _last(checkpoint, inputs, request, plan)
        with float64_buffers(), open_runner(checkpoint, inputs.subset, request, plan) as runner:
            frames = tuple(_vectors(runner, amount) for amount in request.amounts)
            floor = _floor(runner, request.scope) if has_floor(request, inputs.revision_against) else None
        return Engine(
            inputs=inputs,
            result=_last(checkpoint, inputs, request, plan),
            exact=exact,
            masks=tuple(_masks(checkpoint, plan, amount) for amount in request.amounts),
            frames=frames,
            floor=floor,
        )


class Float64Representations(Representations):
    """Buffers in float64, filled from the model's float32 hidden states."""

    def __init__(self, *sizes: Any, **named_sizes: Any) -> None:
        """Allocate the buffers."""
        super().__init__(*sizes, **named_sizes)
        self.mean, self.cls, self.packed = self.mean.double(), self.cls.double(), self.packed.double()
        self._padded = self._padded.double()

    def store(self, batch: MicroBatch, logits: Tensor, states: Sequence[Tensor]) -> None:
        """Reduce one micro-batch."""
        super().store(batch, logits, [state.double() for state in states])


@contextmanager
def float64_buffers() -> Iterator[None]:
    """Let sweeps compute in float64 all that follows from the representations."""
    with patch("core.sweep.runner.Representations", Float64Representations):
        yield


def _last(checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, plan: Plan) -> SweepResult:
    *_, result = sweep(checkpoint, inputs, request, plan)
    assert isinstance(result, SweepResult)  # the last event of a sweep
    return result


def _masks(checkpoint: Checkpoint, plan: Plan, amount: float) -> dict[str, Flags]:
    if amount == 0:
        return {}
    names = {id(parameter): name for name, parameter in checkpoint.model.named_parameters()}
    masks = plan.keep_masks(amount, [parameter.detach() for parameter in plan.parameters])
    return {names[id(parameter)]: keep.numpy() for parameter, keep in zip(plan.parameters, masks, strict=True)}


def _vectors(runner: Runner, amount: float) -> Vectors:
    runner.model.prune(amount)
    return _run(runner)


def _floor(runner: Runner, scope: str | None) -> Vectors:
    with runner.emptied(scope):
        return _run(runner)


def _run(runner: Runner) -> Vectors:
    buffers = runner.buffers()
    for window in runner.windows:
        for _ in runner.run(window, buffers):
            pass
    return {"mean": buffers.mean.numpy(), "cls": buffers.cls.numpy()}
