"""What a similarity is worth: how alike fine-tunes are that differ only in the seed.

Where pruning leaves a layer more similar to itself than such twins are to each other, it has changed the layer less
than another seed does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.findings.comparable import same_examples
from core.findings.words.numbers import decimals, hundredths
from core.request.catalog import REDUCTION
from core.results.names import ReductionKey
from core.results.schema import SweepResult

OTHER_SEEDS = "other seeds"  # what it is called in a picture


@dataclass(frozen=True)
class Yardstick:
    """The similarity of seed twins, layer by layer.

    Attributes:
        pairs: (pairs, points) CKA of the same layer in two twins, unpruned.
        checkpoints: How many of them there are.
    """

    pairs: tuple[tuple[float, ...], ...]
    checkpoints: int

    def ranges(self, point: int) -> list[tuple[float, float]]:
        """Return the range over all pairs at one point; none where it is undefined."""
        known = [pair[point] for pair in self.pairs if not np.isnan(pair[point])]
        return [(min(known), max(known))] if known else []

    def words(self, point: int) -> str:
        """Write the range at one point: `0.60 to 0.80`; empty where it is undefined."""
        ends = (decimals(end, 2) for limits in self.ranges(point) for end in limits)
        return " to ".join(dict.fromkeys(ends))

    def less_from(self, amounts: Sequence[float], own: npt.NDArray[np.float64], point: int) -> float | None:
        """Return the amount from which a point is less similar to itself than any twins are; None if at none.

        Args:
            amounts: The amounts.
            own: (frames,) similarity of the point to itself; undefined is less.
            point: The point's place among all.
        """
        lowest = min((low for low, _ in self.ranges(point)), default=np.nan)
        less = [np.isnan(value) or hundredths(value) < hundredths(lowest) for value in own]  # both as they are shown
        is_known = not np.isnan(lowest) and not np.isnan(own[0])
        return amounts[less.index(True)] if is_known and True in less else None


def yardstick(result: SweepResult, twins: Sequence[SweepResult], reduction: ReductionKey) -> Yardstick | None:
    """Collect the similarity of all pairs of twins on a result's examples and points; None where there are none.

    Args:
        result: A result that is compared with its own unpruned layers.
        twins: Twins against twins: see `core.findings.choices.twins`.
        reduction: Another one than `mean` has no yardstick.
    """
    pairs: dict[frozenset[str], Sequence[float | None]] = {}
    for twin in twins if reduction == REDUCTION and result.against is None else ():
        own = twin.frames[0].own(REDUCTION)
        if twin.against and own and twin.points == result.points and same_examples(result, twin):
            pairs[frozenset((twin.checkpoint.id, twin.against.id))] = own
    if not pairs:
        return None
    rows = np.array(list(pairs.values()), dtype=np.float64)  # (pairs, points)
    return Yardstick(tuple(map(tuple, rows.tolist())), len(frozenset().union(*pairs)))
