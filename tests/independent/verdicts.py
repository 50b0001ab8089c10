"""The verdicts by their definitions, from the files of results, without the project.

The share of the change that lies in the upper half of the layers is read anew from the similarities
of every frame; only what leaves out an example is taken from the file.
"""

import base64
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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

SHIPPED = Path(__file__).parents[2] / "cached_results"
DAMAGE = 0.05
MARGIN = 0.10
LEVEL = 0.05
FEWEST_EXAMPLES = 64
FEWEST_BEFORE = 2
SEEDS = {"weight": 5, "neuron": 10}
MOST_MISMATCH = 0.01  # of the shares of a layer's weights that a method and its control remove
SMALL_STEP = 0.01
CEILING = 0.9
ONE_EXAMPLE = 0.5
DETECTABLE = 2.8  # standard errors, of a drop that is found four times in five


class There(NamedTuple):
    """A pruning at the damage, and its share of the change in the upper half."""

    sweep: Result
    share: float
    without: Array  # (n,)
    is_coarse: bool
    step: float  # between the two amounts that it is read from
    amount: float


class Row(NamedTuple):
    """A method on a checkpoint.

    Attributes:
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
        reason: Why it is inconclusive; None where it is not.
        state: After Holm's correction over the table.
        flags: What else to know of it, in the order of Methods.
    """

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
    reason: str | None = None
    state: str = "inconclusive"
    flags: tuple[str, ...] = ()


def result_of(key: str) -> Result:
    """Read a shipped result."""
    return from_json(gzip.decompress((SHIPPED / "results" / f"{key}.json.gz").read_bytes()))


@cache
def shipped() -> dict[str, tuple[Result, Row]]:
    """Judge the shipped results; by key, what each was measured on and its row."""
    results = {}
    for entry in from_json((SHIPPED / "manifest.json").read_bytes()):
        points = entry.get("points", [""])
        if all(point.endswith("attention") for point in points):
            results[entry["key"]] = result_of(entry["key"])
    parts = (
        "checkpoint",
        "task",
        "pruning",
    )  # all numbers together take a gigabyte
    rows = table(results.values()).items()
    return {key: ({name: results[key][name] for name in parts}, row) for key, row in rows}


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
    amount, *profile = interpolated(np.column_stack([amounts, own]), damages, DAMAGE)
    without = np.frombuffer(base64.b64decode(stored["replicates"]), "<f4").astype(float)  # (n,)
    gaps = np.array([gap(np.array(profile)), *without])
    share, *without_each = 0.5 + gaps / (4 * DAMAGE)
    k = int((damages >= DAMAGE).argmax())
    is_coarse = int((damages[1:k] > 0).sum()) < FEWEST_BEFORE
    step = amounts[k] - amounts[k - 1]
    return There(result, share, np.array(without_each), is_coarse, step, amount)


def table(results: Iterable[Result]) -> dict[str, Row]:
    """Judge every method on every checkpoint beside its random control, where there is one.

    Returns:
        Rows by the results' keys.
    """
    groups = defaultdict[tuple[Any, ...], list[Result]](list)
    for result in results:
        task = result["task"]
        if task["source"] != "written" and _is_whole(result):
            place = (
                result["checkpoint"]["revision"],
                task["name"],
                task["fingerprint"],
            )
            groups[*place, str(result["similarity"]["points"])].append(result)
    rows: dict[str, Row] = {}
    for group in groups.values():
        methods = defaultdict[tuple[Any, ...], list[Result]](list)
        for result in group:
            pruning = result["pruning"]
            if pruning.get("controls") is None and not pruning["method"].startswith("random"):
                calibration = (pruning.get("calibration") or {}).get("fingerprint")
                methods[pruning["method"], pruning["scope"], calibration].append(result)
        for sweeps in methods.values():
            unstopped = [sweep for sweep in sweeps if sweep["pruning"].get("stop") is None]
            seeds = _controls(sweeps[0], group)
            if unstopped and seeds:
                rows[unstopped[0]["key"]] = _judged(sweeps, seeds)
    return _corrected(rows)


def _is_whole(result: Result) -> bool:
    """Whether all layers are pruned, and compared after attention blocks."""
    points = result["similarity"]["points"]
    scope = result["pruning"]["scope"] or ""
    return all(point.endswith("attention") for point in points) and not scope.startswith("layer:")


def _finest(sweeps: Sequence[Result]) -> There | None:
    """Of several sweeps of one pruning, read that with the smallest steps around the damage."""
    places = [place for place in map(there, sweeps) if place]
    return min(places, key=lambda place: place.step, default=None)


def _mismatch(first: Result, second: Result) -> float:
    """Return the largest difference in what is removed of a layer, at an amount of both."""
    removed = {frame["amount"]: frame["layer_sparsity"] for frame in first["frames"]}
    differences = [
        np.abs(np.subtract(removed[frame["amount"]], frame["layer_sparsity"])).max()
        for frame in second["frames"]
        if frame["amount"] in removed
    ]
    return float(max(differences))


def _controls(sweep: Result, group: Sequence[Result]) -> dict[int, list[Result]]:
    """Collect the sweeps of the random control that removes as much of each layer, by seed."""
    method = sweep["pruning"]
    seeds = defaultdict[int, list[Result]](list)
    for other in group:
        pruning = other["pruning"]
        controlled = pruning.get("controls"), pruning["scope"]
        if controlled != (method["method"], method["scope"]):
            continue
        if _mismatch(sweep, other) <= MOST_MISMATCH:
            seeds[pruning["seed"]].append(other)
    return seeds


def _judged(sweeps: Sequence[Result], seeds: Mapping[int, list[Result]]) -> Row:
    own = _finest(sweeps)
    drawn = {seed: _finest(seeds[seed]) for seed in sorted(seeds)}
    usable = {seed: place for seed, place in drawn.items() if place and not place.is_coarse}
    n = len(sweeps[0]["task"]["examples"])
    k = len(usable)
    shares = np.array([place.share for place in usable.values()])  # (k,)
    reasons = {
        "too few examples": n < FEWEST_EXAMPLES,
        "change not reached": own is None,
        "steps too coarse": own is not None and own.is_coarse,
        "too few seeds": k < SEEDS[sweeps[0]["pruning"]["granularity"]],
    }
    reason = next((name for name, holds in reasons.items() if holds), None)
    if own is None or k < 2:
        share = own.share if own else np.nan
        return Row(
            share,
            tuple(usable),
            shares,
            np.full((k, n), np.nan),
            reason=reason,
        )
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

    mean_half = half(0.95, 1 / k)
    draw_half = half(0.975, 1 + 1 / k)
    p_value = float(brentq(beyond, 1e-12, 1 - 1e-12, xtol=1e-14))
    state = "inconclusive"
    if not reason and abs(difference) + mean_half <= MARGIN:
        state = "equivalent"
    elif not reason and abs(difference) >= MARGIN and abs(difference) > draw_half:
        state = "steeper" if difference > 0 else "flatter"
    elif not reason:
        reason = "interval too wide"
    judge = _judge(own, sweeps)
    broken = sum(not _works(place, seeds[seed]) for seed, place in usable.items())
    marks = {
        "beyond working range": not _works(own, sweeps),
        "random removal beyond its working range": broken > k / 2,
        "range doubtful": _smallest_drop(judge) > judge["working_range"]["lead"] / 10,
        "at the ceiling": shares.mean() > CEILING,
        "one example decides": squares.max() > ONE_EXAMPLE * squares.sum(),
        "interpolated": own.step > SMALL_STEP + 1e-9,
    }
    return Row(
        own.share,
        tuple(usable),
        shares,
        replicates,
        difference,
        deviation,
        error,
        mean_half,
        draw_half,
        p_value,
        reason,
        state,
        tuple(name for name, holds in marks.items() if holds),
    )


def _judge(own: There, sweeps: Sequence[Result]) -> Result:
    """Of several sweeps of one pruning, the one whose working range is judged on most examples."""
    return max(
        (own.sweep, *sweeps),
        key=lambda sweep: sweep["working_range"]["examples"],
    )


def _works(own: There, sweeps: Sequence[Result]) -> bool:
    """Whether the model is within its working range at the damage."""
    to = _judge(own, sweeps)["working_range"]["to"]
    return to is not None and own.amount <= to


def _smallest_drop(sweep: Result) -> float:
    """Return the smallest drop that the examples show at the end of the working range."""
    working = sweep["working_range"]
    frames = sweep["frames"]
    end = max(1, [frame["amount"] for frame in frames].index(working["to"]))
    predictions = frames[0]["predictions"], frames[end]["predictions"]
    labels = np.array([sweep["task"]["gold"], *predictions])  # (3, n)

    def score(gold: Array, predicted: Array) -> float:
        if working["metric"] == "accuracy":
            return float(np.mean(gold == predicted))
        return float(np.corrcoef(gold, predicted)[0, 1])  # Matthews, of zeros and ones

    n = labels.shape[1]
    drops = []
    for k in range(n):
        gold, before, after = np.delete(labels, k, axis=1)
        drops.append(score(gold, after) - score(gold, before))
    return float(DETECTABLE * np.sqrt((n - 1) * np.var(drops) * n / working["examples"]))


def _corrected(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Holm: from the smallest p-value on, each times the number left, until the first fails."""
    tested = [key for key, row in rows.items() if row.reason in (None, "interval too wide")]
    order = sorted(tested, key=lambda key: rows[key].p_value)
    judged = dict(rows)
    holds = True
    for k, key in enumerate(order):
        row = rows[key]
        holds = holds and row.p_value * (len(order) - k) < LEVEL
        if row.state in ("steeper", "flatter") and not holds:
            judged[key] = row._replace(state="inconclusive", reason="interval too wide")
    return judged
