"""Run the sweeps of a grid in this process, one after another, sharing what they have in common."""

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise

from core.command_line import unforeseen
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import METHODS
from core.request.points import point_names
from core.request.scope import emptied_scope
from core.results import store
from core.results.schema import SweepResult
from core.similarity.gram import BAND_BYTES
from core.sweep.estimate import Pace, measure, passes, seconds_of_other_model, share_of_rest
from core.sweep.grid_plan import Done, Failure, GridSweep, Step
from core.sweep.journal import Journal
from core.sweep.runner import Progress
from core.sweep.shared import SharedPasses
from core.sweep.sweep import check_fit, environment, has_floor, sweep


@dataclass(frozen=True)
class Estimate:
    """What a grid will cost.

    Attributes:
        seconds: Of each sweep, by key.
        memory: Bytes of this process at its peak; None where the system does not tell.
    """

    seconds: dict[str, float]
    memory: int | None


def estimate_grid(sweeps: Sequence[GridSweep]) -> Estimate:
    """Time one sweep of each checkpoint and examples on a few of these, and scale the times up.

    A sweep whose model cannot be run gets no time: running it will say why.

    Args:
        sweeps: Those to be run, in their order.
    """
    seconds: dict[str, float] = {}
    more = 0
    for _, group in groupby(sweeps, key=lambda planned: planned.place):
        alike = list(group)
        try:
            more = max(more, _measure(alike, seconds))
        except Exception:  # whatever it is, such as a model too large for the memory: the others may well be sound
            continue
    peak = peak_memory()
    return Estimate(seconds, None if peak is None else peak + more)


def _measure(alike: Sequence[GridSweep], seconds: dict[str, float]) -> int:
    """Fill in the seconds of sweeps of one model on the same examples; return how much more memory they will need."""
    tried = max(alike, key=lambda planned: _scoring_cost(planned)).request
    inputs = prepare(tried)
    with borrow(inputs.resolved) as checkpoint:
        check_fit(checkpoint, inputs.subset, tried)
        pace = measure(checkpoint, inputs, tried, _silent)
        beside = next((planned.request for planned in alike if planned.against), None)
        other_seconds = seconds_of_other_model(prepare(beside), beside, _silent) if beside else 0.0
        record = checkpoint.record
    for before, planned in pairwise([None, *alike]):
        assert planned is not None
        seconds[planned.key] = _seconds(planned, before, pace, other_seconds, inputs)
    points = max(len(point_names(planned.request.points, record.num_layers)) for planned in alike)
    n = len(inputs.subset.rows)
    gram = min(points * n * n * 8, BAND_BYTES)  # float64; of each reduction: unpruned, emptied, pruned and a product
    return 8 * gram + 6 * points * n * record.hidden_size * 4  # and their features, float32


def _scoring_cost(planned: GridSweep) -> tuple[bool, ...]:
    """Order requests by what they need beside the amounts: to be tried, one that needs most."""
    method = METHODS[planned.request.method]
    return (
        method.calibrated,
        method.calibrated and method.granularity == "neuron",
        planned.request.range_examples == "all",
    )


def _seconds(planned: GridSweep, before: GridSweep | None, pace: Pace, other_seconds: float, inputs: Inputs) -> float:
    """Estimate a sweep after another one with which it may share passes; `other_seconds` is another checkpoint's."""
    request, against = planned.request, planned.against
    shared, shares_other = 0.0, False
    if before is not None and before.request.points == request.points:
        rest = share_of_rest(request, inputs)
        if share_of_rest(before.request, inputs) >= rest:
            shared += 1 + rest  # the unpruned model's
        same_scope = emptied_scope(before.request.scope) == emptied_scope(request.scope)
        shared += same_scope and has_floor(request, against) and has_floor(before.request, before.against)
        shares_other = before.against == against
    scoring = pace.preparation if METHODS[request.method].calibrated else 0.0
    beside = 0.0 if against is None or shares_other else other_seconds
    return scoring + beside + pace.per_amount * (passes(request, inputs, against) - shared)


def _silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


def peak_memory() -> int | None:
    """Return the most memory that this process has held so far, in bytes; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def run_grid(sweeps: Sequence[GridSweep]) -> Generator[Step | Done | Failure, None, None]:
    """Run sweeps in their order; a sweep that fails is reported, and the others go on.

    Close it, or interrupt it, to stop: finished sweeps are stored, and the finished amounts of the current
    one lie beside them for the next run.

    Args:
        sweeps: From `plan_grid`.
    """
    shared = SharedPasses()
    for planned in sweeps:
        try:
            yield from _run(planned, shared)
        except PrunescopeError as error:
            yield Failure(planned.listed, str(error))
        except Exception as error:  # the others may well be sound
            yield Failure(planned.listed, unforeseen(error))
        else:
            yield Done(planned)


def _run(planned: GridSweep, shared: SharedPasses) -> Iterator[Step]:
    inputs = prepare(planned.request)
    journal = Journal(
        planned.path.with_suffix(".part.jsonl"),
        {"key": planned.key, "rest": inputs.rest and inputs.rest.fingerprint, **environment()},
    )
    with (
        borrow(inputs.resolved) as checkpoint,
        closing(sweep(checkpoint, inputs, planned.request, shared=shared, journal=journal)) as events,
    ):
        for event in events:
            match event:
                case Progress(amount=None):
                    yield Step(planned, event.stage, 0.0)
                case Progress():
                    yield Step(planned, event.stage, event.done / event.total)
                case SweepResult():
                    store.save(event, planned.path)
    journal.remove()
