"""`python -m benchmarks.serving`: how long people wait for pages, one at a time, and many at once.

Chromium opens every page of a warm server in a fresh browser and in one that has been there before. Then many visitors,
each a websocket session, open a random page every ten seconds, first alone and then beside running sweeps. README.md
explains both tables. The browser tests use the same server. However this process ends, the processes that it has
started end, too.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext, Playwright, ViewportSize, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from core.command_line import OneLineParser, run_command
from core.request.catalog import EMBEDDED, ROOT
from core.request.pages import PAGES

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LOCAL = "127.0.0.1"
START_TIMEOUT_SECONDS = 120.0  # an idle machine takes a few seconds
END_SECONDS = 10.0  # deadline for a process to end by itself

WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
WARMING_VISITS = 3  # after which Chromium caches compiled scripts
SETTLING_MILLISECONDS = 1_500  # before the next measurement
# The largest picture of each page that shows shipped results; of Methods, the last. Neighbours differ in theirs.
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
# Returns the milliseconds since the page was requested once its picture is seen, also inside components.
SEEN = """selector => {
  const roots = [document, ...[...document.querySelectorAll("div")].map((div) => div.shadowRoot).filter(Boolean)];
  return roots.some((root) => root.querySelector(selector)?.getClientRects().length) && performance.now();
}"""
TIMEOUT_SECONDS = 60.0  # after which a visitor's page counts as failed
PAUSE_SECONDS = 10.0  # between two pages of a visitor

# ---------------------------------------------------------------- the server


@contextmanager
def running(command: Sequence[str] | str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in its own process group, which ends with this process at the latest.

    A guard kills the group once the pipe that it reads is closed: by us, or by the system if we are killed.

    Args:
        command: The command.
        options: Options of `subprocess.Popen`.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    script = f"read -r _; kill -9 -{process.pid} 2>/dev/null"
    guard = subprocess.Popen(script, shell=True, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        guard.communicate()
        process.wait()


@contextmanager
def served(folder: Path, results: Path) -> Iterator[str]:
    """Run the app in a folder on its own port.

    Args:
        folder: A copy of this project.
        results: Folder of the results of live runs; the user's other results are hidden.

    Yields:
        The server's address, once it answers.

    Raises:
        ChildProcessError: It does not answer in time, or has ended.
    """
    with (
        socket.socket() as reserved
    ):  # the system gives this port to nobody else who does not ask for its number
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((LOCAL, 0))
        port = reserved.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += [f"--server.port={port}", f"--server.address={LOCAL}"]
        environment = {**os.environ, "PYTHONPATH": str(folder), "PRUNESCOPE_RESULTS": str(results)}
        with running(command, cwd=folder, env=environment, stdout=2) as server:
            _wait_for(f"http://{LOCAL}:{port}/_stcore/health", server)
            yield f"http://{LOCAL}:{port}"


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=2)
            return
        time.sleep(0.2)
    raise ChildProcessError(
        f"no server at {address} within {START_TIMEOUT_SECONDS:.0f} s; exit code {server.returncode}"
    )


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
    """Start a browser with its own profile, which caches files and compiled scripts on disk as a person's does."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(OPTIONS), viewport=WINDOW
        )
        yield context
        context.close()


def measure_waiting(runs: int) -> None:
    """Print how long one person waits for each page's picture: the median, and the longest in parentheses."""
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


# ---------------------------------------------------------------- many visitors


def visit(site: str, seed: int, seconds: float) -> list[float]:
    """Open a page every PAUSE_SECONDS, in random order; return the seconds until each was there, infinite if never."""
    chance, waited = random.Random(seed), list[float]()
    addresses = cycle(chance.sample([page.address for page in PAGES.values()], len(PAGES)))
    time.sleep(chance.uniform(0, PAUSE_SECONDS))
    ends = time.monotonic() + seconds
    stream = f"{site}/_stcore/stream".replace("http", "ws", 1)
    with connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None) as session:
        while (started := time.monotonic()) < ends:
            is_shown = open_page(session, next(addresses))
            waited.append(time.monotonic() - started if is_shown else inf)
            time.sleep(max(started + PAUSE_SECONDS - time.monotonic(), 0))
    return waited


def open_page(session: ClientConnection, address: str) -> bool:
    """Request a page and read until its script ends; return whether that was in time, and without an exception."""
    request, is_shown, has_started = BackMsg(), True, False
    request.rerun_script.page_name = address
    session.send(request.SerializeToString())
    with suppress(TimeoutError):
        while True:
            message = ForwardMsg.FromString(session.recv(TIMEOUT_SECONDS, decode=False))
            kind = message.WhichOneof("type")
            has_started = (
                has_started or kind == "new_session"
            )  # until then, the script of the last page may still end
            is_shown = is_shown and message.delta.new_element.WhichOneof("type") != "exception"
            if (
                has_started
                and kind == "script_finished"
                and message.script_finished == message.FINISHED_SUCCESSFULLY
            ):
                return is_shown
    return False


def measure_visitors(visitors: int, seconds: float) -> None:
    """Print how long the visitors of a hosted server wait for pages, first alone and then beside running sweeps."""
    os.environ["PRUNESCOPE_HOSTED"] = "1"
    title = f"seconds, {visitors} visitors"
    print(f"{title:<28}{'pages':>8}{'median':>9}{'95 %':>9}{'longest':>9}{'failed':>8}", flush=True)
    with (
        TemporaryDirectory() as own,
        served(ROOT, Path(own)) as site,
        ThreadPoolExecutor(visitors) as threads,
    ):

        def measure(title: str) -> None:
            by_visitor = threads.map(
                visit, [site] * visitors, range(visitors), [seconds] * visitors
            )
            waited = np.concatenate([*by_visitor])  # (pages,)
            times = "".join(
                f"{time:>9.2f}" for time in np.quantile(waited, [0.5, 0.95, 1], method="higher")
            )
            print(f"{title:<28}{len(waited):>8}{times}{np.isinf(waited).sum():>8}", flush=True)

        visit(site, 0, len(PAGES) * PAUSE_SECONDS)  # the first visitor warms the server
        measure("alone")
        name, known = next(iter(EMBEDDED.items()))
        sweep = f"nice {sys.executable} -m core.precompute --checkpoint {name} --task {known.task} --threads 1"
        with running(
            f"while :; do {sweep} --output {own} >/dev/null 2>&1; done", shell=True, cwd=ROOT
        ):
            measure("beside running sweeps")


# ---------------------------------------------------------------- command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    parser = OneLineParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument(
        "--runs",
        type=int,
        default=5,
        help="how often to open each page; 0: not at all (default: 5)",
    )
    parser.add_argument(
        "--visitors", type=int, default=25, help="how many at once; 0: none (default: 25)"
    )
    parser.add_argument(
        "--seconds", type=float, default=60, help="how long they open pages (default: 60)"
    )
    options = parser.parse_args(arguments)
    if options.runs:
        measure_waiting(options.runs)
    if options.visitors:
        measure_visitors(options.visitors, options.seconds)
    return 0


if __name__ == "__main__":
    run_command(main)
