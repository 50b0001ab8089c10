"""Child processes, with small ones that need no model."""

import json
import sys
import threading

import pytest

from core.jobs.worker_process import ChildProcess, WarmProcess
from tests.queues import PATIENCE

ECHO = "import json, sys\nfor line in sys.stdin: print(json.loads(line)['say'], flush=True)"
LAST_WORDS = "print('goodbye'); raise SystemExit(3)"


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def test_orders_go_in_and_lines_come_out() -> None:
    with ChildProcess(python(ECHO)) as child:
        lines = child.lines()
        for text in ("first", "Zürich", "x" * 1_000_000):  # more than a pipe holds
            assert child.send({"say": text}) is True
            assert next(lines) == f"{text}\n"
        child.kill()
        assert list(lines) == []
        assert child.wait() == -9


def test_a_garbled_line_does_not_stop_the_reading() -> None:
    with ChildProcess(python(r"import os; os.write(1, b'\xff\n'); print('next')")) as child:
        assert list(child.lines()) == ["\N{REPLACEMENT CHARACTER}\n", "next\n"]


def test_what_one_sweep_frees_the_next_one_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    heaps = "import os; print(os.environ['MALLOC_ARENA_MAX'])"
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    with ChildProcess(python(heaps)) as child:
        assert list(child.lines()) == ["2\n"]
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")  # as somebody who runs a server wants it
    with ChildProcess(python(heaps)) as child:
        assert list(child.lines()) == ["7\n"]


def test_a_dead_process_takes_no_order() -> None:
    with ChildProcess(python("")) as child:
        assert child.wait() == 0
        assert child.send({"say": "anybody?"}) is False
        child.kill()  # too late: nothing happens


def test_a_command_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="No such file"):
        ChildProcess(["/nowhere/python"])


class Watcher:
    """Notes what a warm process reports, in order."""

    def __init__(self, code: str) -> None:
        self.changed = threading.Condition()
        self.seen: list[str | int] = []
        self.pid_at_exit: int | None = -1
        self.process = WarmProcess(python(code), self.changed, self.note, self.on_exit)

    def note(self, report: str | int) -> None:
        self.seen.append(report)
        self.changed.notify_all()

    def on_exit(self, status: int) -> None:
        self.pid_at_exit = self.process.pid
        self.note(status)

    def has_seen(self, count: int) -> bool:
        return self.changed.wait_for(lambda: len(self.seen) >= count, PATIENCE)


def test_a_dead_process_keeps_its_place_until_its_end_has_been_reported() -> None:
    watcher = Watcher(LAST_WORDS)
    with watcher.changed:
        watcher.process.start()
        pid, child = watcher.process.pid, watcher.process._child
        assert child is not None
        assert child.wait() == 3  # it is dead, and this thread keeps its reports back
        watcher.process.start()
        assert watcher.process.pid == pid
        assert watcher.process.send({}) is False

        assert watcher.has_seen(2)
        assert watcher.seen == ["goodbye\n", 3]
        assert watcher.pid_at_exit is None, "on_exit finds its place free"
        watcher.process.start()
        assert watcher.process.pid not in (None, pid)
        assert watcher.has_seen(4)


def test_a_closed_process_reports_no_end_and_starts_no_more() -> None:
    watcher = Watcher(ECHO)
    with watcher.changed:
        watcher.process.start()
        assert watcher.process.send({"say": json.dumps([1])})
        assert watcher.has_seen(1)
    watcher.process.close()
    with watcher.changed:
        watcher.process.start()
        assert watcher.process.send({}) is False
    assert watcher.seen == ["[1]\n"]
