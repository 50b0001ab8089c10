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


def test_orders_go_in_and_lines_come_out_also_garbled_ones() -> None:
    changed, seen = threading.Condition(), list[str | int]()

    def note(report: str | int) -> None:
        seen.append(report)
        changed.notify_all()

    process = WarmProcess([sys.executable, "-u", "-c", ECHO], changed, note, note)
    texts = ("Zürich", "x" * 1_000_000)  # more than a pipe holds
    process.kill()
    assert process.send({}) is False, "there is none yet"
    process.start()
    for text in texts:
        assert process.send({"say": text}) is True
    expected = ["\N{REPLACEMENT CHARACTER}\n", "2\n", *(f"{text}\n" for text in texts)]
    with changed:
        assert changed.wait_for(lambda: len(seen) >= len(expected), PATIENCE)
    process.close()
    process.start()
    assert process.send({}) is False
    assert seen == expected, "no end is reported, and no other one starts"
