"""From a request to its inputs and its key, before any model is loaded; no torch.

A stored result can so be found, and a bad request refused, without the seconds
that importing torch takes.
"""

from dataclasses import dataclass

from core.catalog import METHODS, TASKS, SweepRequest
from core.checkpoints import Resolved, resolve
from core.eval_subset import EvalSubset, load_subset
from core.hub import Report
from core.results import PruningRecord, result_key

DTYPE = "float32"


@dataclass(frozen=True)
class Inputs:
    """What a request names, found and pinned.

    Attributes:
        resolved: The checkpoint's files.
        subset: The evaluation examples.
        key: Of the result that the request leads to.
    """

    resolved: Resolved
    subset: EvalSubset
    key: str


def prepare(request: SweepRequest, report: Report | None = None) -> Inputs:
    """Finds a request's checkpoint and examples, downloading where necessary.

    Args:
        request: A checked request.
        report: Called with (stage, done, total) while something is downloaded.

    Raises:
        PrunescopeError: One of them is not to be had.
    """
    resolved = resolve(request.checkpoint, report)
    subset = load_subset(TASKS[request.task], request.data or "hub", request.num_examples, request.source_name, report)
    key = result_key(
        resolved.revision, subset.record(), pruning_record(request), request.points, request.amounts, DTYPE
    )
    return Inputs(resolved, subset, key)


def pruning_record(request: SweepRequest) -> PruningRecord:
    """Describes a request's pruning for a result file."""
    return PruningRecord(
        method=request.method,
        granularity=METHODS[request.method].granularity,
        scope=request.scope,
        seed=request.seed,
    )
