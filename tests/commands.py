"""Commands inside this process."""

from types import ModuleType

from core import precompute
from core.request.sweep_request import SweepRequest, request_in


def call(command: ModuleType, *words: object) -> int | None:
    """Run a command with arguments; return its exit code, None for 0."""
    code: int | None = command.main(command.make_parser().parse_args([*map(str, words)]))
    return code


def asked(*words: object) -> SweepRequest:
    """Return the request of a sweep's command line."""
    options = precompute.make_parser().parse_args([*map(str, words)])
    return request_in(options, SweepRequest)
