"""What a measure of similarity gets and gives: one protocol for all of them; `core.similarity.measure_of` finds them.

A measure is a function that looks at the baseline, and at the emptied model if there is one, and returns what compares
a pruned model with them. So whatever can be computed once is computed once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from core.request.catalog import MIN_EXAMPLES
from core.similarity.gram import Grams

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One model's representations of all examples under one reduction.

    Attributes:
        features: (points, n, features) float32, of a pruned model valid until the next one runs; None for flattened
            tokens, which come in minibatches.
        grams: Their Gram matrices.
    """

    features: Tensor | None
    grams: Grams

    @property
    def can_leave_one_out(self) -> bool:
        """Whether there is a single batch in which enough examples stay when one is left out."""
        return self.features is not None and self.features.shape[-2] > MIN_EXAMPLES


@dataclass(frozen=True)
class Compared:
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


Comparer = Callable[[Sample], Compared]
"""Compares a pruned model's representations with the baseline's."""

Measure = Callable[[Sample, Sample | None], Comparer | None]
"""(baseline, emptied model) -> its comparer; None where the measure is undefined, such as without an emptied model."""
