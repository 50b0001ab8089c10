"""`python -m benchmarks.interpolation --data GLUE`: how far a profile at equal damage is from a measured one.

A profile at a damage is interpolated between two amounts of a sweep. Here the model is pruned by the interpolated
amount itself, and own CKA is measured. README.md explains the table.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.population import fill
from core.command_line import OneLineParser, check_threads, run_command
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.request.amounts import amount_text, parse_amounts
from core.request.catalog import EMBEDDED, METHODS
from core.results import store
from core.results.names import method_name, pruned_layer
from core.results.schema import ProfileAtDamage, SweepResult
from core.similarity.cka import comparer
from core.similarity.gram import prepare, u_centred_gram
from core.similarity.measure import Sample
from core.sweep.equal_damage import damage, gap, upper_share
from core.sweep.origin import find_inputs
from core.sweep.runner import Runner, make_plan, open_runner
from ui.text import markdown_table

Array = npt.NDArray[np.float64]

TARGETS = ("0.05", "0.1")  # damages
BOUND = 0.005  # of CKA, for every layer


@dataclass(frozen=True)
class Deviation:
    """A result's profile at one damage against the one measured at the interpolated amount.

    Attributes:
        result: A sweep.
        damage: The damage's text.
        amount: The interpolated amount.
        interpolated: (points,) own CKA, reduction `mean`.
        measured: (points,) the same at the interpolated amount.
    """

    result: SweepResult
    damage: str
    amount: float
    interpolated: Array
    measured: Array

    @property
    def profile(self) -> Array:
        """(points,) measured minus interpolated own CKA."""
        return self.measured - self.interpolated

    @property
    def largest(self) -> float:
        """The deviation of the layer that deviates most."""
        return float(np.abs(self.profile).max())

    @property
    def share(self) -> float:
        """How far the share of the damage in the upper half deviates, which the verdict rests on."""
        return abs(_upper_share(self.measured) - _upper_share(self.interpolated))


def reached(result: SweepResult) -> dict[str, ProfileAtDamage]:
    """Return a result's profiles at those TARGETS that it reaches; none where a single layer is pruned."""
    known = result.statistics_of("mean")
    if known is None or pruned_layer(result) is not None:
        return {}
    found = {target: known.profile_at_damage.get(target) for target in TARGETS}
    return {target: profile for target, profile in found.items() if isinstance(profile, ProfileAtDamage)}


def deviations(result: SweepResult, data: str | None) -> Iterator[Deviation]:
    """Prune a result's checkpoint by each interpolated amount, and compare its own CKA with the interpolated one.

    Args:
        result: A sweep.
        data: The folder that its examples come from; None where the result says it.
    """
    profiles = reached(result)
    if not profiles:
        return
    request, inputs = find_inputs(result, result.amounts[-1], None, data, _silent)
    request = replace(request, amounts=parse_amounts([profile.amount for profile in profiles.values()]))
    with borrow(inputs.resolved) as baseline:
        plan = make_plan(baseline, inputs.calibration, request, _silent)
        with open_runner(baseline, inputs.subset, request, plan) as runner:
            compare = comparer(_sample(runner, 0.0), None)
            for (target, profile), amount in zip(profiles.items(), request.amounts[1:], strict=True):
                own = compare(_sample(runner, amount)).own  # (points,)
                yield Deviation(result, target, amount, np.array(profile.value), own)


def _upper_share(profile: Array) -> float:
    return upper_share(float(gap(profile)), float(damage(profile[None])[0]))


def _sample(runner: Runner, amount: float) -> Sample:
    """Run the model, pruned by an amount, over all examples."""
    buffers = runner.buffers()
    runner.model.prune(amount)
    fill(runner, buffers)
    return Sample(buffers.mean, prepare([u_centred_gram(buffers.mean)]))


def _silent(stage: str, done: int, total: int) -> None:
    """Discard progress."""


def rows(found: Iterable[Deviation]) -> Iterator[dict[str, str]]:
    """Yield one row per task, method and damage: how many results, and the one that deviates most."""
    for (task, method, controlled, step, reached), grouped in groupby(sorted(found, key=_group), key=_group):
        group = list(grouped)
        worst = max(group, key=lambda deviation: deviation.largest)
        yield {
            "task": task,
            "method": method,
            "control of": controlled,
            "steps": amount_text(step),
            "damage": reached,
            "results": str(len(group)),
            "largest deviation": f"{worst.largest:.4f}",
            "layer": str(int(np.abs(worst.profile).argmax()) + 1),
            "between amounts": " and ".join(map(amount_text, _around(worst))),
            "beyond the bound": str(sum(deviation.largest > BOUND for deviation in group)),
            "the share deviates by": f"{max(deviation.share for deviation in group):.3f}",
        }


def _group(found: Deviation) -> tuple[str, str, str, float, str]:
    """Return what a row is about; seeds are counted together."""
    result, controls = found.result, found.result.pruning.controls
    followed = METHODS[controls].title if controls else "-"
    return result.task.name, method_name(result), followed, result.amounts[1], found.damage


def _around(found: Deviation) -> tuple[float, float]:
    amounts = np.array(found.result.amounts)
    k = int(np.searchsorted(amounts, found.amount))
    return float(amounts[k - 1]), float(amounts[k])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.interpolation", description=__doc__)
    parser.add_argument("--data", required=True, metavar="GLUE", help="folder in the Hub's GLUE layout")
    parser.add_argument("--tasks", nargs="+", choices=list(EMBEDDED), default=list(EMBEDDED), help="default: all")
    parser.add_argument("--results", type=Path, default=store.SHIPPED_RESULTS, help="default: the shipped results")
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all results of some tasks and print the table; return 1 if a layer is beyond the bound."""
    options = parse(arguments)
    check_threads(options.threads)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    results = [store.load(path) for path in store.result_files(options.results)]
    found = list[Deviation]()
    for result in results:
        if result.task.name in options.tasks:
            try:
                found += deviations(result, options.data if result.task.source == "folder" else None)
            except PrunescopeError as error:  # such as one on weights that are not shipped
                print(f"left out {result.key[:12]}…: {error}", file=sys.stderr)
            print(f"{len(found)} profiles", file=sys.stderr, flush=True)
    print(markdown_table(list(rows(found))))
    return int(any(deviation.largest > BOUND for deviation in found))


if __name__ == "__main__":
    run_command(main)
