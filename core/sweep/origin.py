"""Find what a stored result was computed from, and rows to train on."""

from dataclasses import replace
from typing import NamedTuple

from core.errors import PrunescopeError, first_few
from core.inputs.checkpoints import Resolved, resolve
from core.inputs.cut_rows import check_labels, further_rows
from core.inputs.examples import EvalSubset, draw, open_examples
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, prepare, pruning_record
from core.request.amounts import amount_text, parse_amounts
from core.request.catalog import ENGINE_VERSION, METHODS
from core.request.cut_request import FEWEST_ROWS, MOST_REFIT
from core.request.sweep_request import SweepRequest, checked
from core.results.provenance import PLACEHOLDER, lacks_place, request_of
from core.results.recovery import RECOVERY, Recovery, beyond_working
from core.results.schema import Frame, Header, RefitRecord, SweepResult


def frame_of(result: SweepResult, amount: float) -> Frame:
    """Return the frame of an amount.

    Raises:
        PrunescopeError: The result has no such frame.
    """
    for frame in result.frames:
        if amount_text(frame.amount) == amount_text(amount):
            return frame
    amounts = [*map(amount_text, result.amounts)]
    raise PrunescopeError(
        f"amount {amount_text(amount)} is not among the result's {len(amounts)}: "
        f"choose one of {first_few(amounts, 12)}"
    )


def find_inputs(
    result: SweepResult | Recovery,
    amount: float,
    checkpoint: str | None,
    data: str | None,
    report: Report,
) -> Inputs:
    """Find everything that one frame was computed from.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: Name or path of the checkpoint; None uses what the result names, which fails for
            a folder.
        data: `written`, `hub`, a file or a folder; None uses what the result names, which fails for
            a path.
        report: Called with (stage, done, total) during a download.

    Returns:
        The inputs of a request for the baseline and that amount.

    Raises:
        PrunescopeError: The checkpoint or the examples are not found, or not those of the result.
    """
    request = _request(
        result,
        amount,
        checkpoint,
        needs_data=lacks_place(result.task) and not data,
    )
    request = checked(replace(request, data=data or request.data, source_name=None))
    inputs = prepare(request, report)
    check_same_content(inputs.resolved, result.checkpoint.id, result.checkpoint.revision)
    here = inputs.subset.record
    stored = result.task
    if here.fingerprint != stored.fingerprint:
        raise PrunescopeError(
            f"the examples of '{here.source_name}' have the fingerprint {here.fingerprint[:12]}, "
            f"the result's from '{stored.source_name}' have {stored.fingerprint[:12]}: "
            "give that data"
        )
    return inputs


def check_same_content(resolved: Resolved, checkpoint: str, revision: str) -> None:
    """Refuse a checkpoint whose content is not that of a result's.

    Args:
        resolved: The checkpoint.
        checkpoint: Id of the result's checkpoint, for the message.
        revision: Hash of the content of the result's checkpoint.

    Raises:
        PrunescopeError: They differ.
    """
    if resolved.revision != revision:
        raise PrunescopeError(
            f"checkpoint '{resolved.id}' has the content {resolved.revision[:12]}, but the result "
            f"was computed on '{checkpoint}' with the content {revision[:12]}: "
            "give that checkpoint, or run the sweep again"
        )


def find_pruning(
    result: SweepResult,
    amount: float,
    checkpoint: str | None,
    data: str | None,
    report: Report,
) -> tuple[SweepRequest, Resolved, EvalSubset | None]:
    """Find only what is needed to prune again; methods without calibration examples need no data.

    Args:
        result: A stored result.
        amount: One of its pruning amounts.
        checkpoint: See `find_inputs`.
        data: See `find_inputs`; ignored by methods without calibration examples.
        report: Called with (stage, done, total) during a download.

    Returns:
        A request for the baseline and that amount, the checkpoint, and the calibration examples, if
        any.

    Raises:
        PrunescopeError: The checkpoint or the examples are not found, or not those of the result.
    """
    if METHODS[result.pruning.method].calibrated:
        inputs = find_inputs(result, amount, checkpoint, data, report)
        return inputs.request, inputs.resolved, inputs.calibration
    request = _request(result, amount, checkpoint)
    resolved = resolve(request.checkpoint, report, result.task.name)
    check_same_content(resolved, result.checkpoint.id, result.checkpoint.revision)
    return request, resolved, None


class RecoveryInputs(NamedTuple):
    """The inputs of a recovery, with pinned content.

    Attributes:
        swept: The checkpoint, the judged examples, and a request for the baseline and the amount.
        rows: The rows to train on.
        start: The recovery before its first frame.
    """

    swept: Inputs
    rows: EvalSubset
    start: Recovery


def find_recovery(
    result: SweepResult | Recovery,
    report: Report,
    amount: float | None = None,
    *,
    steps: int = RECOVERY.steps,
    seed: int = RECOVERY.seed,
    checkpoint: str | None = None,
    data: str | None = None,
    train: str | None = None,
) -> RecoveryInputs:
    """Find what is needed to prune again, and rows to train on, which judge nothing.

    Args:
        result: A stored sweep, or a recovery to make again, whose settings are kept.
        report: Called with (stage, done, total) during a download.
        amount: The pruning amount, measured or not; None for the first beyond the working range, or
            the largest.
        steps: The steps of training.
        seed: The seed of the order of the rows.
        checkpoint: See `find_inputs`.
        data: See `find_inputs`.
        train: A file of rows to train on; None takes the split for training, or the rows that the
            result leaves.

    Raises:
        PrunescopeError: The checkpoint or the examples are not at hand, a number is out of its
            bounds, or the rows are too few or have one label.
    """
    if amount is None:
        amount = result.amount if isinstance(result, Recovery) else beyond_working(result)
    amount = parse_amounts([amount])[-1]
    if not (amount and 1 <= steps <= RECOVERY.steps and 0 <= seed < 2**32):
        raise PrunescopeError(
            f"amount {amount:g}, {steps} steps, seed {seed}: choose an amount above 0, "
            f"1 to {RECOVERY.steps} steps, a seed from 0"
        )
    swept = find_inputs(result, amount, checkpoint, data, report)
    request = swept.request
    named = replace(request, source_name=result.task.source_name)
    source, split = further_rows(open_examples(named, swept.resolved.label_names, report), train)
    split = split or source.data.evaluated
    table, labelled = source.labelled(split)
    drawn = draw(labelled, table.name, MOST_REFIT, FEWEST_ROWS, swept.subset.texts)
    rows = source.described(table, split, drawn)
    check_labels(rows.record.gold, "train on")
    if isinstance(result, Recovery):
        training = result.rows.training
    else:
        changes = {
            "layers": swept.resolved.size[0],
            "steps": steps,
            "seed": seed,
        }
        training = RECOVERY.model_copy(update=changes)
    refit = RefitRecord(
        **rows.record.model_dump(include={"source_name", "split", "fingerprint", "files"}),
        refit=len(drawn),
        stop=0,
        labelled=len(drawn),
        training=training,
    )
    start = Recovery(
        **{name: getattr(result, name) for name in Header.model_fields if name != "pruning"},
        pruning=pruning_record(request, swept.calibration),
        amount=amount,
        rows=refit,
        environment={"dtype": request.dtype, "engine": ENGINE_VERSION},
    )
    return RecoveryInputs(swept, rows, start)


def _request(
    result: SweepResult | Recovery,
    amount: float,
    checkpoint: str | None,
    needs_data: bool = False,
) -> SweepRequest:
    """Return a request for the baseline and one amount of a result.

    Raises:
        PrunescopeError: The checkpoint is a folder, and no path is given, or the data are needed.
    """
    request = request_of(result)
    places = dict[str, str]()
    if not checkpoint and request.checkpoint.startswith(PLACEHOLDER):
        places["--checkpoint"] = f"the checkpoint folder '{result.checkpoint.id}'"
    if needs_data:
        places["--data (or hub, for the same data)"] = f"the data '{result.task.source_name}'"
    if places:
        raise PrunescopeError(
            f"the result does not record the path of {' and of '.join(places.values())}: "
            f"give {' and '.join(places)}"
        )
    return replace(
        request,
        checkpoint=checkpoint or request.checkpoint,
        amounts=parse_amounts([amount]),
        until_damage=None,
        range_examples="subset",
    )
