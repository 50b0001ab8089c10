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
LONGEST_START = 30.0  # seconds


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
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", f"--server.address={LOCAL}"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PRUNESCOPE_RESULTS": str(results)}
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        _wait_for(f"http://{LOCAL}:{port}/_stcore/health", server)
        yield f"http://{LOCAL}:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOCAL, 0))
        port: int = free.getsockname()[1]
    return port


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ChildProcessError(f"the server ended with exit code {server.returncode}")
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} does not answer within {LONGEST_START:.0f} s")
