"""Guided shares judged: does pruning guided by CKA change fewer predictions than global magnitude?

Four methods remove as many of the weights closest to zero and differ in how many each layer loses. On a checkpoint that
all four have pruned they are compared at the same amounts, example by example, on examples that took no part in
choosing. Fixed before the results were computed: the amounts, and that half an example is added to both counts of a
ratio, so that none is divided by 0 (Haldane 1956, Anscombe 1956).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.findings.comparable import examples_of
from core.request.catalog import CONFIDENCE
from core.results.fields import Bounds
from core.results.names import checkpoint_name
from core.results.schema import SweepResult
from core.results.statistics import ChangedRecord

AMOUNTS = (0.2, 0.3, 0.4)
GUIDED, GLOBAL = "cka", "magnitude"
METHODS = (GLOBAL, "uniform", GUIDED, "divergence")
Changed = npt.NDArray[np.bool_]


class Beside(NamedTuple):
    """How many predictions guided pruning changes beside another method, on the same examples.

    Attributes:
        difference: The share that guided pruning changes minus the share that the other one does.
        interval: Its paired 95 % interval, with half an example more in each of the four kinds (Agresti and Min 2005).
        p_value: Of McNemar's exact test (1947).
        ratio: Of the two numbers of changed predictions, each with half an example more.
    """

    difference: float
    interval: Bounds
    p_value: float
    ratio: float


class Place(NamedTuple):
    """The methods on one checkpoint, at one amount.

    Attributes:
        checkpoint: Its name.
        amount: The amount.
        changed: By method the share of changed predictions, with its interval.
        beside: By each other method, guided pruning beside it.
    """

    checkpoint: str
    amount: float
    changed: Mapping[str, ChangedRecord]
    beside: Mapping[str, Beside]


def judged(results: Iterable[SweepResult]) -> list[Place]:
    """Compare the methods on every checkpoint that all have pruned."""
    return [place for methods in alike(results) for place in places_of(methods)]


def alike(results: Iterable[SweepResult]) -> list[Mapping[str, SweepResult]]:
    """Return by method what all methods have pruned alike on the same examples; of several draws the largest counts."""
    known: dict[object, dict[str, SweepResult]] = defaultdict(dict)
    for result in sorted(results, key=lambda result: len(result.task.examples)):
        pruning = result.pruning
        is_whole = (pruning.scope, pruning.controls, pruning.stop, result.against) == ("encoder", None, None, None)
        if is_whole and pruning.method in METHODS and {*AMOUNTS} <= {*result.amounts}:
            known[result.checkpoint.revision, examples_of(result.task)].setdefault(pruning.method, result)
    whole = [found for found in known.values() if len(found) == len(METHODS)]
    return [*{(found[GUIDED].checkpoint.revision, found[GUIDED].task.name): found for found in whole}.values()]


def places_of(methods: Mapping[str, SweepResult]) -> list[Place]:
    """Compare the methods at every amount that is judged."""
    places = []
    frames = {name: {frame.amount: frame for frame in methods[name].frames} for name in METHODS}
    for amount in AMOUNTS:
        changed = {name: np.not_equal(of[amount].predictions, of[0.0].predictions) for name, of in frames.items()}
        pairs = {name: beside(changed[GUIDED], changed[name]) for name in METHODS if name != GUIDED}
        shares = {name: share for name, of in frames.items() if (share := of[amount].changed)}
        places.append(Place(checkpoint_name(methods[GUIDED]), amount, shares, pairs))
    return places


def beside(guided: Changed, other: Changed) -> Beside:
    """Compare whose predictions change, each (examples,)."""
    from statsmodels.stats.weightstats import DescrStatsW  # here: no first picture waits for it

    from core.sweep.paired_tests import mcnemar_p

    more, fewer = int((guided & ~other).sum()), int((other & ~guided).sum())
    counts = [more + 0.5, fewer + 0.5, len(guided) - more - fewer + 1.0]
    low, high = map(float, DescrStatsW([1.0, -1.0, 0.0], weights=counts).zconfint_mean(1 - CONFIDENCE))
    ratio = float((guided.sum() + 0.5) / (other.sum() + 0.5))
    return Beside((more - fewer) / len(guided), (low, high), mcnemar_p(guided, other), ratio)
