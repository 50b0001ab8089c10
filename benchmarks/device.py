"""`python -m benchmarks.device`: a device and a dtype against the processor in float32, on bundled checkpoints."""

import time
from collections.abc import Sequence
from itertools import product

import numpy as np

from core.command_line import OneLineParser, run_command, use_machine
from core.encoder.device import chosen_device, device_name
from core.encoder.loading import borrow
from core.inputs.prepare import Inputs, prepare
from core.request.amounts import stepped_amounts
from core.request.catalog import EMBEDDED, TASKS
from core.request.sweep_request import SweepRequest
from core.similarity.cka import own_similarities
from core.sweep.meter import Meter, Runner, make_plan, silent

METHODS = ("magnitude", "wanda", "attribution", "attribution-residual")
ROW = "{:<10}{:<22}{:>10}{:>10}{:>14}{:>11}{:>9}"
Measured = tuple[np.ndarray, np.ndarray, float]


def measured(inputs: Inputs, request: SweepRequest, device: str) -> Measured:
    """Return own CKA, (amounts, points), logits, (amounts, examples, labels), and the seconds of a sweep."""
    use_machine(None, device)
    with borrow(inputs.resolved) as checkpoint:
        started, plan = (
            time.perf_counter(),
            make_plan(checkpoint, inputs.calibration, request, silent),
        )
        with Runner(checkpoint, inputs.subset, request, plan) as runner:
            meter = Meter(runner, None, silent, len(request.amounts), False)
            models = [meter.measure(amount) for amount in request.amounts]
        own = [
            own_similarities(models[0].grams["mean"], model.grams["mean"]).own for model in models
        ]
        return (
            np.array(own),
            np.array([model.logits for model in models]),
            time.perf_counter() - started,
        )


def row(request: SweepRequest, device: str, dtype: str) -> str:
    """Compare one method's sweeps: the largest differences over all amounts, and the times."""
    inputs, asked = prepare(request), SweepRequest.from_json({**vars(request), "dtype": dtype})
    (own, logits, first), (others, other_logits, second) = (
        measured(inputs, *how) for how in ((request, "cpu"), (asked, device))
    )
    apart = [f"{np.nanmax(np.abs(a - b)):.1e}" for a, b in ((own, others), (logits, other_logits))]
    changed = (logits.argmax(-1) != other_logits.argmax(-1)).sum(-1).max()
    seen = f"{changed} of {logits.shape[1]}", f"{first:.1f} s", f"{first / second:.2f} x"
    return ROW.format(request.task, request.method, *apart, *seen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each method and checkpoint."""
    parser = OneLineParser(prog="python -m benchmarks.device", description=__doc__)
    parser.add_argument("--data", required=True, metavar="FOLDER", help="in the Hub's GLUE layout")
    parser.add_argument("--dtype", default="float32", help="float32 (default) or bfloat16")
    parser.add_machine()
    options = parser.parse_args(arguments)
    use_machine(options.threads, options.device)
    print(f"{device_name(chosen_device())}, {options.dtype}, against the processor in float32")
    print(ROW.format("task", "method", "own CKA", "logits", "predictions", "float32", "speed"))
    for method, (checkpoint, known) in product(METHODS, EMBEDDED.items()):
        data = options.data if TASKS[known.task].dataset_id else "written"
        fields = {
            "checkpoint": checkpoint,
            "data": data,
            "method": method,
            "amounts": stepped_amounts(0.05, 0.95),
        }
        print(
            row(SweepRequest.from_json(fields), options.device or "auto", options.dtype), flush=True
        )
    return 0


if __name__ == "__main__":
    run_command(main)
