"""What all shipped checkpoints together say of a method: its share of the change in the upper half, minus random's.

`benchmarks.pooled` computes it and says how; the app reads the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from core.results.fields import Bounds
from core.results.library import TableFile
from core.results.schema import Pruning
from core.sweep.control_contrast import MARGIN, Contrast, State

ALL, WHOLE = "all", "all seeds usable"  # names of estimates, beside those of each depth


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
        by_seed: The method's share less that of each seed which is usable on all these checkpoints.
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
        interval: The wider one of `between` and `within`.
        between: The 95 % interval of random effects, cells taken as independent.
        within: The 95 % interval of the same contrast over the seeds that all cells have; None for fewer than two.
        deviation: τ, the standard deviation of the differences between cells.
        inconsistency: I², the share of their variance that the errors within the cells do not explain.
        predicted: Where the difference in another cell is expected, 95 %; None for fewer than four cells.
    """

    cells: int
    value: float
    interval: Bounds
    between: Bounds
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

    @property
    def upper(self) -> int:
        """On how many checkpoints the upper half of the layers is shown to change more."""
        return sum(cell.upper for cell in self.cells)

    @property
    def control_upper(self) -> int:
        """The same under random removal."""
        return sum(cell.control_upper for cell in self.cells)

    @property
    def encoders(self) -> int:
        """How many pretrained encoders the checkpoints come from: those of one depth come from one."""
        return len({cell.layers for cell in self.cells})


FILE = TableFile("pooled.json", TypeAdapter(tuple[Pooled, ...]))
shipped = FILE.read
