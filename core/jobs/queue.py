"""The queue of the server process, in front of the one warm worker (`core.worker`).

All visitors share it. One job runs at a time and the others wait; visitors who ask for the same thing share a job. A
job of several sweeps goes to the end of the line after each of them. Questions come before runs, but not many in a row.

Visitors take turns by address (`core.wall.turns`). On a hosted server no sweep runs for ever.
"""

import json
import logging
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from core.errors import PrunescopeError
from core.inputs.forecast import forecast
from core.inputs.uploads import belongs
from core.jobs.job import Entry, Job, Kind, State, in_order, run_order
from core.jobs.worker_process import WarmProcess
from core.request.limits import OWN, is_hosted, limits
from core.request.sweep_request import SweepRequest, checked
from core.wall.turns import Stored, Turns, Visitor, surplus

WORKER = (sys.executable, "-u", "-m", "core.worker")
# On a hosted server, a job that nobody has watched for this long ends. Browsers wake hidden tabs once a minute.
UNSEEN_SECONDS = 150.0
CANCEL_TIMEOUT_SECONDS = 20.0  # a worker that has not dropped a cancelled job by then is replaced
TICK_SECONDS = 1.0  # between two checks of these, and of how long a job runs
MAX_REMEMBERED = 40  # ended jobs of a kind, for reloads
FINAL_EVENTS = ("done", "error", "cancelled")

logger = logging.getLogger(__name__)


class JobQueue:
    """Jobs in front of one worker process.

    Args:
        command: Starts the worker.
        clock: Returns the time in seconds.
    """

    def __init__(self, command: Sequence[str] = WORKER, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # its lock guards everything below
        self._entries: dict[str, Entry] = {}  # by id, oldest first
        self._turns: dict[Kind, Turns[Entry]] = {"question": Turns("questions"), "run": Turns("runs")}
        self._running: Entry | None = None
        self._questions_in_a_row = 0  # that have started since a run last did
        self._cancelled_at: float | None = None  # when the worker was told to drop the running job
        self._worker = WarmProcess(command, self._changed, self._on_line, self._on_worker_exit)
        self._caretaker: threading.Thread | None = None
        self._closed = threading.Event()

    # ------------------------------------------------------------ for visitors

    def start_worker(self) -> None:
        """Start the worker unless it runs: it is then warm by the first click."""
        with self._changed, suppress(OSError):  # of which the first job will tell its visitor
            self._worker.start()

    def submit(
        self, request: SweepRequest, visitor: Visitor, *, fresh: bool = False, follow_ups: Sequence[SweepRequest] = ()
    ) -> str:
        """Ask for a sweep and others after it, or join the job that computes the same already.

        Args:
            request: What to compute.
            visitor: Who asks.
            fresh: Whether to compute it even if its result is stored.
            follow_ups: What to compute after it, where it is not stored.

        Returns:
            The job's id.

        Raises:
            BusyError: On a hosted server, too many wait.
            PrunescopeError: A request is refused, or, on a hosted server, takes too long or reads somebody else's file.
        """
        request, *further = map(checked, (request, *follow_ups))
        if is_hosted():
            forecast([request, *further])
        orders = [run_order(request, fresh=fresh), *map(run_order, further)]
        return self._add(orders, visitor, request=request, follow_ups=tuple(further))

    def ask(self, op: str, visitor: Visitor, **fields: Any) -> str:
        """Ask the worker for something other than a sweep.

        Args:
            op: A name from `core.worker.ANSWERS`.
            visitor: Who asks.
            fields: What the order needs, plain JSON values.

        Returns:
            The job's id.

        Raises:
            BusyError: On a hosted server, too many jobs wait.
            PrunescopeError: On a hosted server, it reads somebody else's file.
        """
        return self._add([{"op": op, **fields}], visitor)

    def get(self, job_id: str) -> Job | None:
        """Return a snapshot of a job; None if the queue does not hold it, or no longer does."""
        with self._changed:
            return self._snapshot(job_id)

    def wait(self, job_id: str, ready: Callable[[Job], bool], seconds: float) -> Job | None:
        """Wait until a job is ready, but no longer than `seconds`, and return its latest snapshot, as `get` does."""
        with self._changed:
            self._changed.wait_for(lambda: (job := self._snapshot(job_id)) is None or ready(job), seconds)
            return self._snapshot(job_id)

    def request_for(self, key: str) -> SweepRequest | None:
        """Return the request that led to a result, if its job is remembered; the result itself names no folders."""
        with self._changed:
            requests = (entry.job.request_for(key) for entry in reversed(self._entries.values()))
            return next((request for request in requests if request), None)

    def uploads_in_use(self) -> set[str]:
        """Return the names of the uploaded tables that waiting and running jobs read."""
        with self._changed:
            return _uploads_in([entry.orders for entry in self._living()])

    def watch(self, job_id: str, visitor: Visitor) -> None:
        """Note that a visitor looks at a job; ignore an unknown id."""
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.watch(visitor, self._clock())

    def cancel(self, job_id: str, visitor: Visitor) -> None:
        """Detach a session from a job, which ends when the last one leaves (`Entry.leave`); ignore an unknown id."""
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.leave(visitor, self._clock())
                if not entry.watchers and not entry.job.ended:
                    self._end(entry, "Cancelled.")

    def tend(self) -> None:
        """End jobs that nobody watches or that take too long, and a worker that does not react."""
        with self._changed:
            now, running = self._clock(), self._running
            for entry in self._living():
                if is_hosted() and now - entry.last_seen > UNSEEN_SECONDS:
                    self._end(entry, "Ended because nobody was watching it.")
            if self._cancelled_at is not None and now - self._cancelled_at > CANCEL_TIMEOUT_SECONDS:
                logger.warning("the worker does not drop a cancelled job: replacing the worker")
                self._worker.kill()
            elif running and not running.job.ended and now - running.started > limits().job_seconds:
                most = f"{limits().job_seconds / 60:g} minutes"
                self._end(running, f"Stopped after {most}, the most here: try fewer examples or amounts.", "failed")

    def close(self) -> None:
        """End the worker and with it the queue's use."""
        self._closed.set()
        self._worker.close()

    # ------------------------------------------------------------ the queue; the lock is held

    def _add(self, orders: Sequence[Mapping[str, Any]], visitor: Visitor, **sweeps: Any) -> str:
        if not all(belongs(name, visitor) for name in _uploads_in(orders)):
            raise PrunescopeError("this file was chosen in another visit: choose it again to run on it")
        with self._changed:
            new = Entry(Job(secrets.token_urlsafe(9), **sweeps), orders, visitor.holder, self._clock())
            entry = next((other for other in self._living() if other.orders == orders), new)
            if entry is new:
                self._turns[new.kind].check_room(new.holder)
                self._entries[new.job.id] = new
                self._turns[new.kind].join(new, new.holder)
            entry.watch(visitor, self._clock())
            self._start_next()
            self._find_early(entry)
            if self._caretaker is None:
                self._caretaker = threading.Thread(target=self._take_care, name="job-caretaker", daemon=True)
                self._caretaker.start()
            return entry.job.id

    def _take_care(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            self.tend()

    def _living(self) -> list[Entry]:
        return [entry for entry in self._entries.values() if not entry.job.ended]

    def _line(self) -> list[Entry]:
        """Return what waits, in the order in which it will run."""
        return in_order({kind: turns.order() for kind, turns in self._turns.items()}, self._questions_in_a_row)

    def _snapshot(self, job_id: str) -> Job | None:
        entry = self._entries.get(job_id)
        if entry is None or entry.job.state != "queued":
            return entry.job if entry else None
        return replace(entry.job, position=self._line().index(entry) + (self._running is not None))

    def _start_next(self) -> None:
        while self._running is None and (line := self._line()):
            entry = line[0]
            try:
                self._worker.start()
            except OSError as error:
                logger.exception("the worker does not start")
                message = f"The computing process does not start: {error.strerror}. Try again, or restart Prunescope."
                self._end(entry, message, "failed")
                continue
            if not self._worker.send({"job": entry.name, **entry.orders[entry.job.step]}):
                return  # the worker has just died: `_on_worker_exit` starts a successor, which takes the order
            self._turns[entry.kind].serve(entry)
            self._running, entry.started = entry, self._clock()
            self._questions_in_a_row = self._questions_in_a_row + 1 if entry.kind == "question" else 0
            self._update(entry, replace(entry.job, state="running", stage="Starting"))

    def _find_early(self, entry: Entry) -> None:
        """Ask the worker about a run that has to wait; if its result is stored, the job ends at once."""
        order = entry.orders[entry.job.step]
        if entry in self._line() and order["op"] == "run" and not order["fresh"]:
            self._worker.send({"job": entry.name, "op": "find", "request": order["request"]})

    def _update(self, entry: Entry, job: Job) -> None:
        entry.job = job
        if job.ended:  # whoever ends many jobs forgets their own, and many questions let no run be forgotten
            alike = [other for other in self._entries.values() if other.job.ended and other.kind == entry.kind]
            ended = (Stored(other.holder, age, 1, other) for age, other in enumerate(alike))
            for old in surplus(ended, MAX_REMEMBERED):
                if old is not self._running:  # cancelled, but the worker has not dropped it yet
                    del self._entries[old.job.id]
        self._changed.notify_all()

    def _end(self, entry: Entry, message: str, state: State = "cancelled") -> None:
        """End a job; one that runs keeps the worker busy until that has dropped it."""
        if entry is self._running:
            self._cancelled_at = self._clock()
        else:
            self._turns[entry.kind].leave(entry)
        self._worker.send({"job": entry.name, "op": "cancel"})
        self._update(entry, replace(entry.job, state=state, message=message))

    def _release(self) -> None:
        """End the running job's turn, and give the free worker the next job, which may be the same one's next order."""
        entry, self._running, self._cancelled_at = self._running, None, None
        if entry:
            self._turns[entry.kind].leave(entry)
            if not entry.job.ended:
                self._turns[entry.kind].join(entry, entry.holder)
        self._start_next()

    # ------------------------------------------------------------ what the worker says; the lock is held

    def _on_line(self, line: str) -> None:
        try:
            event = json.loads(line)
            entry = self._entries.get(event["job"].rpartition("/")[0])
            if entry is None or event["job"] != entry.name:
                return  # about a sweep whose stored result has been found meanwhile
            if not entry.job.ended:
                self._update(entry, entry.job.after(event))
            if event["event"] in FINAL_EVENTS:
                self._go_on(entry)
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("the worker wrote an invalid line, and is replaced: %.200s", line, exc_info=True)
            self._worker.kill()

    def _go_on(self, entry: Entry) -> None:
        """Give way to the next order after one of a job has been answered."""
        if entry is self._running:
            self._release()
        elif entry.job.ended and entry in self._line():
            self._turns[entry.kind].leave(entry)
        self._find_early(entry)

    def _on_worker_exit(self, status: int) -> None:
        """End the running job, and start a new worker if anything waits."""
        if self._running and not self._running.job.ended:
            logger.error("the worker ended during a job with status %d", status)
            fault = f"The computing process ended unexpectedly ({self._running.job.stage})"
            message = f"{fault}: try again, with fewer examples or another checkpoint."
            self._update(self._running, replace(self._running.job, state="failed", message=message))
        self._release()


def _uploads_in(orders: object) -> set[str]:
    """Return the names of uploaded tables in orders, wherever they stand: whatever it is that reads them."""
    return set(re.findall(rf"{OWN}[0-9a-f]{{64}}", json.dumps(orders)))


queue = JobQueue()  # of this process
