"""Judge where in depth a method changes a model, against chance: the one verdict that every page repeats.

Some decline of similarity with depth is expected of any pruning, so only what differs from random removal is the
method's doing. Both are compared where the layers have changed equally much on average (`core.sweep.equal_damage`): the
verdict says whether a larger or smaller share of that change lies in the upper half of the layers than under the seeds
of the matched random control (`core.sweep.control_contrast`). The criteria are fixed in advance; other damages and
reductions stand beside the verdict. Several verdicts are corrected for their number by Holm's method.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Literal, NamedTuple

import numpy as np

from core.findings.accuracy import has_doubtful_range
from core.findings.comparable import control_sweeps, own_sweeps
from core.request import catalog
from core.request.amounts import amount_text
from core.request.catalog import (
    CONFIDENCE,
    CONTROL_SEEDS,
    DAMAGE,
    METHODS,
    REDUCTION,
    SECOND_DAMAGE,
    SINGLE_BATCH,
)
from core.request.controls import SMALL_STEP, Remedy
from core.request.scope import at_attention, run_of
from core.results import store
from core.results.schema import SweepResult
from core.results.statistics import GapAtDamage
from core.sweep.control_contrast import DIFFERENT, Contrast, State, contrast
from core.sweep.equal_damage import upper_share
from core.sweep.statistics import Array

SENSITIVITY = (
    (REDUCTION, SECOND_DAMAGE),
    (REDUCTION, 0.2),
    ("cls", DAMAGE),
)  # what stands beside a verdict
FEWEST_SEEDS = 2  # without which nothing can be contrasted
CEILING = 0.9  # share under random removal above which a method can hardly lie higher
ONE_EXAMPLE = 0.5  # of the jackknife's variance, above which one example decides it

Lead = Literal["upper", "lower"]  # the half of the layers that changes more
BY_INTERVAL = (
    None,
    "interval too wide",
)  # reasons that leave the numbers as good as those of a verdict


class AtDamage(NamedTuple):
    """A pruning at one damage, without the result that it is read from: verdicts on hundreds are kept.

    Attributes:
        seed: The seed of the pruning.
        gap: The gap of the depth profile.
        step: The distance of the two amounts between which the damage is reached.
        works: Whether the model is within its working range there, as far as that is known.
        has_doubtful_range: Whether that range is judged on too few examples; of a method, not of its control.
    """

    seed: int
    gap: GapAtDamage
    step: float
    works: bool
    has_doubtful_range: bool


@dataclass(frozen=True)
class Verdict:
    """Where a method changes a model in depth, compared with random removal.

    Attributes:
        damage: The damage at which both are compared.
        method: The method there; None where nothing is known.
        controls: The usable seeds of its control there.
        needed: The fewest seeds for a verdict.
        state: One of the four states; None where no verdict is given, as on random removal itself.
        reason: Why it is inconclusive, the first reason that holds, as docs/methods.md explains them; else None.
        remedy: What may decide it then, which the Lab can do; None where only more seeds than usual may.
    """

    damage: float
    method: AtDamage | None
    controls: tuple[AtDamage, ...]
    needed: int
    state: State | None
    reason: str | None
    remedy: Remedy | None = None

    @property
    def share(self) -> float | None:
        """The share of the damage that lies in the upper half of the layers."""
        return upper_share(self.method.gap.value, self.damage) if self.method else None

    @property
    def control_shares(self) -> tuple[float, ...]:
        """The same share under each seed."""
        return tuple(upper_share(control.gap.value, self.damage) for control in self.controls)

    @property
    def apart(self) -> tuple[Array, Array] | None:
        """The method's share minus each seed's, (k,), and that without each example, (k, n); None without either."""
        if not self.method or not self.controls:
            return None
        gaps = np.array(
            [[each.gap.value, *each.gap.replicates] for each in (self.method, *self.controls)]
        )
        shares = upper_share(gaps, self.damage)  # (1 + k, 1 + n)
        return shares[0, 0] - shares[1:, 0], shares[0, 1:] - shares[1:, 1:]

    @cached_property
    def contrast(self) -> Contrast | None:
        """The share of the method against the seeds'; None with fewer than two."""
        return contrast(*self.apart) if self.apart and len(self.controls) >= FEWEST_SEEDS else None

    @property
    def lead(self) -> Lead | None:
        """Which half of the layers changes more under the method; None if that is not shown."""
        return _lead(self.method.gap.low, self.method.gap.high) if self.method else None

    @property
    def control_lead(self) -> Lead | None:
        """Which half of the layers changes more under the control; None if the mean of its seeds does not show it."""
        if len(self.controls) < FEWEST_SEEDS:
            return None
        gaps = np.array(
            [[seed.gap.value, *seed.gap.replicates] for seed in self.controls]
        )  # (k, 1 + n)
        return _lead(*contrast(gaps[:, 0], gaps[:, 1:]).mean_interval())

    @property
    def flags(self) -> tuple[str, ...]:
        """What to know of the verdict, as docs/methods.md explains it: none of it changes the state."""
        method, drawn, apart = self.method, self.control_shares, self.apart
        holds = {
            "beyond working range": method is not None and not method.works,
            "random removal beyond its working range": 2
            * sum(not seed.works for seed in self.controls)
            > len(drawn),
            "range doubtful": method is not None and method.has_doubtful_range,
            "at the ceiling": bool(drawn) and float(np.mean(drawn)) > CEILING,
            "one example decides": apart is not None and largest_influence(apart[1]) > ONE_EXAMPLE,
            "interpolated": method is not None and round(method.step, 9) > SMALL_STEP,
        }
        return tuple(flag for flag, is_set in holds.items() if is_set)


def largest_influence(replicates: Array) -> float:
    """Return the share of the jackknife's variance of Δ that a single example carries: (k, n) -> [0, 1]."""
    squares = np.square(replicates.mean(0) - replicates.mean())  # (n,)
    return float(squares.max() / squares.sum()) if squares.any() else 0.0


def _lead(low: float, high: float) -> Lead | None:
    """Which half of the layers changes more by the interval of the gap; None if it holds 0."""
    return "upper" if low > 0 else "lower" if high < 0 else None


def verdict(
    result: SweepResult,
    companions: Iterable[SweepResult],
    reduction: str = REDUCTION,
    damage: float = DAMAGE,
) -> Verdict:
    """Judge a result against the seeds of its matched random control, at one damage.

    Args:
        result: A whole sweep or the first frames of one.
        companions: Results from which its control's seeds and sweeps in smaller steps are picked.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.
    """
    companions = list(companions)
    method = at_damage(own_sweeps(result, companions), reduction, damage)
    drawn = [
        at_damage(sweeps, reduction, damage)
        for sweeps in control_sweeps(result, companions).values()
    ]
    controls = tuple(seed for seed in drawn if seed and not seed.gap.coarse)
    unjudged = Verdict(
        damage, method, controls, CONTROL_SEEDS[result.pruning.granularity], None, None
    )
    if not is_judged(result) or reduction not in SINGLE_BATCH:
        return unjudged
    contrast = unjudged.contrast
    # Seeds that were measured and cannot be used change the layers within the first steps.
    more: Remedy = "all seeds" if len(drawn) < unjudged.needed else "smaller steps"
    obstacles: dict[str, tuple[bool, Remedy | None]] = {
        "too few examples": (len(result.task.examples) < catalog.FEW_EXAMPLES, "more examples"),
        "change not reached": (method is None, "larger amounts"),
        "steps too coarse": (method is not None and method.gap.coarse, "smaller steps"),
        "no control": (not drawn, "random removal"),
        "too few seeds": (len(controls) < unjudged.needed, more),
        "interval too wide": (
            not contrast or contrast.state == "inconclusive",
            narrowing(contrast),
        ),
    }
    reason, remedy = next(
        ((name, remedy) for name, (holds, remedy) in obstacles.items() if holds), (None, None)
    )
    state: State = contrast.state if contrast and not reason else "inconclusive"
    return replace(unjudged, state=state, reason=reason, remedy=remedy)


def narrowing(beside: Contrast | None) -> Remedy | None:
    """Return what may decide a verdict whose interval is too wide: more examples, if twice as many would."""
    if beside is None:
        return None
    doubled = replace(
        beside, standard_error=beside.standard_error / np.sqrt(2), examples=2 * beside.examples
    )
    return "more examples" if doubled.state != "inconclusive" else None


def at_damage(sweeps: Sequence[SweepResult], reduction: str, damage: float) -> AtDamage | None:
    """Read a pruning at one damage from the sweep with the smallest steps there; None if none surely reaches it.

    Args:
        sweeps: From `core.findings.comparable.own_sweeps`, at least one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.
    """
    reached = []  # the step there first
    for sweep in sweeps:
        statistics, name = sweep.statistics_of(reduction), amount_text(damage)
        gap = statistics.gap_at_damage.get(name) if statistics else None
        if isinstance(gap, GapAtDamage):  # else it does not surely reach it
            after = bisect_left(sweep.amounts, gap.amount)  # at least 1: 0 is the unpruned model
            reached.append((sweep.amounts[after] - sweep.amounts[after - 1], sweep, gap))
    if not reached:
        return None
    step, sweep, gap = min(reached, key=itemgetter(0))
    # The working range that was judged on most examples counts; of equal ones, that with the smallest steps.
    judge = max(
        (sweep, *sweeps),
        key=lambda sweep: sweep.working_range.examples if sweep.working_range else 0,
    )
    ends = judge.working_range
    works = ends is None or (ends.to is not None and gap.amount <= ends.to)
    doubtful = judge.pruning.controls is None and has_doubtful_range(judge)
    return AtDamage(sweep.pruning.seed, gap, step, works, doubtful)


def is_judged(result: SweepResult) -> bool:
    """Whether a verdict is given: on a method that prunes all layers, compared after attention blocks, two or more."""
    return (
        METHODS[result.pruning.method].control is not None
        and run_of(result.pruning.scope) is None
        and len(result.points) > 1
        and at_attention(result.points)
    )


# ---------------------------------------------------------------- several verdicts


def corrected(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Correct the verdicts of a table for their number by Holm's method, which a difference must survive."""
    from core.sweep.paired_tests import (
        holm,
    )  # here: statsmodels takes a second, which no first picture waits for

    tested = {
        k: verdict.contrast.p_value
        for k, verdict in enumerate(verdicts)
        if verdict.contrast and verdict.state and verdict.reason in BY_INTERVAL
    }
    adjusted = dict(zip(tested, holm(tuple(tested.values())), strict=True))
    return [
        replace(
            verdict,
            state="inconclusive",
            reason="interval too wide",
            remedy=narrowing(verdict.contrast),
        )
        if verdict.state in DIFFERENT and adjusted[k] >= 1 - CONFIDENCE
        else verdict
        for k, verdict in enumerate(verdicts)
    ]


def with_rows(results: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results that stand in a table of verdicts: those that are judged, over all amounts.

    Of several results of one pruning only the first is among them, and none on the examples written for this project:
    these are for trying it.
    """
    rows: list[SweepResult] = []
    for result in results:
        is_whole = (
            result.pruning.stop is None and result.task.source != "written" and is_judged(result)
        )
        if is_whole and own_sweeps(result, rows) == [result]:
            rows.append(result)
    return rows


def listed_with_verdicts(
    results: Sequence[SweepResult],
) -> list[tuple[SweepResult, Verdict | None]]:
    """Return the sweeps that the table of all results lists, each with its verdict if it has one.

    Random controls and sweeps in small steps are listed only where there is nothing else. A visitor is told which
    verdict lacks its control; a shipped sweep without one is there for something else.

    Args:
        results: All of them, since each is judged beside others.
    """
    whole = [
        result
        for result in results
        if result.pruning.controls is None and result.pruning.stop is None
    ]
    rows = {
        row.key
        for row in with_rows(whole)
        if control_sweeps(row, results) or not store.is_shipped(row.key)
    }
    return [
        (result, verdict(result, results) if result.key in rows else None)
        for result in whole or results
    ]
