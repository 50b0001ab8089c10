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
from core.request.catalog import ROOT
from core.request.limits import limits

Picture = Literal["gif", "mp4", "pdf", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
STILL_TURN_SECONDS = 60.0  # that a picture waits for its turn
# Each takes one processor. Downloads wait in a few threads that all visitors share: so films are refused, not made to
# wait, and pictures do not wait for films.
_film_turns = threading.BoundedSemaphore(2)
_still_turns = threading.BoundedSemaphore(1)


def draw(figure: Figure, kind: Picture, frames: Sequence[int], milliseconds: int = 500) -> bytes:
    """Draw a figure, and return the file's content.

    Args:
        figure: What is drawn.
        kind: The format.
        frames: Indices of the frames; a single one where nothing moves.
        milliseconds: How long a film shows each frame.

    Raises:
        PrunescopeError: Too many are being drawn, it takes longer than is allowed here, or it failed.
    """
    turns, patience = (_film_turns, 0.0) if len(frames) > 1 else (_still_turns, STILL_TURN_SECONDS)
    if not turns.acquire(timeout=patience):
        raise PrunescopeError("as many pictures are being drawn as fit: try again soon")
    order = {"figure": figure, "format": kind, "frames": list(frames), "milliseconds": milliseconds}
    written, seconds = json.dumps(order).encode(), limits().drawing_seconds
    try:
        with TemporaryDirectory(prefix="prunescope-") as folder:
            path = Path(folder) / "picture"
            subprocess.run([*RENDERER, path], cwd=ROOT, input=written, timeout=seconds, check=True)
            return path.read_bytes()
    except (OSError, subprocess.SubprocessError):
        raise PrunescopeError("the picture was not finished: draw fewer amounts, or make it again") from None
    finally:
        turns.release()
