"""Guided shares judged: does pruning guided by CKA change fewer predictions than global magnitude?

Four methods remove the weights closest to zero, and as many of them in total. They differ in how many each layer loses.
On every checkpoint that all four have pruned they are compared at the same amounts, example by example, on examples
that took no part in choosing the shares. What is judged was fixed before the results were computed: the amounts, the
goal, which checkpoints confirm it, and that half an example is added to both counts of a ratio, so that none is
divided by 0 (Haldane 1956, Anscombe 1956).

It is computed once, when the documents are written, and shipped beside the manifest: see `shipped`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal, get_args

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
Changed = npt.NDArray[np.bool_]
Group = Literal["confirmatory", "seen", "chosen on", "few examples"]
GROUPS = get_args(Group)
# What figures were known of before the search was fixed; all other checkpoints confirm it, or do not.
KNOWN: Mapping[str, Group] = {
    **{"embedded:sst2": "chosen on", "embedded:cola": "chosen on"},
    **{"embedded:qnli": "seen", "embedded:qqp": "seen", "embedded:messages": "few examples"},
}


@dataclass(frozen=True)
class Beside:
    """How many predictions guided pruning changes beside another method, on the same examples.

    Attributes:
        difference: The share that guided pruning changes minus the share that the other one does.
        interval: Its paired 95 % interval, with half an example more in each of the four kinds of examples (Agresti and
            Min 2005).
        p_value: Of McNemar's exact test (1947).
        ratio: Of the two numbers of changed predictions, each with half an example more.
    """

    difference: float
    interval: Bounds
    p_value: float
    ratio: float


@dataclass(frozen=True)
class AtAmount:
    """The methods on one checkpoint, at one amount.

    Attributes:
        amount: The amount.
        changed: By method the share of changed predictions, with its interval.
        beside: By each other method, guided pruning beside it.
    """

    amount: float
    changed: Mapping[str, ChangedRecord]
    beside: Mapping[str, Beside]


@dataclass(frozen=True)
class Judged:
    """The methods on one checkpoint.

    Attributes:
        checkpoint: Its name.
        group: Whether it confirms the goal, or what was known of it before.
        examples: How many.
        at: What each amount changes.
        works_to: By method the end of the working range, among the amounts that all have; None where it has none.
    """

    checkpoint: str
    group: Group
    examples: int
    at: tuple[AtAmount, ...]
    works_to: Mapping[str, float | None]


@dataclass(frozen=True)
class Together:
    """What the checkpoints of a group say together.

    Attributes:
        group: The group.
        names: Of the checkpoints.
        ratios: By each other method, the geometric mean of guided pruning's ratio to it over checkpoints and amounts.
        least: The smallest ratio to global magnitude.
        most: The largest.
        places: Checkpoints × amounts.
        fewer: In how many guided pruning is shown to change fewer predictions than global magnitude.
        more: In how many it is shown to change more.
        shorter: On how many checkpoints its working range is shorter than global magnitude's.
    """

    group: Group
    names: tuple[str, ...]
    ratios: Mapping[str, float]
    least: float
    most: float
    places: int
    fewer: int
    more: int
    shorter: int

    @property
    def is_met(self) -> bool:
        """Whether the goal is met: the mean, no place with more, no working range shorter."""
        return log(self.ratios[GLOBAL]) <= log(GOAL) and not self.more and not self.shorter


_FILE = TableFile("guided.json", TypeAdapter(tuple[Judged, ...]))
write, shipped = _FILE.write, _FILE.read


def judged(results: Iterable[SweepResult]) -> tuple[Judged, ...]:
    """Judge every checkpoint that all methods have pruned on the same examples, of several of them on the most.

    Args:
        results: Among others these sweeps; of two by one method on the same examples the first counts.
    """
    places: dict[object, dict[str, SweepResult]] = defaultdict(dict)
    for result in results:
        pruning = result.pruning
        is_whole = (pruning.scope, pruning.controls, pruning.stop, result.against) == ("encoder", None, None, None)
        if is_whole and pruning.method in METHODS and {*AMOUNTS} <= {*result.amounts}:
            place = result.checkpoint.revision, examples_of(result.task)
            places[place].setdefault(pruning.method, result)
    whole = [methods for methods in places.values() if len(methods) == len(METHODS)]
    most = {
        (judge.checkpoint.revision, judge.task.name): methods
        for methods in sorted(whole, key=lambda methods: len(methods[GUIDED].task.examples))
        if (judge := methods[GUIDED])
    }
    return tuple(map(_judged, sorted(most.values(), key=_order)))


def _order(methods: Mapping[str, SweepResult]) -> tuple[int, int, str]:
    """Put first what confirms, then follow the tasks."""
    result = methods[GUIDED]
    return list(GROUPS).index(_group(result)), [*TASKS].index(result.task.name), result.checkpoint.id


def _group(result: SweepResult) -> Group:
    return KNOWN.get(result.checkpoint.id, "confirmatory")


def _judged(methods: Mapping[str, SweepResult]) -> Judged:
    result, at = methods[GUIDED], []
    for amount in AMOUNTS:
        frames = {name: known.frames[known.amounts.index(amount)] for name, known in methods.items()}
        changed = {
            name: np.not_equal(frame.predictions, methods[name].frames[0].predictions) for name, frame in frames.items()
        }  # each (examples,)
        paired = {name: beside(changed[GUIDED], other) for name, other in changed.items() if name != GUIDED}
        shares = {name: known for name in METHODS if (known := frames[name].changed)}
        at.append(AtAmount(amount, shares, paired))
    shared = sorted(set.intersection(*(set(known.amounts) for known in methods.values())))
    ranges = {name: _works_to(methods[name], shared) for name in METHODS}
    return Judged(checkpoint_name(result), _group(result), len(result.task.examples), tuple(at), ranges)


def _works_to(result: SweepResult, amounts: Sequence[float]) -> float | None:
    """Return where a method's working range ends among some of its amounts, on the examples that all are judged on."""
    known = {frame.amount: frame.predictions for frame in result.frames}
    predictions = np.array([known[amount] for amount in amounts])  # (amounts, examples)
    return works_to(result.task.main_metric, amounts, np.array(result.task.gold), predictions)[0]


def beside(guided: Changed, other: Changed) -> Beside:
    """Compare whose predictions change, each (examples,)."""
    from statsmodels.stats.contingency_tables import mcnemar  # here: no first picture waits for them
    from statsmodels.stats.weightstats import DescrStatsW

    more, fewer = int((guided & ~other).sum()), int((other & ~guided).sum())
    rest = len(guided) - more - fewer
    differences = DescrStatsW([1.0, -1.0, 0.0], weights=[more + 0.5, fewer + 0.5, rest + 1.0])
    low, high = map(float, differences.zconfint_mean(1 - CONFIDENCE))
    p_value = float(mcnemar([[0, more], [fewer, 0]], exact=True).pvalue)
    ratio = float((guided.sum() + 0.5) / (other.sum() + 0.5))
    return Beside((more - fewer) / len(guided), (low, high), p_value, ratio)


def together(table: Sequence[Judged]) -> tuple[Together, ...]:
    """Say what the checkpoints of each group say together."""
    return tuple(_together(group, known) for group in GROUPS if (known := [one for one in table if one.group == group]))


def _together(group: Group, table: Sequence[Judged]) -> Together:
    at = [place for known in table for place in known.at]
    ratios = {name: [place.beside[name].ratio for place in at] for name in METHODS if name != GUIDED}
    intervals = [place.beside[GLOBAL].interval for place in at]
    return Together(
        group=group,
        names=tuple(known.checkpoint for known in table),
        ratios={name: exp(np.log(values).mean()) for name, values in ratios.items()},
        least=min(ratios[GLOBAL]),
        most=max(ratios[GLOBAL]),
        places=len(at),
        fewer=sum(high < 0 for _, high in intervals),
        more=sum(low > 0 for low, _ in intervals),
        shorter=sum((known.works_to[GUIDED] or 0) < (known.works_to[GLOBAL] or 0) for known in table),
    )
