"""`python -m benchmarks.coverage`: how often the intervals that the app prints hold the truth.

The truth is the value on all labelled validation sentences of a task. Random subsets of them play the eval subset, and
every kind of printed interval is computed from each. README.md explains the tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.printed import ONE_SIDED, Interval, Key, Population, Run, printed
from core.command_line import OneLineParser, run_command
from core.encoder.loading import Checkpoint, load
from core.encoder.representations import Representations
from core.inputs.checkpoints import resolve, suited
from core.inputs.examples import EvalSubset, open_examples
from core.pruning.magnitude import scoped_weights
from core.request.catalog import SINGLE_BATCH
from core.request.points import pruned_point
from core.request.sweep_request import SweepRequest, checked
from core.sweep.runner import Runner, make_plan, open_runner, silent
from ui.text import markdown_table

Array = npt.NDArray[np.float64]

STEPS = tuple(k / 20 for k in range(20))  # 0 to 0.95 by 0.05, as shipped results
FINE = (0.0, 0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.26)  # random pruning changes a model early
ALONE = (0.0, 0.5, 0.9)  # of layers that are pruned alone
SEEDS = (0, 1)  # of the random control

TARGET = (0.93, 0.97)
SEED = 0  # of the subsets


# ---------------------------------------------------------------- all sentences


def population(request: SweepRequest, checkpoint: Checkpoint, examples: EvalSubset) -> Population:
    """Run every model over all sentences: magnitude pruning, its control's seeds, and each layer pruned alone.

    Args:
        request: Magnitude pruning of the whole encoder, in STEPS.
        checkpoint: The loaded baseline.
        examples: The sentences.
    """
    control = replace(request, method="random", control_of=request.method, amounts=FINE)
    alone = replace(request, points="layer", amounts=ALONE)
    layers = range(checkpoint.record.num_layers)
    return Population(
        np.array(examples.record.gold),
        run(checkpoint, examples, request, SINGLE_BATCH),
        [run(checkpoint, examples, replace(control, seed=seed)) for seed in SEEDS],
        [run(checkpoint, examples, replace(alone, scope=f"layer:{layer}")) for layer in layers],
    )


def run(
    checkpoint: Checkpoint, examples: EvalSubset, request: SweepRequest, reductions: Sequence[str] = ("mean",)
) -> Run:
    """Run one method's models over all sentences.

    Args:
        checkpoint: The loaded baseline.
        examples: The sentences.
        request: Method, scope, points and amounts; where the scope is one layer, its own output alone is kept.
        reductions: Which are wanted; where there are several, the emptied model is as well.
    """
    logits: list[Tensor] = []
    features: dict[str, list[Tensor]] = {name: [] for name in reductions}
    emptied: dict[str, Tensor] = {}
    with open_runner(checkpoint, examples, request, make_plan(checkpoint, None, request, silent)) as runner:
        buffers, point = runner.buffers(), pruned_point(runner.points, request.scope)
        kept = slice(None) if point is None else slice(point, point + 1)
        for amount in tqdm(request.amounts, f"{request.method}, {request.scope}, seed {request.seed}"):
            runner.model.prune(amount)
            _fill(runner, buffers)
            logits.append(buffers.logits.clone())
            for name in reductions:
                features[name].append(getattr(buffers, name)[kept].clone())
        if len(reductions) > 1:
            with runner.model.emptied(scoped_weights(checkpoint.model, request.scope)):
                _fill(runner, buffers)
            emptied = {name: getattr(buffers, name).clone() for name in reductions}
    stacked = {name: torch.stack(frames) for name, frames in features.items()}
    return Run(request.amounts, torch.stack(logits), stacked, emptied)


def _fill(runner: Runner, buffers: Representations) -> None:
    for window in runner.windows:
        runner.run(window, buffers, lambda: None)


# ---------------------------------------------------------------- counting


@dataclass(frozen=True)
class Coverage:
    """What became of one printed interval over all subsets; shares are of the subsets that have one.

    Attributes:
        key: What it is about.
        truth: The value on all sentences.
        covered: The share of the intervals that hold the truth.
        undefined: The share of all subsets for which the app prints none.
    """

    key: Key
    truth: float
    covered: float
    undefined: float

    @property
    def is_on_target(self) -> bool:
        """Whether the coverage lies in TARGET.

        Survival may cover more, since its interval is a set of amounts, and so may a bound on one side.
        """
        low, high = TARGET
        return low <= self.covered and (self.covered <= high or self.key.kind.startswith(("survival", ONE_SIDED)))


def coverage(key: Key, truth: float, intervals: Array) -> Coverage:
    """Count what became of one printed interval.

    Args:
        key: What it is about.
        truth: The value on all sentences.
        intervals: (subsets, 3), value and both bounds; NaN where there is no interval.
    """
    low, high = intervals[~np.isnan(intervals).any(1), 1:].T  # each (defined subsets,)
    if not len(low):
        return Coverage(key, truth, np.nan, 1.0)
    return Coverage(key, truth, float(((low <= truth) & (truth <= high)).mean()), 1 - len(low) / len(intervals))


def page(truth: Mapping[Key, Interval], intervals: Array) -> Iterator[str]:
    """Yield a table with a line for each kind of interval, and one of the intervals that are off target.

    Args:
        truth: What is printed for all sentences.
        intervals: (subsets, keys, 3), what is printed for the subsets.
    """
    found = [coverage(key, interval.value, intervals[:, k]) for k, (key, interval) in enumerate(truth.items())]
    known = [line for line in found if line.truth == line.truth]  # the others are undefined on all sentences
    kinds = {kind: [line for line in known if line.key.kind == kind] for kind in dict.fromkeys(k.kind for k in truth)}
    yield markdown_table([_summary(kind, lines) for kind, lines in kinds.items() if lines])
    if off := [line for line in known if not line.is_on_target]:
        yield f"\nOff target:\n\n{markdown_table(list(map(_detail, off)))}"


def _summary(kind: str, lines: Sequence[Coverage]) -> dict[str, str]:
    covered = [line.covered for line in lines]
    shares = {"lowest": min(covered), "mean": float(np.mean(covered)), "highest": max(covered)}
    off = str(sum(not line.is_on_target for line in lines))
    return {"interval": kind, "lines": str(len(lines)), **{k: f"{v:.1%}" for k, v in shares.items()}, "off target": off}


def _detail(line: Coverage) -> dict[str, str]:
    shares = {"coverage": f"{line.covered:.1%}", "none": f"{line.undefined:.1%}"}
    return {"interval": " ".join(line.key), "truth": f"{line.truth:.4f}", **shares}


# ---------------------------------------------------------------- command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, count and print both tables."""
    parser = OneLineParser(prog="python -m benchmarks.coverage", description=__doc__)
    add = parser.add_argument
    add("--data", required=True, metavar="GLUE", help="folder in the Hub's GLUE layout")
    add("--task", default="sst2", help="a task with an embedded checkpoint and two labels (default: sst2)")
    add("--subsets", type=int, default=2_000, help="how many subsets (default: 2000)")
    add("--examples", type=int, default=128, help="sentences of a subset, at least 5 (default: 128)")
    options = parser.parse_args(arguments)
    request = checked(SweepRequest(f"embedded:{options.task}", options.task, amounts=STEPS, data=options.data))
    source = open_examples(request, ())
    some = source.subset(None)
    rest = source.rest(some)
    everything = source.subset(len(some.texts) + len(rest.texts)) if rest else some
    count, size = len(everything.texts), options.examples
    checkpoint = load(suited(resolve(request.checkpoint), options.task))
    measured = population(request, checkpoint, everything)
    truth, intervals = printed(measured, np.arange(count)), list[list[Interval]]()
    for number in tqdm(range(options.subsets), "Subsets"):
        rows = np.random.default_rng([SEED, number]).choice(count, size, replace=False)
        intervals.append([*printed(measured, rows, factor=float(np.sqrt(1 - size / count))).values()])
    print(f"{options.task}: {options.subsets} subsets of {size} of {count} sentences\n")
    print(*page(truth, np.array(intervals)), sep="\n")
    return 0


if __name__ == "__main__":
    run_command(main)
