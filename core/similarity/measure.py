"""What a measure of similarity gets and gives: one protocol for all of them; `measure_of` finds them.

A measure is a function that looks at the baseline, and at the emptied model if there is one, and returns what compares
a pruned model with them. So whatever can be computed once is computed once.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.similarity.gram import Grams

Array = npt.NDArray[np.float64]


class Compared(NamedTuple):
    """A pruned model beside the baseline.

    Attributes:
        values: (baseline points, pruned points), or (points,) where a point is compared with its own baseline alone;
            NaN where the measure is undefined.
        without: (points, n), each point with its own baseline without each example; None if that is unknown, or if
            there are not as many points.
    """

    values: Array
    without: Array | None = None

    @property
    def own(self) -> Array:
        """Each point with its own baseline, (points,), where there are as many."""
        return self.values if self.values.ndim == 1 else self.values.diagonal()


Comparer = Callable[[Grams], Compared]
"""Compares a pruned model's representations with the baseline's."""

Measure = Callable[[Grams, Grams | None], Comparer | None]
"""(baseline, emptied model) -> its comparer; None where the measure is undefined, such as without an emptied model."""


def measure_of(name: str) -> Measure:
    """Return the function of a measure in MEASURES."""
    return import_module(f"core.similarity.{name}").comparer
