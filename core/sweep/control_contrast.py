"""A method's gap at equal damage against the seeds of its matched random control.

Two sources of chance are told apart: another draw of the control (between seeds) and other examples (within a seed).
With the gaps g_1 … g_k of k seeds, their standard deviation s, and the jackknife standard error se of

    Δ = gap of the method - mean of g_1 … g_k,    paired example by example,

the half-width of the interval is h = √[(t_{k-1} · s · √(1 + 1/k))² + (t_{n-1} · se)²]: the first part is the
prediction interval of one more seed, the second the confidence interval over examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from core.request.catalog import CONFIDENCE
from core.sweep.statistics import jackknife

Array = npt.NDArray[np.float64]
Direction = Literal["steeper", "flatter", "as by chance", "cannot be told"]
DIFFERENT: tuple[Direction, ...] = ("steeper", "flatter")

SMALLEST_DIFFERENCE = 0.02  # of two gaps; a smaller one is of no interest, however surely it is there
SMALLEST_P = 1e-9


@dataclass(frozen=True)
class Contrast:
    """How a method's gap differs from its control's.

    Attributes:
        difference: Δ, above 0 where the method is steeper than its control.
        seed_deviation: s, between the seeds.
        standard_error: se of Δ over examples.
        seeds: k, at least two.
        examples: n.
    """

    difference: float
    seed_deviation: float
    standard_error: float
    seeds: int
    examples: int

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """Compute h at a confidence in (0, 1)."""
        quantile = (1 + confidence) / 2
        between = stdtrit(self.seeds - 1, quantile) * self.seed_deviation * np.sqrt(1 + 1 / self.seeds)
        within = stdtrit(self.examples - 1, quantile) * self.standard_error
        return float(np.hypot(between, within))

    @property
    def p_value(self) -> float:
        """Two-sided: 1 - the confidence at which the interval just reaches 0; for Holm's correction."""
        from scipy.optimize import brentq  # imported here: it would slow down the first page

        size = abs(self.difference)
        if size <= self.half_width(SMALLEST_P):
            return 1.0
        if self.half_width(1 - SMALLEST_P) < size:
            return SMALLEST_P
        return float(brentq(lambda p: self.half_width(1 - p) - size, SMALLEST_P, 1 - SMALLEST_P))

    def direction(self) -> Direction:
        """Judge Δ by its interval and by what is worth telling."""
        width = self.half_width()
        if abs(self.difference) + width <= SMALLEST_DIFFERENCE:
            return "as by chance"
        if abs(self.difference) >= SMALLEST_DIFFERENCE and abs(self.difference) > width:
            return "steeper" if self.difference > 0 else "flatter"
        return "cannot be told"


def contrast(gap: float, replicates: Array, seed_gaps: Sequence[float], seed_replicates: Array) -> Contrast:
    """Compare a method's gap with those of its control's seeds on the same examples.

    Args:
        gap: The method's gap.
        replicates: (n,), the same without each example.
        seed_gaps: (k,) the control's gaps, k ≥ 2.
        seed_replicates: (k, n), the same without each example.
    """
    n = len(replicates)
    differences = replicates - np.mean(seed_replicates, 0)  # (n,)
    return Contrast(
        difference=float(gap - np.mean(seed_gaps)),
        seed_deviation=float(np.std(seed_gaps, ddof=1)),
        standard_error=float(np.sqrt(n - 1) * np.std(differences)),
        seeds=len(seed_gaps),
        examples=n,
    )


def mean_gap(seed_gaps: Sequence[float], seed_replicates: Array) -> tuple[float, float, float]:
    """Compute the mean gap of a control's seeds with its 95 % interval over examples and seeds.

    Its half-width is √[(t_{k-1} · s / √k)² + (t_{n-1} · se)²], with s between the seeds and se of the mean.

    Args:
        seed_gaps: (k,) the control's gaps, k ≥ 2.
        seed_replicates: (k, n), the same without each example.

    Returns:
        The mean, the lower and the upper bound.
    """
    k, mean = len(seed_gaps), float(np.mean(seed_gaps))
    low, high = jackknife(np.array(mean), np.mean(seed_replicates, 0))
    between = stdtrit(k - 1, (1 + CONFIDENCE) / 2) * np.std(seed_gaps, ddof=1) / np.sqrt(k)
    half = float(np.hypot((high - low) / 2, between))
    return mean, mean - half, mean + half


def profile_distance(profile: Array, seed_profiles: Array) -> tuple[float, float]:
    """Test the whole depth profile against the seeds': the largest difference over the points.

    Every seed is held against the mean of the others in the same way, which shows what chance alone does.

    Args:
        profile: (points,) the method's.
        seed_profiles: (k, points) the control's, k ≥ 2.

    Returns:
        The largest difference, and the share of the k + 1 distances, its own among them, that reach it (a p-value).
    """
    k = len(seed_profiles)
    total = seed_profiles.sum(0)  # (points,)
    others = (total - seed_profiles) / (k - 1)  # (k, points)
    by_chance = np.abs(seed_profiles - others).max(1)  # (k,)
    # A seed's distance is from the mean of k - 1 others, the method's from that of k: both on the scale of one draw.
    own = float(np.abs(profile - total / k).max())
    scaled = own / np.sqrt(1 + 1 / k)
    reached = int((by_chance / np.sqrt(1 + 1 / (k - 1)) >= scaled).sum())
    return own, (1 + reached) / (k + 1)
