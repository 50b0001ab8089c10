"""Draw a picture in a separate process."""

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from core.errors import PrunescopeError
from core.exports.figure import Figure
from core.jobs.worker_process import ChildProcess
from core.request.limits import limits

Picture = Literal["gif", "mp4", "pdf", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
FILMS_AT_ONCE = 2  # each takes one processor
STILLS_AT_ONCE = 1  # their downloads wait in a few threads that all visitors share, and must not wait for films
TURN_TIMEOUT_SECONDS = 60.0
_film_turns = threading.BoundedSemaphore(FILMS_AT_ONCE)
_still_turns = threading.BoundedSemaphore(STILLS_AT_ONCE)


class Drawing:
    """A picture that `core.renderer` draws while the server keeps running.

    Args:
        figure: What is drawn.
        kind: The format.
        frames: Indices of the frames; a single one where nothing moves.
        milliseconds: How long a film shows each frame.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        figure: Figure,
        kind: Picture,
        frames: Sequence[int],
        milliseconds: int = 500,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = len(frames)
        self.done = 0  # frames
        self.wanted_by: set[str] = set()  # the visitors who wait for it
        self._turns, self._most = (_film_turns, FILMS_AT_ONCE) if self.total > 1 else (_still_turns, STILLS_AT_ONCE)
        self._clock = clock
        self._started = clock()
        self._cancelled = threading.Event()
        self._process: ChildProcess | None = None
        self._content: bytes | None = None
        self._message = "the picture was not finished: make it again"
        order = {"figure": figure.plain(), "format": kind, "frames": list(frames), "milliseconds": milliseconds}
        self._thread = threading.Thread(target=self._draw, args=(order,), daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it is finished, cancelled or failed."""
        return not self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """The time that the remaining frames take at the pace so far; None before the first."""
        return (self._clock() - self._started) / self.done * (self.total - self.done) if self.done else None

    def cancel(self) -> None:
        """End the drawing at once."""
        self._cancelled.set()
        if self._process:
            self._process.kill()

    def wait(self) -> bytes:
        """Wait for the end and return the file's content.

        Raises:
            PrunescopeError: The drawing was cancelled, waited too long for its turn, or failed.
        """
        self._thread.join()
        if self._content is None:
            raise PrunescopeError(self._message)
        return self._content

    def _draw(self, order: Mapping[str, Any]) -> None:
        """Wait for a turn, and follow the renderer to its end; it writes a line for each frame."""
        if not self._take_turn():
            being_drawn = "1 picture is" if self._most == 1 else f"{self._most} films are"
            self._message = f"{being_drawn} being drawn, as many as fit: try again soon"
            return
        try:
            with TemporaryDirectory(prefix="prunescope-") as folder:
                path = Path(folder) / "picture"
                with ChildProcess([*RENDERER, str(path)]) as process:
                    self._process = process
                    deadline = threading.Timer(min(limits().drawing_seconds, threading.TIMEOUT_MAX), self._end_late)
                    deadline.daemon = True
                    deadline.start()
                    try:
                        if self._cancelled.is_set():  # before there was a process to kill
                            process.kill()
                        process.send(order)
                        for _ in process.lines():
                            self.done += 1
                    finally:
                        deadline.cancel()
                    if not process.wait():
                        self._content = path.read_bytes()
        except OSError:
            pass  # it did not start, or did not write all of the file
        finally:
            self._turns.release()

    def _take_turn(self) -> bool:
        """Wait for a turn; return False if the drawing is cancelled or the wait becomes too long."""
        deadline = self._clock() + TURN_TIMEOUT_SECONDS
        while not self._turns.acquire(timeout=0.2):
            if self._cancelled.is_set() or self._clock() > deadline:
                return False
        return True

    def _end_late(self) -> None:
        assert self._process is not None
        self._message = (
            f"the picture takes longer than {limits().drawing_seconds:g} seconds, the most here: draw fewer amounts, "
            "or draw it on your own computer"
        )
        self._process.kill()
