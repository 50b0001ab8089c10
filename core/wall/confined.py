"""Confine a process before it reads strangers' bytes.

Limits that hold inside any library, and its streams.
"""

import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]


# Pages come before the worker, the worker before readers and drawings.
WORKER_NICENESS = 10
HELPER_NICENESS = 19
PATIENCE = 6  # on a busy machine a process may take so many times its processor time


def give_way(niceness: int) -> None:
    """Lower this process's priority, where the system has priorities."""
    if hasattr(os, "nice"):
        os.nice(niceness)
    if niceness == HELPER_NICENESS and hasattr(os, "SCHED_IDLE"):
        # By niceness alone, a thread that wakes up waits until a helper has used up its turn, of
        # some milliseconds.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def limit(name: str, most: float) -> None:
    """Limit a resource of this process, where the system supports that; requests beyond it fail.

    Args:
        name: The limit's name in the module `resource`: `RLIMIT_AS` and `RLIMIT_DATA` in bytes.
        most: The limit.
    """
    kind = getattr(resource, name, None)
    if kind is not None:
        _, hard = resource.getrlimit(kind)
        soft = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        resource.setrlimit(kind, (soft, hard))


def end_after(seconds: float) -> None:
    """End this process after so many more seconds of processor time.

    It also ends after `PATIENCE` times as many of real time. A later call starts the count anew.
    Both limits hold even while a library does not return to Python.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)
    else:  # Windows
        faulthandler.dump_traceback_later(PATIENCE * seconds, exit=True)


def ended_late(status: int) -> bool:
    """Whether a process's exit status shows that `end_after` ended it."""
    return status in ((-signal.SIGPROF, -signal.SIGALRM) if hasattr(signal, "setitimer") else (1,))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer, provided that it is a worker.

    A worker will be replaced. A command or a notebook continues: its user can interrupt it.
    """
    if not _is_replaceable:
        yield
        return
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


_is_replaceable = False


def be_replaceable() -> None:
    """Note that this process is a worker, which will be replaced when it ends."""
    global _is_replaceable
    _is_replaceable = True


def reserve_streams() -> tuple[TextIO, TextIO]:
    """Reserve standard input and output for a protocol, and return them.

    Libraries' output, even from C, goes to standard error; they read empty input.
    """
    source = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    output = os.dup(sys.stdout.fileno())
    # File names may be invalid.
    sink = os.fdopen(output, "w", encoding="utf-8", errors="replace")
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return source, sink
