"""A method against the seeds of its matched random control.

There are two sources of chance: another draw of the control (between seeds) and other examples (within a seed). With
the values x_1 … x_k of k seeds, their standard deviation s, and the jackknife standard error se of

    Δ = value of the method - mean of x_1 … x_k,    paired example by example,

an interval has the half-width √[(t_{k-1} · s · c)² + (t_{n-1} · se)²]. For the mean of all draws, c = 1 / √k; for one
more draw, c = √(1 + 1/k). Equivalence concerns the mean: its 90 % interval must lie within the margin, which is two
one-sided tests at 5 % (Schuirmann 1987). A difference must exceed what a single draw may show: the 95 % interval for
one more draw must exclude 0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from core.request.catalog import CONFIDENCE
from core.sweep.statistics import Array

State = Literal["equivalent", "steeper", "flatter", "inconclusive"]
DIFFERENT: tuple[State, ...] = ("steeper", "flatter")

MARGIN = 0.1  # between two shares of the change; a smaller difference does not matter, however certain
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
        """Compute the half-width of the interval of Δ for one more draw, at a confidence in (0, 1)."""
        return self._half_width(confidence, 1 + 1 / self.seeds)

    def mean_half_width(self, confidence: float = EQUIVALENCE) -> float:
        """Compute the half-width of the interval of Δ for the mean of all draws."""
        return self._half_width(confidence, 1 / self.seeds)

    def _half_width(self, confidence: float, squared_factor: float) -> float:
        quantile = (1 + confidence) / 2
        between = stdtrit(self.seeds - 1, quantile) * self.seed_deviation * np.sqrt(squared_factor)
        within = stdtrit(self.examples - 1, quantile) * self.standard_error
        return float(np.hypot(between, within))

    @property
    def p_value(self) -> float:
        """Two-sided p-value: 1 - the confidence at which the interval for one more draw just reaches 0."""
        from scipy.optimize import brentq  # imported here: it would slow down the first page

        size = abs(self.difference)
        if size <= self.half_width(SMALLEST_P):
            return 1.0
        if self.half_width(1 - SMALLEST_P) < size:
            return SMALLEST_P
        return float(brentq(lambda p: self.half_width(1 - p) - size, SMALLEST_P, 1 - SMALLEST_P))

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


def profile_distance(profile: Array, seed_profiles: Array) -> tuple[float, float]:
    """Test the whole depth profile against the seeds' by the largest difference over the points.

    Every seed is compared with the mean of the others in the same way, which shows what chance alone does.

    Args:
        profile: (points,) of the method.
        seed_profiles: (k, points) of the control, k ≥ 2.

    Returns:
        The method's distance, and the share of all k + 1 distances that reach it, a p-value.
    """
    k = len(seed_profiles)
    total = seed_profiles.sum(0)  # (points,)
    others = (total - seed_profiles) / (k - 1)  # (k, points)
    by_chance = np.abs(seed_profiles - others).max(1)  # (k,)
    # Distances from means of k (the method) and of k - 1 (each seed) are scaled to the variance of one draw.
    own = float(np.abs(profile - total / k).max())
    scaled = own / np.sqrt(1 + 1 / k)
    reached = int((by_chance / np.sqrt(1 + 1 / (k - 1)) >= scaled).sum())
    return own, (1 + reached) / (k + 1)
