"""Statistics of a sweep's similarities: survival, the depth gap, and their intervals. No torch: the server imports it.

Intervals come from the delete-one jackknife over examples (Quenouille 1956; Tukey 1958). The measure of similarity
computes its replicates (`core.similarity.cka.leave_one_out`).
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
DEPTH_GAP_BOUND = 0.05  # a smaller depth gap does not support the published claim, however narrow its interval

# ---------------------------------------------------------------- survival and the depth gap


@dataclass(frozen=True)
class Survival:
    """How much pruning a layer's representation withstands.

    Attributes:
        value: The amount at which its CKA with its own baseline first falls below the threshold, interpolated
            linearly; the largest amount if it never does.
        censored: Whether it never falls below the threshold.
    """

    value: float
    censored: bool


def survival(amounts: Sequence[float], own_cka: Array, threshold: float = SURVIVAL_THRESHOLD) -> list[Survival]:
    """Compute each layer's survival.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers), CKA of each layer with its own baseline; undefined values are NaN and count as
            fallen, without interpolation.
        threshold: The CKA that a layer must keep.
    """
    values, censored = _survivals(np.asarray(amounts), own_cka, threshold)
    return [Survival(*layer) for layer in zip(values.tolist(), censored.tolist(), strict=True)]


def _survivals(amounts: Array, own_cka: Array, threshold: float) -> tuple[Array, Flags]:
    """Compute survival along the first axis, and where it is censored: (frames, …) -> (…), (…)."""
    fallen: Flags = ~(own_cka >= threshold)  # (frames, …)
    censored = np.asarray(~fallen.any(0))  # (…)
    k = fallen.argmax(0)  # (…)
    before = np.maximum(k - 1, 0)  # (…)
    high, low = (np.take_along_axis(own_cka, frame[None], 0)[0] for frame in (before, k))  # (…)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (high - threshold) / (high - low)  # (…)
    share = np.where((k > 0) & np.isfinite(share), share, 1.0)  # (…)
    values = amounts[before] + share * (amounts[k] - amounts[before])  # (…)
    return np.where(censored, amounts[-1], values), censored


def depth_gap(amounts: Sequence[float], own_cka: Array) -> float:
    """Compute D: how much more similarity the lower half of the layers keeps than the upper half.

    A layer's area is that under its CKA over the amounts, divided by the largest amount. D is the lower half's mean
    area minus the upper half's; the middle layer of an odd number belongs to neither.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers).

    Returns:
        A number in [-2, 2]; NaN if a value is undefined, or for a single layer or amount.
    """
    return float(_depth_gaps(np.asarray(amounts), own_cka))


def _depth_gaps(amounts: Array, own_cka: Array) -> Array:
    """Compute D along the first two axes: (frames, layers, …) -> (…)."""
    half = own_cka.shape[1] // 2
    if not half or len(amounts) < 2:
        return np.full(own_cka.shape[2:], np.nan)
    areas: Array = np.asarray(np.trapezoid(own_cka, amounts, axis=0)) / amounts[-1]  # (layers, …)
    return np.asarray(areas[:half].mean(0) - areas[-half:].mean(0))  # (…)


def depth_correlation(values: Sequence[float]) -> float | None:
    """Compute Kendall's tau-b (1945) of layers' values with depth, as a description: layers are not a sample.

    It is written out here because importing scipy.stats would slow every garbage collection of the server process.

    Args:
        values: One value per layer in depth order, such as its survival.

    Returns:
        1 if every layer's value is above that of the layer below it, -1 if below; None if all are equal.
    """
    order = np.sign(np.subtract.outer(values, values))  # (layers, layers)
    depth = np.sign(np.subtract.outer(range(len(values)), range(len(values))))  # (layers, layers)
    pairs = np.sqrt(np.square(order).sum() * np.square(depth).sum())
    return float((order * depth).sum() / pairs) if pairs else None


# ---------------------------------------------------------------- intervals


def jackknife(value: Array, replicates: Array) -> tuple[Array, Array]:
    """Compute the 95 % interval of an estimate from its delete-one replicates.

    The standard error is sqrt((n-1)/n · Σ (θ_m - mean θ)²); Student's t with n - 1 degrees of freedom.

    Args:
        value: (…), the estimate from all examples: the middle of the interval.
        replicates: (…, n), the estimate without each example.

    Returns:
        Lower and upper bounds, each (…).
    """
    n = replicates.shape[-1]
    shifted = replicates - replicates[..., :1]  # equal replicates then deviate by exactly 0, whatever a mean's rounding
    margin = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * np.sqrt(n - 1) * shifted.std(-1)  # (…)
    return value - margin, value + margin


def layer_statistics(amounts: Sequence[float], own_cka: Array, replicates: Array) -> LayerStatistics:
    """Compute survival and depth gap with their intervals, for the result file.

    Survival's interval is clipped to the measured amounts: an upper bound at the largest amount means "or beyond". For
    a censored survival it extends down as far as single examples make the layer fall; if none does, it is the largest
    amount alone.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, points), CKA of each point with its own baseline; undefined values are NaN.
        replicates: (frames, points, n), the same without each example.

    Returns:
        The record, without a depth gap if D or one of its replicates is undefined.
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
    """Anything with a lower and an upper bound."""

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


def gap_difference(gap: DepthGapRecord, reference: DepthGapRecord) -> Difference:
    """Compute D of a result minus D of a reference on the same examples in the same order, example by example.

    Raises:
        PrunescopeError: Their numbers of examples differ.
    """
    if len(gap.replicates) != len(reference.replicates):
        raise PrunescopeError(
            f"depth gaps over {len(gap.replicates)} and {len(reference.replicates)} examples cannot be paired: "
            "choose results on the same examples"
        )
    value = np.asarray(gap.value - reference.value)
    low, high = jackknife(value, np.subtract(gap.replicates, reference.replicates))
    return Difference(float(value), float(low), float(high))


Verdict = Literal["holds", "does not hold", "cannot be told"]


def verdict(gap: Interval) -> Verdict:
    """Judge the published claim, "lower layers survive longer", by the depth gap's interval."""
    if gap.low > DEPTH_GAP_BOUND:
        return "holds"
    return "does not hold" if gap.high < DEPTH_GAP_BOUND else "cannot be told"
