"""The whole procedure: measure the baseline, or another checkpoint; for each amount, prune, run, compare, emit.

A sweep is an iterator of progress and frames that ends in a SweepResult. Close it between two events to cancel the
sweep. However it ends, the model is restored.
"""

import platform
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch

from core.encoder.batches import MINIBATCH
from core.encoder.loading import Checkpoint, check_labels
from core.errors import PrunescopeError
from core.inputs.examples import EvalSubset
from core.inputs.prepare import DTYPE, Inputs, key_of_request, pruning_record
from core.inputs.training_overlap import check_not_training_data
from core.pruning import Plan
from core.request.catalog import ENGINE_VERSION, MEASURES, METHODS
from core.request.controls import likely_amounts
from core.request.limits import limits
from core.request.points import first_emptied_point, pruned_point
from core.request.sweep_request import SweepRequest, check_scope
from core.results.schema import Frame, Header, MeasureRecord, Row, SimilarityRecord, SweepResult, WorkingRangeRecord
from core.similarity.cka import cka
from core.similarity.gram import Grams, compare, prepare, u_centred_gram
from core.sweep.against import measuring
from core.sweep.beside import AmountResult, Beside, row_of, statistics_of
from core.sweep.journal import Journal
from core.sweep.meter import Measured, Meter, OtherModel, Pruned
from core.sweep.runner import Progress, Runner, open_runner, planning
from core.sweep.shared import SharedPasses
from core.sweep.working_range import working_range

ESTIMATORS = {"mean": "full", "cls": "full", "tokens": f"minibatch-{MINIBATCH}"}


@dataclass(frozen=True)
class FrameReady:
    """One pruning amount is done.

    Attributes:
        header: The part that all frames share.
        frame: The amount's numbers.
    """

    header: Header
    frame: Frame


Event = Progress | FrameReady | SweepResult


def sweep(
    checkpoint: Checkpoint,
    inputs: Inputs,
    request: SweepRequest,
    plan: Plan | None = None,
    *,
    shared: SharedPasses | None = None,
    journal: Journal | None = None,
) -> Generator[Event, None, None]:
    """Check that the parts fit together and start a sweep.

    Args:
        checkpoint: The loaded baseline; pruned in place and restored.
        inputs: Evaluation and calibration examples.
        request: Method, scope, points and amounts.
        plan: The request's plan, if `planning` has made it already.
        shared: Passes that other sweeps have made; what it lacks is measured and kept there.
        journal: Amounts that were finished before an interruption; the others are added.

    Returns:
        Events: Progress after each micro-batch, FrameReady after each amount, and finally the SweepResult, unsaved.

    Raises:
        PrunescopeError: The parts do not fit together.
    """
    check_fit(checkpoint, inputs.subset, request)  # here, not at the first event, to refuse at once
    return _events(checkpoint, inputs, request, plan, shared, journal)


def check_fit(checkpoint: Checkpoint, subset: EvalSubset, request: SweepRequest) -> None:
    """Refuse a checkpoint, examples and a request that do not fit together.

    Raises:
        PrunescopeError: They do not.
    """
    check_labels(checkpoint, subset.task)
    check_scope(request.scope, request.method, checkpoint.record.num_layers)
    check_not_training_data(subset, checkpoint.training_digests, checkpoint.record.id)
    bound = limits().examples
    if len(subset.rows) > bound:
        raise PrunescopeError(f"{len(subset.rows)} examples: choose at most {bound}")


def _events(
    checkpoint: Checkpoint,
    inputs: Inputs,
    request: SweepRequest,
    plan: Plan | None,
    shared: SharedPasses | None,
    journal: Journal | None,
) -> Generator[Event, None, None]:
    started, subset = time.monotonic(), inputs.subset
    other_model = (yield from measuring(inputs.against, subset, request, shared)) if inputs.against else None
    empties = has_floor(request, inputs.revision_against)
    plan = plan or (yield from planning(checkpoint, inputs.calibration, request))
    finished = journal.read() if journal else {}
    with open_runner(checkpoint, subset, request, plan) as runner:
        unpruned, *amounts = request.amounts
        baseline = shared.unpruned(runner, inputs) if shared else None
        emptied = shared.emptied(runner, request.scope) if shared and empties else None
        known = len(finished) + (baseline is not None)
        expected, most = (max(count - known, 0) for count in (likely_amounts(request), len(request.amounts)))
        meter = Meter(runner, inputs.rest, expected, most, empties and emptied is None)
        if emptied is None and empties:
            emptied = yield from _measure_emptied(meter, runner, request)
            if shared:
                shared.keep_emptied(runner, request.scope, emptied)
        if baseline is None:
            baseline = yield from meter.measure(unpruned)  # last, so that its features are still there to compare
            if shared:
                shared.keep_unpruned(runner, inputs, baseline)
        beside = Beside(subset, baseline, emptied, request.measures, other_model)
        header = _header(runner, inputs, request, plan, baseline, beside, other_model)
        results = [beside.compare(baseline)]
        yield FrameReady(header, results[-1].frame)
        for amount in amounts:
            result = finished.get(amount) or beside.compare((yield from meter.measure(amount)))
            if journal and amount not in finished:
                journal.add(result)
            results.append(result)
            yield FrameReady(header, result.frame)
            if request.until_damage is not None and result.damage >= request.until_damage:
                break
    yield _result(header, results, inputs, request, time.monotonic() - started)


def has_floor(request: SweepRequest, against: str | None) -> bool:
    """Whether something is left of the model that a request's method has emptied: biases that the method keeps.

    Args:
        request: The request.
        against: Another checkpoint's content: a floor is similarity to the model's own layers, so it has none there.
    """
    return against is None and not METHODS[request.control_of or request.method].empties


def _measure_emptied(meter: Meter, runner: Runner, request: SweepRequest) -> Generator[Progress, None, Measured]:
    return meter.measure_emptied(request.scope, first_emptied_point(runner.points, request.scope))


def _header(
    runner: Runner,
    inputs: Inputs,
    request: SweepRequest,
    plan: Plan,
    baseline: Pruned,
    beside: Beside,
    other_model: OtherModel | None,
) -> Header:
    reductions = (other_model or baseline).samples
    return Header(
        checkpoint=runner.checkpoint.record,
        against=other_model and other_model.record,
        task=inputs.subset.record(),
        pruning=pruning_record(request, inputs.calibration, plan.reliability),
        similarity=SimilarityRecord(
            points=runner.points,
            measures={
                name: MeasureRecord(
                    estimators={
                        reduction: ESTIMATORS[reduction]
                        for reduction in MEASURES[name].reductions
                        if reduction in reductions
                    }
                )
                for name in request.measures
            },
            length_control=() if other_model else _length_control(runner, baseline.samples["tokens"].grams),
        ),
        floor=beside.floor(),
    )


def _length_control(runner: Runner, baseline: Grams) -> Row:
    """Compute the CKA of the padding mask alone with each baseline point's flattened tokens: what length explains."""
    masks = [real[None].float() for window in runner.windows for real in window.tokens]  # each (1, minibatch, longest)
    return row_of(cka(compare(prepare([u_centred_gram(mask) for mask in masks]), baseline))[0].numpy())


def _result(
    header: Header, results: Sequence[AmountResult], inputs: Inputs, request: SweepRequest, seconds: float
) -> SweepResult:
    subset = inputs.subset
    return SweepResult(
        **dict(header),
        key=key_of_request(
            request,
            header.checkpoint.revision,
            subset,
            header.pruning,
            inputs.revision_against,
        ),
        frames=tuple(result.frame for result in results),
        working_range=_working_range(results, subset, inputs.rest),
        statistics=statistics_of(results, request.measures, pruned_point(header.points, request.scope)),
        environment=environment(),
        seconds=round(seconds, 3),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _working_range(results: Sequence[AmountResult], subset: EvalSubset, rest: EvalSubset | None) -> WorkingRangeRecord:
    gold = np.array([*subset.gold, *(rest.gold if rest else ())])  # (examples,)
    predictions = np.array([[*result.frame.predictions, *result.rest_predictions] for result in results])
    metric = subset.task.main_metric
    found = working_range(metric, [result.frame.amount for result in results], gold, predictions)
    return WorkingRangeRecord(
        to=found.to,
        metric=metric,
        examples=len(gold),
        shown_broken_from=found.shown_broken_from,
        smallest_drop=found.smallest_drop,
        lead=found.lead,
        reason="no lead" if found.to is None else "too few examples" if found.has_too_few_examples else None,
    )


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
