"""Judge where in depth a method changes a model, against chance: the one verdict that every page repeats.

Some decline of similarity with depth is expected of any pruning, so that only what differs from random removal is the
method's doing. Both are looked at where the layers have changed equally much on average (`core.sweep.equal_damage`):
the verdict says whether a larger or smaller share of that change lies in the upper half of the layers than under the
seeds of the matched random control (`core.sweep.control_contrast`). What it is judged by is fixed in advance; other
damages and reductions stand beside it. `words/claim.jinja` words it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.findings import against
from core.findings.comparable import control_sweeps, own_sweeps
from core.findings.words import render
from core.request.amounts import amount_text
from core.request.catalog import CONTROL_SEEDS, DAMAGE, FEW_EXAMPLES, METHODS, REDUCTION, SECOND_DAMAGE, SINGLE_BATCH
from core.results.choices import task_title
from core.results.names import (
    PointLabel,
    ReductionKey,
    in_sentence,
    method_name,
    point_names,
    pruned_layer,
    reduction_name,
)
from core.results.schema import GapAtDamage, NotAtDamage, ProfileAtDamage, SweepResult, WorkingRangeRecord
from core.sweep.control_contrast import SMALLEST_DIFFERENCE, Contrast, Direction, contrast, mean_gap, profile_distance
from core.sweep.equal_damage import Missing, upper_share

SENSITIVITY = ((REDUCTION, SECOND_DAMAGE), (REDUCTION, 0.2), ("cls", DAMAGE))  # what stands beside a verdict
WIDEST = 0.25  # half-width up to which something is said about similarity beyond the emptied model's
FEWEST_SEEDS = 2  # without which nothing can be contrasted

Lead = Literal["upper", "lower"]  # the half of the layers that changes more
Reason = Literal[
    "control",
    "another checkpoint",
    "one layer",
    "tokens",
    "points",
    "unfinished",
    "unpruned",
    "earlier version",
    "few examples",
    "single point",
    "not reached",
    "unsure",
    "undefined",
    "coarse",
    "no lead",
    "not working",
    "no control",
    "few seeds",
    "unusable seeds",
    "wide",
]
"""Why it cannot be told."""

_MISSING: dict[str, Reason] = {
    Missing.ONE_POINT: "single point",
    Missing.NOT_REACHED: "not reached",
    Missing.UNSURE: "unsure",
    Missing.UNDEFINED: "undefined",
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
        beyond: What goes beyond the emptied model.
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
    beyond: Beyond
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
    def smallest_difference(self) -> float:
        """The smallest difference of two shares that counts."""
        return smallest_share(self.damage)

    @property
    def control_shares(self) -> tuple[float, ...]:
        """The same of each seed."""
        return tuple(upper_share(control.gap.value, self.damage) for control in self.controls)

    @property
    def control_lead(self) -> Lead | None:
        """Which half of the layers changes more under the control; None if the mean of its seeds does not show it."""
        if len(self.controls) < FEWEST_SEEDS:
            return None
        gaps = [control.gap.value for control in self.controls]
        _, low, high = mean_gap(gaps, np.array([control.gap.replicates for control in self.controls]))
        return _lead_of(low, high)

    @property
    def has_all_seeds(self) -> bool:
        """Whether as many seeds are usable as a verdict takes."""
        return len(self.controls) >= self.needed

    @property
    def control_works(self) -> bool:
        """Whether the control's median seed is within its working range there."""
        return 2 * sum(not control.works for control in self.controls) <= len(self.controls)


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
    found = "another checkpoint" if result.against else placed(own_sweeps(result, companions), reduction, damage)
    method, missing = (found, None) if isinstance(found, Placed) else (None, found)
    seeds = control_sweeps(result, companions)
    controls = tuple(
        seed
        for seed in (placed(sweeps, reduction, damage) for sweeps in seeds.values())
        if isinstance(seed, Placed) and not seed.gap.coarse
    )
    needed = CONTROL_SEEDS[result.pruning.granularity]
    beside = _contrast(method, controls)
    return Verdict(
        damage=damage,
        reduction=reduction,
        method=method,
        controls=controls,
        matched=len(seeds),
        needed=needed,
        contrast=beside,
        layer=_layer_difference(method, controls),
        beyond=method.beyond if method else Beyond(),
        reason=_obstacle(result, reduction)
        or (_obstacle_there(method) if method else missing)
        or _obstacle_of_chance(len(seeds), len(controls), needed)
        or ("wide" if beside and beside.direction() == "cannot be told" else None),
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
    return _MISSING.get(gap.reason, "undefined") if isinstance(gap, NotAtDamage) else "earlier version"


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
    """Say what keeps a result from being judged at all."""
    if result.against:
        return "another checkpoint"
    method = METHODS.get(result.pruning.method)
    if method and method.control is None:
        return "control"
    if pruned_layer(result):
        return "one layer"
    if reduction not in SINGLE_BATCH:
        return "tokens"
    if not all(point.endswith(".attention") for point in result.points):
        return "points"
    if not result.key:
        return "unfinished"
    if len(result.amounts) < 2:
        return "unpruned"
    return "few examples" if len(result.task.examples) < FEW_EXAMPLES else None


def _obstacle_there(method: Placed) -> Reason | None:
    """Say what keeps a method from being judged at the damage."""
    if method.range and method.range.reason == "no lead":
        return "no lead"
    return "coarse" if method.gap.coarse else None if method.works else "not working"


def _obstacle_of_chance(matched: int, usable: int, needed: int) -> Reason | None:
    """Say what the control's seeds lack."""
    if usable >= needed:
        return None
    return "no control" if not matched else "few seeds" if matched < needed else "unusable seeds"


def _contrast(method: Placed | None, controls: Sequence[Placed]) -> Contrast | None:
    if method is None or len(controls) < FEWEST_SEEDS:
        return None
    return contrast(
        method.gap.value,
        np.array(method.gap.replicates),
        [control.gap.value for control in controls],
        np.array([control.gap.replicates for control in controls]),
    )


def _layer_difference(method: Placed | None, controls: Sequence[Placed]) -> LayerDifference | None:
    if method is None or len(controls) < FEWEST_SEEDS:
        return None
    profile, seeds = np.array(method.profile.value), np.array([control.profile.value for control in controls])
    differences = profile - seeds.mean(0)  # (points,)
    layer = int(np.abs(differences).argmax())
    _, p_value = profile_distance(profile, seeds)
    return LayerDifference(
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


# ---------------------------------------------------------------- in words


def headline_of(
    results: Sequence[SweepResult], companions: Sequence[Sequence[SweepResult]], reduction: ReductionKey = REDUCTION
) -> str:
    """Say the finding that results of one method on different tasks support together; see `headline`.

    Of one against another checkpoint, it is no claim about layers but which of them are most similar.

    Args:
        results: The results.
        companions: What each is judged beside.
        reduction: By which layers are similar to those of another checkpoint; a verdict has its own.
    """
    if len(results) == 1 and results[0].against:
        return against.title(results[0], reduction)
    verdicts = {
        task_title(result.task.name): verdict(result, beside)
        for result, beside in zip(results, companions, strict=True)
    }
    alone = all(pruned_layer(result) for result in results)
    return headline(verdicts, method_name(results[0]).removesuffix(" of the encoder"), alone)


def headline(verdicts: dict[str, Verdict], pruning: str, alone: bool = False) -> str:
    """Say in one plain sentence where a method changes one model or several, and whether chance does the same.

    Args:
        verdicts: The verdicts, by what tells the models apart, such as their tasks.
        pruning: The method's name at the head of a sentence.
        alone: Whether it prunes a single layer, so that those below cannot change.
    """
    if alone:
        return render("claim", "headline_alone", pruning=pruning)
    leads = {_lead(verdict) for verdict in verdicts.values()}
    directions = {verdict.direction for verdict in verdicts.values()}
    return render(
        "claim",
        "headline",
        pruning=pruning,
        lead=leads.pop() if len(leads) == 1 else None,
        direction=directions.pop() if len(directions) == 1 else None,
        verdicts=verdicts,
    )


def _lead(verdict: Verdict) -> Lead | None:
    """Which half of the layers has changed more under the method; None if that is not shown."""
    return _lead_of(verdict.method.gap.low, verdict.method.gap.high) if verdict.method else None


def _lead_of(low: float, high: float) -> Lead | None:
    """Which half of the layers changes more by the interval of the gap; None if it holds 0."""
    return "upper" if low > 0 else "lower" if high < 0 else None


def verdict_in_short(result: SweepResult, companions: Iterable[SweepResult] = ()) -> str:
    """Say the verdict and the shares behind it, in one sentence; empty against another checkpoint."""
    return "" if result.against else _in_short(result, verdict(result, companions))


def _in_short(result: SweepResult, judged: Verdict) -> str:
    return render("claim", "in_short", pruning=in_sentence(method_name(result)), verdict=judged)


def verdict_finding(result: SweepResult, companions: Iterable[SweepResult] = ()) -> str:
    """Say the verdict and what must be known beside it.

    These are the layer that differs most, the verdicts at other damages and by the first token, and the similarity
    beyond the emptied model's. Against another checkpoint nothing is judged, and nothing said.
    """
    if result.against:
        return ""
    companions = list(companions)
    judged = verdict(result, companions)
    beside = [verdict(result, companions, reduction, damage) for reduction, damage in SENSITIVITY]
    sentences = [_in_short(result, judged)]
    if judged.contrast:
        sentences.append(render("claim", "beside", verdict=judged, others=[(_name(known), known) for known in beside]))
    if judged.method:
        sentences.append(render("claim", "beyond", beyond=judged.beyond))
    return " ".join(sentences)


def verdict_details(result: SweepResult, companions: Iterable[SweepResult] = ()) -> str:
    """Say the numbers behind the verdict under their statistical names, and the depth gap of the whole sweep.

    Empty against another checkpoint, where nothing is judged.
    """
    if result.against:
        return ""
    known = result.statistics_of(REDUCTION)
    judged = verdict(result, companions)
    return render("claim", "details", verdict=judged, depth_gap=known.depth_gap if known else None)


def _name(verdict: Verdict) -> str:
    """Name what a verdict beside the main one is judged by."""
    return render(
        "claim",
        "judged_by",
        damage=verdict.damage,
        reduction=None if verdict.reduction == REDUCTION else reduction_name(verdict.reduction),
    )
