"""What pruning does, over all shipped checkpoints, without the project's code.

Which predictions have changed is counted anew; how far a model works is taken from the files.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import sem, t

from tests.independent.statistics import interpolated
from tests.independent.verdicts import SHIPPED, result_of

TITLES = {"sst2": "SST-2", "cola": "CoLA", "qnli": "QNLI", "qqp": "QQP"}
RANDOM = ("random", "magnitude")

Array = npt.NDArray[np.float64]
# Quantity, method, what it controls or what is beside it, scale, place on it.
Name = tuple[str, str, str, str, float]
Value = tuple[float, bool]  # and whether all models work
Setting = tuple[str, str, str, str]  # method, what it controls, scope, kind of points


class Sweep(NamedTuple):
    """A sweep's numbers.

    Attributes:
        table: (frames, 3 + points²) amount, share of weights removed, share of predictions changed,
            and CKA of all pairs.
        examples: The examples that judged the working range.
        end: The end of the working range; -1 where the model never works.
    """

    table: Array
    examples: int
    end: float


Group = dict[Setting, dict[int, list[Sweep]]]  # of a checkpoint on the same examples, by seed


class Place(NamedTuple):
    """A model at an amount or a change: its row of the table, the first row, whether it works."""

    row: Array
    first: Array
    works: bool

    @property
    def similarity(self) -> Array:
        points = round((len(self.row) - 3) ** 0.5)
        return self.row[3:].reshape(points, points)

    @property
    def lost(self) -> Array:
        return 1 - np.diag(self.similarity)


def read(key: str) -> Sweep:
    result = result_of(key)
    frames = result["frames"]
    baseline = np.array(frames[0]["predictions"])
    rows = []
    for frame in frames:
        changed = (frame["predictions"] != baseline).mean()
        matrix = frame["similarity"]["cka"]["mean"]
        similarity = np.array(matrix, float).ravel()
        rows.append(
            [
                frame["amount"],
                frame["prunable_sparsity"],
                changed,
                *similarity,
            ]
        )
    judged = result["working_range"] or {"examples": 0, "to": None}
    end = -1.0 if judged["to"] is None else judged["to"]
    return Sweep(np.array(rows), judged["examples"], end)


def groups() -> list[tuple[str, int, Group]]:
    """Read all checkpoints with random controls: the cell, the number of layers, the sweeps."""
    by_checkpoint = defaultdict[tuple[str, ...], list[dict[str, object]]](list)
    for entry in json.loads((SHIPPED / "manifest.json").read_text("utf-8")):
        is_sweep = "kind" not in entry
        if is_sweep and entry["source"] != "written" and entry["scope"] != "all-linear":
            place = entry["task"], entry["checkpoint"], entry["fingerprint"]
            by_checkpoint[place].append(entry)
    table = []
    for (task, *_), entries in by_checkpoint.items():
        if not any("controls" in entry for entry in entries):
            continue
        group: Group = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            kinds = {point.split(".")[2] for point in entry["points"]}
            points = "+".join(sorted(kinds))
            scope = entry["scope"] or "encoder"
            setting = (
                entry["method"],
                entry.get("controls", ""),
                scope,
                points,
            )
            group[setting][entry["seed"]].append(read(entry["key"]))
        depth = 1 + max(int(point.split(".")[1]) for point in entries[0]["points"])
        table.append((f"{TITLES[task]}, {depth} layers", depth, group))
    return table


def there(sweeps: Sequence[Sweep], scale: str, at: float) -> Place | None:
    """Read the sweep with the smallest steps at an amount, or at a change not reached too fast."""
    places = []
    for sweep in sweeps:
        table = sweep.table
        points = round((table.shape[1] - 3) ** 0.5)
        own = table[:, 3 :: points + 1]  # (frames, points)
        damages = 1 - own.mean(1)
        scaled = damages if scale == "change" else table[:, 0]
        row = interpolated(table, scaled, at)
        k = int(np.argmax(scaled >= at))
        is_read = scaled[k] == at if scale == "amount" else np.sum(damages[1:k] > 0) >= 2
        if np.isnan(row[0]) or not is_read:
            continue
        end = max((sweep, *sweeps), key=lambda judge: judge.examples).end
        works = bool(row[0] <= end + 1e-12)
        step = table[k, 0] - table[k - 1, 0]
        places.append((step, Place(row, table[0], works)))
    return min(places, key=lambda place: place[0])[1] if places else None


def upper_share(lost: Array) -> float:
    return float(lost[len(lost) // 2 :].sum() / lost.sum())  # all depths are even


def grown(place: Place, direction: int) -> float:
    """Average how upper pruned layers come to resemble earlier (-1) or later (1) unpruned ones."""
    growth = place.similarity - place._replace(row=place.first).similarity
    size = len(growth)
    values = []
    for j in range(size // 2, size):
        for i in range(size):
            if (i - j) * direction > 0:
                values.append(growth[i, j])
    return float(np.mean(values))


def sunk(place: Place) -> Array:
    size = len(place.similarity)
    below = np.arange(size) - place.similarity.argmax(0)
    return below[size // 2 :]


def alone(*places: Place) -> float:
    return upper_share(np.array([place.lost[k] for k, place in enumerate(places)]))


# Of each quantity, how it is read from the places of one seed, which layers are pruned, and where
# they are compared.
QUANTITIES: dict[str, tuple[Callable[..., float], str, str]] = {
    "changed": (lambda x: x.row[2], "all", "attention"),
    "removed": (lambda x: x.row[1], "all", "attention"),
    "earlier": (lambda x: grown(x, -1), "all", "attention"),
    "later": (lambda x: grown(x, 1), "all", "attention"),
    "sunk": (lambda x: sunk(x).mean(), "all", "attention"),
    "sunk_last": (lambda x: sunk(x)[-1], "all", "attention"),
    "together": (lambda x: upper_share(x.lost), "all", "attention"),
    "together_outputs": (lambda x: upper_share(x.lost[1::2]), "all", "attention+output"),
    "alone": (alone, "each", "output"),
    "harm": (lambda low, high: low.row[2] - high.row[2], "halves", "output"),
    "end_lower": (lambda low, _: low.lost[-1], "halves", "output"),
    "end_upper": (lambda _, high: high.lost[-1], "halves", "output"),
}
RATIOS = ("changed", "removed")
SHARES = ("together", "together_outputs", "alone")


def average(
    depth: int,
    group: Group,
    quantity: str,
    side: tuple[str, str],
    scale: str,
    at: float,
) -> Value | None:
    """Compute a quantity of one checkpoint over the seeds with all places, if there are enough."""
    read_from, pruned, points = QUANTITIES[quantity]
    scopes = {
        "all": ["encoder"],
        "each": [f"layer:{k}" for k in range(depth)],
        "halves": [f"layers:0-{depth // 2 - 1}", f"layers:{depth // 2}-{depth - 1}"],
    }
    parts = [group.get((*side, scope, points), {}) for scope in scopes[pruned]]
    values = []
    works = True
    for seed in parts[0]:
        places = [there(part.get(seed, []), scale, at) for part in parts]
        if None not in places:
            values.append(read_from(*places))
            works = works and all(place.works for place in places)
    _, controls = side
    fewest = 2 if controls else 1
    return (float(np.mean(values)), works) if len(values) >= fewest else None


def compared(depth: int, group: Group, name: Name) -> Value | None:
    """Compute a ratio as logarithm, and what stands beside random removal less what that gives."""
    quantity, method, beside, *place = name
    sides = [(method, "magnitude" if method == "random" else "")]
    if quantity in RATIOS:
        controls = beside if method.startswith("random") else ""
        sides = [(method, controls), (beside, "")]
    elif beside:
        sides.append(RANDOM)
    averages = [average(depth, group, quantity, side, *place) for side in sides]
    if None in averages:
        return None
    first, *others = (np.log(mean) if quantity in RATIOS else mean for mean, _ in averages)
    return first - sum(others), all(works for _, works in averages)


def test_the_shipped_file_is_what_the_stored_numbers_give() -> None:
    checkpoints = groups()

    rows = json.loads((SHIPPED / "meaning.json").read_text("utf-8"))

    for row in rows:
        name = tuple(row[field] for field in ("quantity", "method", "beside", "scale", "at"))
        by_cell = defaultdict[str, list[float]](list)
        working = 0
        for cell, *checkpoint in checkpoints:
            value = compared(*checkpoint, name)
            if value:
                by_cell[cell].append(value[0])
                working += value[1]
        means = [np.mean(by_cell[cell]) for cell in row["by_cell"]]
        mean = np.mean(means)
        half = t.ppf(0.975, len(means) - 1) * sem(means)
        numbers = [mean, mean - half, mean + half, *means]
        expected = np.exp(numbers) if name[0] in RATIOS else numbers
        given = [row["value"], *row["interval"], *row["by_cell"].values()]
        np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-9, err_msg=str(name))

        every = np.concatenate([*by_cell.values()])
        even = 0.5 if name[0] in SHARES else 0.0
        assert row["checkpoints"] == len(every), name
        assert row["above"] == (every > even).sum(), name
        assert row["working"] == working, name
