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

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TARGET = (0.93, 0.97)
AT_A_TIME = 10  # subsets between two reports of progress
SEED = 0


@dataclass(frozen=True)
class Coverage:
    """What became of one printed interval over all subsets.

    Attributes:
        key: What it is about.
        truth: The value on all sentences.
        covered: The share of the intervals that hold the truth.
        below: The share of those that lie wholly above the truth: it falls below them.
        above: The share of those that lie wholly below the truth.
        width: The mean width of those that end.
        no_width: The share of those without width.
        undefined: The share of subsets for which the app prints none.
    """

    key: Key
    truth: float
    covered: float
    below: float
    above: float
    width: float
    no_width: float
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
    widths = high - low
    below, above = (truth < low), (truth > high)
    return Coverage(
        key,
        truth,
        covered=1 - _mean(below | above),
        below=_mean(below),
        above=_mean(above),
        width=_mean(widths[np.isfinite(widths)]),
        no_width=_mean(widths == 0),
        undefined=1 - len(widths) / len(intervals),
    )


def _mean(values: Array | Flags) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


# ---------------------------------------------------------------- subsets


def subset_rows(examples: int, size: int, number: int) -> npt.NDArray[np.int64]:
    """Draw a subset's sentences, without replacement.

    Args:
        examples: How many there are to draw from.
        size: How many to draw.
        number: The subset's number, from 0: the same number gives the same subset.
    """
    return np.random.default_rng([SEED, number]).choice(examples, size, replace=False)


def intervals_of(folder: Path, size: int, numbers: Iterable[int]) -> Array:
    """Compute the intervals of some subsets, (subsets, keys, 3): see `benchmarks.printed`."""
    population = _opened(folder)
    examples = len(population.gold)
    factor = float(np.sqrt(1 - size / examples))  # drawn without replacement
    return np.array(
        [[*printed(population, subset_rows(examples, size, number), factor).values()] for number in numbers]
    )


@cache
def _opened(folder: Path) -> Population:
    torch.set_num_threads(1)  # there is a process for each core
    return read(folder)


def in_processes(folder: Path, size: int, subsets: int, processes: int) -> Iterator[Array]:
    """Compute the intervals of all subsets, some at a time, in the order of the subsets."""
    numbers = range(subsets)
    chunks = [numbers[start : start + AT_A_TIME] for start in range(0, subsets, AT_A_TIME)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(intervals_of, *zip(*((folder, size, chunk) for chunk in chunks), strict=True))


# ---------------------------------------------------------------- tables

COLUMNS = ("interval", "where", "truth", "coverage", "truth below", "truth above", "mean width", "zero width", "none")


def detailed(found: Sequence[Coverage]) -> Iterator[str]:
    """Yield a Markdown table with a line for each interval; coverage off target is bold."""
    yield from _header(COLUMNS, left=2)
    for line in found:
        covered = f"{line.covered:.1%}" if line.is_on_target else f"**{line.covered:.1%}**"
        shares = [covered, f"{line.below:.1%}", f"{line.above:.1%}"]
        ends = [f"{line.width:.4f}", f"{line.no_width:.1%}", f"{line.undefined:.1%}"]
        yield _line([line.key.kind, line.key.where, f"{line.truth:.4f}", *shares, *ends])


def summary(found: Sequence[Coverage]) -> Iterator[str]:
    """Yield a Markdown table with a line for each kind of interval."""
    yield from _header(("interval", "lines", "lowest", "mean", "highest", "zero width at most", "off target"), left=1)
    for kind in dict.fromkeys(line.key.kind for line in found):
        lines = [line for line in found if line.key.kind == kind]
        covered = [line.covered for line in lines]
        shares = [f"{share:.1%}" for share in (min(covered), np.mean(covered), max(covered))]
        no_width, off = max(line.no_width for line in lines), sum(not line.is_on_target for line in lines)
        yield _line([kind, str(len(lines)), *shares, f"{no_width:.1%}", str(off)])


def _header(titles: Sequence[str], left: int) -> Iterator[str]:
    yield _line(titles)
    yield _line(["---"] * left + ["--:"] * (len(titles) - left))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


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
    for name in ("subsets", "processes"):
        if getattr(options, name) < 1:
            raise PrunescopeError(f"{getattr(options, name)} {name}: choose at least 1")
    return options


def _report(stage: str, done: int, total: int) -> None:
    print(f"{stage}: {done} of {total}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, count and print both tables."""
    options = parse(arguments)
    folder = measured(f"embedded:{options.task}", options.task, options.data, _report)
    population = read(folder)
    examples, size = len(population.gold), options.examples
    if not 4 < size < examples:
        raise PrunescopeError(f"subsets of {size} of {examples} sentences: choose 5 to {examples - 1}")
    truth = printed(population, np.arange(examples))
    intervals = list[Array]()
    for chunk in in_processes(folder, size, options.subsets, options.processes):
        intervals.extend(chunk)  # each (keys, 3)
        _report("Subsets", len(intervals), options.subsets)
    stacked = np.stack(intervals)  # (subsets, keys, 3)
    print(
        "\n".join(page(truth, stacked, f"{options.task}: {options.subsets} subsets of {size} of {examples} sentences"))
    )
    return 0


def page(truth: Mapping[Key, Interval], intervals: Array, title: str) -> Iterator[str]:
    """Yield the title, both tables, and what has no truth to hold.

    Args:
        truth: What is printed for all sentences.
        intervals: (subsets, keys, 3), what is printed for the subsets.
        title: The first line.
    """
    found = {key: coverage(key, interval.value, intervals[:, k]) for k, (key, interval) in enumerate(truth.items())}
    known = [line for line in found.values() if line.truth == line.truth]
    kinds = {line.key.kind for line in known}
    unknown = [key for key, line in found.items() if line not in known]
    names = dict.fromkeys(f"{key.kind}, {key.where}" if key.kind in kinds else key.kind for key in unknown)
    yield from (title, "", *summary(known), "", *detailed(known))
    if names:
        yield from ("", f"Undefined on all sentences: {'; '.join(names)}")


if __name__ == "__main__":
    run_command(main)
