"""`python -m core.grid --data GLUE`: computes every shipped result that is missing, and updates the manifest.

GLUE is a folder in the Hub's layout. Results that exist are kept, so an interrupted run can go on; `--fresh` computes
them again. `--tasks` limits the work, and leaves the manifest's entries of other tasks as they are.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.command_line import OneLineParser, check_threads, run_command
from core.inputs.checkpoint_files import CONFIG
from core.inputs.prepare import prepare
from core.precompute import compute
from core.request.amounts import FINE_AMOUNTS
from core.request.catalog import EMBEDDED, MEASURES, METHODS, TASKS
from core.request.controls import controls, judged_beside
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results import store
from core.results.library import MANIFEST, Entry, entry_of, read_manifest, write_manifest
from core.results.provenance import Recipe, command_line

CONTROLLED = tuple(name for name, method in METHODS.items() if method.control)
FULL_SEEDS = (0, 1, 2)  # of controls over all amounts
GLUE = "glue"  # the data folder in the manifest's commands
ISOLATED_AMOUNTS = (0.0, 0.3, 0.5, 0.7, 0.9)
CLOSE_UPS = ("sst2", "cola")  # the published heatmaps' tasks: also at both points, by all measures, and layer by layer
SOURCE_NAMES = {
    "qnli": "GLUE's QNLI, cut from its development set, rows renumbered",
    "qqp": "GLUE's QQP, cut from its training set, rows renumbered; the pretrained checkpoint knew Quora duplicates",
}
WRITTEN_METHODS = ("magnitude", "attribution")


def requests(task: str) -> Iterator[SweepRequest]:
    """Yield the requests of all shipped results of a task that has an embedded checkpoint."""
    glue = SweepRequest(
        EMBEDDED[task].id,
        task,
        amounts=FINE_AMOUNTS,
        data=GLUE,
        source_name=SOURCE_NAMES.get(task, TASKS[task].dataset_id),
    )
    if TASKS[task].dataset_id:
        yield from _on_glue(glue)
    written = replace(glue, data="written", source_name=None)
    for method in WRITTEN_METHODS:
        yield _with_method(written, method)
        yield from controls(_with_method(written, method), FULL_SEEDS)
    if task in CLOSE_UPS:
        yield replace(glue, points="both")
        yield replace(glue, measures=tuple(MEASURES))
        for layer in range(_num_layers(task)):
            alone = replace(glue, points="layer", scope=f"layer:{layer}", amounts=ISOLATED_AMOUNTS)
            yield alone
            yield from judged_beside(alone)


def _on_glue(glue: SweepRequest) -> Iterator[SweepRequest]:
    """Yield every method on a task's validation data, with all that it takes to judge it."""
    for request in (*(_with_method(glue, method) for method in CONTROLLED), replace(glue, scope="all-linear")):
        yield replace(request, range_examples="all")
        yield from controls(request, FULL_SEEDS)
        yield from judged_beside(request)


def _num_layers(task: str) -> int:
    """Read the depth of a task's embedded checkpoint, a BERT, from its configuration."""
    folder = EMBEDDED[task].folder
    assert folder is not None  # embedded
    return int(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["num_hidden_layers"])


def _with_method(request: SweepRequest, method: str) -> SweepRequest:
    return replace(request, method=method, scope=usual_scope(method))


def recipe_of(request: SweepRequest) -> Recipe:
    """Return how to recompute a shipped result, as the manifest prints it."""
    on_glue = (
        f"Replace {GLUE} with the path of a folder with this data in the Hub's GLUE layout: {request.source_name}."
    )
    return Recipe(command_line(request), on_glue if request.data == GLUE else "")


def entry(request: SweepRequest, data: Path, output: Path, fresh: bool, threads: int | None) -> Entry:
    """Compute a request's result where it is missing or `fresh`; return its entry in the manifest.

    Args:
        request: From `requests`.
        data: The folder that GLUE stands for.
        output: The folder of results.
        fresh: Compute it even if it exists.
        threads: Processor threads; None leaves PyTorch's choice.
    """
    asked = checked(replace(request, data=str(data) if request.data == GLUE else request.data))
    path = output / f"{prepare(asked).key}.json"
    if fresh or not path.is_file():
        store.save(compute(asked, threads), output)
    return entry_of(store.load(path), recipe_of(request))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.grid", description=__doc__)
    parser.add_argument("--data", required=True, type=Path, metavar="GLUE", help="folder in the Hub's GLUE layout")
    parser.add_argument("--tasks", nargs="+", choices=list(EMBEDDED), default=list(EMBEDDED), help="default: all")
    parser.add_argument("--fresh", action="store_true", help="also compute what exists")
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    parser.add_argument("--output", type=Path, default=store.SHIPPED_RESULTS, help="default: the shipped results")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute what is missing, task by task, and update the manifest beside the folder of results."""
    options = parse(arguments)
    check_threads(options.threads)
    store.check_writable(options.output)
    made = [
        entry(request, options.data, options.output, options.fresh, options.threads)
        for task in options.tasks
        for request in requests(task)
    ]
    manifest = options.output.parent / MANIFEST
    others = [known for known in read_manifest(manifest) if known.task not in options.tasks]
    write_manifest(sorted([*others, *made], key=lambda known: list(EMBEDDED).index(known.task)), manifest)
    print(manifest)
    return 0


if __name__ == "__main__":
    run_command(main)
