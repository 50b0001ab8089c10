"""A shared server with the real worker, after a visitor's run on a table of their own."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PrunescopeError
from core.jobs.queue import JobQueue
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.schema import SweepResult
from core.wall.turns import Visitor
from tests.builders import make_result, ship
from tests.opened import address, errors, fill, open_page, press, run
from tests.queues import PATIENCE, close, install

NAME = "salaries-of-jane-doe.csv"
TEXT = "my salary of"
TABLE = "remark,mood\n" + "".join(
    f"{TEXT} {k} pounds is it,{('negative', 'positive')[k % 2]}\n" for k in range(24)
)
DIGEST = hashlib.sha256(TABLE.encode()).hexdigest()
REFUSED = "this file was chosen in another visit: choose it again to run on it"


class NotingQueue(JobQueue):
    """The queue with the real worker, whose lines it records."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def _on_line(self, line: str) -> None:
        self.lines.append(line)
        super()._on_line(line)

    def orders(self) -> list[str]:
        """Return all orders so far."""
        with self._changed:
            return [json.dumps(ticket.orders) for ticket in self._tickets.values()]

    def rest(self) -> None:
        """Wait until the worker is idle; it does not report that it has dropped a cancelled job."""
        until = time.monotonic() + PATIENCE
        while self._running or self._line():
            assert time.monotonic() < until
            time.sleep(0.01)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the worker while it is idle, and let it go on afterwards."""
        self.rest()
        worker = self._worker.child
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        self.rest()


@dataclass
class Server:
    """A shared server after the owner's first run.

    Attributes:
        queue: Its queue.
        owner: The Lab as the owner sees it.
        request: The owner's run.
        result: The result of that run.
    """

    queue: NotingQueue
    owner: AppTest
    request: SweepRequest
    result: SweepResult

    def __post_init__(self) -> None:
        self.visit: Visitor = self.owner.session_state["visitor"]
        self.data = str(self.request.data)  # the secret name of the table
        self.visits = self.data[4:36]
        self.secret = self.data[36:]

    def private(self, text: str) -> list[str]:
        """Return the secrets of the owner's table that a text contains."""
        return [
            secret for secret in (Path(NAME).stem, DIGEST[:12], self.secret, TEXT) if secret in text
        ]

    @contextmanager
    def reads_nothing(self) -> Iterator[None]:
        """Check that meanwhile the worker gets no order and no result is written."""
        orders = self.queue.orders()
        files = results()
        yield
        assert (self.queue.orders(), results()) == (orders, files)

    @contextmanager
    def refuses(self) -> Iterator[None]:
        with (
            self.reads_nothing(),
            pytest.raises(PrunescopeError, match=f"^{REFUSED}$"),
        ):
            yield


@contextmanager
def shared_server(folder: Path) -> Iterator[Server]:
    """Yield a server after the owner's run, with its results and cache in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_HOSTED", "1")
        patch.setenv("PRUNESCOPE_RESULTS", str(folder / "own"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr("core.results.store.SHIPPED_RESULTS", folder / "results")
        patch.setattr("ui.player.FIRST_PICTURE_SECONDS", 0)
        patch.setattr(
            "core.jobs.queue.UNSEEN_SECONDS", PATIENCE
        )  # no page looks while a busy machine imports torch
        ship(folder / "results", make_result(), make_result(task="cola"))
        install(queue := NotingQueue(), patch)
        try:
            page = fill(
                open_page("pages/lab.py"),
                {"data-True": "own sentences", "step": "list"},
            )
            page.file_uploader(key="lab-upload").set_value((NAME, TABLE.encode(), "text/csv"))
            press(fill(page, {"examples": 8, "amounts": "0.3, 0.6"}), "Run")
            result = finished(queue, page)
            (order,) = (json.loads(order) for order in queue.orders() if '"op": "run"' in order)
            yield Server(queue, page, SweepRequest.from_json(order[0]["request"]), result)
        finally:
            close(queue)


def finished(queue: NotingQueue, page: AppTest) -> SweepResult:
    """Wait until all runs have ended; return the last result, which the page shows."""
    queue.rest()
    assert not errors(run(page))
    return store.load(store.find(address(page)["result"]))


def results() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.user_folder().iterdir()}


def everything(page: AppTest) -> str:
    """Return all that a page sends to the browser."""
    return "\n".join(str(getattr(node, "proto", "")) for node in page._tree)
