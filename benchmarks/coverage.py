"""`python -m benchmarks.coverage`: how often the intervals that the app prints hold the truth.

The truth is the value on all labelled validation sentences of a task. Random subsets of them play the eval subset, and
every kind of printed interval is computed from each. README.md explains the tables.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.population import Population, measured, read
from benchmarks.printed import ONE_SIDED, Interval, Key, printed
from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from ui.text import markdown_table

Array = npt.NDArray[np.float64]

TARGET = (0.93, 0.97)
AT_A_TIME = 10  # subsets between two reports of progress
SEED = 0


@dataclass(frozen=True)
class Coverage:
    """What became of one printed interval over all subsets; shares are of the subsets that have one.

    Attributes:
        key: What it is about.
        truth: The value on all sentences.
        covered: The share of the intervals that hold the truth.
        below: The share of those that lie wholly above the truth: it falls below them.
        width: The mean width of those that end.
        undefined: The share of all subsets for which the app prints none.
    """

    key: Key
    truth: float
    covered: float
    below: float
    width: float
    undefined: float

    @property
    def is_on_target(self) -> bool:
        """Whether the coverage lies in TARGET.

        Survival may cover more, since its interval is a set of amounts, and so may a bound on one side.
        """
        low, high = TARGET
        return low <= self.covered and (self.covered <= high or self.key.kind.startswith(("survival", ONE_SIDED)))


def coverage(key: Key, truth: float, intervals: Array) -> Coverage:
    """Count what became of one printed interval.

    Args:
        key: What it is about.
        truth: The value on all sentences.
        intervals: (subsets, 3), value and both bounds; NaN where there is no interval.
    """
    low, high = intervals[~np.isnan(intervals).any(1), 1:].T  # each (defined subsets,)
    if not len(low):
        return Coverage(key, truth, np.nan, np.nan, np.nan, 1.0)
    widths, missed = (high - low)[np.isfinite(high - low)], (truth < low) | (truth > high)
    width = float(widths.mean()) if len(widths) else np.nan
    return Coverage(
        key, truth, float(1 - missed.mean()), float((truth < low).mean()), width, 1 - len(low) / len(intervals)
    )


# ---------------------------------------------------------------- subsets


def intervals_of(file: Path, size: int, numbers: Iterable[int]) -> Array:
    """Compute the intervals of some subsets, (subsets, keys, 3), each drawn without replacement, by its number."""
    population = _opened(file)
    examples = len(population.gold)
    factor = float(np.sqrt(1 - size / examples))  # drawn without replacement
    drawn = (np.random.default_rng([SEED, number]).choice(examples, size, replace=False) for number in numbers)
    return np.array([[*printed(population, rows, factor).values()] for rows in drawn])


@cache
def _opened(file: Path) -> Population:
    torch.set_num_threads(1)  # there is a process for each core
    return read(file)


def in_processes(file: Path, size: int, subsets: int, processes: int) -> Iterator[Array]:
    """Compute the intervals of all subsets, some at a time, in the order of the subsets."""
    chunks = [range(subsets)[start : start + AT_A_TIME] for start in range(0, subsets, AT_A_TIME)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(intervals_of, *zip(*((file, size, chunk) for chunk in chunks), strict=True))


# ---------------------------------------------------------------- tables


def page(truth: Mapping[Key, Interval], intervals: Array) -> Iterator[str]:
    """Yield a table with a line for each kind of interval, and one of the intervals that are off target.

    Args:
        truth: What is printed for all sentences.
        intervals: (subsets, keys, 3), what is printed for the subsets.
    """
    found = [coverage(key, interval.value, intervals[:, k]) for k, (key, interval) in enumerate(truth.items())]
    known = [line for line in found if line.truth == line.truth]
    yield markdown_table([_summary(kind, known) for kind in dict.fromkeys(line.key.kind for line in known)])
    if off := [line for line in known if not line.is_on_target]:
        yield f"\nOff target:\n\n{markdown_table(list(map(_detail, off)))}"
    if unknown := [" ".join(line.key) for line in found if line not in known]:
        yield f"\nUndefined on all sentences: {'; '.join(unknown)}"


def _summary(kind: str, known: Iterable[Coverage]) -> dict[str, str]:
    lines = [line for line in known if line.key.kind == kind]
    covered = [line.covered for line in lines]
    shares = {"lowest": min(covered), "mean": float(np.mean(covered)), "highest": max(covered)}
    off = str(sum(not line.is_on_target for line in lines))
    return {"interval": kind, "lines": str(len(lines)), **{k: f"{v:.1%}" for k, v in shares.items()}, "off target": off}


def _detail(line: Coverage) -> dict[str, str]:
    shares = {"coverage": line.covered, "truth below": line.below, "none": line.undefined}
    numbers = {"truth": f"{line.truth:.4f}", "mean width": f"{line.width:.4f}"}
    return {"interval": " ".join(line.key), **numbers, **{name: f"{share:.1%}" for name, share in shares.items()}}


# ---------------------------------------------------------------- command line


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        PrunescopeError: A number is out of its bounds.
    """
    parser = OneLineParser(prog="python -m benchmarks.coverage", description=__doc__)
    add = parser.add_argument
    add("--data", required=True, metavar="GLUE", help="folder in the Hub's GLUE layout")
    add("--task", default="sst2", help="a task with an embedded checkpoint and two labels (default: sst2)")
    add("--subsets", type=int, default=2_000, help="how many subsets (default: 2000)")
    add("--examples", type=int, default=128, help="sentences of a subset (default: 128)")
    add("--processes", type=int, default=2, help="how many, with one thread each (default: 2)")
    options = parser.parse_args(arguments)
    if min(options.subsets, options.processes) < 1:
        raise PrunescopeError(f"{options.subsets} subsets, {options.processes} processes: choose at least 1 of both")
    return options


def _report(stage: str, done: int, total: int) -> None:
    print(f"{stage}: {done} of {total}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, count and print both tables."""
    options = parse(arguments)
    file = measured(options.task, options.data, _report)
    population = read(file)
    examples, size = len(population.gold), options.examples
    if not 4 < size < examples:
        raise PrunescopeError(f"subsets of {size} of {examples} sentences: choose 5 to {examples - 1}")
    truth = printed(population, np.arange(examples))
    intervals = list[Array]()
    for chunk in in_processes(file, size, options.subsets, options.processes):
        intervals.extend(chunk)  # each (keys, 3)
        _report("Subsets", len(intervals), options.subsets)
    print(f"{options.task}: {options.subsets} subsets of {size} of {examples} sentences\n")
    print(*page(truth, np.stack(intervals)), sep="\n")
    return 0


if __name__ == "__main__":
    run_command(main)
