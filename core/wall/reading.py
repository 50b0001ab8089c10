"""Read strangers' files in a child process (`core.reader`), under limits."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.errors import BusyError, PrunescopeError
from core.request.catalog import ROOT
from core.wall.confined import ended_late
from core.wall.turns import Door, Look

READER = (sys.executable, "-m", "core.reader")
MEMORY_BYTES = 2**30  # of a child, including its libraries, which take 400 MiB of addresses
SECONDS = 8  # of processor time
MOST_CHARS = 32 * 2**20  # of an answer, which the server parses
FOUND, REFUSED = "+", "-"  # the first character of a child's line
# Libraries reserve addresses for each of their threads; the child has one.
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
_door = Door("files", at_once=2)


def read(
    kind: Literal["result", "table"],
    files: Sequence[tuple[Path, str]],
    limit: int | None = None,
    *,
    holder: str = "",
    look: Look = lambda ahead: None,
) -> bytes:
    """Return the content of files as JSON.

    Args:
        kind: What they hold; see `core.reader.content_of`.
        files: Their paths, and their names in messages.
        limit: The most rows to read of a table.
        holder: The name under which the reader takes its turn.
        look: See `core.wall.turns.Door.turn`.

    Raises:
        BusyError: They were not read in time, or too many others are being read.
        PrunescopeError: They are refused, or take too much memory.
    """
    order = {
        "kind": kind,
        "files": [(os.path.abspath(path), name) for path, name in files],
        "limit": limit,
    }
    with _door.turn(holder, look):
        line = _answer(json.dumps(order), files[0][1])
    if line.startswith(REFUSED.encode()):
        raise PrunescopeError(line[1:].decode())
    return line[1:]


def _answer(order: str, name: str) -> bytes:
    """Return a child's line about files, the first of which has this name.

    Raises:
        BusyError: The child was too slow.
        PrunescopeError: It ended before it had answered.
    """
    environment = {**os.environ, **_ENVIRONMENT}
    child = subprocess.run(
        READER,
        cwd=ROOT,
        env=environment,
        input=order.encode(),
        stdout=subprocess.PIPE,
        check=False,
    )
    if child.stdout.endswith(b"\n"):  # otherwise it was cut off
        return child.stdout[:-1]
    if ended_late(child.returncode):
        raise BusyError(
            f"{name} was not read within {SECONDS} seconds: try again, or choose another file"
        )
    raise PrunescopeError(f"{name} is damaged, or made to break what reads it: choose another file")
