"""Draw a picture or a film in a separate process, while the server keeps running."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from core.errors import PrunescopeError
from core.exports.figure import Figure
from core.inputs.hub import Report
from core.request.catalog import ROOT
from core.request.limits import limits

Picture = Literal["gif", "mp4", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
TURN_SECONDS = 60.0  # that a picture waits for its turn
# Each takes one processor. Stills wait in a few threads that all visitors share, and must not wait for films.
_film_turns = threading.BoundedSemaphore(2)
_still_turns = threading.BoundedSemaphore(1)


def draw(
    figure: Figure, kind: Picture, frames: Sequence[int], milliseconds: int = 500, report: Report = lambda *_: None
) -> bytes:
    """Draw a figure, and return the file's content.

    Args:
        figure: What is drawn.
        kind: The format.
        frames: Indices of the frames; a single one where nothing moves.
        milliseconds: How long a film shows each frame.
        report: Called with (stage, frames done, frames); an exception that it raises ends the drawing, unchanged.

    Raises:
        PrunescopeError: Too many are being drawn, it takes longer than is allowed here, or it failed.
    """
    turns = _film_turns if len(frames) > 1 else _still_turns
    if not turns.acquire(timeout=TURN_SECONDS):
        raise PrunescopeError("as many pictures are being drawn as fit: try again soon")
    order = {"figure": figure, "format": kind, "frames": list(frames), "milliseconds": milliseconds}
    written = json.dumps(order | {"seconds": limits().drawing_seconds})
    try:
        with TemporaryDirectory(prefix="prunescope-") as folder:
            Path(folder, "order").write_text(written, "utf-8")
            _render(folder, len(frames), report)
            return Path(folder, "picture").read_bytes()
    except OSError:
        raise PrunescopeError("the picture was not finished: draw fewer amounts, or make it again") from None
    finally:
        turns.release()


def _render(folder: str, frames: int, report: Report) -> None:
    """Follow the renderer, which writes a line for each frame, to its end."""
    with subprocess.Popen([*RENDERER, folder], cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            for done, _ in enumerate(process.stdout or (), 1):
                report("Drawing", done, frames)
            if process.wait():
                raise OSError("the renderer failed")
        finally:
            process.kill()
