"""A method against the seeds of its matched random control.

There are two sources of chance: another draw of the control (between seeds) and other examples
(within a seed). With the values x_1 … x_k of k seeds, their standard deviation s, and the jackknife
standard error se of

    Δ = value of the method - mean of x_1 … x_k,    paired example by example,

an interval has the half-width √[(t_{k-1} · s · c)² + (t_{n-1} · se)²]. For the mean of all draws,
c = 1 / √k; for one more draw, c = √(1 + 1/k). Equivalence concerns the mean: its 90 % interval must
lie within the margin, which is two one-sided tests at 5 % (Schuirmann 1987). A difference must
exceed what a single draw may show: the 95 % interval for one more draw must exclude 0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from core.request.catalog import CONFIDENCE
from core.sweep.statistics import Array

State = Literal["equivalent", "steeper", "flatter", "inconclusive"]
DIFFERENT: tuple[State, ...] = ("steeper", "flatter")

MARGIN = 0.1  # between two shares of the change; a smaller difference does not matter
EQUIVALENCE = 0.9  # confidence of the interval that must lie within the margin
SMALLEST_P = 1e-9


@dataclass(frozen=True)
class Contrast:
    """How a method's value differs from its control's.

    Attributes:
        difference: Δ, above 0 if the method's value is larger.
        seed_deviation: Standard deviation s between the seeds.
        standard_error: Standard error se of Δ over examples.
        seeds: Number of seeds k, at least two.
        examples: Number of examples n.
    """

    difference: float
    seed_deviation: float
    standard_error: float
    seeds: int
    examples: int

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """Compute the half-width of the interval of Δ for one more draw."""
        return self._half_width(confidence, 1 + 1 / self.seeds)

    def mean_half_width(self, confidence: float = EQUIVALENCE) -> float:
        """Compute the half-width of the interval of Δ for the mean of all draws."""
        return self._half_width(confidence, 1 / self.seeds)

    def mean_interval(self) -> tuple[float, float]:
        """Compute the 95 % interval of Δ for the mean of all draws."""
        half = self.mean_half_width(CONFIDENCE)
        return self.difference - half, self.difference + half

    def _half_width(self, confidence: float, squared_factor: float) -> float:
        quantile = (1 + confidence) / 2
        between = stdtrit(self.seeds - 1, quantile) * self.seed_deviation * np.sqrt(squared_factor)
        within = stdtrit(self.examples - 1, quantile) * self.standard_error
        return float(np.hypot(between, within))

    @property
    def p_value(self) -> float:
        """Two-sided p-value: 1 - the confidence at which the interval just reaches 0."""
        # Imported here: it would slow down the first page.
        from scipy.optimize import brentq

        size = abs(self.difference)

        def excess(p: float) -> float:
            return self.half_width(1 - p) - size

        if excess(1 - SMALLEST_P) >= 0:
            return 1.0
        if excess(SMALLEST_P) < 0:
            return SMALLEST_P
        return float(brentq(excess, SMALLEST_P, 1 - SMALLEST_P))

    @property
    def state(self) -> State:
        """Verdict on a difference of shares of the change."""
        size = abs(self.difference)
        if size + self.mean_half_width() <= MARGIN:
            return "equivalent"
        if size >= MARGIN and size > self.half_width():
            return "steeper" if self.difference > 0 else "flatter"
        return "inconclusive"


def contrast(differences: Array, replicates: Array) -> Contrast:
    """Compare a method with its control's seeds on the same examples.

    Args:
        differences: (k,) the method's value minus each seed's, k ≥ 2.
        replicates: (k, n) the same without each example.
    """
    k, n = replicates.shape
    return Contrast(
        difference=float(differences.mean()),
        seed_deviation=float(differences.std(ddof=1)),
        standard_error=float(np.sqrt(n - 1) * replicates.mean(0).std()),
        seeds=k,
        examples=n,
    )
