"""Keep a child process warm that reads JSON lines and writes lines."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.request.catalog import ROOT

# Of glibc's allocator. By default each thread has its own heap, and a sweep cannot reuse memory
# that an earlier sweep freed in another: after ten sweeps a worker held 21 % more than after two;
# with two heaps, 5 %.
HEAPS = "2"


@dataclass(eq=False)
class WarmProcess:
    """A child process that is kept running and is replaced after it dies.

    A dead process stays in place until its last lines and its exit status have been handed over.
    Then, in one step under the lock, it is dropped and `on_exit` is called, which may start a
    successor. So no process is replaced before its death has been reported, and two processes never
    report at the same time.

    Attributes:
        command: Starts the process.
        lock: Held by the caller of every method, and by this class during every callback.
        on_line: Takes a line that the process has written.
        on_exit: Takes the exit status.
        child: The process, if there is one.
    """

    command: Sequence[str]
    lock: threading.Condition
    on_line: Callable[[str], None]
    on_exit: Callable[[int], None]
    child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process unless there is one.

        Raises:
            OSError: The command cannot be started.
        """
        if self.child is None:
            self.child = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={"MALLOC_ARENA_MAX": HEAPS, **os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            threading.Thread(target=self._follow, args=(self.child,), daemon=True).start()

    def send(self, order: Mapping[str, Any]) -> bool:
        """Write an order as a line of JSON; return False if no process can take it."""
        if self.child:
            with suppress(OSError):  # it has just died
                print(json.dumps(order), file=self.child.stdin, flush=True)
                return True
        return False

    def kill(self) -> None:
        """End the process at once; `on_exit` follows."""
        if self.child:
            self.child.kill()

    def _follow(self, child: subprocess.Popen[str]) -> None:
        """Hand over a process's lines and its exit status, on a thread of its own."""
        with suppress(OSError), child:  # it may have died without reading an order
            for line in child.stdout or ():
                with self.lock:
                    self.on_line(line)
            status = child.wait()
            with self.lock:
                self.child = None
                self.on_exit(status)
