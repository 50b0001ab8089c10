"""What pruning does, over all shipped checkpoints, from the numbers in the result files, without the project's code.

Which predictions have changed is counted anew; how far a model works is taken from the file.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json
from scipy.stats import sem, t

SHIPPED = Path(__file__).parents[2] / "cached_results"
TITLES = {"sst2": "SST-2", "cola": "CoLA", "qnli": "QNLI", "qqp": "QQP"}
CHANGES, AMOUNTS, HALVES = (0.05, 0.1, 0.2, 0.3), (0.3, 0.5, 0.7, 0.9), (0.3, 0.4, 0.5, 0.6)
MAGNITUDE, RANDOM = ("magnitude", ""), ("random", "magnitude")

Array = npt.NDArray[np.float64]
Name = tuple[
    str, str, str, str, float
]  # quantity, method, beside or first what it controls, scale, place on it
Known = dict[Name, tuple[float, bool]]  # the value, and whether all models work
Setting = tuple[str, str, str, str]  # method, what it controls, scope, kind of points
Sweep = tuple[
    Array, int, float
]  # (frames, 3 + points²) numbers; the examples that judged the working range, its end
Group = dict[Setting, dict[int, list[Sweep]]]  # of a checkpoint on the same examples, by seed


class There(NamedTuple):
    """A model at a place: CKA of all pairs, how it has grown, shares of predictions and weights, whether it works."""

    similarity: Array
    growth: Array
    changed: float
    removed: float
    works: bool

    @property
    def lost(self) -> Array:
        return np.asarray(1 - np.diag(self.similarity))


def read(key: str) -> Sweep:
    result = from_json(gzip.decompress((SHIPPED / "results" / f"{key}.json.gz").read_bytes()))
    frames, judged = result["frames"], result["working_range"] or {"examples": 0, "to": None}
    predictions = np.array([frame["predictions"] for frame in frames])
    changed = (predictions != predictions[0]).mean(1)
    numbers = [[frame["amount"], frame["prunable_sparsity"]] for frame in frames]
    similarity = np.array([np.ravel(frame["similarity"]["cka"]["mean"]) for frame in frames], float)
    end = -1.0 if judged["to"] is None else judged["to"]
    return np.column_stack([numbers, changed, similarity]), judged["examples"], end


def groups() -> list[tuple[str, int, Group]]:
    """Read all checkpoints with random controls: the cell, the number of layers, and the sweeps."""
    found = defaultdict[tuple[str, ...], list[dict[str, object]]](list)
    for entry in json.loads((SHIPPED / "manifest.json").read_text("utf-8")):
        if "kind" not in entry and entry["source"] != "written" and entry["scope"] != "all-linear":
            found[entry["task"], entry["checkpoint"], entry["fingerprint"]].append(entry)
    table = []
    for (task, *_), entries in found.items():
        if any("controls" in entry for entry in entries):
            group: Group = defaultdict(lambda: defaultdict(list))
            for entry in entries:
                points = "+".join(sorted({point.split(".")[2] for point in entry["points"]}))
                setting = (
                    entry["method"],
                    entry.get("controls", ""),
                    entry["scope"] or "encoder",
                    points,
                )
                group[setting][entry["seed"]].append(read(entry["key"]))
            depth = 1 + max(int(point.split(".")[1]) for point in entries[0]["points"])
            table.append((f"{TITLES[task]}, {depth} layers", depth, group))
    return table


def there(sweeps: Sequence[Sweep], scale: str, at: float) -> There | None:
    """Read the sweep with the smallest steps at an amount, or at a change that it does not reach too fast."""
    found = []
    for sweep in sweeps:
        table, points = sweep[0], round((sweep[0].shape[1] - 3) ** 0.5)
        damages = 1 - table[:, 3 :: points + 1].mean(1)  # (frames,)
        places = damages if scale == "change" else table[:, 0]
        k = int(np.argmax(places >= at))
        too_fast = np.isnan(damages[: k + 1]).any() or np.sum(damages[1:k] > 0) < 2
        if places[k] < at or (too_fast if scale == "change" else places[k] != at):
            continue
        row = table[k - 1] + (at - places[k - 1]) / (places[k] - places[k - 1]) * (
            table[k] - table[k - 1]
        )
        works = row[0] <= max((sweep, *sweeps), key=lambda other: other[1])[2] + 1e-12
        similarity, growth = (
            numbers[3:].reshape(points, points) for numbers in (row, row - table[0])
        )
        found.append(
            (table[k, 0] - table[k - 1, 0], There(similarity, growth, row[2], row[1], bool(works)))
        )
    return min(found, key=lambda place: place[0])[1] if found else None


def upper_share(lost: Array) -> float:
    return float(lost[len(lost) // 2 :].sum() / lost.sum())  # all depths are even


def grown(place: There, direction: int) -> float:
    """Average the growth of similarity of upper pruned layers to earlier (-1) or later (1) unpruned ones."""
    layers = range(len(place.growth))
    pairs = [(i, j) for j in layers[len(layers) // 2 :] for i in layers if (i - j) * direction > 0]
    return float(np.mean([place.growth[pair] for pair in pairs]))


def sunk(place: There) -> Array:
    layers = np.arange(len(place.similarity))
    return (layers - place.similarity.argmax(0))[len(layers) // 2 :]


Quantities = dict[str, Callable[..., float]]  # of the places of one seed
SHARED: Quantities = {"changed": lambda x: x.changed, "removed": lambda x: x.removed}
LAYERS: Quantities = {
    "earlier": lambda x: grown(x, -1),
    "later": lambda x: grown(x, 1),
    "sunk": lambda x: sunk(x).mean(),
    "sunk_last": lambda x: sunk(x)[-1],
}
HARM: Quantities = {"harm": lambda low, high: low.changed - high.changed}
ENDS: Quantities = {
    "end_lower": lambda low, _: low.lost[-1],
    "end_upper": lambda _, high: high.lost[-1],
}
TOGETHER: Quantities = {"together": lambda x: upper_share(x.lost)}
OUTPUTS: Quantities = {"together_outputs": lambda x: upper_share(x.lost[1::2])}
ALONE: Quantities = {
    "alone": lambda *x: upper_share(np.array([place.lost[k] for k, place in enumerate(x)]))
}


def measured(depth: int, group: Group) -> Known:
    """Compute everything of one checkpoint; of ratios the logarithm."""
    everything, two = {(method, controls) for method, controls, *_ in group}, (MAGNITUDE, RANDOM)
    layers = [f"layer:{k}" for k in range(depth)]
    runs = [f"layers:0-{depth // 2 - 1}", f"layers:{depth // 2}-{depth - 1}"]
    readings = (
        (SHARED, everything, ["encoder"], "attention", "change", CHANGES),
        (LAYERS, two, ["encoder"], "attention", "change", CHANGES),
        ({"earlier": LAYERS["earlier"]}, [MAGNITUDE], ["encoder"], "attention", "amount", [0.2]),
        (TOGETHER, two, ["encoder"], "attention", "amount", AMOUNTS),
        (OUTPUTS, two, ["encoder"], "attention+output", "amount", AMOUNTS),
        (ALONE, two, layers, "output", "amount", AMOUNTS),
        (HARM | ENDS, two, runs, "output", "amount", HALVES),
        (HARM, two, runs, "output", "change", CHANGES),
    )
    read: Known = {}
    for quantities, sides, scopes, points, scale, places in readings:
        for (method, controls), at in product(sides, places):
            parts = [group.get((method, controls, scope, points), {}) for scope in scopes]
            seeds = [
                [there(part[seed], scale, at) for part in parts if seed in part]
                for seed in parts[0]
            ]
            models = [found for found in seeds if len(found) == len(parts) and None not in found]
            if len(models) >= (2 if controls else 1):
                works = all(place.works for found in models for place in found if place)
                for quantity, value in quantities.items():
                    mean = float(np.mean([value(*found) for found in models]))
                    read[quantity, method, controls, scale, at] = mean, works
    known: Known = {}
    for (quantity, method, controls, scale, at), (value, works) in read.items():
        if quantity not in SHARED:
            known[quantity, method, "", scale, at] = value, works
        other = read.get((quantity, controls or "magnitude", "", scale, at))
        if quantity in SHARED and other and (method, controls) != MAGNITUDE:
            known[quantity, method, controls or "magnitude", scale, at] = (
                np.log(value / other[0]),
                works and other[1],
            )
        drawn = read.get((quantity, *RANDOM, scale, at))
        if quantity in LAYERS and method == "magnitude" and drawn:
            known[quantity, method, "random", scale, at] = value - drawn[0], works and drawn[1]
    return known


def test_the_shipped_file_is_what_the_stored_numbers_give() -> None:
    cells = defaultdict[Name, dict[str, list[tuple[float, bool]]]](lambda: defaultdict(list))
    for cell, depth, group in groups():
        for name, known in measured(depth, group).items():
            cells[name][cell].append(known)
    rows = json.loads((SHIPPED / "meaning.json").read_text("utf-8"))
    stored = {
        tuple(row[field] for field in ("quantity", "method", "beside", "scale", "at")): row
        for row in rows
    }
    assert set(stored) == {name for name, by_cell in cells.items() if len(by_cell) > 1}
    for name, row in stored.items():
        every = [known for checkpoints in cells[name].values() for known in checkpoints]
        means = {
            cell: np.mean([value for value, _ in known]) for cell, known in cells[name].items()
        }
        values = np.array([*means.values()])
        half = t.ppf(0.975, len(values) - 1) * sem(values)
        numbers = [
            values.mean(),
            values.mean() - half,
            values.mean() + half,
            *(means[cell] for cell in row["by_cell"]),
        ]
        wanted = np.exp(numbers) if name[0] in SHARED else numbers
        given = [row["value"], *row["interval"], *row["by_cell"].values()]
        np.testing.assert_allclose(given, wanted, rtol=1e-6, atol=1e-9, err_msg=str(name))
        even = 0.5 if name[0] in {**TOGETHER, **OUTPUTS, **ALONE} else 0.0
        counts = (
            len(every),
            sum(value > even for value, _ in every),
            sum(works for _, works in every),
        )
        assert (row["checkpoints"], row["above"], row["working"]) == counts, name
