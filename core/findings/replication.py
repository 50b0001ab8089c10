"""One pruning on several checkpoints: where each changes, how far they differ, and how far the pruning from chance.

The sentence counts verdicts that stand alone each; those of the table are corrected for their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.claim import Placed, Verdict
from core.findings.grid import GridRow, seed_spreads
from core.findings.spread import counted
from core.findings.verdicts import adjusted_p_values, control_shares, corrected, verdict_cell
from core.findings.words import render
from core.request.catalog import DAMAGE
from core.results.names import decimals, hundredths, percent
from core.sweep.control_contrast import DIFFERENT
from core.sweep.equal_damage import upper_share

SHOWN = (None, "wide", "not working")  # reasons that leave the shares as good as those of a verdict
HALF = 0.5  # of the change, which lies in the upper half of the layers where both halves change equally
FAR_MORE = 3  # times as far apart are checkpoints as method and chance before a sentence says so


@dataclass(frozen=True)
class Replicate:
    """One checkpoint: how much of the change lies in the upper half of its layers.

    Attributes:
        row: Its sweep.
        verdict: On the method.
        share: Under the method.
        low: The lower end of the share's 95 % interval over examples.
        high: The upper end.
    """

    row: GridRow
    verdict: Verdict
    share: float
    low: float
    high: float

    @property
    def layers(self) -> int:
        """The number of its layers."""
        return int(self.row.own.shape[1])

    @property
    def from_chance(self) -> float:
        """How far the share is from the mean under random removal, both in the whole percent that the table has."""
        return abs(hundredths(self.share) - hundredths(float(np.mean(self.verdict.control_shares))))

    @property
    def at_most_from_chance(self) -> float:
        """The farther end of that difference's 95 % interval."""
        contrast = self.verdict.contrast
        half_width = contrast.half_width() if contrast else np.inf
        return self.from_chance + upper_share(half_width, self.verdict.damage) - upper_share(0.0, self.verdict.damage)


def replicates(rows: Sequence[GridRow]) -> list[Replicate]:
    """Return the checkpoints on which the method can be compared with all seeds of random removal.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
    """
    return [
        _replicate(row, row.verdict, row.verdict.method)
        for row in rows
        if row.verdict and row.verdict.method and row.verdict.reason in SHOWN and row.verdict.has_all_seeds
    ]


def _replicate(row: GridRow, verdict: Verdict, method: Placed) -> Replicate:
    gap = method.gap
    share, low, high = (upper_share(value, verdict.damage) for value in (gap.value, gap.low, gap.high))
    return Replicate(row, verdict, share, low, high)


def replication_finding(rows: Sequence[GridRow], pruning: str) -> str:
    """Say where the change lies on all checkpoints, and whether the method decides it; empty for fewer than two.

    Args:
        rows: See `replicates`.
        pruning: The pruning's name inside a sentence.
    """
    known = replicates(rows)
    checkpoints = {replicate.row.column.checkpoint for replicate in known}
    if len(checkpoints) < 2:
        return ""
    directions = {replicate.row.key: replicate.verdict.direction for replicate in known}
    return render(
        "replication",
        "finding",
        pruning=pruning,
        count=len(checkpoints),
        others=len({row.column.checkpoint for row in rows} - checkpoints),
        upper=len(checkpoints - {replicate.row.column.checkpoint for replicate in known if replicate.low <= HALF}),
        depths=[str(depth) for depth in sorted({replicate.layers for replicate in known})],
        damage=DAMAGE,
        shares=[replicate.share for replicate in known],
        from_chance=decimals(100 * max(replicate.from_chance for replicate in known), 0),
        far_more=_differ_far_more(known),
        differing=len(
            {replicate.row.column.checkpoint for replicate in known if replicate.verdict.direction in DIFFERENT}
        ),
        states=counted(directions.values()),
        broken=sum(not replicate.verdict.control_works for replicate in known),
        seeds=[
            (spread.name, spread.shares(spread.verdicts))
            for spread in seed_spreads([replicate.row for replicate in known], directions)
        ],
    )


def _differ_far_more(known: Sequence[Replicate]) -> bool:
    """Whether checkpoints differ, beyond the intervals, by far more than the method can from chance on any of them."""
    lowest, highest = (pick(known, key=lambda replicate: replicate.share) for pick in (min, max))
    from_chance = max(replicate.at_most_from_chance for replicate in known)
    return highest.low > lowest.high and highest.share - lowest.share >= FAR_MORE * from_chance


def replication_table(rows: Sequence[GridRow]) -> list[dict[str, str]]:
    """Tabulate the shares and the verdict, a row per checkpoint; the verdicts are corrected for their number."""
    known = replicates(rows)
    adjusted = adjusted_p_values([replicate.verdict for replicate in known])
    return [
        {
            "Checkpoint": replicate.row.cells["Checkpoint"],
            "Layers": str(replicate.layers),
            "In the upper half": percent(replicate.share),
            "Random, mean ± SD": control_shares(replicate.verdict),
            "Verdict": verdict_cell(replicate.verdict, corrected(replicate.verdict, p_value)),
        }
        for replicate, p_value in zip(known, adjusted, strict=True)
    ]
