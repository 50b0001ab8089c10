"""The whole procedure: measure the baseline; for each amount, prune, run, compare, emit.

Progress is reported to a function of (stage, done, total), which may raise an exception to cancel the sweep. However it
ends, the model is restored.
"""

import platform
import sys
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
import torch

from core.encoder.batches import MINIBATCH
from core.encoder.loading import Checkpoint
from core.inputs.examples import EvalSubset, check_not_training_data
from core.inputs.forecast import note_speed, work_of
from core.inputs.hub import Report
from core.inputs.prepare import DTYPE, Inputs, pruning_record
from core.pruning import Plan
from core.request.catalog import ENGINE_VERSION, MEASURES, METHODS
from core.request.controls import likely_amounts
from core.request.points import pruned_point
from core.request.sweep_request import SweepRequest, check_scope
from core.results.fields import Row
from core.results.schema import Frame, Header, MeasureRecord, SimilarityRecord, SweepResult
from core.similarity.cka import cka
from core.similarity.gram import Grams, compare, prepare, u_centred_gram
from core.sweep.beside import Beside, row_of
from core.sweep.meter import Measured, Meter, Runner, make_plan, open_runner, silent
from core.sweep.working_range import working_range

ESTIMATORS = {"mean": "full", "cls": "full", "tokens": f"minibatch-{MINIBATCH}"}
AnyModel = TypeVar("AnyModel", bound=Measured)


SharedPasses = dict[str, tuple[Hashable, Any]]
"""Forward passes that several sweeps have in common: of the unpruned model and of the emptied one.

Every method on one checkpoint, one eval subset and one set of points is held against the same unpruned model; those of
one scope are also held against the same emptied model. The last model of each kind that was measured is kept, with its
place, which decides its numbers: sweeps that share it come in a row.
"""


def sweep(
    checkpoint: Checkpoint,
    inputs: Inputs,
    request: SweepRequest,
    report: Report = silent,
    on_frame: Callable[[Header, Frame], None] = lambda header, frame: None,
    *,
    plan: Plan | None = None,
    shared: SharedPasses | None = None,
) -> SweepResult:
    """Run a sweep; return its result, unsaved.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: Evaluation and calibration examples.
        request: Method, scope, points and amounts.
        report: Called with (stage, done, total) after each micro-batch; an exception that it raises ends the sweep.
        on_frame: Called with the part that all frames share and the numbers of an amount, as soon as they are known.
        plan: The request's plan, if `make_plan` has made it already.
        shared: Passes that other sweeps have made; what it lacks is measured and kept there.

    Raises:
        PrunescopeError: The parts do not fit together.
    """
    check_fit(checkpoint, inputs.subset, request)
    started, subset, record = time.monotonic(), inputs.subset, checkpoint.record
    passes: SharedPasses = {} if shared is None else shared

    def once(kind: str, place: Hashable, measure: Callable[[], AnyModel]) -> AnyModel:
        place = (subset.task, subset.record.fingerprint, request.points, place)  # the task decides the order of labels
        if kind not in passes or passes[kind][0] != place:
            passes[kind] = place, measure()
        return passes[kind][1]

    made = plan or make_plan(checkpoint, inputs.calibration, request, report)
    with open_runner(checkpoint, subset, request, made) as runner:
        meter, emptied = Meter(runner, inputs.rest, report, likely_amounts(request), has_floor(request)), None
        if has_floor(request):
            place = record.id, record.revision, request.scope or "encoder"
            emptied = once("emptied", place, lambda: meter.measure_emptied(request.scope))
        rest = inputs.rest and inputs.rest.record.fingerprint
        baseline = once("unpruned", (record.id, record.revision, rest), lambda: meter.measure(request.amounts[0]))
        beside = Beside(subset, baseline, emptied)
        measures = {
            measure: MeasureRecord(estimators={reduction: ESTIMATORS[reduction] for reduction in reductions})
            for measure, reductions in MEASURES.items()
        }
        header = Header(
            checkpoint=record,
            task=subset.record,
            pruning=pruning_record(request, inputs.calibration, made.reliability),
            similarity=SimilarityRecord(
                points=runner.points,
                measures=measures,
                length_control=_length_control(runner, baseline.grams["tokens"]),
            ),
            floor=beside.floor(),
        )
        frames, answers = list[Frame](), list[tuple[int, ...]]()
        for amount in request.amounts:
            pruned = meter.measure(amount) if frames else baseline
            frames.append(beside.compare(pruned))
            answers.append(pruned.predictions + pruned.rest_predictions)
            on_frame(header, frames[-1])
            if amount and request.until_damage is not None and beside.damage >= request.until_damage:
                break
    amounts, metric = [frame.amount for frame in frames], subset.task.main_metric
    gold = np.array([*subset.record.gold, *(inputs.rest.record.gold if inputs.rest else ())])  # (examples,)
    result = SweepResult(
        **dict(header),
        key=inputs.key_of(inputs.request),
        frames=tuple(frames),
        working_range=working_range(metric, amounts, gold, np.array(answers)),
        statistics=beside.statistics(amounts, pruned_point(header.points, request.scope)),
        environment=environment(),
        seconds=round(time.monotonic() - started, 3),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if plan is None:  # all of its work was timed
        note_speed(work_of(inputs, request, meter.passes), result.seconds)
    return result


def check_fit(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest) -> None:
    """Refuse a checkpoint, examples and a request that do not fit together.

    Raises:
        PrunescopeError: They do not.
    """
    check_scope(request.scope, request.method, checkpoint.record.num_layers)
    check_not_training_data(subset, checkpoint.training_digests, checkpoint.record.id)


def has_floor(request: SweepRequest) -> bool:
    """Whether something is left of the model that a request's method has emptied: biases that the method keeps."""
    return not METHODS[request.control_of or request.method].empties


def _length_control(runner: Runner, baseline: Grams) -> Row:
    """Compute the CKA of the padding mask alone with each baseline point's flattened tokens: what length explains."""
    masks = [real[None].float() for window in runner.windows for real in window.tokens]  # each (1, minibatch, longest)
    return row_of(cka(compare(prepare([u_centred_gram(mask) for mask in masks]), baseline))[0].numpy())


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
