"""The records of a result's statistics, each a part of the file."""

from typing import Annotated, Literal

from pydantic import Field

from core.results.fields import FAST, FEW, Amount, Bounds, Count, Fraction, Name, Record, Replicates, Statistic, Values

Scores = dict[Name, Statistic | None]  # by metric
Intervals = dict[Name, Bounds | None]


class ChangedRecord(Record):
    """The share of predictions that differ from the baseline's, with Wilson's 95 % interval."""

    share: Fraction
    interval: Bounds | None


class DivergenceRecord(Record):
    """The mean Jensen-Shannon divergence from the baseline's output distributions, in bits, with its 95 % interval."""

    value: Fraction
    interval: Bounds | None


class WorkingRangeRecord(Record):
    """Up to which amount the model works, and from which on it is shown not to.

    `smallest_drop` is the smallest drop of the metric that the `examples` could show. `reason` says why something is
    missing: "no lead" over the majority class is shown, or "too few examples" to show a drop of a tenth of the lead.
    """

    to: Amount | None
    metric: Name
    examples: Count
    shown_broken_from: Amount | None
    smallest_drop: Statistic
    lead: Statistic
    reason: Literal["no lead", "too few examples"] | None


class Estimate(Record):
    """A value with its 95 % interval."""

    value: Statistic
    low: Statistic
    high: Statistic


class SurvivalRecord(Estimate):
    """The amount at which a point's CKA with its own baseline first falls below 0.9.

    `censored`: it never fell below within the amounts measured. `high` at the largest amount means "or beyond".
    """

    censored: bool


class DepthGapRecord(Estimate):
    """How much more similarity the lower half of the points keeps than the upper half.

    `replicates` holds the value without each example, in evaluation order. They pair two results on the same examples.
    """

    replicates: Replicates


class GapAtDamage(DepthGapRecord):
    """The gap of the depth profile at one damage; `coarse` where too few amounts lie before it for a verdict."""

    amount: Amount
    coarse: bool


class ProfileAtDamage(Record):
    """Own similarity of every point at one damage, with 95 % intervals; for CKA also without each example."""

    value: Values
    low: Values
    high: Values
    amount: Amount
    replicates: Annotated[tuple[Replicates, ...], FAST] | None


class NotAtDamage(Record):
    """Why there is nothing at a damage."""

    reason: Name


class LayerStatistics(Record):
    """Statistics of one measure under one reduction.

    `own` holds the 95 % interval of each point's own similarity, by frame and point. `survival` is null for a point
    whose similarity is undefined even without pruning. `gap_at_damage` and `profile_at_damage` go by the damage, such
    as `0.05`. `own_replicates` holds, by frame, the own similarity of the only layer that was pruned without each
    example.
    """

    own: Annotated[tuple[Annotated[tuple[Bounds | None, ...], FAST], ...], FAST] | None = None
    survival: Annotated[tuple[SurvivalRecord | None, ...], FAST]
    depth_gap: DepthGapRecord | None
    gap_at_damage: Annotated[dict[Name, GapAtDamage | NotAtDamage], FEW] = Field(default={})
    profile_at_damage: Annotated[dict[Name, ProfileAtDamage | NotAtDamage], FEW] = Field(default={})
    own_replicates: Annotated[tuple[Replicates, ...], FAST] | None = None

    def fits(self, frames: int, points: int, examples: int) -> bool:
        """Whether there is one value per frame, point and example."""
        profiles = [known for known in self.profile_at_damage.values() if isinstance(known, ProfileAtDamage)]
        gaps = [gap for gap in (self.depth_gap, *self.gap_at_damage.values()) if isinstance(gap, DepthGapRecord)]
        replicates = [row for profile in profiles for row in profile.replicates or ()]
        by_point = [rows for p in profiles for rows in (p.value, p.low, p.high, p.replicates) if rows is not None]
        return (
            {len(row) for row in (*(gap.replicates for gap in gaps), *replicates, *(self.own_replicates or ()))}
            <= {examples}
            and {len(row) for row in (self.survival, *(self.own or ()), *by_point)} <= {points}
            and {len(rows) for rows in (self.own, self.own_replicates) if rows is not None} <= {frames}
        )
