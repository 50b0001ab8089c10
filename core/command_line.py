"""Shared by the command lines: bad input ends in one clear line and exit code 2; progress goes to standard error."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from core.errors import PrunescopeError

BAD_INPUT = 2  # exit codes
INTERRUPTED = 130
MAX_THREADS = 1024


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message without the usage and exit with 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help lists the options)\n")


def check_threads(threads: int | None) -> None:
    """Refuse a number of processor threads that PyTorch cannot use; None leaves the choice to PyTorch.

    Raises:
        PrunescopeError: The number is out of bounds.
    """
    if threads is not None and not 1 <= threads <= MAX_THREADS:
        raise PrunescopeError(f"{threads} threads: choose 1 to {MAX_THREADS}")


def run_command(main: Callable[[Sequence[str] | None], int]) -> NoReturn:
    """Run a command line and exit: with 2 after bad input, with 130 after an interrupt, each with one line.

    Args:
        main: Takes the arguments, None for those of the process, and returns the exit code.
    """
    # Before any model library is imported: its progress bars would hide ours.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        code = main(None)
    except PrunescopeError as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted: what was not finished was not written", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
