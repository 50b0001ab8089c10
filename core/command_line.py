"""What command lines share.

Bad input ends in one line and exit code 2; progress goes to standard error.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from traceback import print_exception
from typing import NoReturn

from tqdm.auto import tqdm  # in a notebook, a widget

from core.errors import OUT_OF_MEMORY, PrunescopeError, is_out_of_memory

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message without the usage and exit with 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help lists the options)\n")

    def add_threads(self) -> None:
        """Add the option for PyTorch's processor threads; see `use_threads`."""
        self.add_argument(
            "--threads", type=int, metavar="N", help="processor threads (default: PyTorch's)"
        )

    def add_machine(self) -> None:
        """Add the options for the threads and for the device; see `use_machine`."""
        self.add_threads()
        names = "auto, cpu, cuda, cuda:N or mps"
        usual = "default: $PRUNESCOPE_DEVICE, else auto: CUDA, else MPS, else cpu"
        self.add_argument("--device", metavar="NAME", help=f"{names} ({usual})")

    def add_output(self) -> None:
        """Add the option for where a result is written; see `core.results.store.save`."""
        self.add_argument(
            "--output", type=Path, help="FILE.json or a folder (default: the user's results)"
        )

    def add_sources(self) -> None:
        """Add the options for where a stored result's checkpoint and data are."""
        self.add_argument(
            "--checkpoint",
            metavar="ID|FOLDER",
            help="where the checkpoint is, if the result was computed on a folder",
        )
        self.add_argument(
            "--data",
            metavar="FOLDER|FILE|written|hub",
            help="where the data is, if it was a folder or a file",
        )


def say(line: str) -> None:
    """Print a line to standard error."""
    print(line, file=sys.stderr)


def use_threads(threads: int | None) -> None:
    """Set the number of PyTorch's processor threads, at least 1; None leaves PyTorch's choice."""
    if threads is not None:
        import torch

        torch.set_num_threads(max(threads, 1))


def use_machine(threads: int | None, device: str | None) -> None:
    """Set the number of threads, and the device that models run on; None changes nothing.

    Both are the process's, and no part of a request: a result has one key on every machine.
    """
    use_threads(threads)
    if device is not None:
        os.environ["PRUNESCOPE_DEVICE"] = device


@contextmanager
def importing() -> Iterator[None]:
    """Import large packages a fifth faster.

    Meanwhile nothing is garbage-collected, nor later among what they leave.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def progress_shown(work: str = "", unit: str = "B") -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on standard error, or in a notebook, as soon as there is progress.

    Args:
        work: The name of the bar; empty, it is the name of the stage.
        unit: The unit of progress; by default, the bytes of a download.

    Yields:
        A function that takes (stage, done, total).
    """
    with tqdm(
        file=sys.stderr,
        dynamic_ncols=True,
        delay=1,
        smoothing=0,
        unit=unit,
        unit_scale=not work,
    ) as bar:

        def report(stage: str, done: int, total: int) -> None:
            bar.set_description_str(work or stage, refresh=False)
            bar.set_postfix_str(stage if work else "", refresh=False)
            if bar.total != total:  # another stage
                bar.reset(total)
            bar.n = done
            bar.delay = 0
            bar.update(0)

        yield report
        if work:
            bar.total = bar.n  # the work may have stopped early, as requested


def run_command(
    parser: OneLineParser, main: Callable[[argparse.Namespace], int | None]
) -> NoReturn:
    """Run a command line and exit.

    The exit code is 2 after bad input, 130 after an interrupt, 1 after a bug, each with one line.

    Args:
        parser: Parses the process's arguments.
        main: Takes the options, and returns the exit code, None for 0.
    """
    try:
        sys.exit(main(parser.parse_args()))
    except PrunescopeError as error:
        line, code = f"error: {error}", BAD_INPUT
    except Exception as error:  # even a bug ends in one line
        line, code = f"error: {unforeseen(error)}", FAILED
    except KeyboardInterrupt:
        line, code = "interrupted: what was not finished was not written", INTERRUPTED
    say(line)
    sys.exit(code)


def unforeseen(error: Exception) -> str:
    """Return a line about an unexpected error, which names the log file with its traceback."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    with NamedTemporaryFile(
        "w", prefix="prunescope-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        print_exception(error, file=log)
    fault = f"stopped by an unexpected {type(error).__name__}"
    return f"{fault}, whose trace is in {log.name}: please report it"
