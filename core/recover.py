"""`python -m core.recover RESULT`: train a result's pruned model again, with its zeros held.

The unpruned model is trained as long beside it. Frames on the way tell whether scores and
representations return. Progress and time left go to standard error, the path of the recovery to
standard output.
"""

import argparse
from pathlib import Path
from typing import Any

from core.command_line import (
    OneLineParser,
    importing,
    progress_shown,
    run_command,
    say,
    use_machine,
)
from core.results import store
from core.results.recovery import RECOVERY, Recovery
from core.results.schema import SweepResult
from core.sweep.origin import find_recovery


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.recover", description=__doc__)
    add = parser.add_argument
    add("result", type=Path, metavar="RESULT", help="the file of a sweep")
    add(
        "--amount",
        type=float,
        metavar="A",
        help="what to remove (default: the first amount beyond the working range)",
    )
    add(
        "--steps",
        type=int,
        default=RECOVERY.steps,
        metavar="N",
        help=f"of training (default: {RECOVERY.steps})",
    )
    add(
        "--seed",
        type=int,
        default=RECOVERY.seed,
        metavar="N",
        help="of the order of the rows (default: 0)",
    )
    parser.add_sources()
    add(
        "--train",
        metavar="FILE",
        help="rows to train on (default: the split for training, or what is not judged)",
    )
    add(
        "--save",
        type=Path,
        metavar="FOLDER",
        help="write the trained model, its zeros held, for plain transformers",
    )
    parser.add_machine()
    parser.add_output()
    return parser


def run(
    result: SweepResult, threads: int | None = None, device: str | None = None, **options: Any
) -> Recovery:
    """Find the inputs of a recovery (see `find_recovery`), and train, each with a progress bar.

    Args:
        result: The sweep.
        threads: See `use_machine`.
        device: See `use_machine`.
        options: Those of `find_recovery`, and `save`, the folder to write the trained model to.

    Raises:
        PrunescopeError: Bad input, or a number that is not finite.
    """
    folder = options.pop("save", None)
    with progress_shown() as report:
        inputs = find_recovery(result, report, **options)
    trained = len(inputs.rows.texts)
    judged = len(result.task.examples)
    say(f"{trained:,} rows to train on, {judged:,} to judge")
    with importing():  # only now, so that bad input is refused without waiting seconds for torch
        from core.encoder.loading import borrow
        from core.training.recovery import recover

    use_machine(threads, device)
    resolved = inputs.swept.resolved
    with borrow(resolved) as checkpoint, progress_shown("recover", "row") as report:
        recovery, model = recover(checkpoint, inputs, report)
    if folder:
        from core.exports.pruned_checkpoint import write_recovered

        write_recovered(recovery, model, resolved, folder)
    return recovery


def main(options: argparse.Namespace) -> None:
    """Make a recovery, save it and print its path."""
    values = vars(options)
    result = store.load(values.pop("result"))
    output = values.pop("output")
    store.check_writable(output)
    store.check_new(options.save)
    print(store.save(run(result, **values), output))


if __name__ == "__main__":
    run_command(make_parser(), main)
