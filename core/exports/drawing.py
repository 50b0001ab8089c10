"""A picture that is drawn in a process of its own."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from core.charts.grammar import Spec
from core.errors import PrunescopeError
from core.request.catalog import ROOT

Picture = Literal["gif", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
MOST_AT_ONCE = 2  # drawings; each takes one processor
LONGEST_WAIT = 60.0  # seconds for one's turn
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)


class Drawing:
    """A picture that is being drawn, in a process of its own: drawing would hold up a server.

    Args:
        figure: From `core.exports.figure.figure_of`.
        kind: The format.
        frames: Indices of its frames; one for a single picture.
        milliseconds: How long a frame of a GIF stands.
    """

    def __init__(self, figure: Spec, kind: Picture, frames: Sequence[int], milliseconds: int = 500) -> None:
        self.total = len(frames)
        self.done = 0  # frames
        self._started = time.monotonic()
        self._unwanted = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._content: bytes | None = None
        self._message = ""
        order = {"spec": figure, "format": kind, "frames": list(frames), "milliseconds": milliseconds}
        self._thread = threading.Thread(target=self._draw, args=(json.dumps(order).encode(),), daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """What the remaining frames take at the pace of the first ones; None before the first."""
        return (time.monotonic() - self._started) / self.done * (self.total - self.done) if self.done else None

    def cancel(self) -> None:
        """Ends it at once."""
        self._unwanted.set()
        if self._process:
            self._process.kill()

    def wait(self) -> bytes:
        """Waits for the end and gives the file's content.

        Raises:
            PrunescopeError: It was cancelled, too many others were being drawn, or the process failed.
        """
        self._thread.join()
        if self._content is None:
            raise PrunescopeError(self._message)
        return self._content

    def _draw(self, order: bytes) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while not _turns.acquire(timeout=0.2):
            if self._unwanted.is_set() or time.monotonic() > deadline:
                self._message = f"{MOST_AT_ONCE} pictures are being drawn, which is as many as fit: try again soon"
                return
        try:
            with TemporaryDirectory(prefix="prunescope-") as folder:
                path = Path(folder) / "picture"
                self._run([*RENDERER, str(path)], order)
                self._content = path.read_bytes()
        except OSError:
            self._message = "the picture was not finished: make it again"
        finally:
            _turns.release()

    def _run(self, command: Sequence[str], order: bytes) -> None:
        """Follows the process to its end; every line is a frame."""
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self._process = process
            if self._unwanted.is_set():
                process.kill()
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):  # it has ended already
                process.stdin.write(order)
                process.stdin.close()
            for _ in process.stdout:
                self.done += 1
