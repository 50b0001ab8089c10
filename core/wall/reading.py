"""Ask for what is in strangers' files: a child process (`core.reader`) reads them, under limits.

The child is asked about many files at once. If it ends at one of them, a new one goes on with the next.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
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


def read_all(questions: Sequence[Question]) -> list[bytes | PrunescopeError]:
    """Return for each question what is in its files, as JSON, or why they are refused."""
    answers: list[bytes | PrunescopeError] = []
    while len(answers) < len(questions):
        answers += _answers(questions[len(answers) :])
        if len(answers) < len(questions):  # the child ended at the next file
            fault = f"takes more than {SECONDS} seconds or {MEMORY_BYTES // 2**20:,} MiB of memory to read"
            answers.append(PrunescopeError(f"{questions[len(answers)].names[0]} {fault}: choose another file"))
    return answers


def _answers(questions: Sequence[Question]) -> list[bytes | PrunescopeError]:
    """Return a child's answers, fewer than there are questions if it ended early."""
    if not _turns.acquire(timeout=TURN_TIMEOUT_SECONDS):
        return [PrunescopeError("many files are being read here now: try again in a minute")] * len(questions)
    try:
        orders = json.dumps([asdict(question) for question in questions]).encode()
        environment = {**os.environ, **_ENVIRONMENT}
        child = subprocess.run(READER, cwd=ROOT, env=environment, input=orders, stdout=subprocess.PIPE, check=False)
    finally:
        _turns.release()
    lines = child.stdout.split(b"\n")[:-1]  # the last is empty, or was cut off
    return [line[1:] if line.startswith(FOUND.encode()) else PrunescopeError(line[1:].decode()) for line in lines]
