"""What all shipped checkpoints say together: a method's share of change in the upper half.

From it random removal's is subtracted. Beside it stands what pruning does to them: means over
cells, each a task at a depth. `benchmarks.pooled` and `benchmarks.meaning` compute both and say
how; the app reads the files. Overall change is 1 - the mean own CKA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import TypeAdapter

from core.results.fields import Bounds
from core.results.library import read_table
from core.results.schema import Pruning
from core.sweep.control_contrast import MARGIN, Contrast, State

ALL, WHOLE = "all", "all seeds usable"  # names of estimates, beside those of each depth
Scale = Literal["change", "amount"]


@dataclass(frozen=True)
class Cell:
    """A method on the checkpoints of one task and depth.

    Attributes:
        task: The task's title.
        layers: The depth.
        keys: The keys of the results, one a checkpoint.
        upper: On how many of them the upper half of the layers is shown to change more.
        control_upper: The same under random removal.
        needed: The seeds of random removal that a verdict takes.
        by_seed: The method's share less that of each seed which is usable on all of them.
        contrast: The method against the mean of these seeds.
    """

    task: str
    layers: int
    keys: tuple[str, ...]
    upper: int
    control_upper: int
    needed: int
    by_seed: Mapping[int, float]
    contrast: Contrast


@dataclass(frozen=True)
class PooledEstimate:
    """A method's share less random removal's over several cells.

    Attributes:
        cells: How many.
        value: By random effects.
        interval: The wider one of the 95 % interval of random effects, cells taken as independent,
            and `within`.
        within: The 95 % interval of the same contrast over the seeds that all cells have; None for
            fewer than two.
        deviation: τ, the standard deviation of the differences between cells.
        inconsistency: I², the share of their variance that the errors within cells do not explain.
        predicted: Where the difference in another cell is expected, 95 %; None for fewer than four
            cells.
    """

    cells: int
    value: float
    interval: Bounds
    within: Bounds | None
    deviation: float
    inconsistency: float
    predicted: Bounds | None

    @property
    def state(self) -> State:
        """What the interval shows: equivalence, a difference in one direction, or neither."""
        low, high = self.interval
        if max(-low, high) <= MARGIN:
            return "equivalent"
        return "steeper" if low > 0 else "flatter" if high < 0 else "inconclusive"


@dataclass(frozen=True)
class Pooled:
    """A method over all checkpoints.

    Attributes:
        method: A name from METHODS.
        scope: Where it prunes; None for a method that removes units.
        cells: Those in which at least two seeds of random removal are usable.
        estimates: By `ALL`, `WHOLE` or a depth, where there are two cells or more.
    """

    method: str
    scope: str | None
    cells: tuple[Cell, ...]
    estimates: Mapping[str, PooledEstimate]

    @property
    def pruning(self) -> Pruning:
        """How it prunes."""
        return Pruning(method=self.method, scope=self.scope, seed=0)

    @property
    def keys(self) -> set[str]:
        """The keys of the results that count, one a checkpoint."""
        return {key for cell in self.cells for key in cell.keys}


@dataclass(frozen=True)
class Estimate:
    """A quantity at an overall change, or at an amount.

    Attributes:
        quantity: What it is, a key of `benchmarks.meaning.TITLES`.
        method: A name from METHODS.
        beside: The method that it is divided by (`changed`, `removed`), or that is subtracted from
            it; else empty.
        scale: Whether models are compared where they have changed, or been pruned, equally much.
        at: The overall change, or the amount (of what is pruned).
        value: The mean over cells; of ratios the geometric one.
        interval: Student's 95 % interval over the cells.
        by_cell: The value of each cell, the mean over its checkpoints.
        checkpoints: How many there are.
        above: On how many of them the value is above 0; a ratio above 1, a share above one half.
        working: On how many of them all models compared are within their working range.
    """

    quantity: str
    method: str
    beside: str
    scale: Scale
    at: float
    value: float
    interval: Bounds
    by_cell: Mapping[str, float]
    checkpoints: int
    above: int
    working: int


FILE = "pooled.json"
MEANINGS = "meaning.json"
shipped = partial(read_table, FILE, TypeAdapter(tuple[Pooled, ...]))
estimates = partial(read_table, MEANINGS, TypeAdapter(tuple[Estimate, ...]))


def estimate(
    quantity: str,
    scale: Scale,
    at: float,
    method: str = "magnitude",
    beside: str = "",
) -> Estimate | None:
    """Return what the shipped file says of a quantity; None if it does not."""
    place = quantity, scale, at, method, beside
    for row in estimates():
        if (row.quantity, row.scale, row.at, row.method, row.beside) == place:
            return row
    return None
