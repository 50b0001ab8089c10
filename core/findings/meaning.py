"""What pruning does, over all shipped checkpoints: means over cells, each a task at a depth.

`benchmarks.meaning` computes them and says how; the app reads the file. Overall change is 1 - the mean own CKA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from core.results.fields import Bounds
from core.results.library import TableFile

Scale = Literal["change", "amount"]


@dataclass(frozen=True)
class Estimate:
    """A quantity at an overall change, or at an amount.

    Attributes:
        quantity: What it is, a key of `benchmarks.meaning.TITLES`.
        method: A name from METHODS.
        beside: The method that it is divided by (`changed`, `removed`), or that is subtracted from it; else empty.
        scale: Whether models are compared where they have changed, or have been pruned, equally much.
        at: The overall change, or the amount (of what is pruned).
        value: The mean over cells; of ratios the geometric one.
        interval: Student's 95 % interval over the cells.
        by_cell: The value of each cell, the mean over its checkpoints.
        checkpoints: How many there are.
        above: On how many of them the value is above 0; a ratio above 1, a share above one half.
        working: On how many of them all models that are compared are within their working range.
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


FILE = TableFile("meaning.json", TypeAdapter(tuple[Estimate, ...]))
shipped = FILE.read


def estimate(quantity: str, scale: Scale, at: float, method: str = "magnitude", beside: str = "") -> Estimate | None:
    """Return what the shipped file says of a quantity; None if it does not."""
    place = quantity, scale, at, method, beside
    rows = (row for row in shipped() if (row.quantity, row.scale, row.at, row.method, row.beside) == place)
    return next(rows, None)
