"""The records of a result's statistics, each a part of the file."""

from pydantic import Field

from core.results.fields import (
    Amount,
    Bounds,
    ByName,
    Count,
    Fraction,
    Many,
    MetricName,
    Name,
    Record,
    Replicates,
    Statistic,
)


class ChangedRecord(Record):
    """The share of predictions that differ from the baseline's, with Wilson's 95 % interval."""

    share: Fraction
    interval: Bounds | None


class WorkingRangeRecord(Record):
    """The amount up to which the model works, and the one from which it is shown not to.

    `lead` is the unpruned model's over the majority class; without one, `to` is null.
    """

    to: Amount | None
    metric: MetricName
    examples: Count
    shown_broken_from: Amount | None
    lead: Statistic


class EstimateRecord(Record):
    """A value with its 95 % interval."""

    value: Statistic
    low: Statistic
    high: Statistic


class SurvivalRecord(EstimateRecord):
    """The amount at which a point's CKA with its own baseline first falls below 0.9.

    `censored` means that it never fell below 0.9. `high` at the largest amount means "or beyond".
    """

    censored: bool


class GapAtDamage(EstimateRecord):
    """The similarity that the lower half of the points keeps, minus the upper half's, at a damage.

    `replicates` holds the value without each example, in evaluation order, which pairs two results
    on the same examples. `coarse` means that too few amounts precede it for a verdict.
    """

    replicates: Replicates
    amount: Amount
    coarse: bool


class NotAtDamage(Record):
    """The reason for a missing value at a damage, in older files; newer ones omit the damage."""

    reason: Name


class LayerStatistics(Record):
    """Statistics of CKA under one reduction.

    `own` holds the 95 % interval of each point's own similarity, by frame and point. `survival` is
    null for a point whose similarity is undefined even without pruning. `gap_at_damage` maps a
    damage, such as `0.05`.
    """

    own: Many[Many[Bounds | None]] | None = None
    survival: Many[SurvivalRecord | None]
    gap_at_damage: ByName[GapAtDamage | NotAtDamage] = Field(default={})
