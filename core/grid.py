"""`python -m core.grid --data GLUE`: computes every shipped result that is missing, and writes the manifest.

GLUE is a folder in the Hub's layout. Results that are there already are kept, so that an interrupted run goes on;
`--fresh` computes all of them again.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.command_line import OneLineParser, run_command
from core.inputs.prepare import prepare
from core.precompute import compute
from core.request.amounts import FINE_AMOUNTS
from core.request.catalog import EMBEDDED, METHODS, TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.library import MANIFEST, Entry, entry_of, write_manifest
from core.results.provenance import command_line

SEEDS = (0, 1, 2)
GLUE = "glue"  # what the manifest's commands call the data folder
ISOLATED_AMOUNTS = (0.0, 0.5, 0.9)
NUM_LAYERS = 6  # of every embedded checkpoint
CLOSE_UPS = ("sst2", "cola")  # the tasks of the published heatmaps: also at both points, and each layer alone
SOURCE_NAMES = {
    "qnli": "GLUE's QNLI, cut from its development set, rows renumbered",
    "qqp": "GLUE's QQP, cut from its training set, rows renumbered; the pretrained checkpoint knew Quora duplicates",
}
WRITTEN_METHODS = ("magnitude", "random", "attribution", "random-neuron")


def requests(task: str) -> Iterator[SweepRequest]:
    """Lists what is shipped of a task.

    Args:
        task: A task with an embedded checkpoint.
    """
    glue = SweepRequest(
        EMBEDDED[task].id,
        task,
        amounts=FINE_AMOUNTS,
        data=GLUE,
        source_name=SOURCE_NAMES.get(task, TASKS[task].dataset_id),
    )
    for method in METHODS:
        yield from _seeds(_with_method(glue, method))
    yield replace(glue, scope="all-linear")
    written = replace(glue, data="written", source_name=None)
    for method in WRITTEN_METHODS:
        yield from _seeds(_with_method(written, method))
    if task in CLOSE_UPS:
        yield replace(glue, points="both")
        for points in ("attention", "both"):
            for layer in range(NUM_LAYERS):
                yield replace(glue, points=points, scope=f"layer:{layer}", amounts=ISOLATED_AMOUNTS)


def _with_method(request: SweepRequest, method: str) -> SweepRequest:
    return replace(request, method=method, scope="encoder" if METHODS[method].granularity == "weight" else None)


def _seeds(request: SweepRequest) -> Iterator[SweepRequest]:
    for seed in SEEDS if METHODS[request.method].seeded else SEEDS[:1]:
        yield replace(request, seed=seed)


def entry(request: SweepRequest, data: Path, output: Path, fresh: bool) -> Entry:
    """Makes sure that a request's result is there.

    Args:
        request: From `requests`.
        data: The folder that GLUE stands for.
        output: Where results lie.
        fresh: Computes it even if it is there.

    Returns:
        Its entry in the manifest.
    """
    command = command_line(request)
    asked = checked(replace(request, data=str(data) if request.data == GLUE else request.data))
    path = output / f"{prepare(asked).key}.json"
    if fresh or not path.is_file():
        store.save(compute(asked, None), output)
    return entry_of(store.load(path), command)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = OneLineParser(prog="python -m core.grid", description=__doc__)
    parser.add_argument("--data", required=True, type=Path, metavar="GLUE", help="folder in the Hub's GLUE layout")
    parser.add_argument("--tasks", nargs="+", choices=list(EMBEDDED), default=list(EMBEDDED), help="default: all")
    parser.add_argument("--fresh", action="store_true", help="compute what is there already as well")
    parser.add_argument("--output", type=Path, default=store.SHIPPED_RESULTS, help="default: the shipped results")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Computes what is missing, task by task, and lists it beside the folder of results."""
    options = parse(arguments)
    store.check_writable(options.output)
    entries = [
        entry(request, options.data, options.output, options.fresh)
        for task in options.tasks
        for request in requests(task)
    ]
    manifest = options.output.parent / MANIFEST
    write_manifest(entries, manifest)
    print(manifest)
    return 0


if __name__ == "__main__":
    run_command(main)
