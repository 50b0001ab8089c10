"""The app running on a port of its own, and Chromium to look at it; for benchmarks and for tests in a browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LOCAL = "127.0.0.1"
START_TIMEOUT_SECONDS = 120.0  # seconds; a few on an idle machine


@contextmanager
def served(folder: Path, results: Path) -> Iterator[str]:
    """Run the app of a folder.

    Args:
        folder: A copy of this project.
        results: Where live runs put theirs; other results of this user are not seen.

    Yields:
        The server's address, once it answers.

    Raises:
        TimeoutError: It does not answer in time.
        ChildProcessError: It ended instead.
    """
    with _reserved_port() as port, _server(folder, results, port) as address:
        yield address


@contextmanager
def _server(folder: Path, results: Path, port: int) -> Iterator[str]:
    """Run the app on a port."""
    address = f"http://{LOCAL}:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", f"--server.address={LOCAL}"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PRUNESCOPE_RESULTS": str(results)}
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _reserved_port() -> Iterator[int]:
    """Yield a free port and keep all others from getting it; a server that asks for this one by number does."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((LOCAL, 0))
        yield reserved.getsockname()[1]


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ChildProcessError(f"the server ended with exit code {server.returncode}")
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} does not answer within {START_TIMEOUT_SECONDS:.0f} s")
