"""The queue of the server process, in front of the one warm worker (`core.worker`).

All visitors share it. One job runs at a time and the others wait; visitors who ask for the same thing share a job. A
job of several sweeps goes to the end of the line after each of them. Typed sentences, which take a moment, come first,
until they have kept a run waiting for half a minute, or eight have come in a row. Estimates, which pages ask for on
their own, never hold anything else up: they come last, and a running one makes way.

On a hosted server every visitor, and every address, has at most one sweep and one question in the queue, and no job
runs for ever.
"""

import json
import logging
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from core.errors import PrunescopeError
from core.inputs.uploads import belongs
from core.jobs.entry import ESTIMATE, Entry, in_order, run_order
from core.jobs.job import FINAL_EVENTS, Job, State
from core.jobs.worker_process import WarmProcess
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest, checked, is_upload

WORKER = (sys.executable, "-u", "-m", "core.worker")
CANCEL_TIMEOUT_SECONDS = 20.0  # a worker that has not dropped a cancelled job by then is replaced
SILENT_SECONDS = 120.0  # a hosted worker that has said nothing of its job for this long is replaced
TICK_SECONDS = 1.0  # between two checks of these four
MAX_WAITING: Mapping[str, int] = {"estimates": 4, "sentences": 8, "runs": 8}  # hosted, by lane
MAX_REMEMBERED = 40  # ended jobs, for reloads

Clock = Callable[[], float]

logger = logging.getLogger(__name__)


class JobQueue:
    """Jobs in front of one worker process.

    Args:
        command: Starts the worker.
        clock: Returns the time in seconds.
    """

    def __init__(self, command: Sequence[str] = WORKER, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # its lock guards everything below
        self._entries: dict[str, Entry] = {}  # by id, oldest first
        self._waiting: list[Entry] = []
        self._running: Entry | None = None
        self._sentences_started: list[float] = []  # when, since a run last did
        self._cancelled_at: float | None = None  # when the worker was told to drop the running job
        self._heard_at = clock()  # when the worker last said something
        self._worker = WarmProcess(command, self._changed, self._on_line, self._on_worker_exit)
        self._caretaker: threading.Thread | None = None
        self._closed = threading.Event()

    # ------------------------------------------------------------ for visitors

    def start_worker(self) -> None:
        """Start the worker unless it runs: it is then warm by the first click."""
        with self._changed:
            try:
                self._worker.start()
            except OSError:
                logger.exception("the worker does not start")  # the first job will tell its visitor

    def submit(
        self,
        request: SweepRequest,
        watcher: str,
        *,
        address: str | None = None,
        fresh: bool = False,
        follow_ups: Sequence[SweepRequest] = (),
    ) -> str:
        """Ask for a sweep and others after it, or join the job that computes the same already.

        Args:
            request: What to compute.
            watcher: The visitor's token.
            address: Where the visitor comes from, if that is known.
            fresh: Whether to compute it even if its result is stored.
            follow_ups: What to compute after it, where it is not stored.

        Returns:
            The job's id.

        Raises:
            PrunescopeError: A request is refused; or, on a hosted server, it reads somebody else's file, the visitor
                has a sweep already, or too many wait.
        """
        request = checked(request)
        order, further = run_order(request, fresh=fresh), tuple(map(checked, follow_ups))
        return self._add(order, watcher, address, request, further)

    def ask(self, op: str, watcher: str, *, address: str | None = None, **fields: Any) -> str:
        """Ask the worker for something other than a sweep.

        Args:
            op: A name from `core.worker.ANSWERS`. A new estimate replaces the visitor's last one.
            watcher: The visitor's token.
            address: Where the visitor comes from, if that is known.
            fields: What the order needs, plain JSON values.

        Returns:
            The job's id.

        Raises:
            PrunescopeError: On a hosted server, it reads somebody else's file, the visitor has a question already, or
                too many jobs wait.
        """
        return self._add({"op": op, **fields}, watcher, address)

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
            living = [
                (entry.order, [follow_up.to_json() for follow_up in entry.job.follow_ups]) for entry in self._living()
            ]
        return {data for orders in living for data in _uploads_in(orders)}

    def watch(self, job_id: str, watcher: str, *, address: str | None = None) -> None:
        """Note that a visitor looks at a job; an unknown id is ignored.

        Args:
            job_id: The job.
            watcher: The visitor's token.
            address: Where the visitor comes from, if that is known.
        """
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.watch(watcher, address, self._clock())

    def cancel(self, job_id: str, watcher: str, *, address: str | None = None) -> None:
        """Detach a visitor from a job, which ends when the last one leaves; an unknown id is ignored.

        The same person may have watched it before a reload, or in a tab that is closed. So watchers from the same
        address leave as well if they have not looked for a few seconds, or do not look again.

        Args:
            job_id: The job.
            watcher: The visitor's token.
            address: Where the visitor comes from, if that is known.
        """
        with self._changed:
            if entry := self._entries.get(job_id):
                entry.leave(watcher, address)
                self._end_unneeded()

    def tend(self) -> None:
        """End jobs that nobody needs or that take too long, and a worker that does not react; called once a second."""
        with self._changed:
            self._end_unneeded()
            now, since = self._clock(), self._cancelled_at
            if self._running and (reason := self._running.reason_to_stop(now)) and not self._running.job.ended:
                self._end(self._running, reason, "failed")
            elif since is not None and now - since > CANCEL_TIMEOUT_SECONDS:
                logger.warning("the worker does not drop a cancelled job: replacing the worker")
                self._worker.kill()
            elif is_hosted() and self._running and now - self._heard_at > SILENT_SECONDS:
                logger.warning("the worker has said nothing for long: replacing the worker")
                self._worker.kill()

    def close(self) -> None:
        """End the worker and with it the queue's use."""
        self._closed.set()
        self._worker.close()

    # ------------------------------------------------------------ the queue; the lock is held

    def _add(
        self,
        order: Mapping[str, Any],
        watcher: str,
        address: str | None,
        request: SweepRequest | None = None,
        follow_ups: tuple[SweepRequest, ...] = (),
    ) -> str:
        read = {*_uploads_in(order), *_uploads_in([follow_up.to_json() for follow_up in follow_ups])}
        if not all(belongs(data, watcher) for data in read):
            raise PrunescopeError("this file was chosen in another visit: choose it again to run on it")
        with self._changed:
            now = self._clock()
            if order["op"] == ESTIMATE:  # it replaces the visitor's last one
                for entry in self._living():
                    if entry.is_estimate and watcher in entry.watchers and entry.order != order:
                        entry.leave(watcher, address)
                self._end_unneeded()
            alike = (entry for entry in self._living() if (entry.order, entry.job.follow_ups) == (order, follow_ups))
            entry = next(alike, None) or Entry(
                Job(secrets.token_urlsafe(9), request, follow_ups=follow_ups), order, now
            )
            if entry.job.id not in self._entries:
                if is_hosted():
                    self._check_room(entry, watcher, address)
                self._entries[entry.job.id] = entry
                self._waiting.append(entry)
            entry.watch(watcher, address, now, asks=True)
            self._make_way()
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

    def _check_room(self, new: Entry, watcher: str, address: str | None) -> None:
        """Refuse a job if its visitor has one of its kind already, or if as many wait as a hosted server allows."""
        alike = (entry for entry in self._living() if not entry.is_estimate and entry.is_sweep == new.is_sweep)
        if not new.is_estimate and any(entry.was_asked_for_by(watcher, address) for entry in alike):
            what = "run" if new.is_sweep else "question"
            raise PrunescopeError(
                f"you already have a {what} in progress, and this shared server allows one per visitor: wait for it, "
                "or cancel it"
            )
        waiting = sum(entry.lane == new.lane for entry in self._waiting)
        if waiting < MAX_WAITING[new.lane]:
            return
        if new.is_estimate:
            raise PrunescopeError(
                f"the queue for estimates is full ({waiting} are waiting): press Run without one, or ask again in "
                "a minute"
            )
        raise PrunescopeError(
            f"the queue is full ({waiting} {new.lane} are waiting): "
            "try again in a few minutes, or run Prunescope on your own computer"
        )

    def _snapshot(self, job_id: str) -> Job | None:
        entry = self._entries.get(job_id)
        if entry is None:
            return None
        if entry.job.state != "queued":
            return entry.job
        running = self._running is not None and not self._running.makes_way
        return replace(entry.job, position=self._in_order().index(entry) + running)

    def _in_order(self) -> list[Entry]:
        """Return the waiting entries in the order in which they will run."""
        return in_order(self._waiting, self._sentences_started, self._clock())

    def _start_next(self) -> None:
        while self._running is None and self._waiting:
            entry = self._in_order()[0]
            try:
                self._worker.start()
            except OSError as error:
                logger.exception("the worker does not start")
                self._waiting.remove(entry)
                message = f"The computing process does not start: {error.strerror}. Try again, or restart Prunescope."
                self._update(entry, replace(entry.job, state="failed", message=message))
                continue
            if not self._worker.send({"job": entry.name, **entry.current_order}):
                return  # the worker has just died: `_on_worker_exit` starts a successor, which takes the order
            self._waiting.remove(entry)
            self._running = entry
            self._heard_at = self._clock()
            if entry.lane == "runs":
                self._sentences_started.clear()
            elif entry.lane == "sentences":
                self._sentences_started.append(self._heard_at)
            entry.started = self._heard_at
            self._update(entry, replace(entry.job, state="running", stage="Starting"))

    def _find_early(self, entry: Entry) -> None:
        """Ask the worker about a run that has to wait; if its result is stored, the job ends at once."""
        order = entry.current_order
        if entry.job.state == "queued" and order["op"] == "run" and not order["fresh"]:
            self._worker.send({"job": entry.name, "op": "find", "request": order["request"]})

    def _make_way(self) -> None:
        """Interrupt a running estimate when anything else waits; it is measured again later."""
        running = self._running
        if running and running.is_estimate and not all(entry.is_estimate for entry in self._waiting):
            running.makes_way = True
            self._cancel_running()

    def _update(self, entry: Entry, job: Job) -> None:
        entry.job = job
        if job.ended:  # many estimates must not let a run be forgotten
            ended = [known for known in self._entries.values() if known.job.ended and known.lane == entry.lane]
            for old in ended[:-MAX_REMEMBERED]:
                if old is not self._running:  # cancelled, but the worker has not dropped it yet
                    del self._entries[old.job.id]
        self._changed.notify_all()

    def _put_back(self, entry: Entry) -> None:
        """Queue the running job again, in front."""
        entry.makes_way = False
        self._waiting.insert(0, entry)
        self._update(entry, replace(entry.job, state="queued", stage=""))

    def _release(self) -> None:
        """Give the free worker the next job."""
        if self._running:
            self._running.pause(self._clock())
        self._running = self._cancelled_at = None
        self._start_next()

    def _end_unneeded(self) -> None:
        for entry in self._living():
            entry.drop_stale(self._clock())
            if reason := entry.reason_to_end(self._clock()):
                self._end(entry, reason)

    def _end(self, entry: Entry, message: str, state: State = "cancelled") -> None:
        if entry is self._running:
            self._cancel_running()
        else:
            self._waiting.remove(entry)
        self._update(entry, replace(entry.job, state=state, message=message))

    def _cancel_running(self) -> None:
        """Tell the worker to drop its job; until it has, the job keeps the worker busy."""
        assert self._running is not None
        if self._cancelled_at is None:
            self._cancelled_at = self._clock()
            self._worker.send({"job": self._running.name, "op": "cancel"})

    # ------------------------------------------------------------ what the worker says; the lock is held

    def _on_line(self, line: str) -> None:
        self._heard_at = self._clock()
        try:
            self._apply(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("the worker wrote an invalid line: %.200s", line, exc_info=True)

    def _apply(self, event: Mapping[str, Any]) -> None:
        job_id, _, step = event["job"].rpartition("/")
        entry, final = self._entries[job_id], event["event"] in FINAL_EVENTS
        if int(step) != entry.job.step:
            return  # about a sweep whose stored result has been found meanwhile
        try:
            if event["event"] == "cancelled" and entry.makes_way and not entry.job.ended:
                self._put_back(entry)
            elif not entry.job.ended:
                self._update(entry, entry.job.after(event))
                entry.note_stage(entry.job.stage, self._heard_at)
        except (ValueError, TypeError, KeyError):
            if final:
                message = "The computing process gave an invalid answer: try again."
                self._update(entry, replace(entry.job, state="failed", message=message))
            raise
        finally:
            if final:
                self._go_on(entry)

    def _go_on(self, entry: Entry) -> None:
        """After an order of a job has been answered, give way to the next order, which may be the same job's."""
        if entry.job.ended and entry in self._waiting:
            self._waiting.remove(entry)
        elif not entry.job.ended and entry not in self._waiting:
            self._waiting.append(entry)
        if entry is self._running:
            self._release()
        self._find_early(entry)

    def _on_worker_exit(self, status: int) -> None:
        """End or requeue the running job, and start a new worker if anything waits.

        Args:
            status: 0 if the worker had been idle for long; anything else is a crash.
        """
        entry = self._running
        if entry and not entry.job.ended:
            if status == 0 or entry.makes_way:
                self._put_back(entry)  # the worker ended just as it got the order, or was replaced
            else:
                logger.error("the worker ended during a job with status %d", status)
                message = (
                    f"The computing process ended unexpectedly ({entry.job.stage}), for lack of memory or because a "
                    "file takes too long to read. The next run starts a new one: try again, with fewer examples or "
                    "another checkpoint."
                )
                self._update(entry, replace(entry.job, state="failed", message=message))
        self._release()


def _uploads_in(order: object) -> Iterator[str]:
    """Yield the names of uploaded tables in an order, wherever they stand: whatever it is that reads them."""
    if isinstance(order, str):
        if is_upload(order):
            yield order
    elif isinstance(order, Mapping):
        yield from chain.from_iterable(map(_uploads_in, order.values()))
    elif isinstance(order, list | tuple):
        yield from chain.from_iterable(map(_uploads_in, order))


_queue = JobQueue()
start_worker = _queue.start_worker
submit = _queue.submit
ask = _queue.ask
get = _queue.get
wait = _queue.wait
request_for = _queue.request_for
uploads_in_use = _queue.uploads_in_use
watch = _queue.watch
cancel = _queue.cancel
