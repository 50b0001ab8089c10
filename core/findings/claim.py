"""Judge where in depth a method changes a model, against chance: the verdict of every page.

Some decline of similarity with depth is expected of any pruning, so only what differs from random
removal is the method's doing. Both are compared where the layers have changed equally much on
average (`core.sweep.equal_damage`): the verdict says whether a larger or smaller share of that
change lies in the upper half of the layers than under the seeds of the matched random control
(`core.sweep.control_contrast`). The criteria are fixed in advance; other damages and reductions
stand beside the verdict. Several verdicts are corrected for their number by Holm's method.
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
from core.request.amounts import amount_text
from core.request.catalog import (
    CONFIDENCE,
    CONTROL_SEEDS,
    DAMAGE,
    FEW_EXAMPLES,
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

# Reductions and damages that stand beside a verdict.
SENSITIVITY = ((REDUCTION, SECOND_DAMAGE), (REDUCTION, 0.2), ("cls", DAMAGE))
FEWEST_SEEDS = 2  # without which nothing can be contrasted
CEILING = 0.9  # share under random removal above which a method can hardly lie higher
ONE_EXAMPLE = 0.5  # of the jackknife's variance, above which one example decides it
WIDE = "interval too wide"  # a reason that leaves the numbers as good as those of a verdict

Lead = Literal["upper", "lower"]  # the half of the layers that changes more


class AtDamage(NamedTuple):
    """A pruning at one damage, without the result: verdicts on hundreds are kept.

    Attributes:
        seed: The seed of the pruning.
        gap: The gap of the depth profile.
        step: The distance of the two amounts between which the damage is reached.
        works: Whether the model is within its working range there, if that is known.
        has_doubtful_range: Whether that range is judged on too few examples; of a method, not of
            its control.
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
        reason: Why it is inconclusive, the first reason that holds, as docs/methods.md explains
            them; else None.
        remedy: What may decide it then, which the Lab can do; None where only more seeds than usual
            may.
    """

    damage: float
    method: AtDamage | None
    controls: tuple[AtDamage, ...]
    needed: int
    state: State | None = None
    reason: str | None = None
    remedy: Remedy | None = None

    @property
    def share(self) -> float | None:
        """The share of the damage that lies in the upper half of the layers."""
        if self.method:
            return upper_share(self.method.gap.value, self.damage)
        return None

    @property
    def control_shares(self) -> tuple[float, ...]:
        """The same share under each seed."""
        return tuple(upper_share(control.gap.value, self.damage) for control in self.controls)

    @property
    def apart(self) -> Array | None:
        """The method's share minus each seed's, and that without each example: (k, 1 + n).

        None without either.
        """
        if not self.method or not self.controls:
            return None
        shares = upper_share(_with_replicates([self.method, *self.controls]), self.damage)
        return shares[0] - shares[1:]

    @cached_property
    def contrast(self) -> Contrast | None:
        """The share of the method against the seeds'; None with fewer than two."""
        return None if self.apart is None else _contrast(self.apart)

    @property
    def lead(self) -> Lead | None:
        """The half of the layers that changes more under the method; None if that is not shown."""
        return _lead(self.method.gap.low, self.method.gap.high) if self.method else None

    @property
    def control_lead(self) -> Lead | None:
        """The half that changes more under the control; None if its seeds' mean shows none."""
        mean = _contrast(_with_replicates(self.controls))
        return _lead(*mean.mean_interval()) if mean else None

    @property
    def flags(self) -> tuple[str, ...]:
        """What to know of the verdict, as docs/methods.md explains it: it changes no state."""
        method = self.method
        seeds = self.controls
        apart = self.apart
        broken = sum(not seed.works for seed in seeds)
        holds = {
            "beyond working range": method and not method.works,
            "random removal beyond its working range": 2 * broken > len(seeds),
            "range doubtful": method and method.has_doubtful_range,
            "at the ceiling": seeds and np.mean(self.control_shares) > CEILING,
            "one example decides": apart is not None and largest_influence(apart) > ONE_EXAMPLE,
            "interpolated": method and round(method.step, 9) > SMALL_STEP,
        }
        return tuple(flag for flag, is_set in holds.items() if is_set)


def _with_replicates(places: Sequence[AtDamage]) -> Array:
    """Return the gap of each pruning, and that without each example: (prunings, 1 + n)."""
    return np.array([[place.gap.value, *place.gap.replicates] for place in places])


def _contrast(values: Array) -> Contrast | None:
    """Contrast the seeds' values and replicates, (k, 1 + n); None with fewer than two."""
    if len(values) >= FEWEST_SEEDS:
        return contrast(values[:, 0], values[:, 1:])
    return None


def largest_influence(values: Array) -> float:
    """Return one example's largest share of the jackknife's variance of Δ: (k, 1 + n) -> ()."""
    replicates = values[:, 1:]
    squares = np.square(replicates.mean(0) - replicates.mean())  # (n,)
    if squares.any():
        return float(squares.max() / squares.sum())
    return 0.0


def _lead(low: float, high: float) -> Lead | None:
    """Return the half of the layers that changes more by a gap's interval; None if it holds 0."""
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
    needed = CONTROL_SEEDS[result.pruning.granularity]
    unjudged = Verdict(damage, method, controls, needed)
    if not is_judged(result) or reduction not in SINGLE_BATCH:
        return unjudged
    if len(result.task.examples) < FEW_EXAMPLES:
        return _inconclusive(unjudged, "too few examples", "more examples")
    if method is None:
        return _inconclusive(unjudged, "change not reached", "larger amounts")
    if method.gap.coarse:
        return _inconclusive(unjudged, "steps too coarse", "smaller steps")
    if not drawn:
        return _inconclusive(unjudged, "no control", "random removal")
    if len(controls) < needed:
        # Seeds that were measured and cannot be used change the layers within the first steps.
        more: Remedy = "all seeds" if len(drawn) < needed else "smaller steps"
        return _inconclusive(unjudged, "too few seeds", more)
    beside = unjudged.contrast
    assert beside is not None  # that many seeds are usable
    if beside.state == "inconclusive":
        return _inconclusive(unjudged, WIDE, narrowing(beside))
    return replace(unjudged, state=beside.state)


def _inconclusive(judged: Verdict, reason: str, remedy: Remedy | None) -> Verdict:
    return replace(judged, state="inconclusive", reason=reason, remedy=remedy)


def narrowing(beside: Contrast) -> Remedy | None:
    """Return "more examples" if twice as many would decide a verdict whose interval is too wide."""
    error = beside.standard_error / np.sqrt(2)
    doubled = replace(beside, standard_error=error, examples=2 * beside.examples)
    return "more examples" if doubled.state != "inconclusive" else None


def at_damage(sweeps: Sequence[SweepResult], reduction: str, damage: float) -> AtDamage | None:
    """Read a pruning at one damage from the sweep with the smallest steps there.

    Args:
        sweeps: From `core.findings.comparable.own_sweeps`, at least one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.

    Returns:
        None if no sweep surely reaches the damage.
    """
    reached = []  # the step there first
    for sweep in sweeps:
        statistics = sweep.statistics_of(reduction)
        gap = statistics.gap_at_damage.get(amount_text(damage)) if statistics else None
        if isinstance(gap, GapAtDamage):  # else it does not surely reach it
            after = bisect_left(sweep.amounts, gap.amount)  # at least 1: 0 is the unpruned model
            reached.append((sweep.amounts[after] - sweep.amounts[after - 1], sweep, gap))
    if not reached:
        return None
    step, sweep, gap = min(reached, key=itemgetter(0))
    # The range judged on most examples counts; of equal ones, that with the smallest steps.
    judge = max(
        (sweep, *sweeps),
        key=lambda sweep: sweep.working_range.examples if sweep.working_range else 0,
    )
    ends = judge.working_range
    works = ends is None or (ends.to is not None and gap.amount <= ends.to)
    doubtful = judge.pruning.controls is None and has_doubtful_range(judge)
    return AtDamage(sweep.pruning.seed, gap, step, works, doubtful)


def is_judged(result: SweepResult) -> bool:
    """Whether a verdict is given: on a method that prunes all layers.

    It is compared after attention blocks, two or more.
    """
    return (
        METHODS[result.pruning.method].control is not None
        and run_of(result.pruning.scope) is None
        and len(result.points) > 1
        and at_attention(result.points)
    )


# ---------------------------------------------------------------- several verdicts


def corrected(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Correct the verdicts of a table for their number: differences must survive Holm's method."""
    from core.sweep.paired_tests import holm  # here: statsmodels takes a second to load

    tested = {
        k: verdict.contrast
        for k, verdict in enumerate(verdicts)
        if verdict.contrast and verdict.state and verdict.reason in (None, WIDE)
    }
    adjusted = holm(tuple(beside.p_value for beside in tested.values()))
    table = list(verdicts)
    for (k, beside), p_value in zip(tested.items(), adjusted, strict=True):
        if table[k].state in DIFFERENT and p_value >= 1 - CONFIDENCE:
            table[k] = _inconclusive(table[k], WIDE, narrowing(beside))
    return table


def with_rows(results: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results that stand in a table of verdicts: those judged, over all amounts.

    Of several results of one pruning only the first is among them, and none on the examples
    written for this project: these are for trying it.
    """
    rows: list[SweepResult] = []
    for result in results:
        is_whole = result.pruning.stop is None and result.task.source != "written"
        if is_whole and is_judged(result) and own_sweeps(result, rows) == [result]:
            rows.append(result)
    return rows


def listed_with_verdicts(
    results: Sequence[SweepResult],
) -> list[tuple[SweepResult, Verdict | None]]:
    """Return the sweeps that the table of all results lists, each with its verdict if it has one.

    Random controls and sweeps in small steps are listed only where there is nothing else. A visitor
    is told which verdict lacks its control; a shipped sweep without one is there for something
    else.

    Args:
        results: All of them, since each is judged beside others.
    """
    judged = {
        row.key: verdict(row, results)
        for row in with_rows(results)
        if control_sweeps(row, results) or not store.is_shipped(row.key)
    }
    whole = [
        result
        for result in results
        if result.pruning.controls is None and result.pruning.stop is None
    ]
    return [(result, judged.get(result.key)) for result in whole or results]
