"""Estimate how long a sweep will take: score, prune and run a few examples, and scale the times up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.encoder.batches import encode, plan_windows
from core.encoder.loading import Checkpoint, borrow
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, key_of_request, prepare, pruning_record
from core.pruning import Plan
from core.request.catalog import MAX_LENGTH, METHODS
from core.request.controls import likely_amounts
from core.request.sweep_request import SweepRequest
from core.results import store
from core.sweep.against import measuring
from core.sweep.runner import make_plan, open_runner
from core.sweep.sweep import check_fit, has_floor

SAMPLE_SIZE = 32  # evaluation examples, and calibration examples: two micro-batches each
PROBE_AMOUNT = 0.5  # the pruning amount to try
OVERHEAD = 1.15  # forward passes per amount, with CKA and statistics; measured on 64 to 512 examples
STAGE = "Measuring a forward pass"


@dataclass(frozen=True)
class Pace:
    """How long the parts of a sweep take, in seconds.

    Attributes:
        preparation: Scoring and planning, once.
        per_amount: One pruning amount.
    """

    preparation: float
    per_amount: float


def estimate(request: SweepRequest, report: Report, follow_ups: Sequence[SweepRequest] = ()) -> dict[str, Any]:
    """Estimate how long a sweep will take, and others after it on the same examples.

    Args:
        request: A checked request.
        report: Called between the steps; an exception that it raises ends the measurement, unchanged.
        follow_ups: The checked requests of its control, which differ from it in the pruning and the amounts.

    Returns:
        `download`, if much must be downloaded first; else `stored`, whether all results exist already, and
        `seconds`.

    Raises:
        PrunescopeError: The checkpoint or the data are unavailable, or do not fit together.
    """
    try:
        inputs = prepare(request, _refuse_download)
    except _DownloadError:
        return {"download": True}
    missing_sweeps = [sweep for sweep in (request, *follow_ups) if not store.find(_key(sweep, inputs))]
    if not missing_sweeps:
        return {"stored": True, "seconds": 0.0}
    with borrow(inputs.resolved) as checkpoint:
        check_fit(checkpoint, inputs.subset, request)
        pace = measure(checkpoint, inputs, request, report)
        other_seconds = seconds_of_other_model(inputs, request, report)
    seconds = sum(other_seconds + _seconds(sweep, request, inputs, pace) for sweep in missing_sweeps)
    return {"stored": False, "seconds": seconds}


class _DownloadError(Exception):
    """Something has yet to be downloaded."""


def _refuse_download(*_: object) -> None:
    raise _DownloadError


def _key(sweep: SweepRequest, inputs: Inputs) -> str:
    """Compute the key of a request or of a follow-up, given the request's inputs."""
    pruning = pruning_record(sweep, inputs.calibration if METHODS[sweep.method].calibrated else None)
    return key_of_request(sweep, inputs.resolved.revision, inputs.subset, pruning, inputs.revision_against)


def _seconds(sweep: SweepRequest, request: SweepRequest, inputs: Inputs, pace: Pace) -> float:
    """Estimate a request or a follow-up at the request's pace; what is drawn at random needs no scores."""
    preparation = pace.preparation if sweep.method == request.method else 0.0
    return preparation + pace.per_amount * passes(sweep, inputs, inputs.revision_against)


def passes(request: SweepRequest, inputs: Inputs, against: str | None = None) -> float:
    """Return how many times a sweep runs all examples, in units of the eval subset: amounts, floor, the rest.

    Args:
        request: A checked request.
        inputs: Its examples.
        against: The content of another checkpoint, whose own pass is not counted; None without one.
    """
    return likely_amounts(request) * (1 + share_of_rest(request, inputs)) + has_floor(request, against)


def share_of_rest(request: SweepRequest, inputs: Inputs) -> float:
    """Return how many examples only judge the working range, as a multiple of those that are compared."""
    beside = inputs.rest.rows if inputs.rest and request.range_examples == "all" else ()
    return len(beside) / len(inputs.subset.rows)


def measure(checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, report: Report) -> Pace:
    """Time a sample of every part of a sweep, and scale it to all examples by the tokens that the model reads.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: The request's inputs.
        request: A checked request.
        report: Called between the steps.
    """
    sample = replace(
        inputs, subset=_first(inputs.subset), calibration=inputs.calibration and _first(inputs.calibration)
    )
    report(STAGE, 0, 1)
    plan, scoring, planned = _time_planning(checkpoint, sample.calibration, request, report)
    if inputs.calibration and sample.calibration:
        scoring *= _tokens(checkpoint, inputs.calibration) / _tokens(checkpoint, sample.calibration)
    fixed, running = _time_amount(checkpoint, sample.subset, request, plan, report)
    running *= _tokens(checkpoint, inputs.subset) / _tokens(checkpoint, sample.subset)
    return Pace(preparation=scoring + planned, per_amount=fixed + running * OVERHEAD)


def seconds_of_other_model(inputs: Inputs, request: SweepRequest, report: Report) -> float:
    """Return the seconds that loading and running another checkpoint take: 0 without one.

    The first micro-batch of the sample counts as loading, since it is slower; the others are scaled up by the examples.
    """
    if inputs.against is None:
        return 0.0
    sample = _first(inputs.subset)
    started = loaded = time.perf_counter()
    for progress in measuring(inputs.against, sample, request):
        if progress.done == 1:
            loaded = time.perf_counter()
        report(STAGE, 0, 1)
    return (loaded - started) + (time.perf_counter() - loaded) * 2 * len(inputs.subset.rows) / len(sample.rows)


def _first(examples: EvalSubset) -> EvalSubset:
    """Take the first examples: a random sample, since their order is random."""
    first = slice(SAMPLE_SIZE)
    return replace(examples, rows=examples.rows[first], texts=examples.texts[first], gold=examples.gold[first])


def _tokens(checkpoint: Checkpoint, examples: EvalSubset) -> int:
    """Count the tokens that the model reads for examples, padding included."""
    windows = plan_windows(encode(checkpoint.tokenizer, examples.texts, MAX_LENGTH), checkpoint.tokenizer, 0)
    return sum(batch.real.numel() for window in windows for batch in window.micro_batches)


def _time_planning(
    checkpoint: Checkpoint, examples: EvalSubset | None, request: SweepRequest, report: Report
) -> tuple[Plan, float, float]:
    """Make a plan; return it, the seconds until the last micro-batch is scored, and the constant seconds after that."""
    started = scored = time.perf_counter()

    def note(stage: str, done: int, total: int) -> None:
        nonlocal scored
        scored = time.perf_counter()
        report(STAGE, 0, 1)

    plan = make_plan(checkpoint, examples, request, note)
    return plan, scored - started, time.perf_counter() - scored


def _time_amount(
    checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest, plan: Plan, report: Report
) -> tuple[float, float]:
    """Prune once and run the examples twice; return the seconds of pruning and of the second, warm run."""
    with open_runner(checkpoint, subset, request, plan) as runner:
        buffers = runner.buffers()
        started = time.perf_counter()
        runner.model.prune(min(request.amounts, key=lambda amount: abs(amount - PROBE_AMOUNT)))
        pruned = time.perf_counter()
        for _ in range(2):
            began = time.perf_counter()
            for window in runner.windows:
                for _ in runner.run(window, buffers):
                    report(STAGE, 0, 1)
        return pruned - started, time.perf_counter() - began
