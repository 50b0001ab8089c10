"""`python -m core.cut`: study how many upper layers of a checkpoint can go, even if a study exists.

What remains is refitted on rows that judge nothing. Progress and time left go to standard error,
the path of the study to standard output.
"""

import argparse
from pathlib import Path

from core.command_line import (
    OneLineParser,
    importing,
    progress_shown,
    run_command,
    say,
    use_machine,
)
from core.errors import PrunescopeError, first_few
from core.findings.cut import frontier_of, lead
from core.findings.words.cut import cut_finding
from core.findings.words.lab import division_words
from core.inputs.cut_rows import prepare_cut
from core.request.cut_request import CutRequest
from core.request.pages import LOSS
from core.request.sweep_request import add_options, request_in
from core.results import store
from core.results.cut import CutStudy


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.cut", description=__doc__)
    add_options(parser, CutRequest)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--keep", type=int, metavar="K", help="save the lowest K layers, whatever they lose"
    )
    words = "save the fastest cut that is shown to lose at most N points"
    usual = f"(default: {100 * float(LOSS.default):g})"
    choice.add_argument("--at-most", type=float, metavar="N", help=f"{words} {usual}")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FOLDER",
        help="write the smaller model, for plain transformers",
    )
    parser.add_machine()
    parser.add_output()
    return parser


def chosen(study: CutStudy, options: argparse.Namespace) -> int:
    """Return how many layers stay of the model to save.

    Raises:
        PrunescopeError: No depth is shown to keep the limit.
    """
    if options.keep is not None:
        return int(options.keep)
    frontier = frontier_of(study)
    most = float(LOSS.default)
    if options.at_most is not None:
        most = options.at_most / 100
    choice, outcome = lead(frontier, most)
    heading = cut_finding(frontier, most).heading
    if outcome != "keeps" and (options.save or options.at_most is not None):
        raise PrunescopeError(heading)
    say(heading)
    return choice.depth.layers


def main(options: argparse.Namespace) -> None:
    """Make a study, save it and print its path; refuse before any work what cannot be saved.

    Raises:
        PrunescopeError: The limit is out of bounds, the checkpoint, the rows or the places are
            unavailable, or no depth keeps the limit.
    """
    request = request_in(options, CutRequest)
    if options.at_most is not None and not 0 <= options.at_most <= 100:
        raise PrunescopeError(f"--at-most {options.at_most:g}: give points of the score, 0 to 100")
    store.check_new(options.save)
    store.check_writable(options.output)
    with progress_shown() as report:
        inputs = prepare_cut(request, report)
    if options.keep is not None and options.keep not in inputs.depths:
        depths = first_few([*map(str, inputs.depths)], 12)
        fault = f"--keep {options.keep} is no depth of this study"
        raise PrunescopeError(f"{fault}: choose one of {depths}")
    say(division_words(inputs.division))
    with importing():  # only now, so that bad input is refused without waiting seconds for torch
        from core.encoder.loading import borrow
        from core.exports.pruned_checkpoint import write_cut
        from core.training.cut_study import study

    use_machine(options.threads, options.device)
    with borrow(inputs.resolved) as checkpoint, progress_shown("cut", "step") as report:
        cuts = study(checkpoint, inputs, report)
    left = chosen(cuts, options)
    path = store.save(cuts, options.output)
    if options.save:
        with progress_shown("save", "step") as report:
            write_cut(cuts, left, inputs, report, options.save)
    print(path)


if __name__ == "__main__":
    run_command(make_parser(), main)
