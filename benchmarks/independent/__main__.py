"""`python -m benchmarks.independent`: compute results again, by other code, and print how far the engine's are from it.

The model, the scores, the masks and the statistics are written out here by their definitions and share nothing with
the engine. Each method is compared in three ways:

- *masks*: what the engine removes, with what float64 scores say;
- *end to end*: its numbers, with those of a float64 forward pass on the engine's masks, one unpadded example at a time;
- *exact*: its numbers from its own representations converted to float64, with the definitions applied to the same.

Exit code 0 if all is within tolerance, else 1.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence

import torch
from transformers.utils.logging import disable_progress_bar

from benchmarks.independent.agreement import (
    END_TO_END,
    EVERYTHING,
    EXACT,
    NEAR_TIE,
    ROUNDED,
    Agreement,
    Table,
    agreement,
)
from benchmarks.independent.masks import NEAR
from core.command_line import OneLineParser, check_threads, run_command
from core.request.amounts import amount_text, parse_amounts
from core.request.catalog import MEASURES, METHODS, POINTS, TASKS
from core.request.sweep_request import SweepRequest, checked, choose

CASES: Mapping[str, tuple[str, str | None]] = {
    "magnitude": ("magnitude", None),
    "wanda": ("wanda", None),
    "attribution": ("attribution", None),
    "attribution-residual": ("attribution-residual", None),
    "random": ("random", "magnitude"),
    "random-of-wanda": ("random", "wanda"),
    "random-neuron": ("random-neuron", "attribution"),
    "random-neuron-of-residual": ("random-neuron", "attribution-residual"),
}  # by the name on the command line: the method, and the one that it controls

COLUMNS = (("end to end", ("mean", "cls", "tokens")), ("exact", ("mean", "cls")))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.independent", description=__doc__)
    add = parser.add_argument
    add("--checkpoint", required=True, help="a BERT with safetensors: a folder, embedded:NAME or ID@REVISION")
    add("--data", required=True, help="a folder in the Hub's GLUE layout, written or hub")
    add("--task", default="sst2", help=", ".join(TASKS))
    add("--method", action="append", help=f"repeatable (default: all): {', '.join(CASES)}")
    add("--scope", default="encoder", help="of weight methods: encoder (default), all-linear or layer:K")
    add("--points", default="attention", help=", ".join(POINTS))
    add("--amounts", default="0.3,0.5,0.7", help="default: 0.3,0.5,0.7")
    add("--examples", type=int, default=64, help="default: 64; the time grows with the third power")
    add("--seed", type=int, default=0, help="of the random controls")
    add("--threads", type=int, help="processor threads (default: PyTorch's)")
    return parser.parse_args(arguments)


def request_of(options: argparse.Namespace, case: str) -> SweepRequest:
    """Return the checked request of one of CASES.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    method, controls = CASES[choose(case, CASES, "method")]
    return checked(
        SweepRequest(
            checkpoint=options.checkpoint,
            task=options.task,
            method=method,
            scope=options.scope if METHODS[method].granularity == "weight" else None,
            points=options.points,
            amounts=parse_amounts(options.amounts.split(",")),
            num_examples=options.examples,
            seed=options.seed,
            control_of=controls,
            measures=tuple(MEASURES),
            data=options.data,
        )
    )


def report(case: str, found: Agreement) -> Iterator[str]:
    """Write the lines of one method's comparison."""
    yield f"{case}: {'within tolerance' if found.holds else 'NOT within tolerance'}"
    for amount, mask in found.masks.items():
        yield (
            f"  mask at {amount_text(amount)}: of {mask.entries:,} entries {mask.near} differ next to the cut "
            f"(within {NEAR:g} of it) and {mask.far} elsewhere"
        )
    yield f"  predictions: {found.near_ties} differ where logits are within {NEAR_TIE:g}, and {found.changed} elsewhere"
    yield f"  divergence: {found.divergence:.1e} apart"
    reached = (f"{' '.join(map(amount_text, found.damages[name])) or 'none'} ({name})" for name in found.damages)
    yield f"  damages reached: {', '.join(reached)}"
    tables = (found.end_to_end, found.exact)
    yield f"  {'deviation of':<44}" + "".join(f"{title:>{10 * len(names)}}" for title, names in COLUMNS)
    yield f"  {'':<44}" + "".join(f"{name:>10}" for _, names in COLUMNS for name in names)
    for number in EVERYTHING:
        cells = [
            _cell(table, number, name) for table, (_, names) in zip(tables, COLUMNS, strict=True) for name in names
        ]
        if any(cells):
            yield f"  {number:<44}" + "".join(f"{cell or '-':>10}" for cell in cells)


def _cell(table: Table, number: str, reduction: str) -> str:
    value = table.get(number, {}).get(reduction)
    return "" if value is None else f"{value:.1e}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the methods and print a table of each.

    Returns:
        0 if all is within tolerance, else 1.
    """
    options = parse(arguments)
    check_threads(options.threads)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    disable_progress_bar()
    cases = options.method or list(CASES)
    requests = {case: request_of(options, case) for case in cases}  # refuses bad input before anything runs
    agrees = True
    for case, request in requests.items():
        found = agreement(request)
        print(*report(case, found), "", sep="\n", flush=True)
        agrees = agrees and found.holds
    print(f"tolerance: {END_TO_END:g} end to end, {EXACT:g} exact ({ROUNDED:g} replicates, which a result rounds)")
    return 0 if agrees else 1


if __name__ == "__main__":
    run_command(main)
