"""`python -m core.cut`: studies which layers of a checkpoint can go, also where its study exists.

It says how long it will take. Progress and time left go to standard error, the path of the study to standard output.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from core.command_line import OneLineParser, check_threads, importing, run_command
from core.precompute import add_options, progress_shown, request_of
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.cut import CutStudy
from core.results.library import entry_of, list_in, read_manifest

FIELDS = ("checkpoint", "task", "num_examples", "data", "split", "source_name", "text", "label", "label_map")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.cut", description=__doc__)
    add_options(parser, FIELDS)
    add = parser.add_argument
    add("--exhaustive", action="store_true", help="run all subsets, also of more than 8 layers (up to 12)")
    add("--manifest", type=Path, metavar="JSON", help="list the study there too, beside what it lists")
    return parser.parse_args(arguments)


def compute(request: SweepRequest, exhaustive: bool, threads: int | None) -> CutStudy:
    """Make the study of a checked request, with a progress bar on standard error.

    Args:
        request: Only its checkpoint and its examples count.
        exhaustive: Whether all subsets are run, of how many layers soever.
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or no study can be made of them.
    """
    from core.inputs.prepare import prepare_cut

    with progress_shown(unit="B", unit_scale=True) as report:
        inputs = prepare_cut(request, report)
    with importing():  # bad input is refused without the seconds its import takes
        import torch

        from core.encoder.loading import borrow
        from core.sweep.cuts import check_cut, seconds_of, study
        from core.sweep.runner import silent

    if threads is not None:
        torch.set_num_threads(threads)
    with borrow(inputs.resolved) as checkpoint:
        check_cut(checkpoint, inputs, exhaustive)
        seconds = seconds_of(checkpoint, inputs, exhaustive, silent)
        print(f"about {tqdm.format_interval(seconds)} to run", file=sys.stderr)
        with progress_shown("cut", unit="layer") as report:
            return study(checkpoint, inputs, report, exhaustive=exhaustive)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study, save it and print its path."""
    options = parse(arguments)
    check_threads(options.threads)
    request = request_of(options)
    store.check_writable(options.output)
    if options.manifest:  # before the work
        read_manifest(options.manifest)
    found = compute(request, options.exhaustive, options.threads)
    path = store.save(found, options.output)
    if options.manifest:
        list_in(options.manifest, [entry_of(found)])
    print(path)
    return 0


if __name__ == "__main__":
    run_command(main)
