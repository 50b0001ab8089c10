"""Estimate how long sweeps will take: score, prune and run a few examples, and scale the times up."""

import time
from collections.abc import Sequence
from typing import Any

from core.encoder.batches import micro_batches
from core.encoder.loading import Checkpoint, borrow
from core.errors import PrunescopeError
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import METHODS
from core.request.controls import likely_amounts
from core.request.limits import limits
from core.request.sweep_request import SweepRequest
from core.results import store
from core.sweep.meter import make_plan, open_runner
from core.sweep.sweep import check_fit, has_floor

SAMPLE_SIZE = 32  # evaluation examples, and calibration examples: two micro-batches each
PROBE_AMOUNT = 0.5  # the pruning amount to try
OVERHEAD = 1.15  # forward passes per amount, with CKA and statistics; measured on 64 to 512 examples
STAGE = "Measuring a forward pass"


def estimate(request: SweepRequest, report: Report, follow_ups: Sequence[SweepRequest] = ()) -> dict[str, Any]:
    """Estimate how long a sweep will take, and others after it on the same examples.

    Args:
        request: A checked request.
        report: Called between the steps; an exception that it raises ends the measurement, unchanged.
        follow_ups: The checked requests of its control or of other methods, which differ from it in the pruning and
            the amounts.

    Returns:
        `download`, if much must be downloaded first; else `stored`, whether all results exist already, and
        `seconds`.

    Raises:
        PrunescopeError: The checkpoint or the data are unavailable, or do not fit together, or a hosted server would
            have to stop a run.
    """
    tried = max((request, *follow_ups), key=cost_of_trying)
    try:
        inputs = prepare(tried, refuse_download)
    except DownloadError:
        return {"download": True}
    sweeps = [sweep for sweep in (request, *follow_ups) if not store.find(inputs.key_of(sweep))]
    seconds = seconds_of(sweeps, tried, inputs, report) if sweeps else [0.0]
    check_seconds("a run", max(seconds), "fewer examples or amounts, another method")
    return {"stored": not sweeps, "seconds": sum(seconds)}


def check_seconds(work: str, seconds: float, smaller: str) -> None:
    """Refuse what would have to be stopped on a shared server.

    Args:
        work: What it is called.
        seconds: How long it will take.
        smaller: What takes less time.

    Raises:
        PrunescopeError: It takes longer than is allowed here.
    """
    if seconds > (most := limits().job_seconds):
        fault = f"{work} would take about {seconds / 60:.0f} minutes here, at most {most / 60:.0f} are allowed"
        raise PrunescopeError(f"{fault}: choose {smaller}, or run it on your own computer")


def cost_of_trying(request: SweepRequest) -> tuple[bool, ...]:
    """Order sweeps by what they need beside the amounts: to be timed, one that needs most."""
    scores = METHODS[request.method].calibrated
    is_slow = scores and METHODS[request.method].granularity == "neuron"
    return scores, is_slow, request.range_examples == "all"


class DownloadError(BaseException):
    """Something has yet to be downloaded."""


def refuse_download(*_: object) -> None:
    """Report of a download: stop it.

    Raises:
        DownloadError: Always.
    """
    raise DownloadError


def seconds_of(sweeps: Sequence[SweepRequest], tried: SweepRequest, inputs: Inputs, report: Report) -> list[float]:
    """Estimate sweeps on one checkpoint and examples, each as if it ran alone.

    Args:
        sweeps: Checked requests.
        tried: The one whose parts are timed.
        inputs: Its inputs.
        report: Called between the steps.

    Raises:
        PrunescopeError: The checkpoint and the examples do not fit together.
    """
    with borrow(inputs.resolved) as checkpoint:
        check_fit(checkpoint, inputs.subset, tried)
        scoring, per_amount = measure(checkpoint, inputs, tried, report)
    seconds = list[float]()
    for sweep in sweeps:
        scores = sweep.method == tried.method or METHODS[sweep.method].calibrated
        seconds.append(scores * scoring + per_amount * passes(sweep, inputs))
    return seconds


def passes(request: SweepRequest, inputs: Inputs) -> float:
    """Return how many times a sweep runs all examples, in units of the eval subset: amounts, floor, the rest."""
    rest = len(inputs.rest.texts) / len(inputs.subset.texts) if inputs.rest and request.range_examples == "all" else 0
    return likely_amounts(request) * (1 + rest) + has_floor(request)


def measure(checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest, report: Report) -> tuple[float, float]:
    """Time a sample of every part of a sweep, and scale it to all examples by the tokens that the model reads.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: The request's inputs.
        request: A checked request.
        report: Called between the steps.

    Returns:
        Seconds: of scoring and planning, once; of one pruning amount.
    """
    times = list[float]()

    def tick(*_: object) -> None:
        times.append(time.perf_counter())
        report(STAGE, 0, 1)

    subset = inputs.subset.first(SAMPLE_SIZE)
    calibration = inputs.calibration and inputs.calibration.first(SAMPLE_SIZE)
    tick()
    plan = make_plan(checkpoint, calibration, request, tick)
    scoring = times[-1] - times[0]  # until the last micro-batch is scored
    if inputs.calibration and calibration:
        scoring *= _tokens(checkpoint, inputs.calibration) / _tokens(checkpoint, calibration)
    preparation = scoring + time.perf_counter() - times[-1]
    with open_runner(checkpoint, subset, request, plan) as runner:
        buffers = runner.buffers()
        tick()
        runner.model.prune(min(request.amounts, key=lambda amount: abs(amount - PROBE_AMOUNT)))
        tick()
        per_amount = times[-1] - times[-2]
        for window in runner.windows * 2:  # the second time, it is warm
            runner.run(window, buffers, tick)
        running = times[-1] - times[-1 - runner.micro_batches]
    per_token = running / _tokens(checkpoint, subset)
    return preparation, per_amount + per_token * _tokens(checkpoint, inputs.subset) * OVERHEAD


def _tokens(checkpoint: Checkpoint, examples: EvalSubset) -> int:
    """Count the tokens that the model reads for examples, padding included."""
    return sum(batch.real.numel() for batch in micro_batches(checkpoint.tokenizer, examples.texts))
