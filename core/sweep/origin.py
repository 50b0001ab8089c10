"""Find the request, the checkpoint and the examples that a stored result was computed from."""

from dataclasses import replace

from core.errors import PrunescopeError, first_few
from core.inputs.checkpoints import Resolved, resolve, suited
from core.inputs.examples import EvalSubset
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, prepare
from core.request.amounts import amount_text, parse_amounts
from core.request.catalog import METHODS
from core.request.sweep_request import SweepRequest, checked
from core.results.provenance import checkpoint_place, lacks_place, request_of
from core.results.schema import CheckpointRecord, Frame, SweepResult


def frame_of(result: SweepResult, amount: float) -> Frame:
    """Return the frame of an amount.

    Raises:
        PrunescopeError: The result has no such frame.
    """
    for frame in result.frames:
        if amount_text(frame.amount) == amount_text(amount):
            return frame
    fault = f"amount {amount_text(amount)} is not among the result's {len(result.amounts)}"
    raise PrunescopeError(f"{fault}: choose one of {first_few([*map(amount_text, result.amounts)], 12)}")


def find_inputs(
    result: SweepResult, amount: float, checkpoint: str | None, data: str | None, report: Report
) -> tuple[SweepRequest, Inputs]:
    """Find everything that one frame was computed from.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: Name or path of the checkpoint; None uses what the result names, which fails for a folder.
        data: `written`, `hub`, a file or a folder; None uses what the result names, which fails for a path.
        report: Called with (stage, done, total) during a download.

    Returns:
        A request for the baseline and that amount, and its inputs.

    Raises:
        PrunescopeError: The checkpoint or the examples are not found, or are not those of the result.
    """
    request = _request(result, amount, checkpoint)
    if lacks_place(result.task) and not data:
        fault = (
            f"the result was computed on '{result.task.source_name}', a file or folder, and does not record its path"
        )
        raise PrunescopeError(f"{fault}: give it with --data, or give hub if it is the same data")
    request = checked(replace(request, data=data or request.data, source_name=None))
    inputs = prepare(request, report)
    check_same_content(inputs.resolved, result.checkpoint.id, result.checkpoint.revision)
    examples = inputs.subset.record
    if examples.fingerprint != result.task.fingerprint:
        fault = f"the examples of '{examples.source_name}' have the fingerprint {examples.fingerprint[:12]}"
        stored = f"the result's from '{result.task.source_name}' have {result.task.fingerprint[:12]}"
        raise PrunescopeError(f"{fault}, {stored}: give that data")
    return request, inputs


def check_same_content(resolved: Resolved, checkpoint: str, revision: str) -> None:
    """Refuse a checkpoint whose content differs from that of the one that a result was computed on.

    Args:
        resolved: The checkpoint.
        checkpoint: Id of the result's checkpoint, for the message.
        revision: Hash of the content of the result's checkpoint.

    Raises:
        PrunescopeError: They differ.
    """
    if resolved.revision != revision:
        fault = f"checkpoint '{resolved.id}' has the content {resolved.revision[:12]}"
        stored = f"the result was computed on '{checkpoint}' with the content {revision[:12]}"
        raise PrunescopeError(f"{fault}, but {stored}: give that checkpoint, or run the sweep again")


def find_pruning(
    result: SweepResult, amount: float, checkpoint: str | None, data: str | None, report: Report
) -> tuple[SweepRequest, Resolved, EvalSubset | None]:
    """Find only what is needed to prune again; methods without calibration examples need no data.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: See `find_inputs`.
        data: See `find_inputs`; ignored by methods without calibration examples.
        report: Called with (stage, done, total) during a download.

    Returns:
        A request for the baseline and that amount, the checkpoint, and the calibration examples, if any.

    Raises:
        PrunescopeError: The checkpoint or the examples are not found, or are not those of the result.
    """
    if METHODS[result.pruning.method].calibrated:
        request, inputs = find_inputs(result, amount, checkpoint, data, report)
        return request, inputs.resolved, inputs.calibration
    request = _request(result, amount, checkpoint)
    resolved = suited(resolve(request.checkpoint, report), result.task.name)
    check_same_content(resolved, result.checkpoint.id, result.checkpoint.revision)
    return request, resolved, None


def locate_checkpoint(checkpoint: CheckpointRecord, name: str | None) -> str:
    """Return the name or path under which a result's checkpoint can be found.

    Args:
        checkpoint: The checkpoint.
        name: A name or path that the user has given.

    Raises:
        PrunescopeError: The checkpoint is a folder, and no path is given.
    """
    if checkpoint.source == "folder" and not checkpoint.recipe and not name:
        fault = f"the result was computed on the checkpoint folder '{checkpoint.id}' and does not record its path"
        raise PrunescopeError(f"{fault}: give it with --checkpoint")
    return name or checkpoint_place(checkpoint)


def _request(result: SweepResult, amount: float, checkpoint: str | None) -> SweepRequest:
    """Return a request for the baseline and one amount of a result."""
    return replace(
        request_of(result),
        checkpoint=locate_checkpoint(result.checkpoint, checkpoint),
        amounts=parse_amounts([amount]),
        until_damage=None,
        range_examples="subset",
    )
