"""All sentences of a task, as pruned models represent and classify them: the population that coverage is measured on.

Every model runs once over all sentences. Whatever is asked about a subset of them is then a matter of picking rows.
"""

import hashlib
import tempfile
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
MAIN = "magnitude"


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
    controls: tuple[Run, ...]
    alone: tuple[Run, ...]


def measured(checkpoint: str, task: str, data: str, report: Report) -> Path:
    """Return the folder of a population among the temporary files; measure first what is missing in it.

    Args:
        checkpoint: See `SweepRequest`.
        task: A name from TASKS.
        data: A folder in the Hub's GLUE layout.
        report: Called with (stage, done, total) before each model runs over all sentences.
    """
    request = checked(SweepRequest(checkpoint, task, amounts=STEPS, data=data))
    loaded, examples = load(in_task_order(resolve(checkpoint), TASKS[task])), all_examples(task, data)
    parts = (ENGINE_VERSION, loaded.record.revision, examples.fingerprint, STEPS, FINE, ALONE, SEEDS)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"prunescope-population-{digest[:16]}"
    folder.mkdir(exist_ok=True)
    np.save(folder / "gold.npy", examples.gold)
    for name, wanted in requests(request, loaded.record.num_layers).items():
        if not (folder / f"{name}.pt").is_file():
            unfinished = folder / f"{name}.unfinished"
            torch.save(vars(run(loaded, examples, wanted, name == MAIN, report)), unfinished)
            unfinished.replace(folder / f"{name}.pt")
    return folder


def read(folder: Path) -> Population:
    """Open a population; processes that read the same files share their memory."""
    runs = {path.stem: Run(**torch.load(path, mmap=True, weights_only=True)) for path in sorted(folder.glob("*.pt"))}
    controls, alone = (
        tuple(found for name, found in runs.items() if name.startswith(kind)) for kind in ("control", "layer")
    )
    return Population(np.load(folder / "gold.npy"), runs[MAIN], controls, alone)


def all_examples(task: str, data: str) -> EvalSubset:
    """Load all labelled validation examples of a task."""
    examples = open_preset(TASKS[task], data)
    some = examples.subset(None)
    rest = examples.rest(some)
    return examples.subset(len(some.rows) + len(rest.rows)) if rest else some


def requests(request: SweepRequest, layers: int) -> dict[str, SweepRequest]:
    """Name the runs of a population.

    Args:
        request: Magnitude pruning of the whole encoder.
        layers: Of the encoder.
    """
    control = replace(request, method="random", control_of=request.method, amounts=FINE)
    alone = replace(request, points="layer", amounts=ALONE)
    return {
        MAIN: request,
        **{f"control-{seed}": replace(control, seed=seed) for seed in SEEDS},
        **{f"layer-{layer:02}": replace(alone, scope=f"layer:{layer}") for layer in range(layers)},
    }


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
            fill(runner, buffers)
            logits.append(buffers.logits.clone())
            for name in reductions:
                features[name].append(getattr(buffers, name)[kept].clone())
        if fully:
            with runner.emptied(request.scope):
                fill(runner, buffers)
            emptied = {name: getattr(buffers, name).clone() for name in reductions}
    stacked = {name: torch.stack(frames) for name, frames in features.items()}
    return Run(request.amounts, torch.stack(logits), stacked, emptied)


def fill(runner: Runner, buffers: Representations) -> None:
    """Run the model as it is now over all sentences."""
    for window in runner.windows:
        for _ in runner.run(window, buffers):
            pass
