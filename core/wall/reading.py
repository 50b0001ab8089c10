"""Ask for what is in strangers' files: a child process (`core.reader`) reads them, under limits.

The child is asked about many files at once. If it ends at one of them, a new one goes on with the next.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from core.errors import PrunescopeError
from core.request.catalog import ROOT

READER = (sys.executable, "-m", "core.reader")
MEMORY_BYTES = 2**30  # of a child, its libraries included, which take 400 MiB of addresses
SECONDS = 8  # for one file
MOST_CHARS = 32 * 2**20  # of an answer, which the server takes apart
FOUND, REFUSED = "+", "-"  # begin a line of the child
AT_ONCE = 2  # children
TURN_TIMEOUT_SECONDS = 60.0
# Libraries reserve addresses for each of their threads; the child has one.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Question:
    """What is asked about files.

    Attributes:
        kind: A name from `core.reader.READERS`.
        paths: Where they are.
        names: What messages call them.
        limit: Of a table, the most rows to read.
    """

    kind: Literal["extract", "table", "upload"]
    paths: tuple[str, ...]
    names: tuple[str, ...]
    limit: int | None = None


def read(kind: Literal["table", "upload"], files: Sequence[tuple[Path, str]], limit: int | None = None) -> bytes:
    """Return what is in files, as JSON.

    Args:
        kind: A name from `core.reader.READERS`.
        files: Paths, and what messages call them.
        limit: Of a table, the most rows to read.

    Raises:
        PrunescopeError: They are refused, take too much memory or time, or other files are being read.
    """
    paths, names = zip(*((os.path.abspath(path), name) for path, name in files), strict=True)
    (answer,) = read_all([Question(kind, paths, names, limit)])
    if isinstance(answer, PrunescopeError):
        raise answer
    return answer


def read_all(questions: Sequence[Question]) -> Iterator[bytes | PrunescopeError]:
    """Yield for each question what is in its files, as JSON, or why they are refused."""
    left = list(questions)
    while left:
        answered = 0
        for answer in _answers(left):
            answered += 1
            yield answer
        if answered < len(left):  # the child ended at the next file
            fault = f"takes more than {SECONDS} seconds or {MEMORY_BYTES // 2**20:,} MiB of memory to read"
            yield PrunescopeError(f"{left[answered].names[0]} {fault}: choose another file")
        left = left[answered + 1 :]


def _answers(questions: Sequence[Question]) -> Iterator[bytes | PrunescopeError]:
    """Yield a child's answers as they come, fewer than there are questions if it ends early."""
    if not _turns.acquire(timeout=TURN_TIMEOUT_SECONDS):
        busy = PrunescopeError("many files are being read here now: try again in a minute")
        yield from [busy] * len(questions)
        return
    try:
        with subprocess.Popen(
            READER, cwd=ROOT, env={**os.environ, **_ENVIRONMENT}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                with suppress(OSError), child.stdin as orders:  # it may have ended
                    orders.write(json.dumps([asdict(question) for question in questions]).encode())
                for line in child.stdout:
                    if line.endswith(b"\n"):  # not where it was cut off
                        found = line[1:-1]
                        yield found if line.startswith(FOUND.encode()) else PrunescopeError(found.decode())
            finally:
                child.kill()
    finally:
        _turns.release()
