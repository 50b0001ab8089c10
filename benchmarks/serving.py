"""`python -m benchmarks.serving`: how long a person waits for each page's picture.

Chromium opens every page of a warm server in a fresh browser and in one that has been there before.
README.md explains the table. The browser tests use the same server. However this process ends, the
server and the browsers end, too.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Playwright, ViewportSize, sync_playwright

from core.command_line import OneLineParser, run_command
from core.request.catalog import ROOT
from core.request.pages import PAGES

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LOCAL = "127.0.0.1"
START_TIMEOUT_SECONDS = 120.0  # an idle machine takes a few seconds
END_SECONDS = 10.0  # deadline for a process to end by itself

WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
WARMING_VISITS = 3  # after which Chromium caches compiled scripts
SETTLING_MILLISECONDS = 1_500  # before the next measurement
# The largest picture of each page that shows shipped results; of Methods, the last. Neighbours
# differ in theirs.
PICTURES = {
    "Story": ".scene .heatmap .holder:not(.coming) svg",
    "Lab": ".player .heatmap .holder:not(.coming) svg",
    "Cut": ".player .frontier .holder:not(.coming) svg",
    "Compare": ".player .second .holder:not(.coming) svg",
    "All results": ".player .forest-1 .holder:not(.coming) svg",
    "Layers": ".player .rows .holder:not(.coming) svg",
    "Sentences": ".player .strip .holder:not(.coming) svg",
    "Present": ".player .heatmap .holder:not(.coming) svg",
    "Methods": ".steps svg",
}
# Returns the milliseconds since the page was requested once its picture is seen, also inside
# components.
SEEN = """selector => {
  const shadows = [...document.querySelectorAll("div")].map((div) => div.shadowRoot);
  const roots = [document, ...shadows.filter(Boolean)];
  const pictures = roots.map((root) => root.querySelector(selector));
  return pictures.some((picture) => picture?.getClientRects().length) && performance.now();
}"""

# ---------------------------------------------------------------- the server


@contextmanager
def served(folder: Path, results: Path) -> Iterator[str]:
    """Run the app in a folder on its own port, in its own process group.

    A guard kills the group once the pipe that it reads is closed: by us, or by the system if we
    are killed.

    Args:
        folder: A copy of this project.
        results: Folder of the results of live runs; the user's other results are hidden.

    Yields:
        The server's address, once it answers.

    Raises:
        ChildProcessError: It does not answer in time, or has ended.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder), "PRUNESCOPE_RESULTS": str(results)}
    with socket.socket() as reserved:  # nobody else is given this port
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((LOCAL, 0))
        port = reserved.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += [f"--server.port={port}", f"--server.address={LOCAL}"]
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=2, start_new_session=True
        )
        script = f"read -r _; kill -9 -{server.pid} 2>/dev/null"
        guard = subprocess.Popen(script, shell=True, stdin=subprocess.PIPE, start_new_session=True)
        try:
            _wait_for(f"http://{LOCAL}:{port}/_stcore/health", server)
            yield f"http://{LOCAL}:{port}"
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(END_SECONDS)
            guard.communicate()
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=2)
            return
        time.sleep(0.2)
    fault = f"no server at {address} within {START_TIMEOUT_SECONDS:.0f} s"
    raise ChildProcessError(f"{fault}; exit code {server.returncode}")


# ---------------------------------------------------------------- one person in a browser


def open_in(context: BrowserContext, site: str, name: str) -> float:
    """Open a page in a new tab; return the seconds until its picture is seen."""
    page = context.new_page()
    page.goto(f"{site}/{PAGES[name].address}", wait_until="commit")
    seen = page.wait_for_function(SEEN, arg=PICTURES[name], timeout=300_000)  # looks once per frame
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    milliseconds = float(seen.json_value())
    page.close()
    return milliseconds / 1000


@contextmanager
def browser(playwright: Playwright) -> Iterator[BrowserContext]:
    """Start a browser with a profile of its own, which caches files and compiled scripts."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(OPTIONS), viewport=WINDOW
        )
        yield context
        context.close()


def measure_waiting(runs: int) -> None:
    """Print the seconds until each page's picture: the median, and the longest in parentheses."""
    with (
        TemporaryDirectory() as own,
        served(ROOT, Path(own)) as site,
        sync_playwright() as playwright,
    ):

        def opened(name: str, times: int) -> list[float]:  # in one new browser
            with browser(playwright) as context:
                return [open_in(context, site, name) for _ in range(times)]

        for name in PICTURES:  # the first visitor warms the server
            opened(name, 1)
        print(f"{'seconds, median (longest)':<28}{'fresh':>14}{'returning':>14}", flush=True)
        for name in PICTURES:
            fresh = [opened(name, 1)[0] for _ in range(runs)]
            again = opened(name, WARMING_VISITS + runs)[WARMING_VISITS:]
            cells = [f"{median(waited):.2f} ({max(waited):.2f})" for waited in (fresh, again)]
            print(f"{name:<28}{cells[0]:>14}{cells[1]:>14}", flush=True)


# ---------------------------------------------------------------- command line


def main() -> None:
    """Print the table."""
    parser = OneLineParser(prog="python -m benchmarks.serving", description=__doc__)
    times = "how often to open each page (default: 5)"
    parser.add_argument("--runs", type=int, default=5, help=times)
    run_command(parser, lambda options: measure_waiting(options.runs))


if __name__ == "__main__":
    main()
