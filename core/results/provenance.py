"""Where a result comes from: its request, the command line that recomputes it, a check of it in words; no torch."""

import shlex

from core.request.amounts import amount_text
from core.request.catalog import METHODS, TASKS
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult, TaskRecord


def request_of(result: SweepResult) -> SweepRequest:
    """Gives the request that leads to a result.

    A result holds no paths: a folder is given by its own name, so that it is found only from beside it.

    Args:
        result: A whole sweep.
    """
    checkpoint, task, pruning = result.checkpoint, result.task, result.pruning
    parts = {point.rsplit(".", 1)[1] for point in result.cka.points}
    return SweepRequest(
        checkpoint=f"{checkpoint.id}@{checkpoint.revision}" if checkpoint.source == "hub" else checkpoint.id,
        task=task.name,
        method=pruning.method,
        scope=pruning.scope,
        points="both" if len(parts) == 2 else {"attention": "attention", "output": "layer"}[parts.pop()],
        amounts=result.amounts,
        num_examples=len(task.examples),
        seed=pruning.seed,
        data=_data_of(task),
    )


def _data_of(task: TaskRecord) -> str:
    """Says where the examples are; a folder that is called by the data set's own id holds what the Hub holds."""
    if task.source != "folder":
        return task.source
    return "hub" if task.source_name == TASKS[task.name].dataset_id else task.source_name


def command_line(request: SweepRequest) -> str:
    """Writes the command that computes a request; what is the default anyway is left out.

    Args:
        request: The request.
    """
    default = SweepRequest(request.checkpoint, request.task)
    arguments = {
        "--checkpoint": request.checkpoint,
        "--task": request.task,
        "--method": request.method,
        "--scope": request.scope if request.scope != default.scope else None,
        "--points": request.points if request.points != default.points else None,
        "--amounts": ",".join(map(amount_text, request.amounts)) if request.amounts != default.amounts else None,
        "--examples": request.num_examples,
        "--seed": request.seed if METHODS[request.method].seeded else None,
        "--data": request.data,
        "--source-name": request.source_name,
    }
    given = [word for flag, value in arguments.items() if value is not None for word in (flag, str(value))]
    return shlex.join(["python", "-m", "core.precompute", *given])
