"""One pruning on several checkpoints: where each changes, and how far the pruning is from chance on any of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.claim import Verdict
from core.findings.grid import GridRow
from core.results.names import hundredths
from core.sweep.control_contrast import DIFFERENT
from core.sweep.equal_damage import upper_share

SHOWN = (None, "wide interval", "beyond working range")  # reasons that leave the shares as good as those of a verdict
HALF = 0.5  # of the change, which lies in the upper half of the layers where both halves change equally


@dataclass(frozen=True)
class Replication:
    """One pruning on those checkpoints on which it can be compared with all seeds of random removal.

    Attributes:
        rows: Their sweeps, each on another checkpoint or task.
        verdicts: Those on them, each alone.
        checkpoints: How many there are.
        others: The number of checkpoints on which it cannot be compared.
        upper: The number of those whose upper half is shown to change most on every task.
        differing: The number of those that show a difference from random removal.
        from_chance: The largest difference of a share from random removal's mean, both in whole percent as shown.
    """

    rows: tuple[GridRow, ...]
    verdicts: tuple[Verdict, ...]
    checkpoints: int
    others: int
    upper: int
    differing: int
    from_chance: float


def replication(rows: Sequence[GridRow]) -> Replication | None:
    """Collect what is known of one pruning on several checkpoints; None for fewer than two.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
    """
    known = [(row, row.verdict) for row in rows if row.verdict and row.verdict.reason in SHOWN]
    known = [(row, verdict) for row, verdict in known if verdict.method and verdict.has_all_seeds]
    checkpoints = {row.column.checkpoint for row, _ in known}
    if len(checkpoints) < 2:
        return None
    even = {row.column.checkpoint for row, verdict in known if share_interval(verdict)[0] <= HALF}
    return Replication(
        tuple(row for row, _ in known),
        tuple(verdict for _, verdict in known),
        len(checkpoints),
        len({row.column.checkpoint for row in rows} - checkpoints),
        len(checkpoints - even),
        len({row.column.checkpoint for row, verdict in known if verdict.direction in DIFFERENT}),
        max(abs(hundredths(v.share or 0) - hundredths(float(np.mean(v.control_shares)))) for _, v in known),
    )


def share_interval(verdict: Verdict) -> tuple[float, float]:
    """Return the 95 % interval over examples of the share in the upper half, under a method that is known there."""
    assert verdict.method
    low, high = (upper_share(bound, verdict.damage) for bound in (verdict.method.gap.low, verdict.method.gap.high))
    return low, high
