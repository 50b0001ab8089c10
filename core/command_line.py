"""Shared by the command lines: bad input ends in one clear line and exit code 2; progress goes to standard error."""

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from traceback import format_exception
from typing import NoReturn

from core.errors import OUT_OF_MEMORY, PrunescopeError, is_out_of_memory

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes
MAX_THREADS = 1024


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message without the usage and exit with 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help lists the options)\n")

    def add_threads(self) -> None:
        """Add the option of how many processor threads PyTorch may use; see `use_threads`."""
        self.add_argument("--threads", type=_threads, metavar="N", help="processor threads (default: PyTorch's)")


def _threads(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_THREADS:
        raise argparse.ArgumentTypeError(f"{text[:20]} threads: choose 1 to {MAX_THREADS}")
    return int(text)


def use_threads(threads: int | None) -> None:
    """Let PyTorch use so many processor threads; None leaves the choice to PyTorch."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


@contextmanager
def importing() -> Iterator[None]:
    """Import large packages in a fifth less time: Python looks for no garbage among what they leave, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def run_command(main: Callable[[Sequence[str] | None], int]) -> NoReturn:
    """Run a command line and exit with one line: 2 after bad input, 130 after an interrupt, 1 after a fault of ours.

    Args:
        main: Takes the arguments, None for those of the process, and returns the exit code.
    """
    try:
        code = main(None)
    except PrunescopeError as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    except Exception as error:  # the last resort: a reader of a terminal gets one line all the same
        print(f"error: {unforeseen(error)}", file=sys.stderr)
        code = FAILED
    except KeyboardInterrupt:
        print("interrupted: what was not finished was not written", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)


def unforeseen(error: Exception) -> str:
    """Say what stopped a command, and where the trace is."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    with NamedTemporaryFile("w", prefix="prunescope-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write("".join(format_exception(error)))
    return f"stopped by an unexpected {type(error).__name__}, whose trace is in {log.name}: please report it"
