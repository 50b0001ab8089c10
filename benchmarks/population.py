"""All sentences of a task, as pruned models represent and classify them: the population that coverage is measured on.

Every model runs once over all sentences. Whatever is asked about a subset of them is then a matter of picking rows.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.encoder.loading import Checkpoint, load
from core.encoder.representations import Representations
from core.inputs.checkpoints import in_task_order, resolve
from core.inputs.examples import EvalSubset, open_preset
from core.inputs.hub import Report
from core.request.catalog import ENGINE_VERSION, SINGLE_BATCH, TASKS
from core.request.points import pruned_point
from core.request.sweep_request import SweepRequest, checked
from core.sweep.runner import Runner, make_plan, open_runner

STEPS = tuple(k / 20 for k in range(20))  # 0 to 0.95 by 0.05, as shipped results
FINE = (0.0, 0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.26)  # random pruning changes a model early
ALONE = (0.0, 0.5, 0.9)  # of layers that are pruned alone
SEEDS = (0, 1)  # of the random control


@dataclass(frozen=True)
class Run:
    """One method's models over the same examples, in the same order.

    Attributes:
        amounts: Ascending from 0.
        logits: (frames, examples, labels) float32.
        features: By reduction (frames, points, examples, hidden) float32.
        emptied: By reduction (points, examples, hidden) float32 of the emptied model; empty where it is not wanted.
    """

    amounts: tuple[float, ...]
    logits: Tensor
    features: dict[str, Tensor]
    emptied: dict[str, Tensor]


@dataclass(frozen=True)
class Population:
    """All sentences of a task.

    Attributes:
        gold: (examples,) label indices.
        magnitude: Magnitude pruning, all reductions over a single batch, and the emptied model.
        controls: Seeds of its random control, reduction `mean`.
        alone: Magnitude pruning of each layer alone, its own output only, reduction `mean`.
    """

    gold: npt.NDArray[np.int64]
    magnitude: Run
    controls: Sequence[Run]
    alone: Sequence[Run]


def measured(task: str, data: str, report: Report) -> Path:
    """Return the file of a population among the temporary files; measure it first where it is not there.

    Args:
        task: A name from TASKS, with an embedded checkpoint.
        data: A folder in the Hub's GLUE layout.
        report: Called with (stage, done, total) before each model runs over all sentences.
    """
    request = checked(SweepRequest(f"embedded:{task}", task, amounts=STEPS, data=data))
    loaded, source = load(in_task_order(resolve(request.checkpoint), TASKS[task])), open_preset(TASKS[task], data)
    some = source.subset(None)
    rest = source.rest(some)
    examples = source.subset(len(some.rows) + len(rest.rows)) if rest else some
    parts = (ENGINE_VERSION, loaded.record.revision, examples.fingerprint, STEPS, FINE, ALONE, SEEDS)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    path = Path(tempfile.gettempdir()) / f"prunescope-population-{digest[:16]}.pt"
    if not path.is_file():
        wanted = requests(request, loaded.record.num_layers)
        runs = [vars(run(loaded, examples, one, one is request, report)) for one in wanted]
        torch.save({"gold": torch.tensor(examples.gold), "runs": runs}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    return path


def read(path: Path) -> Population:
    """Open a population; processes that read the same file share its memory."""
    saved = torch.load(path, mmap=True, weights_only=True)
    return population(saved["gold"].numpy(), [Run(**run) for run in saved["runs"]])


def population(gold: npt.NDArray[np.int64], runs: Sequence[Run]) -> Population:
    """Name the runs of `requests`."""
    magnitude, *others = runs
    return Population(gold, magnitude, others[: len(SEEDS)], others[len(SEEDS) :])


def requests(request: SweepRequest, layers: int) -> list[SweepRequest]:
    """List the runs of a population: magnitude pruning of the whole encoder, its control's seeds, each layer alone."""
    control = replace(request, method="random", control_of=request.method, amounts=FINE)
    alone = replace(request, points="layer", amounts=ALONE)
    return [
        request,
        *(replace(control, seed=seed) for seed in SEEDS),
        *(replace(alone, scope=f"layer:{layer}") for layer in range(layers)),
    ]


def run(checkpoint: Checkpoint, examples: EvalSubset, request: SweepRequest, fully: bool, report: Report) -> Run:
    """Run one method's models over all sentences.

    Args:
        checkpoint: The loaded baseline.
        examples: The sentences.
        request: Method, scope, points and amounts; where the scope is one layer, its own output alone is kept.
        fully: Whether all reductions and the emptied model are wanted, or `mean` alone.
        report: Called with (stage, done, total) before each model.
    """
    reductions, stage = SINGLE_BATCH if fully else ("mean",), f"{request.method}, {request.scope}, seed {request.seed}"
    logits: list[Tensor] = []
    features: dict[str, list[Tensor]] = {name: [] for name in reductions}
    emptied: dict[str, Tensor] = {}
    with open_runner(checkpoint, examples, request, make_plan(checkpoint, None, request, report)) as runner:
        buffers, point = runner.buffers(), pruned_point(runner.points, request.scope)
        kept = slice(None) if point is None else slice(point, point + 1)
        for done, amount in enumerate(request.amounts):
            report(stage, done, len(request.amounts))
            runner.model.prune(amount)
            _fill(runner, buffers)
            logits.append(buffers.logits.clone())
            for name in reductions:
                features[name].append(getattr(buffers, name)[kept].clone())
        if fully:
            with runner.emptied(request.scope):
                _fill(runner, buffers)
            emptied = {name: getattr(buffers, name).clone() for name in reductions}
    stacked = {name: torch.stack(frames) for name, frames in features.items()}
    return Run(request.amounts, torch.stack(logits), stacked, emptied)


def _fill(runner: Runner, buffers: Representations) -> None:
    for window in runner.windows:
        for _ in runner.run(window, buffers):
            pass
