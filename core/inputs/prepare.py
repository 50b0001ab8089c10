"""Find the inputs of a request and its key, before any model is loaded.

Importing torch takes seconds. Without it, a stored result is found, or a bad request refused, at
once.
"""

from dataclasses import dataclass

from core.inputs.checkpoint_files import refused
from core.inputs.checkpoints import Resolved, resolve
from core.inputs.examples import EvalSubset, check_not_training_data, open_examples
from core.inputs.hub import Report
from core.request.catalog import ENGINE_VERSION, METHODS
from core.request.sweep_request import SweepRequest
from core.results.key import result_key
from core.results.schema import CalibrationRecord, PruningRecord, StopRecord


@dataclass(frozen=True)
class Inputs:
    """The inputs that a request names, with pinned content.

    Attributes:
        resolved: The checkpoint's files.
        subset: The evaluation examples.
        calibration: Examples that the request's method scores on; None if it needs none.
        rest: Further labelled examples on which the working range is judged, if any.
        request: The request.
    """

    resolved: Resolved
    subset: EvalSubset
    calibration: EvalSubset | None
    rest: EvalSubset | None
    request: SweepRequest

    def key_of(self, request: SweepRequest) -> str:
        """Compute the key of the result of this request, or of one like it, such as its control."""
        pruning = pruning_record(request, self.calibration)
        made_by = {"dtype": request.dtype, "engine": ENGINE_VERSION}
        return result_key(
            request.points,
            request.amounts,
            self.resolved.revision,
            self.subset.record,
            pruning,
            made_by,
        )


def prepare(request: SweepRequest, report: Report | None = None) -> Inputs:
    """Find the checkpoint and the examples of a checked request; download them if necessary.

    Args:
        request: The request.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The checkpoint or the examples are unavailable, or the method is not
            defined for them; or the checkpoint was trained on the examples.
    """
    resolved = resolve(request.checkpoint, report, request.task)
    if not METHODS[request.control_of or request.method].suits(resolved.model_type):
        fault = (
            "cannot be pruned by 'attribution-residual', "
            f"layers of type '{resolved.model_type}' normalise first"
        )
        raise refused(resolved.id, fault, "choose attribution")
    examples = open_examples(request, resolved.label_names, report)
    subset = examples.subset(request.num_examples)
    check_not_training_data(subset, resolved)
    calibration = examples.calibration(subset) if METHODS[request.method].calibrated else None
    rest = examples.rest(subset) if request.range_examples == "all" else None
    return Inputs(resolved, subset, calibration, rest, request)


def pruning_record(
    request: SweepRequest,
    calibration: EvalSubset | None,
) -> PruningRecord:
    """Describe a request's pruning for a result file.

    Args:
        request: The request.
        calibration: The examples that its method scores on, if any.
    """
    method = METHODS[request.method]
    damage = request.until_damage
    scored = None
    if calibration and method.calibrated:
        record = calibration.record
        scored = CalibrationRecord(
            source_name=f"{record.source_name}, {record.split}",
            num_examples=len(calibration.texts),
            fingerprint=record.fingerprint,
        )
    return PruningRecord(
        method=request.method,
        granularity=method.granularity,
        scope=request.scope,
        seed=request.seed,
        controls=request.control_of,
        stop=None if damage is None else StopRecord(damage=damage, amounts=request.amounts),
        calibration=scored,
    )
