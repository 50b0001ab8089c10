"""The numbers of verdicts by their definitions, from the files of results, without the project.

The share of the change that lies in the upper half of the layers is read anew from the similarities
of every frame; only what leaves out an example is taken from the file.
"""

import base64
import gzip
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json
from scipy.optimize import brentq
from scipy.stats import t as student

from tests.independent.statistics import gap, interpolated

Array = npt.NDArray[np.float64]
Result = Mapping[str, Any]
Setting = tuple[str, str | None]
Place = tuple[str, int]

SHIPPED = Path(__file__).parents[2] / "cached_results"
DAMAGE = 0.05
FEWEST_BEFORE = 2
ONE_EXAMPLE = 0.5  # of the jackknife's variance


class There(NamedTuple):
    """A pruning at the damage, and its share of the change in the upper half."""

    share: float
    without: Array  # (n,)
    is_coarse: bool
    step: float  # between the two amounts that it is read from


class Row(NamedTuple):
    """A method on a checkpoint.

    Attributes:
        setting: The method and its scope.
        place: The task and the number of layers.
        share: Its share in the upper half; NaN where it does not reach the damage.
        seeds: The k usable seeds of its random control.
        control_shares: (k,) of these.
        replicates: (k, n) its share minus each seed's, without each example.
        difference: From the mean of the seeds; NaN, as all that follows, with fewer than two.
        deviation: Between the seeds.
        error: The jackknife's standard error of the difference.
        mean_half: Half the width of the 90 % interval of the difference from the mean of random
            removal.
        draw_half: The same at 95 %, from one more draw.
        p_value: 1 minus the confidence at which the latter reaches 0.
        one_decides: Whether one example carries most of the jackknife's variance.
    """

    setting: Setting
    place: Place
    share: float
    seeds: tuple[int, ...]
    control_shares: Array
    replicates: Array
    difference: float = np.nan
    deviation: float = np.nan
    error: float = np.nan
    mean_half: float = np.nan
    draw_half: float = np.nan
    p_value: float = np.nan
    one_decides: bool = False


def result_of(key: str) -> Result:
    """Read a shipped result."""
    return from_json(gzip.decompress((SHIPPED / "results" / f"{key}.json.gz").read_bytes()))


def there(result: Result) -> There | None:
    """Find where overall change surely reaches the damage, between two frames."""
    statistics = result["statistics"]["cka"].get("mean")
    stored = statistics["gap_at_damage"].get(str(DAMAGE), {}) if statistics else {}
    if "replicates" not in stored:
        return None
    frames = result["frames"]
    amounts = np.array([frame["amount"] for frame in frames])  # (frames,)
    matrices = np.array([frame["similarity"]["cka"]["mean"] for frame in frames], float)
    own = np.diagonal(matrices, axis1=1, axis2=2)  # (frames, points)
    damages = 1 - own.mean(1)  # (frames,)
    profile = interpolated(own, damages, DAMAGE)
    without = np.frombuffer(base64.b64decode(stored["replicates"]), "<f4").astype(float)  # (n,)
    gaps = np.array([gap(profile), *without])
    share, *without_each = 0.5 + gaps / (4 * DAMAGE)
    k = int((damages >= DAMAGE).argmax())
    is_coarse = int((damages[1:k] > 0).sum()) < FEWEST_BEFORE
    step = amounts[k] - amounts[k - 1]
    return There(share, np.array(without_each), is_coarse, step)


@cache
def shipped() -> dict[str, Row]:
    """Judge every shipped method on every checkpoint beside its random control, if it has one.

    Returns:
        Rows by the results' keys.
    """
    groups = defaultdict[tuple[str, str], list[Result]](list)
    for entry in from_json((SHIPPED / "manifest.json").read_bytes()):
        is_sweep = "kind" not in entry
        if not is_sweep or entry["source"] == "written":
            continue
        if all(point.endswith("attention") for point in entry["points"]):
            groups[entry["checkpoint"], entry["fingerprint"]].append(result_of(entry["key"]))
    rows: dict[str, Row] = {}
    for group in groups.values():
        methods = defaultdict[Setting, list[Result]](list)
        # By what they control, then by seed.
        controls = defaultdict[Setting, dict[int, list[Result]]](lambda: defaultdict(list))
        for result in group:
            pruning = result["pruning"]
            if pruning.get("controls"):
                controls[pruning["controls"], pruning["scope"]][pruning["seed"]].append(result)
            else:
                methods[pruning["method"], pruning["scope"]].append(result)
        for setting, sweeps in methods.items():
            unstopped = [sweep for sweep in sweeps if sweep["pruning"].get("stop") is None]
            if unstopped and controls[setting]:
                rows[unstopped[0]["key"]] = _judged(setting, sweeps, controls[setting])
    return rows


def _finest(sweeps: Sequence[Result]) -> There | None:
    """Of several sweeps of one pruning, read that with the smallest steps around the damage."""
    places = [place for place in map(there, sweeps) if place]
    return min(places, key=lambda place: place.step, default=None)


def _judged(
    setting: Setting,
    sweeps: Sequence[Result],
    seeds: Mapping[int, list[Result]],
) -> Row:
    task = sweeps[0]["task"]
    place = task["name"], sweeps[0]["checkpoint"]["num_layers"]
    own = _finest(sweeps)
    drawn = {seed: _finest(seeds[seed]) for seed in sorted(seeds)}
    usable = {seed: place for seed, place in drawn.items() if place and not place.is_coarse}
    n = len(task["examples"])
    k = len(usable)
    shares = np.array([place.share for place in usable.values()])  # (k,)
    if own is None or k < 2:
        share = own.share if own else np.nan
        return Row(setting, place, share, tuple(usable), shares, np.full((k, n), np.nan))
    replicates = own.without - np.array([place.without for place in usable.values()])  # (k, n)
    squares = np.square(replicates.mean(0) - replicates.mean())  # (n,)
    difference = float(own.share - shares.mean())
    deviation = float(shares.std(ddof=1))
    error = float(np.sqrt((n - 1) / n * squares.sum()))

    def half(upper: float, draws: float) -> float:
        between = student.ppf(upper, k - 1) * deviation * np.sqrt(draws)
        return float(np.hypot(between, student.ppf(upper, n - 1) * error))

    def beyond(p: float) -> float:
        return half(1 - p / 2, 1 + 1 / k) - abs(difference)

    return Row(
        setting,
        place,
        own.share,
        tuple(usable),
        shares,
        replicates,
        difference,
        deviation,
        error,
        half(0.95, 1 / k),
        half(0.975, 1 + 1 / k),
        float(brentq(beyond, 1e-12, 1 - 1e-12, xtol=1e-14)),
        bool(squares.max() > ONE_EXAMPLE * squares.sum()),
    )
