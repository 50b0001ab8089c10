"""`python -m core.precompute`: run a sweep from the command line, even if its result exists.

Progress and time left go to standard error, the path of the result to standard output.
"""

import argparse

from core.command_line import (
    OneLineParser,
    importing,
    progress_shown,
    run_command,
    say,
    use_machine,
)
from core.findings.words.lab import caution, reading_note
from core.inputs.prepare import Inputs, prepare
from core.request.scope import scope_of
from core.request.sweep_request import SweepRequest, add_options, request_in
from core.results import store
from core.results.schema import SweepResult


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.precompute", description=__doc__)
    add_options(parser, SweepRequest)
    layers = "prune one layer alone, such as 2, or a run such as 1-3; layers count from 1"
    parser.add_argument("--layers", dest="scope", type=scope_of, metavar="A-B", help=layers)
    parser.add_machine()
    parser.add_output()
    return parser


def find(request: SweepRequest) -> Inputs:
    """Find the inputs of a checked request, with a progress bar during a download.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable.
    """
    with progress_shown() as report:
        return prepare(request, report)


def run(inputs: Inputs) -> SweepResult:
    """Run a sweep with a progress bar, and print the caveats about its result.

    Raises:
        PrunescopeError: The checkpoint cannot be loaded, or the parts do not fit together.
    """
    with importing():  # only now, so that bad input is refused without waiting seconds for torch
        from core.encoder.loading import borrow
        from core.sweep.sweep import sweep

    request = inputs.request
    with borrow(inputs.resolved) as checkpoint, progress_shown(request.method, "batch") as report:
        result = sweep(checkpoint, inputs, report)
    warning = caution(result)
    if warning:
        say(f"warning: {warning}")
    return result


def main(options: argparse.Namespace) -> None:
    """Compute a result, save it and print its path."""
    request = request_in(options, SweepRequest)
    store.check_writable(options.output)
    inputs = find(request)
    task = inputs.subset.record
    note = reading_note(task)
    if task.guessed:
        note += " Name other columns with --text and --label."
    if note:
        say(note)
    use_machine(options.threads, options.device)
    print(store.save(run(inputs), options.output))


if __name__ == "__main__":
    run_command(make_parser(), main)
