"""`python -m core.worker`: a warm process that carries out orders, JSON lines in and out.

The server starts one worker (`core.jobs.queue`) and keeps it. One thread imports torch and
transformers; another reads standard input, so that a cancel takes effect between two micro-batches.
Standard output carries only the protocol:

    in:   {"job", "op": "run", "cut" or "recover", "request", "fresh"} | {"job", "op": "cancel"} |
          {"job", "op": "verify" or another of ANSWERS, …fields}
    out:  {"job", "event": "progress", "stage", "done", "total", "seconds_left"} |
          {"job", "event": "frame", "header", "frame"} | {"job", "event": "score", "score"} |
          {"job", "event": "recovery", "recovery"} | {"job", "event": "done", "key"} |
          {"job", "event": "done", "outcome"} | {"job", "event": "error", "message"} |
          {"job", "event": "cancelled"}
"""

import json
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO
from weakref import WeakValueDictionary

from core.command_line import importing
from core.errors import OUT_OF_MEMORY, PrunescopeError, is_out_of_memory
from core.inputs.checkpoints import Resolved
from core.inputs.cut_rows import prepare_cut
from core.inputs.data import find_dataset
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.inputs.uploads import make_room
from core.request.catalog import EMBEDDED
from core.request.cut_request import CutRequest, RecoveryRequest
from core.request.limits import limits
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.cut import CutStudy, Result, of_kind
from core.results.key import key_of
from core.results.recovery import Recovery
from core.results.schema import SweepResult
from core.sweep.origin import RecoveryInputs, find_recovery
from core.wall.confined import WORKER_NICENESS, be_replaceable, give_way, limit, reserve_streams

if TYPE_CHECKING:
    from core.encoder.loading import Checkpoint

IDLE_SECONDS = 30 * 60.0
# How long one of torch's threads spins for the others before it sleeps. If something else keeps
# one of two processors busy, a sweep takes eight times as long with the default of 300,000, twice
# as long with this; else both are as fast.
SPINS = "2000"

Order = Mapping[str, Any]
# An order and whether its job was cancelled; None at the end.
Orders = queue.Queue[tuple[Order, threading.Event] | None]
Outcome = dict[str, Any]  # an order's outcome, plain values
Emit = Callable[..., None]  # (event, **fields)
# The key of a result, its checkpoint, and the function that makes the result of it.
Plan = tuple[str, Resolved, Callable[["Checkpoint"], Result]]


class CancelledError(BaseException):
    """The job was cancelled."""


def reporter(emit: Emit, cancelled: threading.Event) -> Report:
    """Return a function that reports a job's progress and the time left, and stops a cancelled job.

    Args:
        emit: Writes an event.
        cancelled: Set when the job is cancelled.

    Returns:
        A function that takes (stage, done, total), and raises CancelledError.
    """
    began, done_then = 0.0, 0  # when the current pace began, and the steps done by then
    last_done, last_total = 0, -1

    def report(stage: str, done: int, total: int) -> None:
        nonlocal began, done_then, last_done, last_total
        if cancelled.is_set():
            raise CancelledError
        now = time.monotonic()
        if total != last_total or done < last_done:  # stages of the same total share their pace
            began, done_then = now, done
        last_done, last_total = done, total
        left = None
        if done > done_then:
            left = (now - began) / (done - done_then) * (total - done)
        emit("progress", stage=stage, done=done, total=total, seconds_left=left)

    return report


def serve(source: Iterable[str], sink: TextIO, warm_up: Callable[[], None]) -> None:
    """Carry out orders one after another until the source ends or has been silent for long.

    Args:
        source: Lines of orders.
        sink: The stream of events, one per line.
        warm_up: Imports what orders need, in the background.
    """
    orders: Orders = queue.Queue()
    writing = threading.Lock()  # downloads report from threads of their own
    warming = threading.Thread(target=warm_up, daemon=True)

    def emit(job: str, event: str, **fields: Any) -> None:
        line = json.dumps(
            {"job": job, "event": event, **fields},
            default=lambda model: model.model_dump(mode="json"),
            allow_nan=False,
        )
        with writing:
            print(line, file=sink, flush=True)

    warming.start()
    threading.Thread(target=_read, args=(source, orders), daemon=True).start()
    with suppress(queue.Empty):
        while work := orders.get(timeout=IDLE_SECONDS):
            order, cancelled = work
            _carry_out(order, cancelled, partial(emit, order["job"]), warming)


def _read(source: Iterable[str], orders: Orders) -> None:
    """Queue the orders of a source, and cancel jobs at once."""
    # By job; an event lives as long as the job's orders.
    cancels: WeakValueDictionary[str, threading.Event] = WeakValueDictionary()
    for line in source:
        order = json.loads(line)
        cancelled = cancels.setdefault(order["job"], threading.Event())
        if order["op"] == "cancel":
            cancelled.set()
        else:
            orders.put((order, cancelled))
    for cancelled in list(cancels.values()):  # the server is gone
        cancelled.set()
    orders.put(None)


def _carry_out(
    order: Order, cancelled: threading.Event, emit: Emit, warming: threading.Thread
) -> None:
    """Carry out an order once warmed up, and write its events."""
    report = reporter(emit, cancelled)
    try:
        while warming.is_alive():  # two threads must not import the same package at once
            report("Loading PyTorch", 0, 1)
            warming.join(timeout=0.05)
        if cancelled.is_set():
            raise CancelledError
        emit("done", **_outcome(order, report, emit))
    except CancelledError:
        emit("cancelled")
    except PrunescopeError as error:
        emit("error", message=str(error))
    except BrokenPipeError:
        raise  # the server is gone
    except BaseException as error:  # also a library's panic, which is no Exception
        traceback.print_exc()
        emit("error", message=_message(error))
    make_room()  # the order may have left results, samples or downloads on the disk


def _outcome(order: Order, report: Report, emit: Emit) -> Outcome:
    """Find or make a result, or answer an order; return the fields of its last event."""
    op = order["op"]
    if op in ANSWERS:
        fields = {name: value for name, value in order.items() if name not in ("job", "op")}
        return {"outcome": ANSWERS[op](report, **fields)}
    key, resolved, make = MAKERS[op](order["request"], report, emit)
    if order["fresh"] or not store.stored(key):
        from core.encoder.loading import borrow

        store.check_writable(None)
        # The last stage if it kills the worker.
        report(f"Loading the checkpoint '{resolved.id}'", 0, 1)
        with borrow(resolved) as checkpoint:
            store.save(make(checkpoint))
    return {"key": key}


# ---------------------------------------------------------------- orders that make a result


def _run(order: Order, report: Report, emit: Emit) -> Plan:
    """Plan a sweep."""
    from core.sweep.sweep import sweep

    request = SweepRequest.from_json(order)
    inputs = prepare(request, report)
    make = partial(
        sweep,
        inputs=inputs,
        report=report,
        on_frame=lambda header, frame: emit("frame", header=header, frame=frame),
    )
    return inputs.key_of(request), inputs.resolved, make


def _cut(order: Order, report: Report, emit: Emit) -> Plan:
    """Plan a study of cuts."""
    from core.training.cut_study import study

    inputs = prepare_cut(CutRequest.from_json(order), report)
    make = partial(
        study, inputs=inputs, report=report, on_score=lambda score: emit("score", score=score)
    )
    return inputs.key, inputs.resolved, make


def _recover(order: Order, report: Report, emit: Emit) -> Plan:
    """Plan the recovery of a stored result."""
    from core.training.recovery import recover

    inputs = _find(store.load(store.file_of(order["key"])), order, report)

    def make(checkpoint: "Checkpoint") -> Result:
        recovery, _ = recover(
            checkpoint, inputs, report, lambda recovery: emit("recovery", recovery=recovery)
        )
        return recovery

    return key_of(inputs.start), inputs.swept.resolved, make


def _find(result: SweepResult | Recovery, order: Order, report: Report) -> RecoveryInputs:
    """Find what a request trains again, and on what."""
    request = RecoveryRequest.from_json(order)
    return find_recovery(
        result,
        report,
        request.amount,
        checkpoint=request.checkpoint,
        data=request.data,
        train=request.train,
    )


# ---------------------------------------------------------------- orders that are answered


def _verify(report: Report, key: str, amount: float, **places: str | None) -> Outcome:
    """Recompute one frame of a stored result, with our engine and with torch-cka."""
    from core.sweep.recompute import verify_frame

    return verify_frame(store.load(store.file_of(key)), amount, report=report, **places).to_json()


def _predict(report: Report, revision: str, texts: list[str], **request: Any) -> Outcome:
    """Predict the label of a typed text at every amount."""
    from core.sweep.meter import predict

    return asdict(predict(SweepRequest.from_json(request), revision, texts, report))


def _export(report: Report, key: str, amount: float, **places: str | None) -> Outcome:
    """Write the pruned checkpoint of one frame of a stored result as a folder."""
    from core.exports.pruned_checkpoint import write_pruned

    result = store.load(store.file_of(key))
    return {"path": str(write_pruned(result, amount, report=report, **places))}


def _export_trained(report: Report, key: str, request: Order, left: int = 0) -> Outcome:
    """Write a model of a stored study or recovery, trained again.

    It becomes a folder, on a hosted server a ZIP.
    """
    from core.encoder.loading import borrow
    from core.exports.pruned_checkpoint import write_cut, write_recovered
    from core.training.recovery import recover

    result = store.load_any(store.file_of(key))
    if not isinstance(result, Recovery):
        cut_inputs = prepare_cut(CutRequest.from_json(request), report)
        study = of_kind(CutStudy, result, key)
        return {"path": str(write_cut(study, left, cut_inputs, report))}
    inputs = _find(result, request, report)
    if key_of(inputs.start) != key:
        raise PrunescopeError(
            "the rows or the settings are not those of the training: give its data, or train again"
        )
    start = result.model_copy(update={"frames": ()})  # those of the unpruned model are known
    with borrow(inputs.swept.resolved) as checkpoint:
        trained = recover(checkpoint, inputs._replace(start=start), report)
    return {"path": str(write_recovered(*trained, inputs.swept.resolved))}


def _fetch(report: Report, data: str, split: str) -> Outcome:
    """Fetch a data set's files from the Hub; return its commit, and their places and names."""
    dataset = find_dataset(data, split, report)
    files = [[str(file.path), file.name] for file in dataset.files(split)]
    return {"data": dataset.reference, "files": files}


# The ops whose outcome is a stored result; each function takes the fields of a request.
MAKERS: Mapping[str, Callable[[Order, Report, Emit], Plan]] = {
    "run": _run,
    "cut": _cut,
    "recover": _recover,
}
# The other ops; each function takes a report and the order's fields.
ANSWERS: Mapping[str, Callable[..., Outcome]] = {
    "verify": _verify,
    "predict": _predict,
    "export": _export,
    "export-trained": _export_trained,
    "fetch": _fetch,
}


def _message(error: BaseException) -> str:
    """Describe an unexpected error to a visitor."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    if isinstance(error, Exception):
        return "The run stopped on an unexpected error: the server's log has the details."
    fault = "The run stopped in a library, at a file that is damaged or made to break it"
    return f"{fault}: choose another one."


def _warm_up() -> None:
    """Import what a run needs and load the default checkpoint."""
    with importing():
        import core.sweep.sweep  # noqa: F401
        from core.encoder.loading import borrow
        from core.inputs.checkpoints import resolve

        with suppress(PrunescopeError), borrow(resolve(next(iter(EMBEDDED)))):
            pass  # an error will be reported to the first job that needs the checkpoint


def main() -> None:
    """Serve the parent process until it ends or has been silent for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl-C in the terminal
    give_way(WORKER_NICENESS)
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when torch is imported
    limit("RLIMIT_DATA", limits().worker_bytes)
    be_replaceable()
    source, sink = reserve_streams()
    with suppress(BrokenPipeError):  # the server is gone
        serve(source, sink, _warm_up)
    os._exit(0)  # an orderly exit would wait for the thread that reads standard input


if __name__ == "__main__":
    main()
