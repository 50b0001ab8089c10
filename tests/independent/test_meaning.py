"""What pruning does, over all shipped checkpoints, without the project's code.

Which predictions have changed is counted anew; how far a model works is taken from the files.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import sem, t

from tests.independent.verdicts import SHIPPED, result_of

TITLES = {"sst2": "SST-2", "cola": "CoLA", "qnli": "QNLI", "qqp": "QQP"}
CHANGES = (0.05, 0.1, 0.2, 0.3)
AMOUNTS = (0.3, 0.5, 0.7, 0.9)
HALVES = (0.3, 0.4, 0.5, 0.6)
MAGNITUDE = ("magnitude", "")
RANDOM = ("random", "magnitude")

Array = npt.NDArray[np.float64]
# Quantity, method, what is beside (first what it controls), scale, place on it.
Name = tuple[str, str, str, str, float]
Known = dict[Name, tuple[float, bool]]  # the value, and whether all models work
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
        k = int(np.argmax(scaled >= at))
        if scaled[k] < at or (scale == "amount" and scaled[k] != at):
            continue
        if scale == "change":
            is_unknown = np.isnan(damages[: k + 1]).any()
            if is_unknown or np.sum(damages[1:k] > 0) < 2:
                continue
        step = table[k] - table[k - 1]
        share = (at - scaled[k - 1]) / (scaled[k] - scaled[k - 1])
        row = table[k - 1] + share * step
        end = max((sweep, *sweeps), key=lambda judge: judge.examples).end
        works = bool(row[0] <= end + 1e-12)
        places.append((step[0], Place(row, table[0], works)))
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


Quantities = dict[str, Callable[..., float]]  # of the places of one seed
RATIOS: Quantities = {
    "changed": lambda x: x.row[2],
    "removed": lambda x: x.row[1],
}
LAYERS: Quantities = {
    "earlier": lambda x: grown(x, -1),
    "later": lambda x: grown(x, 1),
    "sunk": lambda x: sunk(x).mean(),
    "sunk_last": lambda x: sunk(x)[-1],
}
HARM: Quantities = {"harm": lambda low, high: low.row[2] - high.row[2]}
ENDS: Quantities = {
    "end_lower": lambda low, _: low.lost[-1],
    "end_upper": lambda _, high: high.lost[-1],
}
TOGETHER: Quantities = {"together": lambda x: upper_share(x.lost)}
OUTPUTS: Quantities = {"together_outputs": lambda x: upper_share(x.lost[1::2])}
ALONE: Quantities = {"alone": alone}
SHARES = {**TOGETHER, **OUTPUTS, **ALONE}


def averages(depth: int, group: Group) -> Known:
    """Compute the quantities of one checkpoint, each over the seeds with all places."""
    everything = {(method, controls) for method, controls, *_ in group}
    two = (MAGNITUDE, RANDOM)
    layers = [f"layer:{k}" for k in range(depth)]
    runs = [f"layers:0-{depth // 2 - 1}", f"layers:{depth // 2}-{depth - 1}"]
    earlier = {"earlier": LAYERS["earlier"]}
    readings = (
        (RATIOS, everything, ["encoder"], "attention", "change", CHANGES),
        (LAYERS, two, ["encoder"], "attention", "change", CHANGES),
        (earlier, [MAGNITUDE], ["encoder"], "attention", "amount", [0.2]),
        (TOGETHER, two, ["encoder"], "attention", "amount", AMOUNTS),
        (OUTPUTS, two, ["encoder"], "attention+output", "amount", AMOUNTS),
        (ALONE, two, layers, "output", "amount", AMOUNTS),
        (HARM | ENDS, two, runs, "output", "amount", HALVES),
        (HARM, two, runs, "output", "change", CHANGES),
    )
    values: Known = {}
    for quantities, sides, scopes, points, scale, places in readings:
        for (method, controls), at in product(sides, places):
            parts = [group.get((method, controls, scope, points), {}) for scope in scopes]
            models = []
            for seed in parts[0]:
                model = [there(part.get(seed, []), scale, at) for part in parts]
                if None not in model:
                    models.append(model)
            if len(models) < (2 if controls else 1):
                continue
            places_read = [place for model in models for place in model]
            works = all(place.works for place in places_read)
            for quantity, value in quantities.items():
                mean = float(np.mean([value(*model) for model in models]))
                values[quantity, method, controls, scale, at] = mean, works
    return values


def measured(depth: int, group: Group) -> Known:
    """Compute everything of one checkpoint; ratios as logarithms, and differences from random."""
    values = averages(depth, group)
    known: Known = {}
    for name, (value, works) in values.items():
        quantity, method, controls, scale, at = name
        if quantity in RATIOS:
            beside = controls or "magnitude"
            if (method, controls) != MAGNITUDE and (
                quantity,
                beside,
                "",
                scale,
                at,
            ) in values:
                divisor, both = values[quantity, beside, "", scale, at]
                ratio = np.log(value / divisor)
                known[quantity, method, beside, scale, at] = (
                    ratio,
                    works and both,
                )
            continue
        known[quantity, method, "", scale, at] = value, works
        random = (quantity, *RANDOM, scale, at)
        if quantity in LAYERS and method == "magnitude" and random in values:
            drawn, both = values[random]
            known[quantity, method, "random", scale, at] = (
                value - drawn,
                works and both,
            )
    return known


def test_the_shipped_file_is_what_the_stored_numbers_give() -> None:
    cells = defaultdict[Name, dict[str, list[tuple[float, bool]]]](lambda: defaultdict(list))
    for cell, depth, group in groups():
        for name, known in measured(depth, group).items():
            cells[name][cell].append(known)

    rows = json.loads((SHIPPED / "meaning.json").read_text("utf-8"))

    fields = ("quantity", "method", "beside", "scale", "at")
    stored = {tuple(row[field] for field in fields): row for row in rows}
    several = {name for name, by_cell in cells.items() if len(by_cell) > 1}
    assert set(stored) == several
    for name, row in stored.items():
        means = {
            cell: np.mean([value for value, _ in known]) for cell, known in cells[name].items()
        }
        values = np.array([*means.values()])
        mean = values.mean()
        half = t.ppf(0.975, len(values) - 1) * sem(values)
        numbers = [
            mean,
            mean - half,
            mean + half,
            *(means[cell] for cell in row["by_cell"]),
        ]
        expected = np.exp(numbers) if name[0] in RATIOS else numbers
        given = [row["value"], *row["interval"], *row["by_cell"].values()]
        np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-9, err_msg=str(name))

        every = []
        for checkpoints in cells[name].values():
            every += checkpoints
        even = 0.5 if name[0] in SHARES else 0.0
        assert row["checkpoints"] == len(every), name
        assert row["above"] == sum(value > even for value, _ in every), name
        assert row["working"] == sum(works for _, works in every), name
