"""`python -m core.cut`: studies which layers of a checkpoint can go, even if its study exists.

Progress and time left go to standard error, the path of the study to standard output.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from core.command_line import OneLineParser, importing, run_command, use_threads
from core.errors import PrunescopeError
from core.inputs.prepare import prepare_cut
from core.precompute import add_options, progress_shown, request_of
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.cut import SHARES, CutStudy
from core.results.library import entry_of, list_in, read_manifest

FIELDS = ("checkpoint", "task", "num_examples", "data", "split", "source_name", "text", "label", "label_map")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.cut", description=__doc__)
    add_options(parser, FIELDS)
    add = parser.add_argument
    add("--exhaustive", action="store_true", help="run all subsets, also of more than 8 layers (up to 12)")
    add("--measure", action="store_true", help="narrower feed-forward parts as well; measure size and speed here")
    add("--save", type=Path, metavar="FOLDER", help="write the smaller model chosen there, for plain transformers")
    add("--layers", type=int, metavar="N", help="how many layers it keeps (default: all)")
    add("--width", type=float, choices=SHARES, help="the share of its feed-forward units that is removed")
    add("--manifest", type=Path, metavar="JSON", help="list the study there too, beside what it lists")
    return parser.parse_args(arguments)


def compute(request: SweepRequest, options: argparse.Namespace) -> CutStudy:
    """Make the study of a checked request, with a progress bar on standard error.

    Args:
        request: Only its checkpoint and its examples count.
        options: Those of the command line that are no part of a request.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or no study can be made of them.
    """
    with progress_shown(unit="B", unit_scale=True) as report:
        inputs = prepare_cut(request, report)
    with importing():  # bad input is refused without the seconds its import takes
        from core.encoder.loading import borrow
        from core.sweep.cuts import study

    use_threads(options.threads)
    how = {"exhaustive": options.exhaustive, "measured": options.measure or options.width is not None}
    with borrow(inputs.resolved) as checkpoint:
        depth = checkpoint.record.num_layers
        if options.layers is not None and not 1 <= options.layers <= depth:
            raise PrunescopeError(f"--layers {options.layers}: the checkpoint has {depth} layers, choose 1 to {depth}")
        with progress_shown("cut", unit="layer") as report:
            return study(checkpoint, inputs, report, **how)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study, save it and print its path."""
    options = parse(arguments)
    request = request_of(options)
    if options.layers is not None and not options.save:
        raise PrunescopeError(f"--layers {options.layers} says what --save writes: give --save FOLDER as well")
    store.check_writable(options.output)
    if options.manifest:  # before the work
        read_manifest(options.manifest)
    if (folder := options.save) and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PrunescopeError(f"--save {folder} exists and is not an empty folder: choose another one")
    found = compute(request, options)
    path = store.save(found, options.output)
    if folder:
        from core.exports.pruned_checkpoint import write_cut

        left = options.layers or found.checkpoint.num_layers
        write_cut(found, left, options.width or 0.0, request.checkpoint, lambda *_: None, folder)
    if options.manifest:
        list_in(options.manifest, [entry_of(found)])
    print(path)
    return 0


if __name__ == "__main__":
    run_command(main)
