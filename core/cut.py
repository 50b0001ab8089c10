"""`python -m core.cut`: studies how many of a checkpoint's upper layers can go, even if its study exists.

What remains is refitted on rows that judge nothing. Progress and time left go to standard error, the path of the study
to standard output.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.command_line import OneLineParser, importing, progress_shown, run_command, use_machine
from core.errors import PrunescopeError, first_few
from core.findings.cut import frontier_of, lead
from core.findings.words.cut import cut_finding
from core.findings.words.lab import division_words
from core.inputs.cut_rows import CutInputs, prepare_cut
from core.request.cut_request import CutRequest
from core.request.pages import LOSS
from core.request.sweep_request import add_options, request_in
from core.results import store
from core.results.cut import CutStudy


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.cut", description=__doc__)
    add_options(parser, CutRequest)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--keep", type=int, metavar="K", help="save the lowest K layers, whatever they lose"
    )
    words = f"save the fastest cut that is shown to lose at most N points (default: {100 * float(LOSS.default):g})"
    choice.add_argument("--at-most", type=float, metavar="N", help=words)
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FOLDER",
        help="write the smaller model, for plain transformers",
    )
    parser.add_machine()
    parser.add_argument(
        "--output", type=Path, help="FILE.json or a folder (default: the user's results)"
    )
    return parser.parse_args(arguments)


def find(request: CutRequest, options: argparse.Namespace) -> CutInputs:
    """Find the inputs of a checked request, and refuse what cannot be saved before any work.

    Raises:
        PrunescopeError: The checkpoint, the rows or the places are unavailable.
    """
    store.check_new(options.save)
    if options.at_most is not None and not 0 <= options.at_most <= 100:
        raise PrunescopeError(f"--at-most {options.at_most:g}: give points of the score, 0 to 100")
    store.check_writable(options.output)
    with progress_shown(unit="B", unit_scale=True) as report:
        inputs = prepare_cut(request, report)
    if options.keep is not None and options.keep not in inputs.depths:
        depths = first_few([*map(str, inputs.depths)], 12)
        raise PrunescopeError(
            f"--keep {options.keep} is no depth of this study: choose one of {depths}"
        )
    return inputs


def chosen(study: CutStudy, options: argparse.Namespace) -> int:
    """Return how many layers stay of the model to save.

    Raises:
        PrunescopeError: No depth is shown to keep the limit.
    """
    if options.keep is not None:
        return int(options.keep)
    frontier, most = (
        frontier_of(study),
        float(LOSS.default) if options.at_most is None else options.at_most / 100,
    )
    choice, outcome = lead(frontier, most)
    if outcome != "keeps" and (options.save or options.at_most is not None):
        raise PrunescopeError(cut_finding(frontier, most).heading)
    print(cut_finding(frontier, most).heading, file=sys.stderr)
    return choice.depth.layers


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a study, save it and print its path."""
    options = parse(arguments)
    inputs = find(request_in(options, CutRequest), options)
    print(division_words(inputs.division), file=sys.stderr)
    with importing():  # only now, so that bad input is refused without waiting seconds for torch
        from core.encoder.loading import borrow
        from core.exports.pruned_checkpoint import write_cut
        from core.training.cut_study import study

    use_machine(options.threads, options.device)
    with borrow(inputs.resolved) as checkpoint, progress_shown("cut", unit="step") as report:
        whole = study(checkpoint, inputs, report)
    left, path = chosen(whole, options), store.save(whole, options.output)
    if options.save:
        with progress_shown("save", unit="step") as report:
            write_cut(whole, left, inputs, report, options.save)
    print(path)
    return 0


if __name__ == "__main__":
    run_command(main)
