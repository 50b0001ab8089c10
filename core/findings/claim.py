"""Judge where in depth a method changes a model, against chance: the one verdict that every page repeats.

Some decline of similarity with depth is expected of any pruning, so that only what differs from random removal is the
method's doing. Both are looked at where the layers have changed equally much on average (`core.sweep.equal_damage`):
the verdict says whether a larger or smaller share of that change lies in the upper half of the layers than under the
seeds of the matched random control (`core.sweep.control_contrast`). What it is judged by is fixed in advance; other
damages and reductions stand beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.findings.comparable import control_sweeps, own_sweeps
from core.request.amounts import amount_text
from core.request.catalog import CONTROL_SEEDS, DAMAGE, FEW_EXAMPLES, METHODS, REDUCTION, SECOND_DAMAGE, SINGLE_BATCH
from core.results.names import PointLabel, point_names, pruned_layer
from core.results.schema import GapAtDamage, NotAtDamage, ProfileAtDamage, SweepResult, WorkingRangeRecord
from core.sweep.control_contrast import SMALLEST_DIFFERENCE, Contrast, Direction, contrast, mean_gap, profile_distance
from core.sweep.equal_damage import Missing, upper_share

SENSITIVITY = ((REDUCTION, SECOND_DAMAGE), (REDUCTION, 0.2), ("cls", DAMAGE))  # what stands beside a verdict
WIDEST = 0.25  # half-width up to which something is said about similarity beyond the emptied model's
FEWEST_SEEDS = 2  # without which nothing can be contrasted

Lead = Literal["upper", "lower"]  # the half of the layers that changes more
Reason = Literal[
    "random control",
    "another checkpoint",
    "one layer alone",
    "all tokens",
    "not attention blocks",
    "unfinished run",
    "only unpruned",
    "earlier version",
    "few examples",
    "single layer",
    "change not reached",
    "change unsure",
    "similarity undefined",
    "coarse steps",
    "no lead",
    "beyond working range",
    "no control",
    "few seeds",
    "unusable seeds",
    "wide interval",
]
"""Why it cannot be told, as a table shows it; the Methods page explains each."""

_MISSING: dict[str, Reason] = {
    Missing.ONE_POINT: "single layer",
    Missing.NOT_REACHED: "change not reached",
    Missing.UNSURE: "change unsure",
    Missing.UNDEFINED: "similarity undefined",
}


@dataclass(frozen=True)
class Beyond:
    """The gap of the similarity that goes beyond the emptied model's; without a value, it is undefined."""

    value: float | None = None
    low: float = 0.0
    high: float = 0.0

    @property
    def state(self) -> Literal["some is left", "reversed", "none shown", "undefined"]:
        """What the interval says."""
        if self.value is None:
            return "undefined"
        return "some is left" if self.low > 0 else "reversed" if self.high < 0 else "none shown"


@dataclass(frozen=True)
class Placed:
    """A pruning at one damage, without the result that it is read from, for verdicts on hundreds are kept.

    Attributes:
        seed: The seed of the pruning.
        points: The points.
        gap: The gap of the depth profile.
        profile: The depth profile.
        beyond: What goes beyond the emptied model.
        range: How far the model works; None if that is unknown.
    """

    seed: int
    points: tuple[str, ...]
    gap: GapAtDamage
    profile: ProfileAtDamage
    beyond: Beyond
    range: WorkingRangeRecord | None

    @property
    def works(self) -> bool:
        """Whether the model is within its working range there, as far as that is known."""
        return self.range is None or self.range.to is None or self.gap.amount <= self.range.to


@dataclass(frozen=True)
class LayerDifference:
    """The layer whose similarity differs most from the mean of the control's seeds.

    Attributes:
        label: The layer's name on an axis.
        value: The method's similarity minus the seeds' mean.
        beyond_seeds: Whether no seed's profile is as far from the others in any layer.
    """

    label: PointLabel
    value: float
    beyond_seeds: bool


@dataclass(frozen=True)
class Verdict:
    """Where a method changes a model in depth, compared with random removal.

    Attributes:
        damage: The damage at which both are compared.
        reduction: The reduction of the similarities.
        method: The method there; None where nothing is known.
        controls: The usable seeds of its control there.
        matched: The number of its control's seeds, usable or not.
        needed: The fewest seeds for a verdict.
        contrast: The method against the seeds; None with fewer than two.
        layer: The layer that differs most; None with fewer than two seeds.
        reason: Why it cannot be told; None if it can.
    """

    damage: float
    reduction: str
    method: Placed | None
    controls: tuple[Placed, ...]
    matched: int
    needed: int
    contrast: Contrast | None
    layer: LayerDifference | None
    reason: Reason | None

    @property
    def direction(self) -> Direction:
        """One of the four states."""
        return self.contrast.direction() if self.contrast and self.reason is None else "cannot be told"

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
    def beyond(self) -> Beyond:
        """What goes beyond the emptied model."""
        return self.method.beyond if self.method else Beyond()

    @property
    def has_all_seeds(self) -> bool:
        """Whether as many seeds are usable as a verdict takes."""
        return len(self.controls) >= self.needed

    @property
    def control_works(self) -> bool:
        """Whether the control's median seed is within its working range there."""
        return 2 * sum(not control.works for control in self.controls) <= len(self.controls)


def _lead(low: float, high: float) -> Lead | None:
    """Which half of the layers changes more by the interval of the gap; None if it holds 0."""
    return "upper" if low > 0 else "lower" if high < 0 else None


def smallest_share(damage: float) -> float:
    """Return the smallest gap that counts as a share of the damage."""
    return upper_share(SMALLEST_DIFFERENCE, damage) - upper_share(0, damage)


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
    seeds = control_sweeps(result, companions)
    drawn = [placed(sweeps, reduction, damage) for sweeps in seeds.values()]
    controls = tuple(seed for seed in drawn if isinstance(seed, Placed) and not seed.gap.coarse)
    needed = CONTROL_SEEDS[result.pruning.granularity]
    beside, layer = _beside(method, controls)
    return Verdict(
        damage=damage,
        reduction=reduction,
        method=method,
        controls=controls,
        matched=len(seeds),
        needed=needed,
        contrast=beside,
        layer=layer,
        reason=_obstacle(result, reduction)
        or (found if isinstance(found, str) else _obstacle_there(found))
        or _obstacle_of_chance(len(seeds), len(controls), needed)
        or ("wide interval" if beside and beside.direction() == "cannot be told" else None),
    )


def usable_seeds(result: SweepResult, companions: Iterable[SweepResult]) -> int:
    """Count the seeds of its control that a verdict on a result can use."""
    return len(verdict(result, companions).controls)


# ---------------------------------------------------------------- what it is judged by


def placed(sweeps: Sequence[SweepResult], reduction: str, damage: float) -> Placed | Reason:
    """Read a pruning at one damage from the sweep with the smallest steps before it, or say why it is not there.

    Args:
        sweeps: From `core.findings.comparable.own_sweeps`, at least one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        damage: One of `core.sweep.equal_damage.DAMAGES`.
    """
    sweep = max(sweeps, key=lambda sweep: _steps_before(sweep, reduction, damage))
    gap, profile = _at_damage(sweep, reduction, damage)
    if isinstance(gap, GapAtDamage) and isinstance(profile, ProfileAtDamage):
        beyond = _beyond(sweep, reduction, damage)
        return Placed(sweep.pruning.seed, sweep.points, gap, profile, beyond, _working_range(sweep, sweeps))
    return _MISSING.get(gap.reason, "similarity undefined") if isinstance(gap, NotAtDamage) else "earlier version"


def _at_damage(
    sweep: SweepResult, reduction: str, damage: float
) -> tuple[GapAtDamage | NotAtDamage | None, ProfileAtDamage | NotAtDamage | None]:
    known, key = sweep.statistics_of(reduction), amount_text(damage)
    return (known.gap_at_damage.get(key), known.profile_at_damage.get(key)) if known else (None, None)


def _steps_before(sweep: SweepResult, reduction: str, damage: float) -> int:
    """Count the amounts before the damage is reached; -1 if it is not."""
    gap, _ = _at_damage(sweep, reduction, damage)
    return sum(amount < gap.amount for amount in sweep.amounts) if isinstance(gap, GapAtDamage) else -1


def _working_range(read: SweepResult, sweeps: Sequence[SweepResult]) -> WorkingRangeRecord | None:
    """Return the working range that was judged on most examples; of equal ones, that of the sweep that is read."""
    known = [sweep.working_range for sweep in (read, *sweeps) if sweep.working_range]
    return max(known, key=lambda working: working.examples, default=None)


def _obstacle(result: SweepResult, reduction: str) -> Reason | None:
    """Say what keeps a result from being judged at all: the first of what holds."""
    method = METHODS.get(result.pruning.method)
    obstacles: dict[Reason, bool] = {
        "another checkpoint": result.against is not None,
        "random control": method is not None and method.control is None,
        "one layer alone": pruned_layer(result) is not None,
        "all tokens": reduction not in SINGLE_BATCH,
        "not attention blocks": not all(point.endswith(".attention") for point in result.points),
        "unfinished run": not result.key,
        "only unpruned": len(result.amounts) < 2,
        "few examples": len(result.task.examples) < FEW_EXAMPLES,
    }
    return next((reason for reason, holds in obstacles.items() if holds), None)


def _obstacle_there(method: Placed) -> Reason | None:
    """Say what keeps a method from being judged at the damage."""
    if method.range and method.range.reason == "no lead":
        return "no lead"
    return "coarse steps" if method.gap.coarse else None if method.works else "beyond working range"


def _obstacle_of_chance(matched: int, usable: int, needed: int) -> Reason | None:
    """Say what the control's seeds lack."""
    if usable >= needed:
        return None
    return "no control" if not matched else "few seeds" if matched < needed else "unusable seeds"


def _beside(method: Placed | None, controls: Sequence[Placed]) -> tuple[Contrast, LayerDifference] | tuple[None, None]:
    """Hold a method against the seeds of its control, as a whole and layer by layer."""
    if method is None or len(controls) < FEWEST_SEEDS:
        return None, None
    gaps, replicates = [control.gap.value for control in controls], [control.gap.replicates for control in controls]
    profile, seeds = np.array(method.profile.value), np.array([control.profile.value for control in controls])
    differences = profile - seeds.mean(0)  # (points,)
    layer = int(np.abs(differences).argmax())
    _, p_value = profile_distance(profile, seeds)
    return contrast(method.gap.value, np.array(method.gap.replicates), gaps, np.array(replicates)), LayerDifference(
        label=point_names(method.points)[layer].label,
        value=float(differences[layer]),
        beyond_seeds=p_value <= 1 / (len(controls) + 1),
    )


def _beyond(sweep: SweepResult, reduction: str, damage: float) -> Beyond:
    known = sweep.statistics_of(reduction, "partial_cka")
    gap = known.gap_at_damage.get(amount_text(damage)) if known else None
    if not isinstance(gap, GapAtDamage) or (gap.high - gap.low) / 2 > WIDEST:
        return Beyond()
    return Beyond(gap.value, gap.low, gap.high)
