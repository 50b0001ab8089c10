"""The queue of the server process, in front of the one warm worker (`core.worker`).

All visitors share it. One job runs at a time and the others wait; visitors with equal requests share a job. A job of
several sweeps goes to the end of the line after each of them. Questions come before runs, but not many in a row.

Visitors take turns by address (`core.wall.turns`). On a hosted server no sweep runs without end.
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
from core.inputs.forecast import forecast, forecast_training, stored_first
from core.inputs.uploads import belongs
from core.jobs.job import Job, JobKind, State, Ticket, in_order, run_order
from core.jobs.worker_process import WarmProcess
from core.request.limits import OWN, is_hosted, limits
from core.request.sweep_request import DataRequest, Request, SweepRequest, checked
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

    def __init__(
        self, command: Sequence[str] = WORKER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # its lock guards everything below
        self._tickets: dict[str, Ticket] = {}  # by id, oldest first
        self._turns: dict[JobKind, Turns[Ticket]] = {
            "question": Turns("questions"),
            "run": Turns("runs"),
        }
        self._running: Ticket | None = None
        self._questions_in_a_row = 0  # that have started since a run last did
        self._cancelled_at: float | None = None  # when the worker was told to drop the running job
        self._worker = WarmProcess(command, self._changed, self._on_line, self._on_worker_exit)
        self._caretaker: threading.Thread | None = None
        self._closed = threading.Event()

    # ------------------------------------------------------------ for visitors

    def start_worker(self) -> None:
        """Start the worker unless it runs: it is then warm by the first click."""
        with self._changed, suppress(OSError):  # the first job will report it
            self._worker.start()

    def submit(
        self,
        request: DataRequest,
        visitor: Visitor,
        *,
        fresh: bool = False,
        follow_ups: Sequence[SweepRequest] = (),
    ) -> str:
        """Request a sweep and others after it, or a training, or join the job that computes the same already.

        Sweeps whose results are known to be stored need not wait for the worker.

        Args:
            request: The sweep or the training.
            visitor: The visitor who requests it.
            fresh: Whether to compute it even if its result is stored.
            follow_ups: The sweeps after it, which are computed unless their results are stored.

        Returns:
            The job's id.

        Raises:
            BusyError: On a hosted server, too many wait.
            PrunescopeError: A request is refused, or, on a hosted server, takes too long or reads somebody else's file.
        """
        request, follow_ups = checked(request), tuple(map(checked, follow_ups))
        sweeps = [request, *follow_ups] if isinstance(request, SweepRequest) else []
        if is_hosted():
            _ = forecast(sweeps) if sweeps else forecast_training(request)
        job = Job(secrets.token_urlsafe(9), request, follow_ups=follow_ups)
        for key in stored_first(sweeps) if sweeps and not fresh else ():
            job = job.after({"event": "done", "key": key})
        return self._add(
            job, [run_order(request, fresh=fresh), *map(run_order, follow_ups)], visitor
        )

    def ask(self, op: str, visitor: Visitor, **fields: Any) -> str:
        """Give the worker an order other than a sweep.

        Args:
            op: A name from `core.worker.ANSWERS`.
            visitor: The visitor who gives it.
            fields: The order's other fields, plain JSON values.

        Returns:
            The job's id.

        Raises:
            BusyError: On a hosted server, too many jobs wait.
            PrunescopeError: On a hosted server, it reads somebody else's file.
        """
        return self._add(Job(secrets.token_urlsafe(9)), [{"op": op, **fields}], visitor)

    def get(self, job_id: str) -> Job | None:
        """Return a snapshot of a job; None if the queue does not hold it, or no longer does."""
        with self._changed:
            return self._snapshot(job_id)

    def wait(self, job_id: str, ready: Callable[[Job], bool], seconds: float) -> Job | None:
        """Wait until a job is ready, but no longer than `seconds`, and return its latest snapshot, as `get` does."""
        with self._changed:
            self._changed.wait_for(
                lambda: (job := self._snapshot(job_id)) is None or ready(job), seconds
            )
            return self._snapshot(job_id)

    def request_for(self, key: str, visitor: Visitor, kind: type[Request]) -> Request | None:
        """Return the last request that led to a result, if its job is remembered; the result itself names no folders.

        Args:
            key: The result's key.
            visitor: The visitor who may repeat it; one that reads another visitor's file is passed over.
            kind: The kind of the request.
        """
        with self._changed:
            requests = (
                ticket.job.request_for(key, kind) for ticket in reversed(self._tickets.values())
            )
            usable = (
                r for r in requests if r and all(belongs(data, visitor) for data in r.sources)
            )
            return next(usable, None)

    def watch(self, job_id: str, visitor: Visitor) -> None:
        """Note that a visitor looks at a job; ignore an unknown id."""
        with self._changed:
            if ticket := self._tickets.get(job_id):
                ticket.watch(visitor, self._clock())

    def cancel(self, job_id: str, visitor: Visitor) -> None:
        """Detach a session from a job, which ends when its last session leaves; ignore an unknown id."""
        with self._changed:
            if ticket := self._tickets.get(job_id):
                ticket.leave(visitor, self._clock())
                if not ticket.watchers and not ticket.job.ended:
                    self._end(ticket, "Cancelled.")

    def tend(self) -> None:
        """End jobs that nobody watches or that take too long, and a worker that does not react."""
        with self._changed:
            now, running = self._clock(), self._running
            for ticket in self._living():
                if is_hosted() and now - ticket.last_seen > UNSEEN_SECONDS:
                    self._end(ticket, "Ended because nobody was watching it.")
            if self._cancelled_at is not None and now - self._cancelled_at > CANCEL_TIMEOUT_SECONDS:
                logger.warning("the worker does not drop a cancelled job: replacing the worker")
                self._worker.kill()
            elif running and not running.job.ended and now - running.started > limits().job_seconds:
                most = f"{limits().job_seconds / 60:g} minutes"
                self._end(
                    running, f"Stopped after {most}, the most here: try fewer examples.", "failed"
                )

    def close(self) -> None:
        """End the worker and with it the queue's use."""
        self._closed.set()
        self._worker.close()

    # ------------------------------------------------------------ the queue; the lock is held

    def _add(self, job: Job, orders: Sequence[Mapping[str, Any]], visitor: Visitor) -> str:
        uploads = re.findall(rf"{OWN}[0-9a-f]{{64}}", json.dumps(orders))  # in any field
        if not all(belongs(data, visitor) for data in uploads):
            raise PrunescopeError(
                "this file was chosen in another visit: choose it again to run on it"
            )
        with self._changed:
            new = Ticket(job, orders, visitor.holder, self._clock())
            ticket = next((other for other in self._living() if other.orders == orders), new)
            if ticket is new and not job.ended:
                self._turns[new.kind].check_room(new.holder)
                self._turns[new.kind].join(new, new.holder)
            self._tickets[ticket.job.id] = ticket
            ticket.watch(visitor, self._clock())
            self._update(ticket, ticket.job)
            self._start_next()
            if self._caretaker is None:
                self._caretaker = threading.Thread(
                    target=self._take_care, name="job-caretaker", daemon=True
                )
                self._caretaker.start()
            return ticket.job.id

    def _take_care(self) -> None:
        while not self._closed.wait(TICK_SECONDS):
            self.tend()

    def _living(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets.values() if not ticket.job.ended]

    def _line(self) -> list[Ticket]:
        """Return the waiting tickets in the order in which they will run."""
        return in_order(
            {kind: turns.order() for kind, turns in self._turns.items()}, self._questions_in_a_row
        )

    def _snapshot(self, job_id: str) -> Job | None:
        ticket = self._tickets.get(job_id)
        if ticket is None or ticket.job.state != "queued":
            return ticket.job if ticket else None
        return replace(
            ticket.job, position=self._line().index(ticket) + (self._running is not None)
        )

    def _start_next(self) -> None:
        while self._running is None and (line := self._line()):
            ticket = line[0]
            try:
                self._worker.start()
            except OSError as error:
                logger.exception("the worker does not start")
                message = f"The computing process does not start: {error.strerror}. Try again, or restart Prunescope."
                self._end(ticket, message, "failed")
                continue
            if not self._worker.send({"job": ticket.name, **ticket.orders[ticket.job.step]}):
                return  # the worker has just died: `_on_worker_exit` starts a successor, which takes the order
            self._turns[ticket.kind].serve(ticket)
            self._running, ticket.started = ticket, self._clock()
            self._questions_in_a_row = (
                self._questions_in_a_row + 1 if ticket.kind == "question" else 0
            )
            self._update(ticket, replace(ticket.job, state="running", stage="Starting"))

    def _update(self, ticket: Ticket, job: Job) -> None:
        ticket.job = job
        if (
            job.ended
        ):  # a visitor's many ended jobs displace only their own, and questions displace no run
            alike = [
                other
                for other in self._tickets.values()
                if other.job.ended and other.kind == ticket.kind
            ]
            ended = (Stored(other.holder, age, 1, other) for age, other in enumerate(alike))
            for old in surplus(ended, MAX_REMEMBERED):
                if old is not self._running:  # cancelled, but the worker has not dropped it yet
                    del self._tickets[old.job.id]
        self._changed.notify_all()

    def _end(self, ticket: Ticket, message: str, state: State = "cancelled") -> None:
        """End a job; a running one keeps the worker busy until the worker has dropped it."""
        if ticket is self._running:
            self._cancelled_at = self._clock()
            self._worker.send({"job": ticket.name, "op": "cancel"})
        else:
            self._turns[ticket.kind].leave(ticket)
        self._update(ticket, replace(ticket.job, state=state, message=message))

    def _release(self) -> None:
        """End the running job's turn, and give the free worker the next job, which may be the same one's next order."""
        ticket, self._running, self._cancelled_at = self._running, None, None
        if ticket:
            self._turns[ticket.kind].leave(ticket)
            if not ticket.job.ended:
                self._turns[ticket.kind].join(ticket, ticket.holder)
        self._start_next()

    # ------------------------------------------------------------ the worker's lines; the lock is held

    def _on_line(self, line: str) -> None:
        try:
            event, running = json.loads(line), self._running
            if running is None or event["job"] != running.name:
                return
            if not running.job.ended:
                self._update(running, running.job.after(event))
            if event["event"] in FINAL_EVENTS:
                self._release()
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning(
                "the worker wrote an invalid line, and is replaced: %.200s", line, exc_info=True
            )
            self._worker.kill()

    def _on_worker_exit(self, status: int) -> None:
        """End the running job, and start a new worker if anything waits."""
        if self._running and not self._running.job.ended:
            logger.error("the worker ended during a job with status %d", status)
            fault = f"The computing process ended unexpectedly ({self._running.job.stage})"
            message = f"{fault}: try again, with fewer examples or another checkpoint."
            self._update(self._running, replace(self._running.job, state="failed", message=message))
        self._release()


queue = JobQueue()  # of this process
