"""`python -m core.grid FILE.yaml`: run all sweeps of a grid (see docs/grids.md).

Existing results are kept, so an interrupted grid goes on where it stopped. A sweep that fails is
reported at the end, while the others go on. Progress and time left go to standard error, a table of
all results to standard output. Exit code 1: some sweeps have failed.
"""

import argparse
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from core.command_line import (
    FAILED,
    INTERRUPTED,
    OneLineParser,
    importing,
    progress_shown,
    run_command,
    say,
    use_machine,
)
from core.findings.words import numbered
from core.findings.words.grid import GridRow, arranged, grid_rows, grid_table
from core.findings.words.numbers import duration
from core.inputs.forecast import timed
from core.request.controls import likely_amounts
from core.request.grid_file import read_grid
from core.results import store
from core.results.library import Entry, entry_of, extracts, list_in, read_manifest
from core.results.names import amount_name
from core.results.provenance import command_line
from core.results.schema import SweepResult
from core.sweep.grid_plan import Failure, GridSweep, plan_grid


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.grid", description=__doc__)
    add = parser.add_argument
    add("file", type=Path, metavar="FILE.yaml", help="what to run")
    add(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where results are kept (default: the user's results)",
    )
    what = "what a name of data in the file means"
    add(
        "--data",
        nargs="+",
        action="extend",
        type=_place,
        default=[],
        metavar="NAME=PATH",
        help=what,
    )
    add(
        "--manifest",
        type=Path,
        metavar="JSON",
        help="list the results there too, beside what it lists",
    )
    parser.add_machine()
    add(
        "--plan",
        action="store_true",
        help="download what is missing, say how long the sweeps will take, and run none",
    )
    return parser


def _place(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=PATH")
    return name, path


def main(options: argparse.Namespace) -> int:
    """Forecast a grid's time, run its missing sweeps, list its results and print their table."""
    requests = read_grid(options.file)
    store.check_writable(options.output)
    if options.manifest:  # refused before hours of work
        read_manifest(options.manifest)
        store.check_writable(options.manifest.absolute().parent)
    with progress_shown() as report:
        sweeps, failures = plan_grid(requests, dict(options.data), options.output, report)
    missing = [sweep for sweep in sweeps if not sweep.is_done]
    count = len(sweeps) + len(failures)
    say(f"{numbered(count, 'sweep')}, {len(sweeps) - len(missing)} there already")
    interrupted = False
    try:
        if missing:
            failures += _run(missing, options)
    except KeyboardInterrupt:
        interrupted = True
    if not options.plan:
        failures += _finish([sweep for sweep in sweeps if sweep.is_done], options.manifest)
    for request, reason in failures:
        say(f"failed: {command_line(request)}: {reason}")
    if interrupted:
        say("interrupted: what is finished is kept, and the same command goes on from there")
        return INTERRUPTED
    return FAILED if failures else 0


def _run(sweeps: Sequence[GridSweep], options: argparse.Namespace) -> list[Failure]:
    """Forecast the time of sweeps, and run them under one bar; return those that failed."""
    use_machine(options.threads, options.device)
    seconds, is_rough = timed(sum(sweep.work for sweep in sweeps))
    say(f"{len(sweeps)} to run: {'roughly' if is_rough else 'about'} {duration(seconds)}")
    if options.plan:
        return []
    with importing():  # only now, so that a bad file is refused without waiting seconds for torch
        from core.encoder.device import chosen_device
        from core.sweep.grid_run import run_grid

    chosen_device()  # refused once, not by every sweep
    failures: list[Failure] = []
    total = sum(likely_amounts(sweep.request) for sweep in sweeps)
    done = ended = 0
    with progress_shown("grid", "amount") as report:

        def advance(sweep: GridSweep, amount: float) -> None:
            nonlocal done
            done += 1
            report(f"{sweep.request.method}: {amount_name(amount)} removed", done, total)

        for sweep, fault in run_grid(sweeps, advance):
            ended += likely_amounts(sweep.request)
            done = ended
            report(sweep.request.method, done, total)
            if fault:
                failures.append((sweep.listed, fault))
    return failures


def _finish(sweeps: Sequence[GridSweep], manifest: Path | None) -> list[Failure]:
    """Print the table of stored results, and list them in a manifest; return the damaged ones."""
    rows: list[GridRow] = []
    entries: list[Entry] = []
    failures: list[Failure] = []
    # Sweeps of the same inputs are judged beside each other.
    for _, group in groupby(sweeps, key=lambda sweep: sweep.inputs):
        results = []
        for sweep in group:
            (extract,) = extracts([store.state_of(sweep.path)]).values()
            if isinstance(extract, SweepResult):
                results.append(extract)
            else:
                failures.append((sweep.listed, f"{extract} (delete the file first)"))
        entries += map(entry_of, results)
        rows += grid_rows(results)
    if manifest:
        list_in(manifest, entries)
    if rows:
        import pandas as pd  # only now: --help does without

        print(pd.DataFrame(grid_table(arranged(rows))).to_string(index=False))
    return failures


if __name__ == "__main__":
    run_command(make_parser(), main)
