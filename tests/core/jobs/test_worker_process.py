"""A process that is kept warm, with small ones that need no model."""

import sys
import threading

from core.jobs.worker_process import WarmProcess
from tests.queues import PATIENCE

ECHO = r"""
import json, os, sys
os.write(1, b"\xff\n")
print(os.environ["MALLOC_ARENA_MAX"])
for line in sys.stdin:
    print(json.loads(line)["say"])
"""


class Watched(WarmProcess):
    """A process that notes what it reports."""

    def __init__(self, code: str) -> None:
        self.changed = threading.Condition()
        self.seen: list[str | int] = []
        super().__init__([sys.executable, "-u", "-c", code], self.changed, self.note, self.note)

    def note(self, report: str | int) -> None:
        self.seen.append(report)
        assert isinstance(report, str) or self.child is None, "its place is free when its end is reported"
        self.changed.notify_all()

    def wait_for(self, *seen: str | int) -> None:
        assert self.changed.wait_for(lambda: len(self.seen) >= len(seen), PATIENCE)
        assert self.seen == list(seen)


def test_orders_go_in_and_lines_come_out_also_garbled_ones() -> None:
    process = Watched(ECHO)
    texts = ("Zürich", "x" * 1_000_000)  # more than a pipe holds
    process.kill()
    assert process.send({}) is False, "there is none yet"
    process.start()
    for text in texts:
        assert process.send({"say": text}) is True
    with process.changed:
        process.wait_for("\N{REPLACEMENT CHARACTER}\n", "2\n", *(f"{text}\n" for text in texts))
    process.close()
    process.start()
    assert process.send({}) is False
    assert len(process.seen) == 4, "no end is reported, and no other one starts"


def test_a_dead_process_keeps_its_place_until_its_end_has_been_reported() -> None:
    process = Watched("print('goodbye'); raise SystemExit(3)")
    with process.changed:
        process.start()
        child = process.child
        assert child is not None
        assert child.wait() == 3  # it is dead, and this thread keeps its reports back
        process.start()
        assert process.child is child
        assert process.send({}) is False
        process.wait_for("goodbye\n", 3)
        process.start()
        assert process.child not in (None, child)
        process.wait_for("goodbye\n", 3, "goodbye\n", 3)
