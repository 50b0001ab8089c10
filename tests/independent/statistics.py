"""The numbers of a result by their definitions, in plain numpy, without the engine.

HSIC1 is written as the paper prints it, with a trace and vectors of ones. The jackknife leaves out
each example and computes everything again. Whatever is undefined is NaN.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Array = npt.NDArray[np.float64]

DAMAGES = (0.05, 0.1, 0.2, 0.3)
CONSTANT = 1e-9  # relative; a representation that varies less over the examples does so by rounding
NO_LOSS = 1e-9  # of similarity

# ---------------------------------------------------------------- CKA


def gram(features: Array) -> Array:
    """Compute a Gram matrix and set its diagonal to zero: (n, features) -> (n, n).

    Centring the features does not change HSIC1, but keeps its digits.
    """
    centred = features - features.mean(0)  # (n, features)
    matrix = centred @ centred.T  # (n, n)
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)


def hsic1(k: Array, l: Array) -> float:  # noqa: E741 (the paper's letters)
    """Compute the unbiased HSIC of two Gram matrices with zero diagonals, (n, n).

    Source: Nguyen et al. 2021, equation 3.
    """
    n = len(k)
    ones = np.ones(n)
    rows = ones @ k
    columns = l @ ones
    trace = np.einsum("ij,ji->", k, l)
    totals = (rows @ ones) * (ones @ columns)
    terms = trace + totals / ((n - 1) * (n - 2)) - 2 / (n - 2) * (rows @ columns)
    return float(terms / (n * (n - 3)))


def cka(
    first: Sequence[Array],
    second: Sequence[Array],
) -> float:
    """Compare two representations: sum HSIC1 over the minibatches first, divide last.

    Args:
        first: For each minibatch (n, features).
        second: The same minibatches, (n, other features).

    Returns:
        CKA; NaN if a representation is constant.
    """
    if is_constant(first) or is_constant(second):
        return float("nan")
    sums = np.zeros(3)
    for batch, other in zip(first, second, strict=True):
        k = gram(batch)
        m = gram(other)
        sums += hsic1(k, m), hsic1(k, k), hsic1(m, m)
    both, *alone = sums
    return float(both / np.sqrt(np.prod(alone)))


def is_constant(batches: Sequence[Array]) -> bool:
    """Whether a representation is the same for all examples of each minibatch, up to rounding."""
    for batch in batches:
        ranges = np.ptp(batch, axis=0)
        sizes = np.abs(batch).max(0)
        if (ranges > CONSTANT * sizes).any():
            return False
    return True


def cka_matrix(
    first: Sequence[Array],
    second: Sequence[Array],
) -> Array:
    """Compare every point of one model with every point of another.

    Args:
        first: For each minibatch (points, n, features).
        second: The same minibatches of the other model.

    Returns:
        (points of the first, points of the second).
    """
    size = len(first[0])
    matrix = np.empty((size, size))
    for i, j in np.ndindex(size, size):
        matrix[i, j] = cka([batch[i] for batch in first], [batch[j] for batch in second])
    return matrix


def own_cka(first: Array, second: Array) -> Array:
    """Compare two models, each (points, n, features), point by point: (points,)."""
    pairs = zip(first, second, strict=True)
    return np.array([cka([a], [b]) for a, b in pairs])


# ---------------------------------------------------------------- along the amounts


def gap(profile: Array) -> float:
    """Compute the lower half's mean minus the upper half's.

    The middle of an odd number counts half in each.
    """
    points = len(profile)
    lower = np.clip(points / 2 - np.arange(points), 0, 1)  # each point's share in the lower half
    return float((2 * lower - 1) @ profile / (points / 2))


def interpolated(values: Array, damages: Array, target: float) -> Array:
    """Interpolate at the first frame that reaches a damage.

    Args:
        values: (frames, …).
        damages: (frames,) 1 - mean own CKA.
        target: The damage.

    Returns:
        (…); NaN if the damage is not reached, or undefined before.
    """
    for k, damage in enumerate(damages):
        if np.isnan(damage):
            break
        if damage >= target:
            before = damages[k - 1]
            share = (target - before) / (damage - before)
            return np.asarray(values[k - 1] + share * (values[k] - values[k - 1]))
    return np.full(values.shape[1:], np.nan)


def survival(amounts: Sequence[float], values: Array, threshold: float) -> float:
    """Find the amount at which one point first falls below a threshold.

    Args:
        amounts: (frames,) ascending from 0.
        values: (frames,), the first above the threshold.
        threshold: The similarity that the layer must keep.

    Returns:
        The interpolated amount; the largest if the point never falls.
    """
    for k, value in enumerate(values):
        if value < threshold:
            before = values[k - 1]
            share = (before - threshold) / (before - value)
            step = amounts[k] - amounts[k - 1]
            return float(amounts[k - 1] + share * step)
    return amounts[-1]


# ---------------------------------------------------------------- everything


class Numbers(NamedTuple):
    """What one reduction says about a sweep.

    Attributes:
        own: (frames, points) own CKA.
        own_bounds: (2, frames, points) the 95 % interval.
        gaps: (damages,) the gap at each of DAMAGES.
        gap_bounds: (2, damages).
    """

    own: Array
    own_bounds: Array
    gaps: Array
    gap_bounds: Array


def own_and_gaps(frames: Array) -> tuple[Array, Array]:
    """Compute `Numbers.own` and `Numbers.gaps`."""
    own = np.stack([own_cka(frames[0], frame) for frame in frames])
    damages = 1 - own.mean(1)  # (frames,)
    gaps = []
    for target in DAMAGES:
        profile = interpolated(own, damages, target)
        gaps.append(gap(profile))
    return own, np.array(gaps)


def jackknifed(frames: Array) -> Numbers:
    """Compute everything, and compute it again without each example.

    Args:
        frames: (frames, points, n, features); the first is the baseline.

    Returns:
        A gap is undefined where it is without one of the examples.
    """
    own, gaps = own_and_gaps(frames)
    without = [own_and_gaps(np.delete(frames, m, axis=2)) for m in range(frames.shape[2])]
    own_without, gaps_without = map(np.stack, zip(*without, strict=True))  # each (n, …)
    gaps[np.isnan(gaps_without).any(0)] = np.nan
    return Numbers(
        own,
        own_interval(own, own_without),
        gaps,
        interval(gaps, gaps_without),
    )


def interval(value: Array, without: Array) -> Array:
    """Compute the interval of an array, (…), from its values without each example: (2, …).

    Args:
        value: The array, (…).
        without: (n, …).
    """
    n = len(without)
    error = np.sqrt((n - 1) * without.var(0))  # (…)
    margin = student.ppf(0.975, n - 1) * error
    return np.stack([value - margin, value + margin])


def own_interval(value: Array, without: Array) -> Array:
    """Compute the interval of own CKA on the scale of log(1 - CKA): (2, …).

    Student's t has 2n / (kurtosis - 1) degrees of freedom, from 1 to n - 1.
    """
    n = len(without)
    loss = 1 - value  # (…)
    logs = np.log(np.maximum(1 - without, NO_LOSS))  # (n, …)
    variance = logs.var(0)  # (…)
    fourth = ((logs - logs.mean(0)) ** 4).mean(0)  # (…)
    with np.errstate(all="ignore"):
        kurtosis = fourth / variance**2
        freedom = np.clip(2 * n / (kurtosis - 1), 1, n - 1)
        quantile = student.ppf(0.975, freedom)
    margin = np.asarray(quantile * np.sqrt((n - 1) * variance))
    margin[(loss <= NO_LOSS) | (variance == 0)] = 0
    low = 1 - loss * np.exp(margin)
    high = 1 - loss * np.exp(-margin)
    return np.stack([np.maximum(low, -1), high])


def survivals(amounts: Sequence[float], numbers: Numbers, threshold: float) -> Array:
    """Find up to which amount each point keeps a similarity, and the interval of that.

    At these amounts, the threshold lies inside the interval of own CKA.

    Returns:
        (points, 3): value, low and high.
    """
    curves = (numbers.own, *numbers.own_bounds)  # each (frames, points)
    columns = [[survival(amounts, values, threshold) for values in curve.T] for curve in curves]
    return np.transpose(columns)
