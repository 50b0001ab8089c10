"""What a sweep's CKA values say about layers, and how surely: survival, the depth gap, their intervals.

Intervals come from the delete-one jackknife over examples (Quenouille 1956; Tukey 1958). It needs no resampled
representations: HSIC1 does not change when a_i + a_j is added off the diagonal, so that the U-centred Gram matrices
K, L of n examples (`core.similarity.cka`), with zero row sums, stand for the raw ones also when example m is taken
out of them. What is left has the row sums -K_im, whose total is 0, and eq. 3 of Nguyen et al. (2021, arXiv 2010.15327)
becomes

    HSIC1 without m = [T - 2 (n-2)/(n-3) · p_m] / ((n-1)(n-4)),    p_m = Σ_i K_im L_im,    T = Σ_m p_m.

(A bootstrap would count the same example as two that agree, which the unbiased HSIC does not bear.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from core.errors import PrunescopeError
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.schema import DepthGapRecord, LayerStatistics, SurvivalRecord

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CONFIDENCE = 0.95
DEPTH_GAP_BOUND = 0.05  # a depth gap below it is too small for the published claim, however surely it is there

# ---------------------------------------------------------------- survival and the depth gap


@dataclass(frozen=True)
class Survival:
    """How long a layer keeps its representation.

    Attributes:
        value: The amount at which its CKA with its own baseline first falls below the threshold,
            interpolated linearly; the largest amount where it never does.
        censored: It never fell below within the sweep.
    """

    value: float
    censored: bool


def survival(amounts: Sequence[float], own_cka: Array, threshold: float = SURVIVAL_THRESHOLD) -> list[Survival]:
    """Computes each layer's survival.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers), CKA of each layer with its own baseline; NaN where it is undefined,
            which counts as fallen, without interpolation.
        threshold: The CKA that must be kept.
    """
    values, censored = _survivals(np.asarray(amounts), own_cka, threshold)
    return [Survival(*one) for one in zip(values.tolist(), censored.tolist(), strict=True)]


def _survivals(amounts: Array, own_cka: Array, threshold: float) -> tuple[Array, Flags]:
    """Computes survival along the first axis, and where it is censored: (frames, …) -> (…), (…)."""
    fallen: Flags = ~(own_cka >= threshold)  # (frames, …)
    censored = np.asarray(~fallen.any(0))  # (…)
    k = fallen.argmax(0)  # (…)
    before = np.maximum(k - 1, 0)  # (…)
    high, low = (np.take_along_axis(own_cka, at[None], 0)[0] for at in (before, k))  # (…)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (high - threshold) / (high - low)  # (…)
    share = np.where((k > 0) & np.isfinite(share), share, 1.0)  # (…)
    values = amounts[before] + share * (amounts[k] - amounts[before])  # (…)
    return np.where(censored, amounts[-1], values), censored


def depth_gap(amounts: Sequence[float], own_cka: Array) -> float:
    """Computes D: by how much the lower half of the layers keeps more similarity than the upper half.

    The mean area under CKA over amount, divided by the largest amount, of the lower half minus that of
    the upper half; the middle one of an odd number of layers belongs to neither.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers).

    Returns:
        A number in [-2, 2]; NaN where a value is undefined, or for a single layer or amount.
    """
    return float(_depth_gaps(np.asarray(amounts), own_cka))


def _depth_gaps(amounts: Array, own_cka: Array) -> Array:
    """Computes D along the first two axes: (frames, layers, …) -> (…)."""
    half = own_cka.shape[1] // 2
    if not half or len(amounts) < 2:
        return np.full(own_cka.shape[2:], np.nan)
    areas: Array = np.asarray(np.trapezoid(own_cka, amounts, axis=0)) / amounts[-1]  # (layers, …)
    return np.asarray(areas[:half].mean(0) - areas[-half:].mean(0))  # (…)


def depth_correlation(values: Sequence[float]) -> float | None:
    """Computes Kendall's tau-b (1945) of layers' values with depth, as a description: layers are no sample.

    Written out, since the server process computes it and would pay for scipy.stats at every garbage collection.

    Args:
        values: Survivals, for instance, in depth order.

    Returns:
        1 where each layer's value is above the one before it, -1 where it is below; None where all are equal.
    """
    order = np.sign(np.subtract.outer(values, values))  # (layers, layers)
    depth = np.sign(np.subtract.outer(range(len(values)), range(len(values))))  # (layers, layers)
    pairs = np.sqrt(np.square(order).sum() * np.square(depth).sum())
    return float((order * depth).sum() / pairs) if pairs else None


# ---------------------------------------------------------------- intervals


def leave_one_out(cross: Array, baseline: Array, pruned: Array) -> Array:
    """Computes CKA without each of the examples, in closed form (see the module's head).

    Args:
        cross: (…, n), p_m = Σ_i K_im L_im of the U-centred Gram matrices of a baseline and a pruned point, n ≥ 5.
        baseline: (…, n), the same of the baseline point with itself.
        pruned: (…, n), the same of the pruned point with itself.

    Returns:
        (…, n), for each m CKA of the other n - 1 examples; NaN where it is undefined.

    Raises:
        ValueError: Fewer than five examples.
    """
    n = cross.shape[-1]
    if n < 5:
        raise ValueError(f"leaving one of {n} examples out: the unbiased HSIC needs at least 4 that stay")
    without, baseline_without, pruned_without = (_sum_without(p) for p in (cross, baseline, pruned))  # (…, n)
    defined = _is_more_than_rounding(baseline_without, baseline) & _is_more_than_rounding(pruned_without, pruned)
    scale = np.sqrt(baseline_without * pruned_without, out=np.ones_like(without), where=defined)  # (…, n)
    return np.where(defined, without / scale, np.nan)


def _sum_without(p: Array) -> Array:
    """T - 2 (n-2)/(n-3) · p_m: HSIC1 without m, but for a factor that CKA cancels."""
    n = p.shape[-1]
    return np.asarray(p.sum(-1, keepdims=True) - 2 * (n - 2) / (n - 3) * p)


def _is_more_than_rounding(without: Array, p: Array) -> Flags:
    """Tells variation from the rounding that is left of features that only example m made vary."""
    return np.asarray(without > 4 * p.shape[-1] * np.finfo(np.float64).eps * p.sum(-1, keepdims=True))


def jackknife(value: Array, replicates: Array) -> tuple[Array, Array]:
    """Computes the 95 % interval of an estimate from its delete-one replicates.

    The standard error is sqrt((n-1)/n · Σ (θ_m - mean θ)²); Student's t with n - 1 degrees of freedom.

    Args:
        value: (…), the estimate from all examples, the interval's middle.
        replicates: (…, n), the estimate without each example.

    Returns:
        Lower and upper bounds, each (…).
    """
    n = replicates.shape[-1]
    moved = replicates - replicates[..., :1]  # equal replicates: exactly 0, not what the mean's rounding makes of them
    margin = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * np.sqrt(n - 1) * moved.std(-1)  # (…)
    return value - margin, value + margin


def layer_statistics(amounts: Sequence[float], own_cka: Array, replicates: Array) -> LayerStatistics:
    """Computes survival and depth gap with their intervals, as the result file holds them.

    Survival's interval is clipped to the amounts that were measured, so that an upper bound at the largest amount
    means "or beyond". For a censored survival it reaches down as far as single examples make the layer fall; where
    none does, it is the largest amount alone: nothing seen speaks for a fall.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, points), CKA of each point with its own baseline; NaN where it is undefined.
        replicates: (frames, points, n), the same without each example.

    Returns:
        The record; its depth gap is None where D or one of its replicates is undefined.
    """
    axis = np.asarray(amounts)
    values, censored = _survivals(axis, own_cka, SURVIVAL_THRESHOLD)  # (points,)
    without, _ = _survivals(axis, replicates, SURVIVAL_THRESHOLD)  # (points, n)
    low, high = (bound.clip(0, axis[-1]) for bound in jackknife(values, without))  # (points,)
    return LayerStatistics(
        survival=tuple(
            SurvivalRecord(value=v, low=a, high=b, censored=c)
            for v, a, b, c in zip(values.tolist(), low.tolist(), high.tolist(), censored.tolist(), strict=True)
        ),
        depth_gap=_depth_gap_record(_depth_gaps(axis, own_cka), _depth_gaps(axis, replicates)),
    )


def _depth_gap_record(value: Array, replicates: Array) -> DepthGapRecord | None:
    if not (np.isfinite(value) and np.isfinite(replicates).all()):
        return None
    low, high = jackknife(value, replicates)
    return DepthGapRecord(value=float(value), low=float(low), high=float(high), replicates=tuple(replicates.tolist()))


# ---------------------------------------------------------------- comparisons


class Interval(Protocol):
    """Whatever has a lower and an upper bound."""

    @property
    def low(self) -> float:
        """The lower bound."""

    @property
    def high(self) -> float:
        """The upper bound."""


@dataclass(frozen=True)
class Difference:
    """A difference of two depth gaps and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def gap_difference(one: DepthGapRecord, other: DepthGapRecord) -> Difference:
    """Computes D of one result minus D of another on the same examples in the same order, example by example.

    Args:
        one: The depth gap of one result.
        other: The depth gap of another result.

    Raises:
        PrunescopeError: Their numbers of examples differ.
    """
    if len(one.replicates) != len(other.replicates):
        raise PrunescopeError(
            f"depth gaps over {len(one.replicates)} and {len(other.replicates)} examples cannot be paired: "
            "choose results on the same examples"
        )
    value = np.asarray(one.value - other.value)
    low, high = jackknife(value, np.subtract(one.replicates, other.replicates))
    return Difference(float(value), float(low), float(high))


Verdict = Literal["holds", "does not hold", "cannot be told"]


def verdict(gap: Interval) -> Verdict:
    """Judges the published claim, "lower layers survive longer", by the interval of the depth gap.

    Args:
        gap: The depth gap's interval.
    """
    if gap.low > DEPTH_GAP_BOUND:
        return "holds"
    return "does not hold" if gap.high < DEPTH_GAP_BOUND else "cannot be told"
