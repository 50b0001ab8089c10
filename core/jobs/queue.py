"""The queue of the server process, in front of the one warm worker (`core.worker`).

All visitors share it. One job runs at a time and the others wait; visitors with equal requests
share a job. A job of several sweeps goes to the end of the line after each of them. Questions come
before runs, but not many in a row.

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
from core.jobs.job import Job, JobKind, State, Ticket
from core.jobs.worker_process import WarmProcess
from core.request.limits import OWN, is_hosted, limits
from core.request.sweep_request import DataRequest, SweepRequest, checked
from core.wall.turns import Stored, Turns, Visitor, surplus

WORKER = (sys.executable, "-u", "-m", "core.worker")
# A job that nobody has watched for this long ends on a hosted server. Browsers wake hidden tabs
# once a minute.
UNSEEN_SECONDS = 150.0
CANCEL_TIMEOUT_SECONDS = 20.0  # a worker that has not dropped a cancelled job by then is replaced
TICK_SECONDS = 1.0  # between two checks of these, and of how long a job runs
MAX_QUESTIONS_IN_A_ROW = 4  # while a run waits
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
        self,
        command: Sequence[str] = WORKER,
        clock: Callable[[], float] = time.monotonic,
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
        self._worker = WarmProcess(
            command,
            self._changed,
            self._on_line,
            self._on_worker_exit,
        )
        self._is_tended = False  # by a thread

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
        """Request a sweep and others after it, or a training, or join the job that computes it.

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
            PrunescopeError: A request is refused, or, on a hosted server, takes too long or reads
                somebody else's file.
        """
        request = checked(request)
        follow_ups = tuple(map(checked, follow_ups))
        sweeps = [request, *follow_ups] if isinstance(request, SweepRequest) else []
        if is_hosted() and sweeps:
            forecast(sweeps)
        elif is_hosted():
            forecast_training(request)
        job = Job(secrets.token_urlsafe(9), request, follow_ups=follow_ups)
        if not fresh:
            for key in stored_first(sweeps):
                job = job.after({"event": "done", "key": key})
        orders = [
            {
                "op": each.op,
                "request": vars(each),
                "fresh": fresh and each is request,
            }
            for each in (request, *follow_ups)
        ]
        return self._add(job, orders, visitor)

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
            ticket = self._tickets.get(job_id)
            if ticket is None:
                return None
            if ticket.job.state != "queued":
                return ticket.job
            position = self._line().index(ticket)
            return replace(ticket.job, position=position + (self._running is not None))

    def wait(self, job_id: str, seconds: float) -> Job | None:
        """Wait until a job has ended, but no longer than `seconds`; return it as `get` does."""

        def is_over() -> bool:
            job = self.get(job_id)
            return job is None or job.ended

        with self._changed:
            self._changed.wait_for(is_over, seconds)
            return self.get(job_id)

    def request_for(self, key: str, visitor: Visitor) -> Any:
        """Return the last request that led to a result, if its job is remembered.

        The result itself names no folders.

        Args:
            key: The result's key.
            visitor: The visitor who may repeat it; a request that reads another visitor's file is
                passed over.
        """
        with self._changed:
            for ticket in reversed(self._tickets.values()):
                request = ticket.job.request_for(key)
                if request and all(belongs(data, visitor) for data in request.sources):
                    return request
        return None

    def watch(self, job_id: str, visitor: Visitor) -> None:
        """Note that a visitor looks at a job; ignore an unknown id."""
        with self._changed:
            if job_id in self._tickets:
                self._tickets[job_id].watchers[visitor] = self._clock()

    def cancel(self, job_id: str, visitor: Visitor) -> None:
        """Detach a session from a job, which ends with its last one; ignore an unknown id."""
        with self._changed:
            ticket = self._tickets.get(job_id)
            if ticket is None:
                return
            ticket.leave(visitor, self._clock())
            if not ticket.watchers and not ticket.job.ended:
                self._end(ticket, "Cancelled.")

    def tend(self) -> None:
        """End jobs that nobody watches or that take too long, and a worker that does not react."""
        with self._changed:
            now = self._clock()
            for ticket in self._living():
                unseen = now - max(ticket.watchers.values())
                if is_hosted() and unseen > UNSEEN_SECONDS:
                    self._end(ticket, "Ended because nobody was watching it.")
            running = self._running
            if running is None:
                return
            seconds = now - running.sent
            most = limits().job_seconds
            if running.job.ended and seconds > CANCEL_TIMEOUT_SECONDS:
                self._worker.kill()
            elif seconds > most:
                message = f"Stopped after {most / 60:g} minutes, the most here: try fewer examples."
                self._end(running, message, "failed")

    # ------------------------------------------------------------ the queue; the lock is held

    def _add(self, job: Job, orders: Sequence[Mapping[str, Any]], visitor: Visitor) -> str:
        uploads = re.findall(rf"{OWN}[0-9a-f]{{64}}", json.dumps(orders))  # in any field
        if not all(belongs(data, visitor) for data in uploads):
            raise PrunescopeError(
                "this file was chosen in another visit: choose it again to run on it"
            )
        with self._changed:
            new = Ticket(job, orders, visitor.holder)
            alike = (ticket for ticket in self._living() if ticket.orders == orders)
            ticket = next(alike, new)
            if ticket is new and not job.ended:
                self._turns[new.kind].check_room(new.holder)
                self._turns[new.kind].join(new, new.holder)
            self._tickets[ticket.job.id] = ticket
            ticket.watchers[visitor] = self._clock()
            self._update(ticket, ticket.job)
            self._start_next()
            if not self._is_tended:
                self._is_tended = True
                threading.Thread(target=self._take_care, daemon=True).start()
            return ticket.job.id

    def _take_care(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            self.tend()

    def _living(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets.values() if not ticket.job.ended]

    def _line(self) -> list[Ticket]:
        """Return the waiting tickets in the order in which they will run if no others join.

        Questions come before runs, but a run waits for few of them.
        """
        line: list[Ticket] = []
        questions = self._turns["question"].order()
        in_a_row = self._questions_in_a_row
        for run in self._turns["run"].order():
            turn = max(MAX_QUESTIONS_IN_A_ROW - in_a_row, 0)
            line += [*questions[:turn], run]
            questions = questions[turn:]
            in_a_row = 0
        return [*line, *questions]

    def _start_next(self) -> None:
        while self._running is None:
            line = self._line()
            if not line:
                return
            ticket = line[0]
            try:
                self._worker.start()
            except OSError as error:
                fault = f"The computing process does not start: {error.strerror}."
                self._end(ticket, f"{fault} Try again, or restart Prunescope.", "failed")
                continue
            order = ticket.orders[ticket.job.step]
            if not self._worker.send({"job": ticket.name, **order}):
                return  # the worker has just died; the successor takes the order (_on_worker_exit)
            self._turns[ticket.kind].serve(ticket)
            self._running = ticket
            ticket.sent = self._clock()
            if ticket.kind == "question":
                self._questions_in_a_row += 1
            else:
                self._questions_in_a_row = 0
            self._update(ticket, replace(ticket.job, state="running", stage="Starting"))

    def _update(self, ticket: Ticket, job: Job) -> None:
        """Change a job, and forget the oldest ended jobs of its kind.

        A visitor's many displace only their own.
        """
        ticket.job = job
        self._changed.notify_all()
        if not job.ended:
            return
        ended = [
            Stored(other.holder, age, 1, other)
            for age, other in enumerate(self._tickets.values())
            if other.job.ended and other.kind == ticket.kind
        ]
        for oldest in surplus(ended, MAX_REMEMBERED):
            if oldest is not self._running:  # cancelled, but the worker has not dropped it yet
                del self._tickets[oldest.job.id]

    def _end(self, ticket: Ticket, message: str, state: State = "cancelled") -> None:
        """End a job; a running one keeps the worker busy until the worker has dropped it."""
        if ticket is self._running:
            ticket.sent = self._clock()
            self._worker.send({"job": ticket.name, "op": "cancel"})
        else:
            self._turns[ticket.kind].leave(ticket)
        self._update(ticket, replace(ticket.job, state=state, message=message))

    def _release(self) -> None:
        """End the running job's turn, and give the free worker the next order.

        That may be the same job's: it then stands at the end of the line.
        """
        ticket = self._running
        self._running = None
        if ticket:
            self._turns[ticket.kind].leave(ticket)
            if not ticket.job.ended:
                self._turns[ticket.kind].join(ticket, ticket.holder)
        self._start_next()

    # ------------------------------------------------------------ the worker; the lock is held

    def _on_line(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:  # cut off: the worker has died, and `_on_worker_exit` follows
            return
        running = self._running
        if running is None or event["job"] != running.name:
            return
        if not running.job.ended:
            self._update(running, running.job.after(event))
        if event["event"] in FINAL_EVENTS:
            self._release()

    def _on_worker_exit(self, status: int) -> None:
        """End the running job, and start a new worker if anything waits."""
        running = self._running
        if running and not running.job.ended:
            logger.error("the worker ended during a job with status %d", status)
            fault = f"The computing process ended unexpectedly ({running.job.stage})"
            message = f"{fault}: try again, with fewer examples or another checkpoint."
            self._update(running, replace(running.job, state="failed", message=message))
        self._release()


queue = JobQueue()  # of this process
