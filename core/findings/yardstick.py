"""What a similarity is worth: how alike fine-tunes are that differ only in the seed (`words/yardstick.jinja`).

Where pruning leaves a layer more similar to itself than such twins are to each other, it has changed the layer less
than another seed does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.comparable import same_examples
from core.findings.survival import own_similarity
from core.findings.words import render
from core.request.catalog import REDUCTION
from core.results.names import PointLabel, ReductionKey, decimals, hundredths, point_labels, removed_name, spanned
from core.results.schema import SweepResult

FEWEST_FOR_A_BAND = 3  # checkpoints
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

    def of(self, point: int) -> list[float]:
        """Return the similarity of every pair at one point; NaN where it is undefined."""
        return [pair[point] for pair in self.pairs]

    def ranges(self, point: int) -> list[tuple[float, float]]:
        """Return the range over all pairs at one point; with too few checkpoints for one, each pair by itself."""
        known = [value for value in self.of(point) if not np.isnan(value)]
        return [(min(known), max(known))] if known and self.is_band else [(value, value) for value in known]

    def lowest(self, point: int) -> float | None:
        """Return the lowest similarity of twins at one point; None where none is defined."""
        return min((low for low, _ in self.ranges(point)), default=None)

    def words(self, point: int) -> str:
        """Write the range at one point: `0.60 to 0.80`; empty where it is undefined."""
        ends = [end for ends in self.ranges(point) for end in ends]
        return " to ".join(dict.fromkeys(decimals(end, 2) for end in (min(ends), max(ends)))) if ends else ""

    @property
    def is_band(self) -> bool:
        """Whether there are enough checkpoints for a range."""
        return self.checkpoints >= FEWEST_FOR_A_BAND


def yardstick(result: SweepResult, twins: Sequence[SweepResult], reduction: ReductionKey) -> Yardstick | None:
    """Collect the similarity of all pairs of twins on a result's examples and points; None where there are none.

    Args:
        result: A result that is compared with its own unpruned layers.
        twins: Twins against twins: see `core.results.choices.twins`.
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


def yardstick_finding(result: SweepResult, known: Yardstick | None, chosen: PointLabel) -> str:
    """Say how similar twins are in a layer, and from where on it is less similar to itself; empty without any."""
    if known is None:
        return ""
    k = point_labels(result.points).index(chosen)
    own, ends = own_similarity(result, REDUCTION)[:, k], known.ranges(k)  # (frames,), one pair or several
    if not ends or np.isnan(own[0]):
        return ""
    low = min(ends)[0]
    less = [amount for amount, value in zip(result.amounts, own, strict=True) if _is_less(value, low)]
    return render(
        "yardstick",
        "finding",
        label=chosen,
        low=low,
        high=max(high for _, high in ends),
        checkpoints=known.checkpoints,
        removed=removed_name(less[0], result) if less else "",
    )


def _is_less(value: float, twins: float) -> bool:
    """Whether a layer is less similar to itself than twins are, as both are shown; undefined is less."""
    return bool(np.isnan(value)) or hundredths(value) < hundredths(twins)


def layers_finding(result: SweepResult, known: Yardstick | None) -> str:
    """Say which layers pruning makes less similar to themselves than twins are, first of all while the model works.

    Empty without twins or without any amount above 0.
    """
    if known is None or len(result.frames) < 2:
        return ""
    own, labels = own_similarity(result, REDUCTION), point_labels(result.points)  # (frames, points)
    lowest = {k: low for k in range(len(labels)) if (low := known.lowest(k)) is not None and not np.isnan(own[0, k])}
    if not lowest:
        return ""
    compared = [*lowest]
    less = np.array([[_is_less(row[k], low) for k, low in lowest.items()] for row in own])  # (frames, compared points)
    working = result.working_range.to if result.working_range else None
    changed = np.flatnonzero(less.any(axis=1))  # frames
    last = len(result.frames) - 1 if working is None else result.amounts.index(working)
    shown = last if not changed.size or less[last].any() else int(changed[0])
    which = [labels[k] for k, is_less in zip(compared, less[shown], strict=True) if is_less]
    return render(
        "yardstick",
        "layers",
        checkpoints=known.checkpoints,
        which=spanned(which, labels) if which else "",
        count=len(which),
        removed=removed_name(result.amounts[shown], result),
        everyone=len(which) == len(labels),
        partly=len(compared) < len(labels),
        works=None if working is None else result.amounts[shown] <= working,
    )
