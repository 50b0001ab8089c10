"""A result and the independent computation as arrays of the same names, and how far apart they are."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.independent import statistics
from benchmarks.independent.statistics import DAMAGES, GIVEN_FLOOR, INTERVAL, REPLICATES, Numbers
from core.request.amounts import amount_text
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.schema import LayerStatistics, SweepResult
from core.sweep.equal_damage import damage

Array = npt.NDArray[np.float64]
Vectors = Mapping[str, Array]  # by reduction (points, examples, hidden)

SINGLE_BATCH = ("mean", "cls")  # the reductions with statistics
OWN = (("own CKA", "cka", ""), ("partial CKA", "partial_cka", GIVEN_FLOOR))  # what stands along depth and its names

# ---------------------------------------------------------------- the independent computation


def computed(amounts: Sequence[float], frames: Sequence[Vectors], floor: Vectors | None, reduction: str) -> Numbers:
    """Compute everything that one reduction over a single batch says, by definition.

    Args:
        amounts: (frames,) ascending from 0.
        frames: For each amount the representations.
        floor: Those of the emptied model; None where the method has none.
        reduction: `mean` or `cls`.
    """
    vectors = np.stack([frame[reduction] for frame in frames])  # (frames, points, n, hidden)
    found = statistics.jackknifed(amounts, vectors, None if floor is None else floor[reduction])
    for own, _, ending in OWN:
        if own in found:
            bounds = found[f"{own}{INTERVAL}"]
            found[f"survival{ending}"] = statistics.survivals(amounts, found[own], bounds, SURVIVAL_THRESHOLD)
    return {
        **found,
        "CKA": np.stack([statistics.cka_matrix([vectors[0]], [frame]) for frame in vectors]),
    }


# ---------------------------------------------------------------- the result


def stored(result: SweepResult, reduction: str) -> Numbers:
    """Read the same numbers from a result, NaN where a value is missing.

    Args:
        result: With all measures.
        reduction: A name from REDUCTIONS.

    Returns:
        Those arrays of `computed` that the result has.
    """
    frames = result.frames
    found: Numbers = {"CKA": _array([frame.matrix(reduction) for frame in frames])}
    if reduction not in SINGLE_BATCH:
        return found
    found["own CKA"] = _array([frame.own(reduction) for frame in frames])  # (frames, points)
    found["damage"] = damage(found["own CKA"])
    if result.floor:
        found["floor"] = _array(result.floor.cka[reduction])
        found["partial CKA"] = _array([frame.own(reduction, "partial_cka") for frame in frames])
    for own, measure, ending in OWN:
        if known := result.statistics_of(reduction, measure):
            found |= _statistics(known, own, ending, len(result.points), len(result.task.examples))
    return found


def _array(values: object) -> Array:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _statistics(known: LayerStatistics, own: str, ending: str, points: int, examples: int) -> Numbers:
    """Read a measure's intervals, survival, D, and what stands at each damage."""
    own_bounds = [[bounds or (np.nan, np.nan) for bounds in row] for row in known.own or ()]  # (frames, points, 2)
    survival = [
        [layer.value, layer.low, layer.high] if layer else [np.nan] * 3 for layer in known.survival
    ]  # (points, 3)
    gaps = [known.gap_at_damage[amount_text(target)] for target in DAMAGES]
    profiles = [known.profile_at_damage[amount_text(target)] for target in DAMAGES]
    return {
        f"{own}{INTERVAL}": np.moveaxis(_array(own_bounds), -1, 0),
        f"survival{ending}": _array(survival).T,
        **_values(f"D{ending}", [known.depth_gap], (), examples, squeeze=True),
        **_values(f"gap at damage{ending}", gaps, (), examples),
        **_values(f"profile at damage{ending}", profiles, (points,), examples),
        f"amount at damage{ending}": _array([getattr(gap, "amount", np.nan) for gap in gaps]),
    }


def _values(
    name: str, records: Sequence[object], shape: tuple[int, ...], examples: int, squeeze: bool = False
) -> Numbers:
    """Read value, bounds and replicates of records, of which some only say why they have none.

    Args:
        name: The number's name.
        records: One a damage.
        shape: Of a value.
        examples: How many replicates a value has.
        squeeze: Whether there is a single record that does not stand at a damage.
    """

    def read(part: str, *further: int) -> Array:
        nothing = np.full((*shape, *further), np.nan)
        values = _array([nothing if (v := getattr(record, part, None)) is None else v for record in records])
        return np.asarray(values[0] if squeeze else values)

    return {
        name: read("value"),
        f"{name}{INTERVAL}": np.stack([read("low"), read("high")]),
        f"{name}{REPLICATES}": np.moveaxis(read("replicates", examples), -1, 0),
    }


# ---------------------------------------------------------------- apart


def deviation(first: Array | None, second: Array | None) -> float | None:
    """Find the largest absolute difference of two arrays.

    Returns:
        A number, infinite where only one side has a value; None where neither side has any.
    """
    if first is None or second is None:
        present = second if first is None else first
        return None if present is None or np.isnan(present).all() else float("inf")
    if first.shape != second.shape:
        return float("inf")
    missing = np.isnan(first)
    if missing.all() and np.isnan(second).all():
        return None
    differences = np.where(missing & np.isnan(second), 0.0, np.abs(first - second))
    return float(np.nan_to_num(differences, nan=np.inf).max())


def weighted(numbers: Numbers, rest: Array | None) -> Numbers:
    """Multiply what is partial CKA's by sqrt((1 - C_iz²)(1 - C_jz²)), by which it magnifies rounding in CKA.

    Args:
        numbers: From `computed` or `stored`.
        rest: (frames, points) of (1 - C_iz²)(1 - C_jz²); None without a floor. What joins several frames and points is
            multiplied by the smallest root for which partial CKA is defined.
    """
    if rest is None:
        return numbers
    roots = np.sqrt(np.where(rest >= statistics.LEAST_LEFT, rest, 1.0))  # (frames, points)

    def factor(name: str) -> Array | float:
        if name in ("partial CKA", f"partial CKA{INTERVAL}"):
            return np.asarray(roots)
        return float(roots.min()) if GIVEN_FLOOR in name and not name.startswith(("survival", "amount")) else 1.0

    return {name: values * factor(name) for name, values in numbers.items()}
