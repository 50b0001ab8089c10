"""The records of a result's statistics, each a part of the file."""

from typing import Annotated, Literal

from pydantic import Field

from core.results import fields as f


class ChangedRecord(f.Record):
    """The share of predictions that differ from the baseline's, with Wilson's 95 % interval."""

    share: f.Fraction
    interval: f.Bounds | None


class WorkingRangeRecord(f.Record):
    """The amount up to which the model works, and the one from which it is shown not to.

    `reason` explains a null: "no lead" over the majority class is shown, or "too few examples" to
    show a drop of a tenth of the lead.
    """

    to: f.Amount | None
    metric: f.MetricName
    examples: f.Count
    shown_broken_from: f.Amount | None
    lead: f.Statistic
    reason: Literal["no lead", "too few examples"] | None


class EstimateRecord(f.Record):
    """A value with its 95 % interval."""

    value: f.Statistic
    low: f.Statistic
    high: f.Statistic


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

    replicates: f.Replicates
    amount: f.Amount
    coarse: bool


class NotAtDamage(f.Record):
    """The reason for a missing value at a damage."""

    reason: f.Name


class LayerStatistics(f.Record):
    """Statistics of CKA under one reduction.

    `own` holds the 95 % interval of each point's own similarity, by frame and point. `survival` is
    null for a point whose similarity is undefined even without pruning. `gap_at_damage` maps a
    damage, such as `0.05`.
    """

    own: Annotated[tuple[Annotated[tuple[f.Bounds | None, ...], f.FAST], ...], f.FAST] | None = None
    survival: Annotated[tuple[SurvivalRecord | None, ...], f.FAST]
    gap_at_damage: Annotated[dict[f.Name, GapAtDamage | NotAtDamage], f.FEW] = Field(default={})
