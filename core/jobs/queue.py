"""One queue for the whole server process in front of the one warm worker.

All visitors share it: one job runs at a time, the others wait in order, and
visitors who ask for the same thing watch one job. The worker (`core.worker`)
is a process of its own, so that the server stays small and quick; this module
starts it, replaces it when it has died, and turns its lines into snapshots.
"""

import json
import logging
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.jobs.job import Job
from core.request.catalog import ROOT
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import Frame, Header

WORKER = (sys.executable, "-u", "-m", "core.worker")
UNSEEN_SECONDS = 60.0  # hosted, a job that nobody has looked at for so long ends
FRESH_SECONDS = 5.0  # a watcher looks every second or two; one not seen for so long has left
STUBBORN_SECONDS = 20.0  # a worker that has not let go of a cancelled job by then is replaced
MOST_WAITING = 8  # hosted, so many jobs may wait
MOST_FINISHED = 40  # so many ended jobs are remembered, for reloads

logger = logging.getLogger(__name__)


@dataclass
class _Entry:
    """A job with what the queue needs to know about it."""

    job: Job
    order: dict[str, Any]  # the worker's line, without the id
    seen: float  # when anybody looked last
    watchers: dict[str, float] = field(default_factory=dict)  # token -> when it looked last
    left: bool = False  # whether a watcher has cancelled


class JobQueue:
    """Jobs, in order, in front of one worker process.

    Args:
        command: Starts the worker.
        unseen_seconds: Hosted, how long a job runs on while nobody looks.
        fresh_seconds: How long a watcher counts after its last look.
        stubborn_seconds: How long the worker may take to let go of a cancelled job.
    """

    def __init__(
        self,
        command: Sequence[str] = WORKER,
        *,
        unseen_seconds: float = UNSEEN_SECONDS,
        fresh_seconds: float = FRESH_SECONDS,
        stubborn_seconds: float = STUBBORN_SECONDS,
    ) -> None:
        self._command = command
        self._unseen_seconds = unseen_seconds
        self._fresh_seconds = fresh_seconds
        self._stubborn_seconds = stubborn_seconds
        self._changed = threading.Condition()  # its lock guards everything below
        self._entries: dict[str, _Entry] = {}  # by id, oldest first
        self._waiting: deque[str] = deque()
        self._running: str | None = None
        self._cancelled_at: float | None = None  # when the running job was cancelled
        self._worker: subprocess.Popen[str] | None = None
        self._caretaker: threading.Thread | None = None
        self._closed = False

    # ------------------------------------------------------------ for visitors

    def start_worker(self) -> None:
        """Starts the worker unless it runs, so that it is warm by the first click."""
        with self._changed:
            try:
                self._ensure_worker()
            except OSError:
                logger.exception("the worker does not start")  # the first job will say so to its visitor

    def submit(self, request: SweepRequest, watcher: str, *, fresh: bool = False) -> str:
        """Asks for a sweep; the same one, if it is alive already, is shared.

        Args:
            request: What to compute.
            watcher: A visitor's token.
            fresh: Compute even if a stored result is there.

        Returns:
            The job's id.

        Raises:
            PrunescopeError: The request is refused, or too many jobs are waiting on a hosted server.
        """
        request = checked(request)
        return self._add({"op": "run", "request": request.to_json(), "fresh": fresh}, request, watcher)

    def ask(self, op: str, watcher: str, **fields: Any) -> str:
        """Asks the worker for something else than a sweep.

        Args:
            op: A name from `core.worker.ANSWERS`.
            watcher: A visitor's token.
            fields: What the question needs, plain JSON values.

        Returns:
            The job's id.

        Raises:
            PrunescopeError: Too many jobs are waiting on a hosted server.
        """
        return self._add({"op": op, **fields}, None, watcher)

    def get(self, job_id: str) -> Job | None:
        """Gives a snapshot of a job, or None if it is not (or no longer) known.

        Args:
            job_id: As `submit` gave it.
        """
        with self._changed:
            return self._snapshot(job_id)

    def wait(self, job_id: str, ready: Callable[[Job], bool], seconds: float) -> Job | None:
        """Waits until a job has come so far, or the time is over.

        Args:
            job_id: As `submit` gave it.
            ready: Tells from a snapshot whether to stop waiting.
            seconds: The longest wait.

        Returns:
            The latest snapshot; None if the job is not known.
        """
        with self._changed:
            self._changed.wait_for(lambda: (job := self._snapshot(job_id)) is None or ready(job), seconds)
            return self._snapshot(job_id)

    def request_for(self, key: str) -> SweepRequest | None:
        """Gives the request that led to a result, if its job is remembered; a result itself tells no folders.

        Args:
            key: The result's key.
        """
        with self._changed:
            asked = (entry.job for entry in reversed(self._entries.values()) if entry.job.key == key)
            return next((job.request for job in asked if job.request), None)

    def watch(self, job_id: str, watcher: str) -> None:
        """Notes that a visitor is looking at a job.

        Args:
            job_id: As `submit` gave it; an unknown one is ignored.
            watcher: The visitor's token.
        """
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.seen = entry.watchers[watcher] = time.monotonic()

    def cancel(self, job_id: str, watcher: str) -> None:
        """Detaches a visitor from a job; when the last one leaves, it ends.

        Args:
            job_id: As `submit` gave it; an unknown one is ignored.
            watcher: The visitor's token.
        """
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.watchers.pop(watcher, None)
                entry.left = True
                self._end_unwanted()

    def close(self) -> None:
        """Ends the worker and with it the queue's use."""
        with self._changed:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker:
            worker.kill()
            worker.wait()

    # ------------------------------------------------------------ the queue; the lock is held

    def _add(self, order: dict[str, Any], request: SweepRequest | None, watcher: str) -> str:
        now = time.monotonic()
        with self._changed:
            twins = (entry for entry in self._entries.values() if entry.order == order and not entry.job.ended)
            entry = next(twins, None)
            if entry is None:
                if is_hosted() and len(self._waiting) >= MOST_WAITING:
                    raise PrunescopeError(
                        f"{len(self._waiting)} runs are waiting, more than {MOST_WAITING} do not fit: "
                        "try again in a few minutes, or run Prunescope on your own computer"
                    )
                entry = _Entry(Job(secrets.token_urlsafe(9), request), order, now)
                self._entries[entry.job.id] = entry
                self._waiting.append(entry.job.id)
            entry.seen = entry.watchers[watcher] = now
            self._start_next()
            self._ask_early(entry)
            self._start_caretaker()
            return entry.job.id

    def _snapshot(self, job_id: str) -> Job | None:
        entry = self._entries.get(job_id)
        if entry is None:
            return None
        if entry.job.state != "queued":
            return entry.job
        return replace(entry.job, position=self._waiting.index(job_id) + (self._running is not None))

    def _start_next(self) -> None:
        while self._running is None and self._waiting:
            entry = self._entries[self._waiting.popleft()]
            try:
                self._ensure_worker()
                self._send({"job": entry.job.id, **entry.order})
            except OSError as error:
                logger.exception("the worker does not start")
                self._update(entry, state="failed", message=f"The computing process does not start: {error.strerror}.")
                continue
            self._running, self._cancelled_at = entry.job.id, None
            self._update(entry, state="running", stage="Starting")

    def _ask_early(self, entry: _Entry) -> None:
        """Asks about a job that has to wait: a stored result is told at once."""
        if entry.job.state == "queued" and entry.order["op"] == "run" and not entry.order["fresh"]:
            with suppress(OSError):  # a worker that is gone cannot say
                self._send({"job": entry.job.id, "op": "find", "request": entry.order["request"]})

    def _update(self, entry: _Entry, **changes: Any) -> None:
        entry.job = replace(entry.job, **changes)
        if entry.job.ended:
            self._forget_old()
        self._changed.notify_all()

    def _forget_old(self) -> None:
        ended = [job_id for job_id, entry in self._entries.items() if entry.job.ended]
        for job_id in ended[:-MOST_FINISHED]:
            if job_id != self._running:  # cancelled, but the worker has not let go of it yet
                del self._entries[job_id]

    def _release(self) -> None:
        """The worker is free again."""
        self._running = self._cancelled_at = None
        self._start_next()

    def _end_unwanted(self) -> None:
        """Ends jobs whose last watcher has left and, hosted, jobs that nobody looks at."""
        now = time.monotonic()
        for entry in [entry for entry in self._entries.values() if not entry.job.ended]:
            last_look = max(entry.watchers.values(), default=float("-inf"))
            if entry.left and now - last_look > self._fresh_seconds:
                self._end(entry, "Cancelled.")
            elif is_hosted() and now - entry.seen > self._unseen_seconds:
                self._end(entry, "Ended because nobody was watching it.")

    def _end(self, entry: _Entry, message: str) -> None:
        if entry.job.id == self._running:
            self._cancelled_at = time.monotonic()
            try:
                self._send({"job": entry.job.id, "op": "cancel"})
            except OSError:
                logger.warning("the worker is gone: nothing to cancel")
        else:
            self._waiting.remove(entry.job.id)
        self._update(entry, state="cancelled", message=message)

    # ------------------------------------------------------------ the worker

    def _ensure_worker(self) -> None:
        if self._worker is not None and self._worker.poll() is None:
            return
        self._worker = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        threading.Thread(target=self._read, args=(self._worker,), name="worker-lines", daemon=True).start()

    def _send(self, line: dict[str, Any]) -> None:
        """Writes an order; raises OSError if the worker is gone."""
        if self._worker is None or self._worker.stdin is None:
            raise BrokenPipeError("there is no worker")
        self._worker.stdin.write(json.dumps(line) + "\n")
        self._worker.stdin.flush()

    def _read(self, worker: "subprocess.Popen[str]") -> None:
        """Follows one worker to its end, on a thread of its own."""
        assert worker.stdout is not None
        assert worker.stdin is not None
        for line in worker.stdout:
            with self._changed:
                try:
                    self._take(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError):
                    logger.warning("the worker wrote a line that is not understood: %.200s", line, exc_info=True)
        code = worker.wait()
        worker.stdout.close()
        with self._changed:
            if self._worker is worker:
                self._worker = None
                self._bury(code)

    def _take(self, event: dict[str, Any]) -> None:
        """Applies one line of the worker; the lock is held."""
        entry, kind = self._entries[event["job"]], event["event"]
        ends = kind in ("done", "error", "cancelled")
        try:
            if not entry.job.ended:
                self._update(entry, **_changes(entry.job, kind, event))
        except (ValueError, TypeError, KeyError):
            if ends:
                self._update(entry, state="failed", message="The computing process gave an answer that makes no sense.")
            raise
        finally:
            if ends and entry.job.id == self._running:
                self._release()
            elif ends and entry.job.id in self._waiting:
                self._waiting.remove(entry.job.id)

    def _bury(self, code: int) -> None:
        """The worker has ended; the lock is held.

        Args:
            code: Its exit status: 0 when it was idle for long, anything else is an accident.
        """
        entry = self._entries.get(self._running or "")
        if entry and not entry.job.ended:
            if code == 0:  # it ended idle just as it was asked: ask its successor
                self._waiting.appendleft(entry.job.id)
                self._update(entry, state="queued", stage="")
            else:
                logger.error("the worker ended in mid-run with status %d", code)
                self._update(
                    entry,
                    state="failed",
                    message="The computing process ended unexpectedly, perhaps for lack of memory. "
                    "The next run starts a new one: try again, with fewer examples or a smaller checkpoint.",
                )
        self._release()

    def _start_caretaker(self) -> None:
        if self._caretaker is None:
            self._caretaker = threading.Thread(target=self._take_care, name="job-caretaker", daemon=True)
            self._caretaker.start()

    def _take_care(self) -> None:
        """Ends what nobody wants and replaces a worker that does not let go, once a second."""
        while not self._closed:
            time.sleep(min(1.0, self._fresh_seconds / 2))
            with self._changed:
                self._end_unwanted()
                since = self._cancelled_at
                if since is not None and time.monotonic() - since > self._stubborn_seconds and self._worker:
                    logger.warning("the worker does not let go of a cancelled job: it is replaced")
                    self._worker.kill()


def _changes(job: Job, kind: str, event: dict[str, Any]) -> dict[str, Any]:
    """Reads a worker's event.

    Args:
        job: The job that it belongs to.
        kind: The event's name.
        event: The whole line.

    Returns:
        The job's fields that it changes.

    Raises:
        ValueError, TypeError, KeyError: It is malformed.
    """
    match kind:
        case "progress":
            return {name: event[name] for name in ("stage", "done", "total", "seconds_left")}
        case "frame":
            header = job.header or Header.model_validate(event["header"])
            return {"header": header, "frames": (*job.frames, Frame.model_validate(event["frame"]))}
        case "done" if "outcome" in event:
            return {"state": "done", "outcome": dict(event["outcome"])}
        case "done":
            stored = {"key": event["key"], "path": Path(event["path"]), "stored": event["stored"]}
            return {"state": "done", "header": None, "frames": (), **stored}  # the file has them
        case "error":
            return {"state": "failed", "message": str(event["message"])}
        case "cancelled":
            return {"state": "cancelled", "message": "Cancelled."}
        case _:
            raise ValueError(f"unknown event {kind!r}")


_queue = JobQueue()
start_worker = _queue.start_worker
submit = _queue.submit
ask = _queue.ask
get = _queue.get
wait = _queue.wait
request_for = _queue.request_for
watch = _queue.watch
cancel = _queue.cancel
