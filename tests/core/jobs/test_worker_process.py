"""Child processes, with small ones that need no model."""

import sys
import threading

from core.jobs.worker_process import ChildProcess, WarmProcess
from tests.queues import PATIENCE

ECHO = "import json, sys\nfor line in sys.stdin: print(json.loads(line)['say'], flush=True)"
GARBLED = r"import os; os.write(1, b'\xff\n'); print(os.environ['MALLOC_ARENA_MAX'])"


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def test_orders_go_in_and_lines_come_out_also_garbled_ones() -> None:
    with ChildProcess(python(ECHO)) as child:
        for text in ("first", "Zürich", "x" * 1_000_000):  # more than a pipe holds
            assert child.send({"say": text}) is True
            assert next(child.stdout) == f"{text}\n"
        child.kill()
        assert list(child.stdout) == []
        assert child.wait() == -9
        assert child.send({"say": "anybody?"}) is False
    with ChildProcess(python(GARBLED)) as child:
        assert list(child.stdout) == ["\N{REPLACEMENT CHARACTER}\n", "2\n"], "with two heaps"


def test_a_dead_process_keeps_its_place_until_its_end_has_been_reported_and_a_closed_one_reports_none() -> None:
    seen: list[object] = []
    changed = threading.Condition()

    def note(report: str | int) -> None:
        seen.append(report if isinstance(report, str) else (report, process.child))
        changed.notify_all()

    process = WarmProcess(python("print('goodbye'); raise SystemExit(3)"), changed, note, note)
    with changed:
        process.start()
        child = process.child
        assert child is not None
        assert child.wait() == 3  # it is dead, and this thread keeps its reports back
        process.start()
        assert process.child is child
        assert process.send({}) is False
        assert changed.wait_for(lambda: len(seen) == 2, PATIENCE)
        assert seen == ["goodbye\n", (3, None)], "its place is free by then"
        process.start()
        assert process.child not in (None, child)
    process.close()
    with changed:
        process.start()
        assert process.send({}) is False
    assert len(seen) <= 3, "no second end"
