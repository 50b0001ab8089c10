"""The numbers of a result by their definitions, in plain numpy: slow, and without any code of the engine's.

HSIC1 is written as the paper prints it, with a trace and vectors of ones. The jackknife leaves out each example and
computes everything again. Whatever is undefined is NaN.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Array = npt.NDArray[np.float64]
Numbers = dict[str, Array]

DAMAGES = (0.05, 0.1, 0.2, 0.3)
INTERVAL = ", interval"  # ends the name of what the jackknife adds

CONSTANT = 1e-9  # relative; a representation that varies less over the examples does so by rounding

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
    """Compute the unbiased HSIC of two Gram matrices with zero diagonals, (n, n); Nguyen et al. 2021, equation 3."""
    n = len(k)
    ones = np.ones(n)
    trace = np.einsum("ij,ji->", k, l)
    totals = (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
    rows = 2 / (n - 2) * ((ones @ k) @ (l @ ones))
    return float((trace + totals - rows) / (n * (n - 3)))


def cka(first: Sequence[Array], second: Sequence[Array]) -> float:
    """Compare two representations: sum HSIC1 over the minibatches first, divide last.

    Args:
        first: For each minibatch (n, features).
        second: The same minibatches, (n, other features).

    Returns:
        CKA; NaN if a representation is constant.
    """
    if is_constant(first) or is_constant(second):
        return float("nan")
    pairs = [(gram(a), gram(b)) for a, b in zip(first, second, strict=True)]
    both = sum(hsic1(k, m) for k, m in pairs)
    alone = sum(hsic1(k, k) for k, _ in pairs) * sum(hsic1(m, m) for _, m in pairs)
    return float(both / np.sqrt(alone))


def is_constant(batches: Sequence[Array]) -> bool:
    """Whether a representation is the same for all examples of each minibatch, up to rounding."""
    return all(
        bool((np.ptp(batch, axis=0) <= CONSTANT * np.abs(batch).max(0)).all()) for batch in batches
    )


def cka_matrix(first: Sequence[Array], second: Sequence[Array]) -> Array:
    """Compare every point of one model with every point of another.

    Args:
        first: For each minibatch (points, n, features).
        second: The same minibatches of the other model.

    Returns:
        (points of the first, points of the second).
    """
    points = range(len(first[0]))
    return np.array(
        [[cka([a[i] for a in first], [b[j] for b in second]) for j in points] for i in points]
    )


def own_cka(first: Array, second: Array) -> Array:
    """Compare each point of one model with the same point of another: two (points, n, features) -> (points,)."""
    return np.array([cka([a], [b]) for a, b in zip(first, second, strict=True)])


# ---------------------------------------------------------------- along the amounts


def gap(profile: Array) -> float:
    """Compute the lower half's mean minus the upper half's; the middle of an odd number counts half in each."""
    points = len(profile)
    lower = np.clip(
        points / 2 - np.arange(points), 0, 1
    )  # the share of each point that lies in the lower half
    return float((2 * lower - 1) @ profile / (points / 2)) if points > 1 else float("nan")


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
            share = (target - damages[k - 1]) / (damage - damages[k - 1])
            return np.asarray(values[k - 1] + share * (values[k] - values[k - 1]))
    return np.full(values.shape[1:], np.nan)


def survival(amounts: Sequence[float], values: Array, threshold: float) -> float:
    """Find the amount at which one point first falls below a threshold.

    Args:
        amounts: (frames,) ascending from 0.
        values: (frames,); an undefined value has fallen, without interpolation.
        threshold: The similarity that the layer must keep.

    Returns:
        The interpolated amount; the largest if the point never falls.
    """
    for k, value in enumerate(values):
        if value >= threshold:
            continue
        if k == 0:
            return amounts[0]
        share = (values[k - 1] - threshold) / (values[k - 1] - value)
        return float(
            amounts[k - 1] + (1.0 if np.isnan(share) else share) * (amounts[k] - amounts[k - 1])
        )
    return amounts[-1]


# ---------------------------------------------------------------- everything


def numbers(frames: Array, floor: Array | None) -> Numbers:
    """Compute everything that one reduction says about a sweep.

    Args:
        frames: (frames, points, n, features); the first is the baseline.
        floor: (points, n, features) of the emptied model; None where the method has none.

    Returns:
        Arrays by name.
    """
    own = np.stack([own_cka(frames[0], frame) for frame in frames])  # (frames, points)
    damages = 1 - own.mean(1)  # (frames,)
    profiles = [interpolated(own, damages, target) for target in DAMAGES]  # each (points,)
    gaps = np.array([gap(profile) for profile in profiles])  # (damages,)
    values = {"own CKA": own, "gap at damage": gaps}
    if floor is not None:
        values["floor"] = own_cka(frames[0], floor)  # (points,)
    return values


def jackknifed(frames: Array, floor: Array | None) -> Numbers:
    """Compute everything, and compute it again without each example.

    Args:
        frames: See `numbers`.
        floor: See `numbers`.

    Returns:
        The arrays of `numbers`, and of each the bounds of the 95 % interval, (2, …), under
        `NAME, interval`. A gap is undefined where it is without one of the examples.
    """
    values = numbers(frames, floor)
    without = [
        numbers(
            np.delete(frames, m, axis=2),
            None if floor is None else np.delete(floor, m, axis=1),
        )
        for m in range(frames.shape[2])
    ]
    replicates = {name: np.stack([found[name] for found in without]) for name in values}
    undefined = np.isnan(replicates["gap at damage"]).any(0)  # (damages,)
    values["gap at damage"][undefined] = np.nan
    intervals = {}
    for name, value in values.items():
        bounds = own_interval if name == "own CKA" else interval
        intervals[f"{name}{INTERVAL}"] = bounds(value, replicates[name])
    return values | intervals


def interval(value: Array, without: Array) -> Array:
    """Compute the interval of one array, (…), from its values without each example, (n, …): (2, …)."""
    n = len(without)
    variance = (n - 1) / n * ((without - without.mean(0)) ** 2).sum(0)  # (…)
    margin = student.ppf(0.975, n - 1) * np.sqrt(variance)  # (…)
    return np.stack([value - margin, value + margin])


def own_interval(value: Array, without: Array) -> Array:
    """Compute that of similarities to the own baseline on the scale of log(1 - similarity): (2, …).

    Student's t has 2n / (kurtosis - 1) degrees of freedom, from 1 to n - 1. Losses up to 1e-9 are none.
    """
    n, none = len(without), 1e-9
    loss, logs = 1 - value, np.log(np.maximum(1 - without, none))  # (…), (n, …)
    with np.errstate(all="ignore"):
        excess = ((logs - logs.mean(0)) ** 4).mean(0) / logs.var(0) ** 2 - 1  # (…), kurtosis - 1
        freedom = np.where(excess * (n - 1) < 2 * n, n - 1, np.maximum(2 * n / excess, 1))  # (…)
        margin = student.ppf(0.975, freedom) * np.sqrt((n - 1) * logs.var(0))  # (…)
    margin = np.where((loss <= none) | (logs.var(0) == 0), 0, margin)  # (…)
    return np.stack([np.maximum(1 - loss * np.exp(margin), -1), 1 - loss * np.exp(-margin)])


def survivals(amounts: Sequence[float], own: Array, bounds: Array, threshold: float) -> Array:
    """Find each point's survival, and the amounts at which the threshold lies inside the interval of own similarity.

    Args:
        amounts: (frames,) ascending from 0.
        own: (frames, points).
        bounds: (2, frames, points) from `interval`; where they are undefined and the value is not, they say nothing.
        threshold: The similarity that a layer must keep.

    Returns:
        (3, points): value, low and high; undefined where the similarity is so without pruning.
    """
    unknown = np.isnan(bounds) & ~np.isnan(own)  # (2, frames, points)
    wide = np.where(
        unknown, np.array([-np.inf, np.inf])[:, None, None], bounds
    )  # (2, frames, points)
    found = np.array(
        [[survival(amounts, column, threshold) for column in rows.T] for rows in (own, *wide)]
    )
    return np.where(np.isnan(own[0]), np.nan, found)
