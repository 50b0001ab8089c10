"""What a result or a comparison is taken away as: pictures, a player in one HTML file, tables, the JSON itself."""

import csv
import html
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from core.catalog import REDUCTIONS, ROOT
from core.charts import Spec
from core.errors import PrunescopeError
from core.figures import frames_of, origins_of, title_of, views_of
from core.provenance import command_line, request_of
from core.results import SweepResult

Picture = Literal["gif", "png", "svg"]

RENDERER = (sys.executable, "-m", "core.renderer")
MOST_AT_ONCE = 2  # drawings; each takes one processor
LONGEST_WAIT = 60.0  # seconds for one's turn
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)

CKA_COLUMNS = ("amount", "sparsity", "reduction", "baseline_point", "pruned_point", "cka")
METRIC_COLUMNS = ("amount", "sparsity", "prunable_sparsity", "metric", "value", "low", "high")


def file_name(results: Sequence[SweepResult], extension: str) -> str:
    """Names a file by what is in it; safe on every system.

    Args:
        results: One or two whole sweeps.
        extension: With its dot, such as `.gif`, or with a word before it.
    """
    names = dict.fromkeys(f"{result.task.name}-{result.pruning.method}-{result.key[:8]}" for result in results)
    return re.sub(r"[^\w.-]+", "_", f"prunescope-{'-and-'.join(names)}{extension}", flags=re.ASCII)


# ---------------------------------------------------------------- pictures


class Drawing:
    """A picture that is being drawn, in a process of its own: drawing would hold up a server.

    Args:
        figure: From `core.figures.figure_of`.
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


# ---------------------------------------------------------------- the player in one file

PAGE_STYLE = """
:root { color-scheme: light dark; --st-text-color: #1f2028; --st-background-color: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root {
    --st-text-color: #fafafa; --st-background-color: #0e1117; --st-border-color: #41444c;
    --st-secondary-background-color: #262730; --st-primary-color: #fb8861;
  }
}
body {
  max-width: 90rem; margin: 0 auto; padding: 1rem;
  color: var(--st-text-color); background: var(--st-background-color); font: 1rem/1.5 sans-serif;
}
h1 { margin: 0; font-size: clamp(1.2rem, 0.9rem + 1.2vw, 2rem); line-height: 1.25; }
p { margin: 0 0 0.5rem; }
code { overflow-wrap: anywhere; }
"""
# Nothing is ever fetched, whatever a name in the result says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def player_html(results: Sequence[SweepResult], reduction: str, vega: str) -> str:
    """Writes a page of one file that plays without a server and without a network.

    Args:
        results: One or two whole sweeps.
        reduction: What is shown first, a name from `core.catalog.REDUCTIONS`; the others can be chosen.
        vega: Vega's script, which sets `globalThis.vegaEmbed`.
    """
    title, origins = title_of(results), origins_of(results)
    commands = "".join(f"<p><code>{html.escape(command_line(request_of(result)))}</code></p>" for result in results)
    data = json.dumps(_player_data(results, reduction), allow_nan=False).replace("<", "\\u003c")
    styles, player = ((ROOT / "core" / name).read_text("utf-8") for name in ("player.css", "player.js"))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{PAGE_STYLE}{styles}</style>
<h1>{html.escape(title)}</h1>
<p>{"<br>".join(map(html.escape, origins))}</p>
<main></main>
<footer><p>Made with Prunescope. This computes it:</p>{commands}</footer>
<script type="module">{_inline(vega)}</script>
<script type="module">{_inline(player)}
mountPlayer(document.querySelector("main"), {data});
</script>
</html>
"""


def _inline(script: str) -> str:
    """A script as it may stand inside an HTML element."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _player_data(results: Sequence[SweepResult], reduction: str) -> dict[str, Any]:
    """What core/player.js mounts: every reduction as a choice, the one on show first."""
    order = sorted(REDUCTIONS, key=lambda name: name != reduction)
    choices = [{"name": name, "title": REDUCTIONS[name].title, "views": views_of(results, name)} for name in order]
    together = "compare" if "difference" in choices[0]["views"] else "beside"
    return {
        "title": f"{title_of(results)}, {', '.join(origins_of(results))}",
        "group": "main",
        "autoplay": True,
        "layout": "single" if len(results) == 1 else together,
        "frames": frames_of(results),
        "choices": choices,
        "vega": None,
    }


# ---------------------------------------------------------------- numbers


def cka_csv(result: SweepResult) -> str:
    """Writes every CKA value as a row; an undefined one is empty.

    Args:
        result: A whole sweep.
    """
    points = result.cka.points
    return _table(
        CKA_COLUMNS,
        (
            (frame.amount, frame.sparsity, reduction, baseline, pruned, value)
            for frame in result.frames
            for reduction, matrix in frame.cka.items()
            for baseline, row in zip(points, matrix, strict=True)
            for pruned, value in zip(points, row, strict=True)
        ),
    )


def metrics_csv(result: SweepResult) -> str:
    """Writes every metric with its 95 % interval as a row; what is not known is empty.

    Args:
        result: A whole sweep.
    """
    return _table(
        METRIC_COLUMNS,
        (
            (
                frame.amount,
                frame.sparsity,
                frame.prunable_sparsity,
                name,
                value,
                *(frame.intervals.get(name) or ("", "")),
            )
            for frame in result.frames
            for name, value in frame.metrics.items()
        ),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values; a float is written so that reading gives it back."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def result_json(result: SweepResult) -> str:
    """Writes the result file, which `core.results` reads.

    Args:
        result: A whole sweep.
    """
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
