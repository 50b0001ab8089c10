"""Read strangers' files in a child process (`core.reader`), under limits.

One child reads many files. If it ends at one of them, a new child continues with the next.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from core.errors import BusyError, PrunescopeError
from core.request.catalog import ROOT
from core.wall.confined import ended_late
from core.wall.turns import Door, Look

READER = (sys.executable, "-m", "core.reader")
MEMORY_BYTES = 2**30  # of a child, including its libraries, which take 400 MiB of addresses
SECONDS = 8  # of processor time, for one file
MOST_CHARS = 32 * 2**20  # of an answer, which the server parses
FOUND, REFUSED = "+", "-"  # the first character of a child's line
# Libraries reserve addresses for each of their threads; the child has one.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_door = Door("files", at_once=2)


@dataclass(frozen=True)
class Question:
    """A question about files.

    Attributes:
        kind: A name from `core.reader.READERS`.
        paths: The files.
        names: Their names in messages.
        limit: The most rows to read of a table.
    """

    kind: Literal["extract", "table", "upload"]
    paths: tuple[str, ...]
    names: tuple[str, ...]
    limit: int | None = None


def read(
    kind: Literal["table", "upload"],
    files: Sequence[tuple[Path, str]],
    limit: int | None = None,
    *,
    holder: str = "",
    look: Look = lambda ahead: None,
) -> bytes:
    """Return the content of files as JSON.

    Args:
        kind: A name from `core.reader.READERS`.
        files: Their paths, and their names in messages.
        limit: The most rows to read of a table.
        holder: The name under which the reader takes its turn.
        look: See `core.wall.turns.Door.turn`.

    Raises:
        BusyError: They were not read in time, or too many others are being read.
        PrunescopeError: They are refused, or take too much memory.
    """
    paths, names = zip(*((os.path.abspath(path), name) for path, name in files), strict=True)
    (answer,) = read_all([Question(kind, paths, names, limit)], holder=holder, look=look)
    if isinstance(answer, PrunescopeError):
        raise answer
    return answer


def read_all(
    questions: Sequence[Question], *, holder: str = "", look: Look = lambda ahead: None
) -> list[bytes | PrunescopeError]:
    """Return for each question the content of its files as JSON, or the error that refuses them; see `read`."""
    answers: list[bytes | PrunescopeError] = []
    while len(answers) < len(questions):
        try:
            with _door.turn(holder, look):
                answers += _answers(questions[len(answers) :])
        except BusyError as error:
            answers += [error] * (len(questions) - len(answers))
    return answers


def _answers(questions: Sequence[Question]) -> list[bytes | PrunescopeError]:
    """Return a child's answers; if it ended early, the last answer names the file."""
    orders = json.dumps([asdict(question) for question in questions]).encode()
    environment = {**os.environ, **_ENVIRONMENT}
    child = subprocess.run(READER, cwd=ROOT, env=environment, input=orders, stdout=subprocess.PIPE, check=False)
    lines = child.stdout.split(b"\n")[:-1]  # the last is empty, or was cut off
    answers: list[bytes | PrunescopeError] = [
        line[1:] if line.startswith(FOUND.encode()) else PrunescopeError(line[1:].decode()) for line in lines
    ]
    if len(answers) < len(questions):
        name = questions[len(answers)].names[0]
        if ended_late(child.returncode):
            fault: PrunescopeError = BusyError(
                f"{name} was not read within {SECONDS} seconds: try again, or choose another file"
            )
        else:
            fault = PrunescopeError(f"{name} is damaged, or made to break what reads it: choose another file")
        answers.append(fault)
    return answers
