"""Verdicts over checkpoints that differ only in the seed: how far the shares of change spread from one to another.

Intervals over sentences say nothing about another fine-tune. Here the unit is the checkpoint: of its control counts the
mean over the control's seeds.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.claim import Verdict
from core.findings.words import render
from core.request.catalog import FAMILIES
from core.results.choices import family_of, seed_of
from core.results.names import decimals, percent
from core.sweep.control_contrast import Direction

NONE = "–"


@dataclass(frozen=True)
class OfCheckpoint:
    """A verdict on one checkpoint.

    Attributes:
        checkpoint: Its id, which says what it shares with its seed twins: see `core.results.choices.family_of`.
        place: What else twins must share to stand in one row: the examples and the method.
        verdict: Alone.
        direction: After correction for the number of verdicts.
    """

    checkpoint: str
    place: Hashable
    verdict: Verdict
    direction: Direction


@dataclass(frozen=True)
class Spread:
    """The verdicts on at least two checkpoints that differ only in the seed."""

    family: str
    checkpoints: Mapping[str, OfCheckpoint]  # by the keys of their results

    @property
    def name(self) -> str:
        """What the checkpoints are, and how many."""
        return f"{FAMILIES.get(self.family, self.family)}, {len(self.checkpoints)} seeds"

    def shares(self, verdicts: Sequence[Verdict]) -> str:
        """Write the share of the change that lies in the upper half: `62 % ± 2`.

        Where it is known on some checkpoints only, these are counted: `62 % ± 2 (3 of 5)`.

        Args:
            verdicts: One of each checkpoint, all at one damage.
        """
        return self._written([known.share for known in verdicts if known.share is not None])

    def control_shares(self, verdicts: Sequence[Verdict]) -> str:
        """Write the same of random removal, by the mean of each checkpoint."""
        return self._written([float(np.mean(known.control_shares)) for known in verdicts if known.control_shares])

    def _written(self, shares: Sequence[float]) -> str:
        known, twins = len(shares), len(self.checkpoints)
        return mean_and_deviation(shares) + (f" ({known} of {twins})" if 1 < known < twins else "")

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdict on each checkpoint, alone."""
        return [known.verdict for known in self.checkpoints.values()]

    @property
    def states(self) -> str:
        """How often each state is given."""
        return counted(known.direction for known in self.checkpoints.values())


def counted(directions: Iterable[Direction]) -> str:
    """Write how often each state of a verdict is given: `4 × as by chance, 1 × cannot be told`."""
    counts = Counter(directions).most_common()
    return ", ".join(f"{count} × {render('claim', 'state', direction=direction)}" for direction, count in counts)


def spreads(judged: Mapping[str, OfCheckpoint]) -> list[Spread]:
    """Collect the verdicts of seed twins, in the order in which the first of each comes; one alone has no spread.

    Weights made twice with one seed, whose bits differ from processor to processor, count once: the first does.

    Args:
        judged: By the keys of their results.
    """
    groups: dict[tuple[str, Hashable], dict[str, OfCheckpoint]] = {}
    for key, known in judged.items():
        if family := family_of(known.checkpoint):
            twins = groups.setdefault((family, known.place), {})
            if all(seed_of(twin.checkpoint) != seed_of(known.checkpoint) for twin in twins.values()):
                twins[key] = known
    return [Spread(family, twins) for (family, _), twins in groups.items() if len(twins) > 1]


def mean_and_deviation(shares: Sequence[float]) -> str:
    """Write the mean of shares and their standard deviation in percentage points; a dash for fewer than two."""
    if len(shares) < 2:
        return NONE
    return f"{percent(float(np.mean(shares)))} ± {decimals(100 * float(np.std(shares, ddof=1)), 0)}"
