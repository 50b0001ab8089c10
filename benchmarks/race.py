"""`python -m benchmarks.race`: time and memory of a sweep, beside those of two other procedures.

Every procedure runs in a process of its own, one after the other, on the same checkpoint, sentences and threads.
README.md explains the table.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from benchmarks.procedures import CAREFUL_BATCH, PROCEDURES, Workload
from core.command_line import OneLineParser, check_threads, run_command
from core.encoder.loading import load
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.sweep_request import SweepRequest, checked


@dataclass(frozen=True)
class Measured:
    """One procedure's run.

    Attributes:
        seconds: From a loaded checkpoint and its sentences to the last number.
        peak_mib: Peak memory above that of the process after its imports; includes the model.
        accuracies: One for each amount; none for the plain forward passes.
    """

    seconds: float
    peak_mib: float
    accuracies: list[float]


def memory_mib(field: str) -> float:
    """Read this process's memory from Linux: `VmRSS` is the present value, `VmHWM` the peak so far.

    Raises:
        PrunescopeError: Linux does not report the field.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise PrunescopeError(f"/proc/self/status has no {field}: the race needs Linux")


def measure(name: str, request: SweepRequest, threads: int | None) -> Measured:
    """Run one procedure in this process, which should be a fresh one."""
    after_imports = memory_mib("VmRSS")
    if threads is not None:
        torch.set_num_threads(threads)
    inputs = prepare(request)
    workload = Workload(load(inputs.resolved), inputs, request)
    started = time.perf_counter()
    accuracies = PROCEDURES[name][1](workload)
    seconds = time.perf_counter() - started
    return Measured(seconds, memory_mib("VmHWM") - after_imports, accuracies)


def measure_apart(name: str, arguments: Sequence[str]) -> Measured:
    """Run one procedure in a process of its own.

    Args:
        name: A key of PROCEDURES.
        arguments: The race's command line.

    Raises:
        PrunescopeError: The procedure failed; the message is the last line of its output.
    """
    command = [sys.executable, "-m", "benchmarks.race", *arguments, "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PrunescopeError(f"procedure '{name}' ended with exit code {done.returncode}: {last}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def table(measured: Mapping[str, Measured]) -> str:
    """Format the measurements, with the ratios that the design bounds."""
    ours, plain, published = measured["ours"], measured["plain"], measured["published"]
    lines = [f"{'procedure':<42}{'seconds':>9}{'ratio to ours':>15}{'peak MiB':>10}"]
    for name, run in measured.items():
        title, ratio = PROCEDURES[name][0], run.seconds / ours.seconds
        lines.append(f"{title:<42}{run.seconds:>9.2f}{ratio:>15.2f}{run.peak_mib:>10.0f}")
    apart = max(
        abs(a - b)
        for reference in (published, measured["careful"])
        for a, b in zip(ours.accuracies, reference.accuracies, strict=True)
    )
    return "\n".join(
        [
            *lines,
            f"ours / plain forward passes: {ours.seconds / plain.seconds:.2f}",
            f"ours / published procedure, peak memory: {ours.peak_mib / published.peak_mib:.0%}",
            f"accuracies of the three procedures differ by at most {apart:.4f}",
        ]
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.race", description=__doc__)
    add = parser.add_argument
    add("--checkpoint", required=True, help="embedded:NAME, a folder, or ID[@REVISION] on the Hub")
    add("--task", required=True, help="the checkpoint's task")
    add("--data", help="written, hub, or a folder in the Hub's GLUE layout")
    add("--examples", type=int, default=128, help=f"a multiple of {CAREFUL_BATCH} (default: 128)")
    add("--amounts", help="fractions in [0, 1) (default: steps of 0.1 up to 0.9)")
    add("--threads", type=int, help="processor threads (default: PyTorch's)")
    add("--only", choices=PROCEDURES, help=argparse.SUPPRESS)  # how the race calls itself
    return parser.parse_args(arguments)


def request_of(options: argparse.Namespace) -> SweepRequest:
    """Turn the command line into a checked request.

    Raises:
        PrunescopeError: A name is unknown, or a value is out of bounds.
    """
    if options.examples < CAREFUL_BATCH or options.examples % CAREFUL_BATCH:
        raise PrunescopeError(
            f"{options.examples} examples: choose a multiple of {CAREFUL_BATCH}, so that no batch is too small for CKA"
        )
    return checked(
        SweepRequest(
            checkpoint=options.checkpoint,
            task=options.task,
            amounts=parse_amounts(options.amounts.split(",")) if options.amounts else DEFAULT_AMOUNTS,
            num_examples=options.examples,
            data=options.data,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the race and print its table, or run one procedure and print its measurement as JSON."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    check_threads(options.threads)
    request = request_of(options)
    if options.only:
        print(json.dumps(asdict(measure(options.only, request, options.threads))))
        return 0
    prepare(request)  # refuses bad input once and caches the sentences, so that no procedure reads the parquet file
    measured = {name: measure_apart(name, arguments) for name in PROCEDURES}
    threads = options.threads or torch.get_num_threads()
    print(
        f"{options.checkpoint} on {options.task}: {request.num_examples} examples, {len(request.amounts)} amounts, "
        f"{threads} threads"
    )
    print(table(measured))
    return 0


if __name__ == "__main__":
    run_command(main)
