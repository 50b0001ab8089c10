"""Draw pictures and films in separate processes, while the server keeps running.

Whoever asks for the same picture joins the drawing. It ends once nobody waits for it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import monotonic
from typing import Literal

from core.errors import BusyError, PrunescopeError
from core.exports.figure import Figure
from core.inputs.hub import Report
from core.request.catalog import ROOT
from core.request.limits import limits
from core.wall.confined import ended_late
from core.wall.turns import IN_ALL, LOOK_SECONDS, Door

Picture = Literal["gif", "mp4", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
FAULT = "the picture could not be drawn: draw fewer amounts, or try again"
UNSEEN_SECONDS = 3.0  # after which nobody waits: a page that runs again asks again at once
_door = Door("drawings", at_once=2)
_threads = ThreadPoolExecutor(IN_ALL, "drawing")
_lock = Lock()  # guards what follows
_drawings: dict[str, "_Drawing"] = {}  # by their orders


def draw(
    figure: Figure,
    kind: Picture,
    frames: Sequence[int],
    report: Report = lambda *_: None,
    holder: str = "",
) -> bytes:
    """Draw a figure, and return the file's content.

    Args:
        figure: The figure.
        kind: The format.
        frames: The indices of the frames; a single one for a picture.
        report: Called again and again with (stage, frames done, frames); it may raise, as when a
            visitor leaves.
        holder: The name under which the drawing takes its turn.

    Raises:
        BusyError: Too many pictures are being drawn, or this one takes longer than is allowed here.
        PrunescopeError: The drawing failed.
    """
    order = {"figure": figure, "format": kind, "frames": list(frames)}
    written = json.dumps(order | {"seconds": limits().drawing_seconds})
    with _lock:
        drawing = _drawings[written] = _drawings.get(written) or _Drawing(
            written, len(frames), holder
        )
    while not drawing.content.done():
        drawing.seen = monotonic()
        report(*drawing.progress)
        wait([drawing.content], LOOK_SECONDS)
    try:
        return drawing.content.result()
    except OSError as error:
        raise PrunescopeError(FAULT) from error


class _Drawing:
    """A drawing, in a separate thread and process.

    Attributes:
        content: The content of the finished file.
        progress: The arguments of `report`.
        seen: When somebody last waited for it.
    """

    def __init__(self, order: str, frames: int, holder: str) -> None:
        self.progress = ("Waiting for a free processor", 0, frames)
        self.seen = monotonic()
        self.content = _threads.submit(self._carry_out, order, frames, holder)

    def _carry_out(self, order: str, frames: int, holder: str) -> bytes:
        try:
            with (
                _door.turn(holder, self._end_if_unseen),
                TemporaryDirectory(prefix="prunescope-") as folder,
            ):
                Path(folder, "order").write_text(order, "utf-8")
                self._render(folder, frames)
                return Path(folder, "picture").read_bytes()
        finally:
            with _lock:  # whoever orders the same from now on gets another drawing
                del _drawings[order]

    def _end_if_unseen(self, ahead: int = 0) -> None:
        if monotonic() - self.seen > UNSEEN_SECONDS:
            raise PrunescopeError(FAULT)

    def _render(self, folder: str, frames: int) -> None:
        """Follow the renderer, which writes a line for each frame, to its end."""
        with subprocess.Popen(
            [*RENDERER, folder],
            cwd=ROOT,
            env={**os.environ, "MALLOC_ARENA_MAX": "2"},  # each arena reserves memory
            stdout=subprocess.PIPE,
        ) as process:
            try:
                for done, _ in enumerate(process.stdout or (), 1):
                    self._end_if_unseen()
                    self.progress = "Drawing", done, frames
                if ended_late(process.wait()):
                    raise BusyError("the picture took too long: draw fewer amounts, or try again")
                if process.returncode:
                    raise OSError("the renderer failed")
            finally:
                process.kill()
