"""One pruning on several checkpoints: what it changes depends on the checkpoint, or on how weights are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.claim import DAMAGE
from core.findings.grid import GridRow, seed_spreads, told_verdicts
from core.findings.spread import counted, mean_and_deviation
from core.findings.words import render
from core.results.names import decimals, percent

# How much checkpoints must differ before a sentence says that they do: in shares, and in differences from chance.
FARTHEST_ALIKE, FAR_MORE = 0.05, 3


@dataclass(frozen=True)
class Replicate:
    """One checkpoint: how much of the change lies in the upper half of its layers.

    Attributes:
        row: Its sweep.
        share: Under the method.
        control_shares: Under each seed of random removal.
    """

    row: GridRow
    share: float
    control_shares: tuple[float, ...]

    @property
    def layers(self) -> int:
        """The number of its layers."""
        return int(self.row.own.shape[1])

    @property
    def from_chance(self) -> float:
        """How far the method is from random removal."""
        return abs(self.share - float(np.mean(self.control_shares)))


def replicates(rows: Sequence[GridRow]) -> list[Replicate]:
    """Return the checkpoints on which the shares are known of both the method and random removal.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
    """
    return [
        Replicate(row, row.verdict.share, row.verdict.control_shares)
        for row in rows
        if row.verdict and row.verdict.share is not None and row.verdict.control_shares
    ]


def replication_finding(rows: Sequence[GridRow], pruning: str) -> str:
    """Say how far checkpoints differ, and the method from random removal on each; empty for fewer than two.

    Args:
        rows: See `replicates`.
        pruning: The pruning's name inside a sentence.
    """
    known, told = replicates(rows), told_verdicts(rows)
    if len(known) < 2:
        return ""
    shares = [replicate.share for replicate in known]
    from_chance = max(replicate.from_chance for replicate in known)
    return render(
        "replication",
        "finding",
        pruning=pruning,
        count=len(known),
        depths=[str(depth) for depth in sorted({replicate.layers for replicate in known})],
        damage=DAMAGE,
        shares=shares,
        from_chance=decimals(100 * from_chance, 0),
        far_more=max(shares) - min(shares) > max(FARTHEST_ALIKE, FAR_MORE * from_chance),
        states=counted(told[replicate.row.key].direction for replicate in known),
        seeds=[
            (spread.name, spread.shares(spread.verdicts))
            for spread in seed_spreads([replicate.row for replicate in known], told)
        ],
    )


def replication_table(rows: Sequence[GridRow]) -> list[dict[str, str]]:
    """Tabulate the shares and the verdict, a row per checkpoint."""
    told = told_verdicts(rows)
    return [
        {
            "Checkpoint": replicate.row.cells["Checkpoint"],
            "Layers": str(replicate.layers),
            "In the upper half": percent(replicate.share),
            "Random": mean_and_deviation(replicate.control_shares),
            "Verdict": told[replicate.row.key].words,
        }
        for replicate in replicates(rows)
    ]
