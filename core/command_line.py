"""What the command lines share: one clear line for bad input, exit code 2, and progress on standard error."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from core.errors import PrunescopeError

BAD_INPUT = 2
INTERRUPTED = 130
MAX_THREADS = 1024


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        """Prints the message without the usage and exits with 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help lists what there is)\n")


def check_threads(threads: int | None) -> None:
    """Refuses a number of threads that PyTorch would choke on.

    Args:
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: Out of bounds.
    """
    if threads is not None and not 1 <= threads <= MAX_THREADS:
        raise PrunescopeError(f"{threads} threads: choose 1 to {MAX_THREADS}")


def run_command(main: Callable[[Sequence[str] | None], int]) -> NoReturn:
    """Runs a command line and exits: 2 after bad input, 130 after an interrupt, both with one line.

    Args:
        main: Takes the arguments (None: those of the process) and returns the exit code.
    """
    # Before any model library is imported: their bars and notices would hide ours.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        code = main(None)
    except PrunescopeError as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
