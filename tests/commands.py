"""Commands inside this process."""

import shlex
from types import ModuleType

from core import precompute
from core.request.sweep_request import SweepRequest, request_in


def call(command: ModuleType, line: str) -> int | None:
    """Run a command with a line of arguments; return its exit code, None for 0."""
    code: int | None = command.main(command.make_parser().parse_args(shlex.split(line)))
    return code


def asked(line: str) -> SweepRequest:
    """Return the request of a sweep's command line."""
    words = shlex.split(line, comments=True)
    options = precompute.make_parser().parse_args(words)
    return request_in(options, SweepRequest)
