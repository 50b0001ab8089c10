"""Results that belong beside each other, as pages choose them: the shipped ones, and some that show every state."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.findings.comparable import own_sweeps
from core.results.choices import companions, isolated
from core.results.library import Entry, entry_of, shipped
from core.results.provenance import Recipe
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.test_claim import SEED_SHARES, SEEDS, network, seeds

NO_RECIPE = Recipe("", "")


@dataclass(frozen=True)
class Shelf:
    """Results of one model on the same examples, by their keys, and the entries that pages choose them by."""

    entries: Sequence[Entry]
    results: dict[str, SweepResult]

    def beside(self, entry: Entry) -> list[SweepResult]:
        """What a page passes as the companions of a result."""
        return [self.results[other.key] for other in companions(entry, self.entries)]

    def alone(self, entry: Entry) -> list[SweepResult]:
        return [self.results[other.key] for other in isolated(entry, self.entries)]

    def finer(self, result: SweepResult) -> list[SweepResult]:
        """Those of its companions that Compare reads in its place."""
        return self._finer[result.key]

    @cached_property
    def _finer(self) -> dict[str, list[SweepResult]]:
        return {entry.key: own_sweeps(self.results[entry.key], self.beside(entry))[1:] for entry in self.entries}

    @cached_property
    def prunings(self) -> list[SweepResult]:
        """One result of each pruning, points and measures."""
        firsts: dict[object, SweepResult] = {}
        for entry in self.entries:
            same = (entry.method, entry.scope, entry.seed, entry.controls, entry.points)
            firsts.setdefault(same, self.results[entry.key])
        return list(firsts.values())


def shelf_of(results: Sequence[SweepResult]) -> Shelf:
    return Shelf([entry_of(result, NO_RECIPE) for result in results], {result.key: result for result in results})


def made() -> Shelf:
    """Results whose verdicts are of all four states, one method in two steps, and every layer alone."""
    shares = {"magnitude": 0.7, "wanda": 0.9}
    methods = [network(share, method=method) for method, share in shares.items()]
    flat = network(0.45, scope="all-linear")
    coarse = network(0.7, amounts=(0.0, 0.1, 0.3, 0.6))
    controls = [*SEEDS, *seeds(*SEED_SHARES, controls="wanda"), *seeds(*SEED_SHARES, scope="all-linear")]
    units = network(0.6, method="attribution", scope=None)
    alone = [make_result(num_layers=4, scope=f"layer:{k}", points="layer", amounts=(0.0, 0.5)) for k in range(4)]
    return shelf_of([coarse, *methods, flat, units, *controls, *alone])


def shelves(results: dict[str, SweepResult]) -> list[Shelf]:
    """The shipped results by what they were measured on; against another checkpoint nothing is judged."""
    groups = defaultdict(list)
    for entry in shipped():
        if entry.against is None:
            groups[entry.checkpoint, entry.fingerprint].append(entry)
    return [Shelf(entries, {entry.key: results[entry.key] for entry in entries}) for entries in groups.values()]
