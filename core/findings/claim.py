"""Judge where in depth a method changes a model, against chance: the one verdict that every page repeats.

Some decline of similarity with depth is expected of any pruning, so that only what differs from random removal is the
method's doing. Both are looked at where the layers have changed equally much on average (`core.sweep.equal_damage`):
the verdict says whether a larger or smaller share of that change lies in the upper half of the layers than under the
seeds of the matched random control (`core.sweep.control_contrast`). What it is judged by is fixed in advance; other
damages and reductions stand beside it.

Several verdicts are corrected for their number by Holm's method. Intervals over sentences say nothing about another
fine-tune: in a spread over seed twins the unit is the checkpoint, and of its control counts the mean over its seeds.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.findings.choices import family_of, seed_of
from core.findings.comparable import control_sweeps, own_sweeps
from core.request import catalog
from core.request.amounts import amount_text
from core.request.catalog import CONFIDENCE, CONTROL_SEEDS, DAMAGE, METHODS, REDUCTION, SECOND_DAMAGE, SINGLE_BATCH
from core.request.scope import run_of
from core.results.schema import SweepResult
from core.results.statistics import GapAtDamage, NotAtDamage, ProfileAtDamage, WorkingRangeRecord
from core.sweep.control_contrast import DIFFERENT, Contrast, Direction, contrast, mean_gap
from core.sweep.equal_damage import Missing, upper_share

SENSITIVITY = ((REDUCTION, SECOND_DAMAGE), (REDUCTION, 0.2), ("cls", DAMAGE))  # what stands beside a verdict
WIDEST = 0.25  # half-width up to which something is said about similarity beyond the emptied model's
FEWEST_SEEDS = 2  # without which nothing can be contrasted

Lead = Literal["upper", "lower"]  # the half of the layers that changes more
Reason = str  # why it cannot be told, as a table shows it; the Methods page explains each
NO_METHOD = (
    "another checkpoint",
    "random control",
    "some layers alone",
    "not attention blocks",
)  # has no verdict at all
_MISSING: dict[str, Reason] = {  # others leave similarity undefined
    Missing.ONE_POINT: "single layer",
    Missing.NOT_REACHED: "change not reached",
    Missing.UNSURE: "change not reached",
}


@dataclass(frozen=True)
class Placed:
    """A pruning at one damage, without the result that it is read from, for verdicts on hundreds are kept.

    Attributes:
        seed: The seed of the pruning.
        gap: The gap of the depth profile.
        profile: The depth profile.
        beyond: The gap of the similarity that goes beyond the emptied model's; None where it is undefined.
        range: How far the model works; None if that is unknown.
    """

    seed: int
    gap: GapAtDamage
    profile: ProfileAtDamage
    beyond: GapAtDamage | None
    range: WorkingRangeRecord | None

    @property
    def works(self) -> bool:
        """Whether the model is within its working range there, as far as that is known."""
        return self.range is None or self.range.to is None or self.gap.amount <= self.range.to


@dataclass(frozen=True)
class Verdict:
    """Where a method changes a model in depth, compared with random removal.

    Attributes:
        damage: The damage at which both are compared.
        method: The method there; None where nothing is known.
        controls: The usable seeds of its control there.
        needed: The fewest seeds for a verdict.
        contrast: The method against the seeds; None with fewer than two.
        direction: One of the four states.
        reason: Why it cannot be told; None if it can.
    """

    damage: float
    method: Placed | None
    controls: tuple[Placed, ...]
    needed: int
    contrast: Contrast | None
    direction: Direction
    reason: Reason | None

    @property
    def share(self) -> float | None:
        """The share of the damage that lies in the upper half of the layers."""
        return upper_share(self.method.gap.value, self.damage) if self.method else None

    @property
    def control_shares(self) -> tuple[float, ...]:
        """The same of each seed."""
        return tuple(upper_share(control.gap.value, self.damage) for control in self.controls)

    @property
    def lead(self) -> Lead | None:
        """Which half of the layers changes more under the method; None if that is not shown."""
        return _lead(self.method.gap.low, self.method.gap.high) if self.method else None

    @property
    def control_lead(self) -> Lead | None:
        """Which half of the layers changes more under the control; None if the mean of its seeds does not show it."""
        if len(self.controls) < FEWEST_SEEDS:
            return None
        gaps = [control.gap.value for control in self.controls]
        _, low, high = mean_gap(gaps, np.array([control.gap.replicates for control in self.controls]))
        return _lead(low, high)

    @property
    def control_works(self) -> bool:
        """Whether the control's median seed is within its working range there."""
        return 2 * sum(not control.works for control in self.controls) <= len(self.controls)


def _lead(low: float, high: float) -> Lead | None:
    """Which half of the layers changes more by the interval of the gap; None if it holds 0."""
    return "upper" if low > 0 else "lower" if high < 0 else None


def verdict(
    result: SweepResult, companions: Iterable[SweepResult], reduction: str = REDUCTION, damage: float = DAMAGE
) -> Verdict:
    """Judge a result against the seeds of its matched random control at one damage.

    Args:
        result: A whole sweep or the first frames of one.
        companions: Results from which its control's seeds and sweeps in smaller steps are picked.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.
    """
    companions = list(companions)
    found = placed(own_sweeps(result, companions), reduction, damage)
    method = None if isinstance(found, str) or result.against else found
    drawn = [placed(sweeps, reduction, damage) for sweeps in control_sweeps(result, companions).values()]
    controls = tuple(seed for seed in drawn if isinstance(seed, Placed) and not seed.gap.coarse)
    needed = CONTROL_SEEDS[result.pruning.granularity]
    beside = None
    if method and len(controls) >= FEWEST_SEEDS:
        gaps, replicates = [seed.gap.value for seed in controls], np.array([seed.gap.replicates for seed in controls])
        beside = contrast(method.gap.value, np.array(method.gap.replicates), gaps, replicates)
    reason = _obstacle(result, reduction) or (found if isinstance(found, str) else _obstacle_there(found))
    if not reason and len(controls) < needed:
        reason = "few seeds" if drawn else "no control"
    direction = beside.direction() if beside and not reason else "cannot be told"
    if not reason and direction == "cannot be told":
        reason = "wide interval"
    return Verdict(damage, method, controls, needed, beside, direction, reason)


def placed(sweeps: Sequence[SweepResult], reduction: str, damage: float) -> Placed | Reason:
    """Read a pruning at one damage from the sweep with the smallest steps before it, or say why it is not there.

    Args:
        sweeps: From `core.findings.comparable.own_sweeps`, at least one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.
    """

    def gap_of(sweep: SweepResult, measure: str = "cka") -> GapAtDamage | NotAtDamage | None:
        known = sweep.statistics_of(reduction, measure)
        return known.gap_at_damage.get(amount_text(damage)) if known else None

    def steps_before(sweep: SweepResult) -> int:
        gap = gap_of(sweep)
        return sum(amount < gap.amount for amount in sweep.amounts) if isinstance(gap, GapAtDamage) else -1

    sweep = max(sweeps, key=steps_before)
    gap, known = gap_of(sweep), sweep.statistics_of(reduction)
    profile = known.profile_at_damage.get(amount_text(damage)) if known else None
    if isinstance(gap, NotAtDamage):
        return _MISSING.get(gap.reason, "similarity undefined")
    if gap is None or not isinstance(profile, ProfileAtDamage):
        return "earlier version"
    beyond = gap_of(sweep, "partial_cka")
    if not isinstance(beyond, GapAtDamage) or (beyond.high - beyond.low) / 2 > WIDEST:
        beyond = None
    # The working range that was judged on most examples counts; of equal ones, that of the sweep that is read.
    ranges = [one.working_range for one in (sweep, *sweeps) if one.working_range]
    working = max(ranges, key=lambda working: working.examples, default=None)
    return Placed(sweep.pruning.seed, gap, profile, beyond, working)


def _obstacle(result: SweepResult, reduction: str) -> Reason | None:
    """Say what keeps a result from being judged at all: the first of what holds."""
    obstacles = {
        "another checkpoint": result.against is not None,
        "random control": METHODS[result.pruning.method].control is None,
        "some layers alone": run_of(result.pruning.scope) is not None,
        "not attention blocks": not all(point.endswith(".attention") for point in result.points),
        "all tokens": reduction not in SINGLE_BATCH,
        "unfinished run": not result.key,
        "only unpruned": len(result.amounts) < 2,
        "few examples": len(result.task.examples) < catalog.FEW_EXAMPLES,
    }
    return next((reason for reason, holds in obstacles.items() if holds), None)


def _obstacle_there(method: Placed) -> Reason | None:
    """Say what keeps a method from being judged at the damage."""
    if method.range and method.range.reason == "no lead":
        return "no lead"
    return "coarse steps" if method.gap.coarse else None if method.works else "beyond working range"


# ---------------------------------------------------------------- several verdicts


def corrected(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Correct the verdicts of a table for their number, by Holm's method: a difference must survive."""
    from core.sweep.paired_tests import holm  # here: statsmodels takes a second, which no first picture waits for

    tested = {
        k: known.contrast.p_value
        for k, known in enumerate(verdicts)
        if known.contrast and known.reason in (None, "wide interval")
    }
    adjusted = dict(zip(tested, holm(tuple(tested.values())), strict=True))
    return [
        replace(known, direction="cannot be told", reason="too small among so many")
        if known.direction in DIFFERENT and adjusted[k] >= 1 - CONFIDENCE
        else known
        for k, known in enumerate(verdicts)
    ]


def with_rows(results: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results that verdicts are given about: methods at attention points over all amounts, on all layers.

    Of several results of one pruning only the first is among them.
    """
    rows: list[SweepResult] = []
    for result in results:
        is_whole = result.pruning.stop is None and _obstacle(result, REDUCTION) not in NO_METHOD
        if is_whole and own_sweeps(result, rows) == [result]:
            rows.append(result)
    return rows


def spreads(judged: Iterable[tuple[str, str, Hashable, Verdict]]) -> list[tuple[str, dict[str, Verdict]]]:
    """Collect the verdicts of at least two seed twins, in the order in which the first of each comes.

    Weights made twice with one seed, whose bits differ from processor to processor, count once: the first does.

    Args:
        judged: Of each verdict the key of its result, the checkpoint's id, and what else twins must share, such as the
            examples and the method.

    Returns:
        What the twins are called, and the verdicts on them by the keys of their results.
    """
    groups: dict[tuple[str, Hashable], dict[str, tuple[str, Verdict]]] = {}  # by seed
    for key, checkpoint, place, known in judged:
        if family := family_of(checkpoint):
            groups.setdefault((family, place), {}).setdefault(seed_of(checkpoint), (key, known))
    twins = [(catalog.FAMILIES.get(family, family), dict(known.values())) for (family, _), known in groups.items()]
    return [(f"{name}, {len(known)} seeds", known) for name, known in twins if len(known) > 1]
