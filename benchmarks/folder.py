"""`python -m benchmarks.folder FOLDER`: how long the app takes to show a folder with hundreds of results.

A server is started twice on links to the folder's files, the first time with nothing known about them. README.md
explains the table.
"""

import argparse
import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from websockets.asyncio.client import connect

from benchmarks.serving import served
from benchmarks.visitors import NAMES, open_page, server_mib
from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.request.catalog import ROOT
from core.results import store
from ui.header import PAGES

VISITORS = 10


@dataclass(frozen=True)
class Cost:
    """What a page took: seconds on the clock until all of it is sent, and the server's processor seconds."""

    waited: float
    computed: float

    def __str__(self) -> str:
        return f"{self.waited:7.2f} s {self.computed:7.2f} s"


def server_seconds() -> float:
    """Return the processor seconds of this process's children so far, the server among them."""
    times = (child.cpu_times() for child in psutil.Process().children())
    return float(sum(spent.user + spent.system for spent in times))


async def visit(address: str, names: Sequence[str]) -> list[Cost]:
    """Open pages one after another in one session."""
    costs = []
    async with connect(address, subprotocols=["streamlit"], max_size=None) as session:  # type: ignore[list-item]
        for name in names:
            waited, computed = time.monotonic(), server_seconds()
            if await open_page(session, name):
                raise PrunescopeError(f"the page “{name}” failed")
            costs.append(Cost(time.monotonic() - waited, server_seconds() - computed))
    return costs


def tell(what: str, costs: Sequence[Cost]) -> None:
    """Print one line for each page."""
    for page, cost in zip(PAGES, costs, strict=False):
        print(f"{what:<28}{page:<12}{cost}", flush=True)


def linked(files: Sequence[Path], folder: Path) -> Path:
    """Link files into a folder, or copy them where links cannot be made."""
    folder.mkdir(exist_ok=True)
    for file in files:
        try:
            (folder / file.name).hardlink_to(file)
        except OSError:
            shutil.copy2(file, folder)
    return folder


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.folder", description=__doc__)
    parser.add_argument("folder", type=Path, help="with results")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    files = store.result_files(parse(arguments).folder)
    if len(files) < 2:
        raise PrunescopeError("a folder with at least two results is needed")
    with TemporaryDirectory() as place:
        results = linked(files[:-1], Path(place) / "results")
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        print(f"{len(files) - 1} results{'':<29}waited  computed")
        for start in ("nothing known", "started again"):
            with served(ROOT, results) as site:
                address = f"{site.replace('http', 'ws', 1)}/_stcore/stream"
                tell(f"first visit, {start}", asyncio.run(visit(address, NAMES[:1])))
                if start == "nothing known":
                    continue
                tell("each page for the first time", asyncio.run(visit(address, NAMES)))
                tell("each page again", asyncio.run(visit(address, NAMES)))
                linked(files[-1:], results)
                tell("after one file was added", asyncio.run(visit(address, NAMES)))
                tell("each page again", asyncio.run(visit(address, NAMES)))
                asyncio.run(measure_memory(address))
    return 0


async def measure_memory(address: str) -> None:
    """Print what the server grows by while ten visitors open every page and stay."""
    before = server_mib()
    async with AsyncExitStack() as open_sessions:
        for _ in range(VISITORS):
            session = await open_sessions.enter_async_context(
                connect(address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
            )
            for name in NAMES:
                await open_page(session, name)
        grown = server_mib() - before
    print(f"memory {before:.0f} MiB; {grown / VISITORS:.1f} MiB more for each of {VISITORS} visitors")


if __name__ == "__main__":
    run_command(main)
