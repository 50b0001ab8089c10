"""The whole procedure: measure the baseline; for each amount, prune, run, compare, emit.

Progress is reported to a function of (stage, done, total), which may raise an exception to cancel
the sweep. However the sweep ends, the model is restored.
"""

import platform
import sys
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import nn

from core.encoder.device import device_name, device_of
from core.encoder.loading import Checkpoint
from core.inputs.forecast import note_speed, work_of
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, pruning_record
from core.pruning.plan import Plan
from core.request.catalog import DTYPE, ENGINE_VERSION, METHODS
from core.request.sweep_request import check_scope
from core.results.schema import Frame, Header, SimilarityRecord, SweepResult
from core.sweep.comparison import BaselineComparison
from core.sweep.meter import Meter, make_plan, silent
from core.sweep.working_range import working_range

Shared = dict[str, tuple[Hashable, Any]]
"""Measurements that consecutive sweeps share, by name of the model, each with its inputs.

All methods on one checkpoint, eval subset and set of points are compared with the same unpruned
model; those of one scope also with the same emptied model. Only the last measurement of each is
kept, so sweeps that share it should run in a row.
"""


def shared_measurement(
    shared: Shared, model: str, inputs: Hashable, measure: Callable[[], Any]
) -> Any:
    """Return the last measurement of a model, or a new one if it was made on other inputs.

    Args:
        shared: The measurements.
        model: Name of the model.
        inputs: Everything that decides the numbers.
        measure: Makes the measurement.
    """
    if model not in shared or shared[model][0] != inputs:
        shared[model] = inputs, measure()
    return shared[model][1]


def sweep(
    checkpoint: Checkpoint,
    inputs: Inputs,
    report: Report = silent,
    on_frame: Callable[[Header, Frame], None] = lambda header, frame: None,
    *,
    plan: Plan | None = None,
    shared: Shared | None = None,
) -> SweepResult:
    """Run a sweep and return its result, unsaved.

    Args:
        checkpoint: The loaded baseline, pruned in place and restored.
        inputs: The request, and evaluation and calibration examples.
        report: Called with (stage, done, total) after each micro-batch; it may raise an exception
            to cancel.
        on_frame: Called with what all frames share and with each frame as soon as it is computed.
        plan: The request's plan, if `make_plan` has made it already.
        shared: Passes shared with other sweeps; those it lacks are measured and added.

    Raises:
        PrunescopeError: The scope lies outside the model, or its numbers overflow.
    """
    started = time.monotonic()
    request = inputs.request
    subset = inputs.subset
    record = checkpoint.record
    rest = inputs.rest
    check_scope(request.scope, request.method, record.num_layers)
    if shared is None:
        shared = {}
    model_and_data = (
        record.id,
        record.revision,
        request.points,
        request.dtype,
        subset.task,  # decides the order of the labels
        subset.record.fingerprint,
    )
    method_plan = plan or make_plan(checkpoint, inputs.calibration, request, report)
    method = METHODS[request.control_of or request.method]
    has_floor = not method.empties  # the method keeps biases
    with Meter(checkpoint, inputs, method_plan, report, empties=has_floor) as meter:
        emptied = None
        if has_floor:
            scope = request.scope or "encoder"
            emptied = shared_measurement(
                shared,
                "emptied",
                (*model_and_data, scope),
                lambda: meter.measure_emptied(request.scope),
            )
        further = rest and rest.record.fingerprint
        baseline = shared_measurement(
            shared,
            "unpruned",
            (*model_and_data, further),
            lambda: meter.measure(request.amounts[0]),
        )
        comparison = BaselineComparison(subset, baseline)
        header = Header(
            checkpoint=record,
            task=subset.record,
            pruning=pruning_record(request, inputs.calibration),
            similarity=SimilarityRecord(points=meter.points),
            floor=comparison.floor(emptied) if emptied else None,
        )
        frames = list[Frame]()
        predictions = list[tuple[int, ...]]()
        for amount in request.amounts:
            pruned = meter.measure(amount) if frames else baseline
            frames.append(comparison.compare(pruned))
            predictions.append(pruned.predictions + pruned.rest_predictions)
            on_frame(header, frames[-1])
            limit = request.until_damage
            if amount and limit is not None and comparison.damage >= limit:
                break
    amounts = [frame.amount for frame in frames]
    gold = [*subset.record.gold]  # (examples,)
    if rest:
        gold += rest.record.gold
    judged = working_range(
        subset.task.main_metric,
        amounts,
        np.array(gold),
        np.array(predictions),
    )
    result = SweepResult(
        **dict(header),
        key=inputs.key_of(request),
        frames=tuple(frames),
        working_range=judged,
        statistics=comparison.statistics(amounts),
        environment=environment(checkpoint.model, request.dtype),
        **ended(started),
    )
    if plan is None and request.dtype == DTYPE:  # the time includes the making of the plan
        work = work_of(request, inputs.resolved.size, inputs, meter.passes)
        note_speed(work, result.seconds)
    return result


def ended(started: float) -> dict[str, Any]:
    """Return the present time, and the seconds since `started` by the monotonic clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"seconds": round(time.monotonic() - started, 3), "created_at": now}


def environment(model: nn.Module, dtype: str = DTYPE) -> dict[str, str | int]:
    """Describe the software and the machine that compute a model's numbers."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "numpy")},
        "engine": ENGINE_VERSION,
        "platform": f"{sys.platform} {platform.machine()}",
        "device": device_name(device_of(model)),
        "dtype": dtype,
        "threads": torch.get_num_threads(),
    }
