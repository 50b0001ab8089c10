"""Draw pictures and films in separate processes, while the server keeps running."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Literal

from cachetools import LRUCache, cached

from core.errors import BusyError, PrunescopeError
from core.exports.figure import Figure
from core.inputs.hub import Report
from core.request.catalog import ROOT
from core.request.limits import limits
from core.wall.confined import ended_late
from core.wall.turns import Door

Picture = Literal["gif", "mp4", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
MAX_BYTES = 16 * 2**20  # of the latest files
_door = Door("drawings", at_once=2)


def draw(
    figure: Figure,
    kind: Picture,
    frames: Sequence[int],
    milliseconds: int = 500,
    report: Report = lambda *_: None,
    holder: str = "",
) -> bytes:
    """Draw a figure, and return the file's content.

    Args:
        figure: The figure.
        kind: The format.
        frames: The indices of the frames; a single one for a picture.
        milliseconds: How long a film shows each frame.
        report: Called again and again with (stage, frames done, frames); an exception raised by it ends the drawing, as
            when a visitor leaves.
        holder: The name under which the drawing takes its turn.

    Raises:
        BusyError: Too many pictures are being drawn, or this one takes longer than is allowed here.
        PrunescopeError: The drawing failed.
    """
    order = {"figure": figure, "format": kind, "frames": list(frames), "milliseconds": milliseconds}
    with _door.turn(holder, lambda _: report("Waiting for a free processor", 0, len(frames))):
        return _drawn(json.dumps(order | {"seconds": limits().drawing_seconds}), len(frames), report)


# Visitors who ask for the same picture at once, as in a lecture, find it here when their turn comes.
@cached(LRUCache(MAX_BYTES, len), lambda order, *_: order, Lock())
def _drawn(order: str, frames: int, report: Report) -> bytes:
    """Run the renderer, which writes a line for each frame, and return its file."""
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}  # each arena reserves memory
    try:
        with TemporaryDirectory(prefix="prunescope-") as folder:
            Path(folder, "order").write_text(order, "utf-8")
            command = [*RENDERER, folder]
            with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
                try:
                    report("Drawing", 0, frames)
                    for done, _ in enumerate(process.stdout or (), 1):
                        report("Drawing", done, frames)
                    status = process.wait()
                finally:
                    process.kill()
            if ended_late(status):
                raise BusyError("the picture took too long: draw fewer amounts, or try again")
            if status:
                raise OSError("the renderer failed")
            return Path(folder, "picture").read_bytes()
    except OSError as error:
        raise PrunescopeError("the picture could not be drawn: draw fewer amounts, or try again") from error
