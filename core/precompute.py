"""`python -m core.precompute`: runs a sweep from the command line, also where its result exists.

Progress and time left go to standard error, the path of the result to standard output.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm  # in a notebook, a bar of its own

from core.command_line import OneLineParser, check_threads, importing, run_command
from core.errors import PrunescopeError
from core.findings import overview
from core.findings.data import reading_note
from core.request import catalog
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.sweep_request import TABLE_SUFFIXES, SweepRequest, checked, usual_scope
from core.request.tasks import AUTO, TASK_NAMES, usual_task
from core.results import store
from core.results.schema import SweepResult

if TYPE_CHECKING:
    from core.inputs.prepare import Inputs
    from core.sweep.runner import Progress


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.precompute", description=__doc__)
    add = parser.add_argument
    add("--checkpoint", required=True, help="ID[@REVISION] on the Hub, a folder, embedded:NAME or recipe:NAME")
    add("--against", metavar="CHECKPOINT", help="another one: its unpruned layers are compared with the pruned ones")
    add("--task", help=f"{', '.join(TASK_NAMES)} (default: a known checkpoint's own, else {AUTO}: from its labels)")
    add("--method", default="magnitude", help=", ".join(catalog.METHODS))
    add("--scope", help="encoder (default), all-linear, or layer:K with K from 0; weight methods only")
    add("--points", default="attention", help=", ".join(catalog.POINTS))
    add("--amounts", help="fractions in [0, 1), such as 0,0.1,0.2 (default: steps of 0.1 up to 0.9)")
    add("--examples", type=int, help=f"default: {catalog.DEFAULT_EXAMPLES}; of your own file at most half the rows")
    add("--seed", type=int, default=0, help="of pruning; the examples' seed is fixed")
    add("--control-of", help="the method whose allocation a random method follows (default: magnitude, attribution)")
    add("--measures", help=f"of {', '.join(catalog.MEASURES)} (default: {','.join(catalog.DEFAULT_MEASURES)})")
    add("--until-damage", type=float, help="stop after the amount at which 1 - the mean own CKA reaches this")
    add("--range-examples", default="subset", help="what the working range is judged on: subset (default) or all")
    add(
        "--data",
        help=f"written, hub, a folder in the Hub's GLUE layout, a file ({', '.join(TABLE_SUFFIXES)}), or "
        "hub:OWNER/NAME[/CONFIG][@REVISION] (default: written for embedded, else hub)",
    )
    add("--split", help="of hub:OWNER/NAME: the split that is evaluated (default: validation)")
    add(
        "--text",
        metavar="COLUMN",
        help="of a file or data set: holds the text (default: guessed where only one can be meant)",
    )
    add("--text2", metavar="COLUMN", help="of a file or data set: holds the second text of a pair")
    add(
        "--label",
        metavar="COLUMN",
        help="of a file or data set: holds the label (default: guessed where only one can be meant)",
    )
    add(
        "--label-map",
        nargs="+",
        action="extend",
        default=[],
        metavar="VALUE=LABEL",
        help="what each value of the label column means, unless it is a label's name; 'VALUE=' leaves their rows out",
    )
    add("--source-name", help="what the result calls the data")
    add("--threads", type=int, help="processor threads (default: PyTorch's)")
    add("--output", type=Path, help="FILE.json or a folder (default: the user's results)")
    return parser.parse_args(arguments)


def request_of(options: argparse.Namespace) -> SweepRequest:
    """Return the checked request of a command line.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    amounts = DEFAULT_AMOUNTS if options.amounts is None else options.amounts.split(",")
    return checked(
        SweepRequest(
            checkpoint=options.checkpoint,
            task=options.task or usual_task(options.checkpoint),
            method=options.method,
            scope=options.scope or usual_scope(options.method),
            points=options.points,
            amounts=parse_amounts(amounts),
            num_examples=options.examples,
            seed=options.seed,
            control_of=options.control_of,
            measures=catalog.DEFAULT_MEASURES if options.measures is None else tuple(options.measures.split(",")),
            until_damage=options.until_damage,
            range_examples=options.range_examples,
            data=options.data,
            source_name=options.source_name,
            split=options.split,
            text=_texts(options.text, options.text2),
            label=options.label,
            label_map=tuple(map(meaning, options.label_map)),
            against=options.against,
        )
    )


def _texts(first: str | None, second: str | None) -> tuple[str, ...]:
    if second is not None and first is None:
        raise PrunescopeError(f"--text2 {second} is the second text of a pair: name the first with --text")
    return tuple(name for name in (first, second) if name is not None)


def meaning(pair: str) -> tuple[str, str | None]:
    """Read one VALUE=LABEL of a label map.

    Raises:
        PrunescopeError: It has no equals sign.
    """
    value, sign, label = pair.rpartition("=")
    if not sign:
        raise PrunescopeError(f"label map: '{pair}' has no equals sign, write VALUE=LABEL")
    return value.strip(), label.strip() or None


@contextmanager
def downloads_shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error while something is downloaded; it takes (stage, bytes so far, total bytes)."""
    bars: list[tqdm] = []

    def report(stage: str, done: int, total: int) -> None:
        if not bars or bars[-1].total != total:  # another file
            bars.append(tqdm(desc=stage, total=total, unit="B", unit_scale=True, file=sys.stderr, dynamic_ncols=True))
        bars[-1].n = done
        bars[-1].refresh()

    try:
        yield report
    finally:
        for bar in bars:
            bar.close()


def compute(request: SweepRequest, threads: int | None) -> SweepResult:
    """Run the sweep of a checked request, with a progress bar on standard error.

    Args:
        request: A checked request.
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable, or they do not fit together.
    """
    inputs = find(request)
    if note := reading_note(inputs.subset.record()):
        print(note, file=sys.stderr)
    return run(request, inputs, threads)


def find(request: SweepRequest) -> "Inputs":
    """Find the inputs of a checked request, with a progress bar while something is downloaded.

    Raises:
        PrunescopeError: The checkpoint or the data is unavailable.
    """
    from core.inputs.prepare import prepare

    with downloads_shown() as report:
        return prepare(request, report)


def run(request: SweepRequest, inputs: "Inputs", threads: int | None = None) -> SweepResult:
    """Run a sweep with a progress bar, in a notebook one of its kind.

    Args:
        request: A checked request.
        inputs: Its inputs.
        threads: Processor threads; None leaves PyTorch's choice.

    Raises:
        PrunescopeError: The checkpoint cannot be loaded, or the parts do not fit together.
    """
    # After the checks that need no torch: bad input is refused without the seconds its import takes.
    with importing():
        import torch

        from core.encoder.loading import borrow
        from core.sweep.runner import Progress
        from core.sweep.sweep import sweep

    if threads is not None:
        torch.set_num_threads(threads)
    with (
        borrow(inputs.resolved) as checkpoint,
        closing(sweep(checkpoint, inputs, request)) as events,
        tqdm(desc=request.method, unit="batch", file=sys.stderr, dynamic_ncols=True) as bar,
    ):
        for event in events:
            if isinstance(event, Progress):
                _show(bar, event)
            if isinstance(event, SweepResult):
                bar.total = bar.n  # it may have stopped early, as it was asked to
                return event
    raise AssertionError("a sweep ends in its result")


def _show(bar: tqdm, progress: "Progress") -> None:
    """Move the bar of a sweep, whose stages may have different totals."""
    if bar.total != progress.total:
        bar.reset(progress.total)
    bar.n = progress.done
    bar.set_postfix_str(progress.stage, refresh=False)
    bar.update(0)


def warn(result: SweepResult) -> None:
    """Say on standard error what a result must not be read without."""
    if words := overview.caution(result):
        print(f"warning: {words}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute a result, save it and print its path."""
    options = parse(arguments)
    check_threads(options.threads)
    request = request_of(options)
    store.check_writable(options.output)
    result = compute(request, options.threads)
    warn(result)
    print(store.save(result, options.output))
    return 0


if __name__ == "__main__":
    run_command(main)
