"""`python -m core.worker`: a warm process that runs requests; JSON lines in, JSON lines out.

The server starts one (`core.jobs.queue`) and keeps it. torch and transformers are imported once, in the background,
while orders can be read already. A stored result is found and answered without them, even while another job runs.
Standard input is read on a thread of its own, so that a cancel is noticed between two micro-batches; standard output
carries the protocol and nothing else.

    in:   {"job", "op": "run", "request", "fresh"} | {"job", "op": "find", "request"} | {"job", "op": "cancel"} |
          {"job", "op": "verify" or another of ANSWERS, …fields}
    out:  {"job", "event": "progress", "stage", "done", "total", "seconds_left"} | {"job", "event": "frame", "header",
          "frame"} | {"job", "event": "done", "key", "path", "stored"} | {"job", "event": "done", "outcome"} |
          {"job", "event": "error", "message"} | {"job", "event": "cancelled"}
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from core.errors import PrunescopeError
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import EMBEDDED
from core.request.sweep_request import SweepRequest, is_own, source_of
from core.results import schema, store

IDLE_SECONDS = 30 * 60.0
BETWEEN_REPORTS = 0.1  # seconds
NICENESS = 10  # the pages come first
# How long a thread of torch spins for the others before it sleeps. With the usual 300,000 a sweep takes eight times as
# long as soon as something else keeps one of two processors busy, with this twice; undisturbed, both are equally fast.
SPINS = "2000"

Order = Mapping[str, Any]
Tell = Callable[..., None]  # (event, **fields)


class CancelledError(Exception):
    """The job is not wanted any more."""


class Reporter:
    """Tells a job's progress at most ten times a second, with the time left, and stops a job that was cancelled.

    Args:
        tell: Writes an event.
        cancelled: Set when the job is not wanted any more.
    """

    def __init__(self, tell: Tell, cancelled: threading.Event) -> None:
        self._tell = tell
        self._cancelled = cancelled
        self._first = self._last = (0.0, 0, -1)  # (time, done, total) of this phase's first and last report

    def check(self) -> None:
        """Raises CancelledError if the job was cancelled."""
        if self._cancelled.is_set():
            raise CancelledError

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Reports one step.

        Args:
            stage: What is being done, in words.
            done: Steps so far.
            total: Steps of this phase.

        Raises:
            CancelledError: The job was cancelled.
        """
        self.check()
        now = time.monotonic()
        _, last_done, last_total = self._last
        if new_phase := total != last_total or done < last_done:
            self._first = (now, done, total)
        if new_phase or done >= total or now - self._last[0] >= BETWEEN_REPORTS:
            self._last = (now, done, total)
            self._tell("progress", stage=stage, done=done, total=total, seconds_left=self._seconds_left())

    def _seconds_left(self) -> float | None:
        """What the remaining steps take at the pace of those since the phase's first report."""
        (start, done_then, _), (now, done, total) = self._first, self._last
        return (now - start) / (done - done_then) * (total - done) if done > done_then else None


class Worker:
    """Carries out orders one after the other.

    Args:
        source: Lines of orders; its end ends the worker.
        sink: Where events are written, a line each.
        warm_up: Imports what the work needs; run in the background.
        idle_seconds: How long it waits for an order.
    """

    def __init__(
        self, source: Iterable[str], sink: TextIO, warm_up: Callable[[], None], idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()  # downloads report from threads of their own
        self._idle_seconds = idle_seconds
        self._orders: queue.Queue[tuple[Order, threading.Event] | None] = queue.Queue()
        self._unwanted: dict[str, threading.Event] = {}  # by job, until it is done: set by a cancel
        self._warm_up = threading.Thread(target=warm_up, name="warm-up", daemon=True)

    def serve(self) -> None:
        """Works until the orders end or none has come for long."""
        self._warm_up.start()
        threading.Thread(target=self._read, name="orders", daemon=True).start()
        while (next_one := self._next()) is not None:
            self._carry_out(*next_one)

    def _next(self) -> tuple[Order, threading.Event] | None:
        try:
            return self._orders.get(timeout=self._idle_seconds)
        except queue.Empty:
            return None

    def _read(self) -> None:
        for line in self._source:
            try:
                order = json.loads(line)
                job, op = str(order["job"]), str(order["op"])
            except (ValueError, TypeError, KeyError):
                print(f"not an order: {line[:200]!r}", file=sys.stderr)
                continue
            if op == "find":
                self._find(order)
            elif op != "cancel":
                self._unwanted[job] = threading.Event()
                self._orders.put((order, self._unwanted[job]))
            elif job in self._unwanted:
                self._unwanted[job].set()
        for unwanted in list(self._unwanted.values()):  # the server is gone
            unwanted.set()
        self._orders.put(None)

    def _find(self, order: Order) -> None:
        """Answers a waiting request while another one runs, if its result is stored and at hand."""
        try:
            request = SweepRequest.from_json(order["request"])
            path = None if _needs_libraries(request) else _usable(prepare(request).key)
        except (PrunescopeError, KeyError, TypeError):
            return  # told when its turn comes
        if path is not None:
            self._tell(order, "done", key=path.stem, path=str(path), stored=True)

    def _tell(self, order: Order, event: str, **fields: Any) -> None:
        with self._writing:
            self._sink.write(json.dumps({"job": order["job"], "event": event, **fields}, allow_nan=False) + "\n")
            self._sink.flush()

    def _carry_out(self, order: Order, unwanted: threading.Event) -> None:
        tell = partial(self._tell, order)
        try:
            event, fields = "done", self._outcome(order, Reporter(tell, unwanted), tell)
        except CancelledError:
            event, fields = "cancelled", {}
        except PrunescopeError as error:
            event, fields = "error", {"message": str(error)}
        except BrokenPipeError:
            raise  # nobody is left to be told
        except Exception as error:
            traceback.print_exc()
            event, fields = "error", {"message": _apology(error)}
        self._unwanted.pop(order["job"], None)
        tell(event, **fields)

    def _outcome(self, order: Order, report: Reporter, tell: Tell) -> dict[str, Any]:
        report.check()
        if order["op"] == "run":
            return self._run(order, report, tell)
        answer = ANSWERS[order["op"]]
        self._wait_until_warm(report)
        return {"outcome": answer(order, report)}

    def _wait_until_warm(self, report: Reporter) -> None:
        """Joins the background import first, so that two threads never import the same package at once."""
        while self._warm_up.is_alive():
            report("Loading PyTorch", 0, 1)
            self._warm_up.join(timeout=0.05)

    def _run(self, order: Order, report: Reporter, tell: Tell) -> dict[str, Any]:
        """Answers a request from the stored results, or computes and stores it."""
        request = SweepRequest.from_json(order["request"])
        if _needs_libraries(request):  # they stumble over a half-imported transformers
            self._wait_until_warm(report)
        inputs = prepare(request, report)
        path = None if order.get("fresh") else _usable(inputs.key)
        if path is not None:
            return {"key": inputs.key, "path": str(path), "stored": True}
        self._wait_until_warm(report)
        result = _compute(inputs, request, report, tell)
        return {"key": result.key, "path": str(store.save(result)), "stored": False}


def _verify(order: Order, report: Reporter) -> dict[str, Any]:
    """Recomputes one frame of a stored result, by our engine and by torch-cka."""
    from core.sweep.recompute import verify_frame

    result = store.load(_stored(order["key"]))
    found = verify_frame(result, order["amount"], order.get("checkpoint"), order.get("data"), report)
    return found.to_json()


def _predict(order: Order, report: Reporter) -> dict[str, Any]:
    """Predicts the labels of a typed text at every amount of a pruning; scores are made on written examples."""
    from core.sweep.predict import predict

    request = SweepRequest.from_json({**order, "data": "written"})
    return asdict(predict(request, order["revision"], order["texts"], report))


def _estimate(order: Order, report: Reporter) -> dict[str, Any]:
    """Tells how long a sweep will take, from a measured forward pass."""
    from core.sweep.estimate import estimate

    return estimate(SweepRequest.from_json(order["request"]), report)


def _export(order: Order, report: Reporter) -> dict[str, Any]:
    """Writes the pruned checkpoint of one frame of a stored result."""
    from core.exports.pruned_checkpoint import write_pruned

    result = store.load(_stored(order["key"]))
    folder = write_pruned(result, order["amount"], order.get("checkpoint"), order.get("data"), report)
    return {"folder": str(folder)}


def _stored(key: str) -> Path:
    """Finds the file of a stored result."""
    path = store.find(key)
    if path is None:
        raise PrunescopeError(f"no stored result {key[:12]}…: run the sweep again")
    return path


Answer = Callable[[Order, Reporter], dict[str, Any]]
ANSWERS: Mapping[str, Answer] = {"verify": _verify, "predict": _predict, "estimate": _estimate, "export": _export}
"""What can be asked beside a sweep: op -> the outcome, plain JSON values."""


def _needs_libraries(request: SweepRequest) -> bool:
    """Whether finding a request's inputs may need the Hub's client or datasets."""
    at_hand = request.data == "written" or is_own(request.data or "")
    return not at_hand or source_of(request.checkpoint) == "hub"


def _usable(key: str) -> Path | None:
    """Finds a stored result that can be read; a damaged one counts as absent and will be replaced."""
    path = store.find(key)
    if path is not None:
        try:
            store.load(path)
        except PrunescopeError as error:
            print(error, file=sys.stderr)
            return None
    return path


def _compute(inputs: Inputs, request: SweepRequest, report: Reporter, tell: Tell) -> schema.SweepResult:
    """Runs a sweep, telling its progress and its frames."""
    from core.encoder.loading import borrow
    from core.sweep.runner import Progress
    from core.sweep.sweep import FrameReady, sweep

    report("Loading the checkpoint", 0, 1)
    with (
        borrow(inputs.resolved) as checkpoint,
        closing(sweep(checkpoint, inputs, request)) as events,
    ):  # closing cancels
        for event in events:
            match event:
                case Progress():
                    report(event.stage, event.done, event.total)
                case FrameReady():
                    tell("frame", header=_header_json(event.header), frame=event.frame.model_dump(mode="json"))
                case schema.SweepResult():
                    return event
    raise AssertionError("a sweep ended without its result")


def _header_json(header: schema.Header) -> dict[str, Any]:
    return header.model_dump(mode="json", include=set(schema.Header.model_fields))


def _apology(error: Exception) -> str:
    """What a visitor is told about an error that nobody foresaw."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this: try fewer examples or a smaller checkpoint."
    return f"The run stopped on an unexpected {type(error).__name__}: the server's log has the details."


def _get_warm() -> None:
    """Imports what a run needs, and loads the checkpoint that most visitors begin with."""
    import core.sweep  # noqa: F401
    from core.encoder.loading import borrow
    from core.inputs.checkpoints import resolve

    with suppress(PrunescopeError), borrow(resolve(next(iter(EMBEDDED.values())).id)):  # told to whoever asks for it
        pass


def _take_streams() -> tuple[TextIO, TextIO]:
    """Keeps standard input and output for the protocol.

    Whatever a library prints goes to standard error, also from C, and whoever asks a question gets no answer.
    """
    source = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return source, sink


def main() -> None:
    """Serves the process that started it, until it goes or wants nothing for long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal: the server decides
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when torch is imported
    source, sink = _take_streams()
    with suppress(BrokenPipeError):  # the server is gone
        Worker(source, sink, _get_warm).serve()
    os._exit(0)  # at once: the reading thread may still wait, which would hang an orderly exit


if __name__ == "__main__":
    main()
