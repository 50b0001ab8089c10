"""`python -m core.verify RESULT`: recompute frames by our engine and by torch-cka.

Prints how far the stored frames deviate.

Exit code 0 if all are within tolerance, 1 if one is not.
"""

import argparse
from pathlib import Path

from core.command_line import FAILED, OneLineParser, importing, run_command, use_machine
from core.request.amounts import amount_text
from core.results import store
from core.sweep.origin import frame_of


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.verify", description=__doc__)
    add = parser.add_argument
    add("result", type=Path, metavar="RESULT", help="a result file")
    what = "one of its amounts, repeatable (default: first, middle, last)"
    add("--amount", action="append", type=float, metavar="A", help=what)
    parser.add_sources()
    parser.add_machine()
    return parser


def main(options: argparse.Namespace) -> int:
    """Verify frames of one result and print a table.

    Returns:
        0 if all deviations are within tolerance, else 1.
    """
    result = store.load(options.result)
    stored = result.amounts
    usual = dict.fromkeys((stored[0], stored[len(stored) // 2], stored[-1]))
    # An amount that is not stored is refused before the work.
    amounts = [frame_of(result, amount).amount for amount in options.amount or usual]
    with importing():  # only now, so that --help and bad input do not wait seconds for torch
        from core.sweep import recompute

    use_machine(options.threads, options.device)
    confirmed = True
    for place, amount in enumerate(amounts):
        deviations = recompute.verify_frame(result, amount, options.checkpoint, options.data)
        if place == 0:  # only now, so that nothing is printed before an error
            print(f"{'amount':<9} {'deviation of':<36}{'engine':>8}{'torch-cka':>11}")
        rows = [
            (f"CKA, {name}", ours, f"{deviations.torch_cka[name]:.1e}")
            for name, ours in deviations.engine.items()
        ]
        others = {**deviations.others, "accuracy": deviations.accuracy}
        rows += [(name, ours, "-") for name, ours in others.items()]
        for name, ours, theirs in rows:
            print(f"{amount_text(amount):<9} {name:<36}{ours:>8.1e}{theirs:>11}", flush=True)
        confirmed &= deviations.within_tolerance
    engine, torch_cka, changed = recompute.TOLERANCES[deviations.cause]
    print(
        f"{'all within' if confirmed else 'NOT all within'} tolerance: "
        f"{engine:g} engine, {torch_cka:g} torch-cka, "
        f"{engine * recompute.FLOOR_FACTOR:g} floor, {changed:g} of predictions"
        f"{deviations.cause and f' (the result was computed {deviations.cause})'}"
    )
    return 0 if confirmed else FAILED


if __name__ == "__main__":
    run_command(make_parser(), main)
