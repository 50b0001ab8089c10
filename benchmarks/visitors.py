"""`python -m benchmarks.visitors`: how long many visitors wait for pages while a sweep runs beside them.

Every visitor is a websocket session, which opens a random page every ten seconds. README.md explains the table.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.serving import served
from core.command_line import OneLineParser, run_command
from core.request.catalog import EMBEDDED, ROOT
from ui.header import PAGES

PAUSE_SECONDS = 10.0  # of a visitor, between two pages
BOUND_SECONDS = 1.0  # that a page should take
TIMEOUT_SECONDS = 60.0  # after which a page counts as failed
LOWER_PRIORITY = 10  # of the sweep, as the app's own worker has it
# As a page's address names it: the main page has no name.
NAMES = ["" if path == "app.py" else Path(path).stem for path in PAGES.values()]


@dataclass
class Visits:
    """What visitors have waited for.

    Attributes:
        seconds: From each request to the end of its page's script, the picture's data included.
        faults: Pages that failed, or never ended.
    """

    seconds: list[float] = field(default_factory=list)
    faults: int = 0


async def visit(address: str, visits: Visits, seconds: float, seed: int) -> None:
    """Open pages in random order, one every PAUSE_SECONDS, for so many seconds."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, PAUSE_SECONDS))
    ends = time.monotonic() + seconds
    async with connect(address, subprotocols=["streamlit"], max_size=None) as session:  # type: ignore[list-item]
        while time.monotonic() < ends:
            started = time.monotonic()
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    visits.faults += await open_page(session, chance.choice(NAMES))
            except TimeoutError:
                visits.faults += 1
            visits.seconds.append(time.monotonic() - started)
            await asyncio.sleep(max(PAUSE_SECONDS - (time.monotonic() - started), 0))


async def open_page(session: ClientConnection, name: str) -> bool:
    """Ask for a page and read all that it sends; return whether something failed."""
    order = BackMsg()
    order.rerun_script.page_name = name
    order.rerun_script.query_string = ""
    await session.send(order.SerializeToString())
    failed, begun = False, False
    async for content in session:
        message = ForwardMsg.FromString(content if isinstance(content, bytes) else content.encode())
        kind = message.WhichOneof("type")
        begun = begun or kind == "new_session"
        if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            failed = True
        if begun and kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return failed
    return True  # the server has closed the session


async def visit_all(address: str, visitors: int, seconds: float) -> Visits:
    """Let so many visitors open pages at the same time."""
    visits = Visits()
    await asyncio.gather(*(visit(address, visits, seconds, seed) for seed in range(visitors)))
    return visits


@contextmanager
def sweeping(results: Path) -> Iterator[None]:
    """Run one sweep after another on one thread, at lower priority."""
    checkpoint = next(iter(EMBEDDED.values()))
    command = [sys.executable, "-m", "core.precompute", "--checkpoint", checkpoint.id, "--task", checkpoint.task]
    script = f"while :; do {' '.join(command)} --threads 1 --output {results} >/dev/null 2>&1; done"
    process = subprocess.Popen(
        ["nice", "-n", str(LOWER_PRIORITY), "sh", "-c", script], cwd=ROOT, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def server_mib() -> float:
    """Return the memory of this process's children, the server among them."""
    return float(sum(child.memory_info().rss for child in psutil.Process().children())) / 2**20


def row(visitors: int, visits: Visits, mib: float) -> str:
    """Format one line of the table."""
    waited = np.array(visits.seconds)
    return (
        f"{visitors:>8}{len(waited):>8}{np.mean(waited <= BOUND_SECONDS):>12.1%}{median(waited):>9.2f}"
        f"{np.quantile(waited, 0.95):>9.2f}{waited.max():>9.2f}{visits.faults:>8}{mib / visitors:>13.1f}"
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.visitors", description=__doc__)
    parser.add_argument("--visitors", nargs="+", type=int, default=[10, 25, 50], help="default: 10 25 50")
    parser.add_argument("--seconds", type=float, default=120, help="of every line of the table (default: 120)")
    parser.add_argument("--idle", action="store_true", help="without a sweep beside them")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    options = parse(arguments)
    os.environ["PRUNESCOPE_HOSTED"] = "1"
    print(f"{'visitors':>8}{'pages':>8}{'within 1 s':>12}{'median':>9}{'95 %':>9}{'longest':>9}{'failed':>8}", end="")
    print(f"{'MiB/visitor':>13}")
    for visitors in options.visitors:
        with TemporaryDirectory() as folder, served(ROOT, Path(folder) / "results") as site:
            address = f"{site.replace('http', 'ws', 1)}/_stcore/stream"
            asyncio.run(visit_all(address, 1, len(NAMES) * PAUSE_SECONDS / 2))  # reads what all visitors share
            before = server_mib()
            with nullcontext() if options.idle else sweeping(Path(folder)):
                visits = asyncio.run(visit_all(address, visitors, options.seconds))
                print(row(visitors, visits, server_mib() - before), flush=True)
    return 0


if __name__ == "__main__":
    run_command(main)
