"""Guided shares judged: does pruning guided by CKA change fewer predictions than global magnitude?

Four methods remove as many of the weights closest to zero and differ in how many each layer loses. On every checkpoint
that all four have pruned they are compared at the same amounts, example by example, on examples that took no part in
choosing. Fixed before the results were computed: the amounts, the goal, which checkpoints confirm it, and that half an
example is added to both counts of a ratio, so that none is divided by 0 (Haldane 1956, Anscombe 1956).

It is computed once, when the documents are written, and shipped beside the manifest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from core.findings.comparable import examples_of
from core.request.catalog import CONFIDENCE, TASKS
from core.results.fields import Bounds
from core.results.names import checkpoint_name
from core.results.schema import SweepResult
from core.results.statistics import ChangedRecord
from core.results.table_file import TableFile
from core.sweep.working_range import works_to

AMOUNTS = (0.2, 0.3, 0.4)
GOAL = 0.75  # of the predictions that global magnitude changes
GUIDED, GLOBAL = "cka", "magnitude"
METHODS = (GLOBAL, "uniform", GUIDED, "divergence")
CONFIRMING = "no figure seen before"
# What was known of a checkpoint before the search was fixed; all others confirm the goal, or do not.
KNOWN = {
    **{"embedded:qnli": "figures seen before", "embedded:qqp": "figures seen before"},
    **{"embedded:sst2": "search chosen on them", "embedded:cola": "search chosen on them"},
    "embedded:messages": "few examples",
}
GROUPS = list(dict.fromkeys((CONFIRMING, *KNOWN.values())))
Changed = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beside:
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


@dataclass(frozen=True)
class Place:
    """The methods on one checkpoint, at one amount.

    Attributes:
        checkpoint: Its name.
        group: What was known of it.
        examples: How many.
        amount: The amount.
        changed: By method the share of changed predictions, with its interval.
        beside: By each other method, guided pruning beside it.
        works_to: By method the end of the working range, among the amounts that all have; None where it has none.
    """

    checkpoint: str
    group: str
    examples: int
    amount: float
    changed: Mapping[str, ChangedRecord]
    beside: Mapping[str, Beside]
    works_to: Mapping[str, float | None]


@dataclass(frozen=True)
class Together:
    """What the checkpoints of a group say together.

    Attributes:
        group: The group.
        checkpoints: How many.
        ratios: By each other method, the geometric mean of guided pruning's ratio to it over checkpoints and amounts.
        span: The smallest and the largest ratio to global magnitude.
        places: Checkpoints × amounts.
        fewer: In how many McNemar's test shows that guided pruning changes fewer predictions than global magnitude.
        more: In how many the interval shows that it changes more.
        shorter: On how many checkpoints its working range is shorter than global magnitude's.
    """

    group: str
    checkpoints: int
    ratios: Mapping[str, float]
    span: Bounds
    places: int
    fewer: int
    more: int
    shorter: int

    @property
    def is_met(self) -> bool:
        """Whether the goal is met: the mean of logarithms, no place with more, no working range shorter."""
        return self.ratios[GLOBAL] <= GOAL and not self.more and not self.shorter


_FILE = TableFile("guided.json", TypeAdapter(tuple[Place, ...]))
write, shipped = _FILE.write, _FILE.read


def judged(results: Iterable[SweepResult]) -> tuple[Place, ...]:
    """Judge every checkpoint that all methods have pruned on the same examples; of several draws the largest counts."""
    known: dict[object, dict[str, SweepResult]] = defaultdict(dict)
    for result in sorted(results, key=_order):
        pruning = result.pruning
        is_whole = (pruning.scope, pruning.controls, pruning.stop, result.against) == ("encoder", None, None, None)
        if is_whole and pruning.method in METHODS and {*AMOUNTS} <= {*result.amounts}:
            known[result.checkpoint.revision, examples_of(result.task)].setdefault(pruning.method, result)
    whole = [found for found in known.values() if len(found) == len(METHODS)]
    largest = {(found[GUIDED].checkpoint.revision, found[GUIDED].task.name): found for found in whole}
    return tuple(place for found in largest.values() for place in _places(found))


def _order(result: SweepResult) -> tuple[int, int, str, int]:
    """Put first what confirms, then follow the tasks; of several draws of examples the largest comes last."""
    task = result.task
    return GROUPS.index(_group(result)), [*TASKS, task.name].index(task.name), result.checkpoint.id, len(task.examples)


def _group(result: SweepResult) -> str:
    return KNOWN.get(result.checkpoint.id, CONFIRMING)


def _places(methods: Mapping[str, SweepResult]) -> Iterable[Place]:
    first, gold = methods[GUIDED], np.array(methods[GUIDED].task.gold)
    common = sorted(set.intersection(*(set(known.amounts) for known in methods.values())))
    frames = {name: {frame.amount: frame for frame in known.frames} for name, known in methods.items()}
    answers = {name: np.array([of[amount].predictions for amount in common]) for name, of in frames.items()}
    works = {name: works_to(first.task.main_metric, common, gold, answers[name])[0] for name in METHODS}
    for amount in AMOUNTS:
        changed = {name: of[common.index(amount)] != of[0] for name, of in answers.items()}  # each (examples,)
        pairs = {name: beside(changed[GUIDED], changed[name]) for name in METHODS if name != GUIDED}
        shares = {name: share for name in METHODS if (share := frames[name][amount].changed)}
        yield Place(checkpoint_name(first), _group(first), len(gold), amount, shares, pairs, works)


def beside(guided: Changed, other: Changed) -> Beside:
    """Compare whose predictions change, each (examples,)."""
    from statsmodels.stats.weightstats import DescrStatsW  # here: no first picture waits for it

    from core.sweep.paired_tests import mcnemar_p

    more, fewer = int((guided & ~other).sum()), int((other & ~guided).sum())
    counts = [more + 0.5, fewer + 0.5, len(guided) - more - fewer + 1.0]
    low, high = map(float, DescrStatsW([1.0, -1.0, 0.0], weights=counts).zconfint_mean(1 - CONFIDENCE))
    ratio = float((guided.sum() + 0.5) / (other.sum() + 0.5))
    return Beside((more - fewer) / len(guided), (low, high), mcnemar_p(guided, other), ratio)


def together(table: Sequence[Place]) -> tuple[Together, ...]:
    """Say what the checkpoints of each group say together."""
    found = []
    for group in dict.fromkeys(place.group for place in table):
        places = [place for place in table if place.group == group]
        ratios = {name: [place.beside[name].ratio for place in places] for name in METHODS if name != GUIDED}
        pairs = [place.beside[GLOBAL] for place in places]
        ends = [place.works_to for place in places if place.amount == AMOUNTS[0]]  # one a checkpoint
        known = Together(
            group=group,
            checkpoints=len(ends),
            ratios={name: float(np.exp(np.log(values).mean())) for name, values in ratios.items()},
            span=(min(ratios[GLOBAL]), max(ratios[GLOBAL])),
            places=len(places),
            fewer=sum(pair.difference < 0 and pair.p_value < 1 - CONFIDENCE for pair in pairs),
            more=sum(pair.interval[0] > 0 for pair in pairs),
            shorter=sum((known[GUIDED] or 0) < (known[GLOBAL] or 0) for known in ends),
        )
        found.append(known)
    return tuple(found)
