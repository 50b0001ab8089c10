"""`python -m core.precompute`: runs a sweep from the command line, also where its result exists.

Progress and time left go to standard error, the path of the result to standard output.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm  # in a notebook, a bar of its own

from core.command_line import OneLineParser, check_threads, importing, run_command
from core.errors import PrunescopeError
from core.findings.words.lab import reading_note
from core.findings.words.overview import caution
from core.request.sweep_request import SweepRequest, flag_of, option_help
from core.results import store
from core.results.schema import SweepResult

if TYPE_CHECKING:
    from core.inputs.prepare import Inputs


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.precompute", description=__doc__)
    add_options(parser, option_help())
    return parser.parse_args(arguments)


def add_options(parser: argparse.ArgumentParser, fields: Iterable[str]) -> None:
    """Add the options of some fields of a request, and those that every command has which leaves a result."""
    words = option_help()
    for name in fields:
        several: dict[str, Any] = {"nargs": "+", "action": "extend"} if name == "label_map" else {}
        parser.add_argument(flag_of(name), dest=name, help=words[name], required=name == "checkpoint", **several)
    parser.add_argument("--text2", metavar="TEXT", help="column that holds the second text of a pair")
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    parser.add_argument("--output", type=Path, help="FILE.json or a folder (default: the user's results)")


def request_of(options: argparse.Namespace) -> SweepRequest:
    """Return the checked request of a command line.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    if options.text2 is not None and options.text is None:
        raise PrunescopeError(f"--text2 {options.text2} is the second text of a pair: name the first with --text")
    texts = [name for name in (options.text, options.text2) if name is not None]
    return SweepRequest.from_json({**vars(options), "text": texts})


@contextmanager
def progress_shown(work: str | None = None, **options: Any) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error, in a notebook by a bar of its kind.

    Args:
        work: What the only bar is called; None shows one for each download.
        options: Of the bar.

    Yields:
        What takes (stage, done, total).
    """
    bars: list[tqdm] = []

    def report(stage: str, done: int, total: int) -> None:
        if not bars or (work is None and bars[-1].total != total):  # another file
            bars.append(tqdm(desc=work or stage, total=total, file=sys.stderr, dynamic_ncols=True, **options))
        if bars[-1].total != total:  # another stage
            bars[-1].reset(total)
        bars[-1].n = done
        if work:
            bars[-1].set_postfix_str(stage, refresh=False)
        bars[-1].update(0)

    try:
        yield report
        if work and bars:
            bars[-1].total = bars[-1].n  # it may have stopped early, as it was asked to
    finally:
        for bar in bars:
            bar.close()


def compute(request: SweepRequest, threads: int | None) -> SweepResult:
    """Run the sweep of a checked request, with a progress bar on standard error.

    Args:
        request: A checked request.
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or they do not fit together.
    """
    inputs = find(request)
    if note := reading_note(inputs.subset.record):
        print(note, file=sys.stderr)
    return run(request, inputs, threads)


def find(request: SweepRequest) -> "Inputs":
    """Find the inputs of a checked request, with a progress bar while something is downloaded.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable.
    """
    from core.inputs.prepare import prepare

    with progress_shown(unit="B", unit_scale=True) as report:
        return prepare(request, report)


def run(request: SweepRequest, inputs: "Inputs", threads: int | None = None) -> SweepResult:
    """Run a sweep with a progress bar, in a notebook one of its kind.

    Args:
        request: A checked request.
        inputs: Its inputs.
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: The checkpoint cannot be loaded, or the parts do not fit together.
    """
    # After the checks that need no torch: bad input is refused without the seconds its import takes.
    with importing():
        import torch

        from core.encoder.loading import borrow
        from core.sweep.sweep import sweep

    if threads is not None:
        torch.set_num_threads(threads)
    with borrow(inputs.resolved) as checkpoint, progress_shown(request.method, unit="batch") as report:
        return sweep(checkpoint, inputs, request, report)


def warn(result: SweepResult) -> None:
    """Say on standard error what a result must not be read without."""
    if words := caution(result):
        print(f"warning: {words}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute a result, save it and print its path."""
    options = parse(arguments)
    check_threads(options.threads)
    request = request_of(options)
    store.check_writable(options.output)
    result = compute(request, options.threads)
    warn(result)
    print(store.save(result, options.output))
    return 0


if __name__ == "__main__":
    run_command(main)
