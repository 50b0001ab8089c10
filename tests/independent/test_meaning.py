"""What pruning does, over all shipped checkpoints, from the numbers in the result files, without the project's code.

Which predictions have changed is counted anew; whether a model works is taken from the file.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import sem, t

SHIPPED = Path(__file__).parents[2] / "cached_results"
CHANGES = (0.05, 0.1, 0.2, 0.3)
SCALES = {"change": CHANGES, "amount": (0.3, 0.4, 0.5, 0.6)}
ALONE = (0.3, 0.5, 0.7, 0.9)
TITLES = {"sst2": "SST-2", "cola": "CoLA", "qnli": "QNLI", "qqp": "QQP"}

Array = npt.NDArray[np.float64]
Name = tuple[str, str, str, str, float]  # quantity, method, beside, scale, place on it
Setting = tuple[str, str, str, str]  # method, what it controls, scope, points
Group = dict[Setting, dict[int, list["Sweep"]]]  # of one checkpoint on the same examples; by seed


class Sweep(NamedTuple):
    """Of each frame: amount, CKA of all pairs of points, predictions that changed, and weights removed."""

    amounts: list[float]
    similarity: Array
    changed: Array
    removed: Array
    end: tuple[int, float]  # of the working range: the examples that judged it, and the amount


class There(NamedTuple):
    """A model at a place: CKA of all pairs, also unpruned; shares of predictions and of weights; whether it works."""

    similarity: Array
    unpruned: Array
    changed: float
    removed: float
    works: bool


def read(key: str) -> Sweep:
    result = json.loads(gzip.decompress((SHIPPED / "results" / f"{key}.json.gz").read_bytes()))
    frames, known = result["frames"], result["working_range"] or {"examples": 0, "to": None}
    predictions = np.array([frame["predictions"] for frame in frames])
    return Sweep(
        [frame["amount"] for frame in frames],
        np.array([frame["similarity"]["cka"]["mean"] for frame in frames], float),
        (predictions != predictions[0]).mean(1),
        np.array([frame["prunable_sparsity"] for frame in frames]),
        (known["examples"], -1.0 if known["to"] is None else known["to"]),
    )


def groups() -> list[tuple[str, int, Group]]:
    """Read all checkpoints whose random control is shipped: the task, the number of layers, and their sweeps."""
    found: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for entry in json.loads((SHIPPED / "manifest.json").read_text("utf-8")):
        if "kind" not in entry and entry["source"] != "written" and entry["scope"] != "all-linear":
            found[entry["task"], entry["checkpoint"], entry["fingerprint"]].append(entry)
    table = []
    for (task, *_), entries in found.items():
        if all(not entry.get("controls") for entry in entries):
            continue
        group: Group = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            points = "+".join(sorted({point.split(".")[2] for point in entry["points"]}))
            setting = entry["method"], entry.get("controls") or "", entry["scope"] or "encoder", points
            group[setting][entry["seed"]].append(read(entry["key"]))
        table.append((task, 1 + max(int(point.split(".")[1]) for point in entries[0]["points"]), group))
    return table


def there(sweeps: Sequence[Sweep], scale: str, at: float) -> There | None:
    """Read the sweep with the smallest steps at an amount, or at a change that it does not reach too fast."""
    found = []
    for sweep in sweeps:
        damages = 1 - np.einsum("fpp->fp", sweep.similarity).mean(1)
        places = damages if scale == "change" else np.array(sweep.amounts)
        k = int(np.argmax(places >= at))
        if places[k] < at or (scale == "amount" and places[k] != at) or np.isnan(damages[: k + 1]).any():
            continue
        if scale == "change" and np.sum(damages[1:k] > 0) < 2:
            continue
        share = (at - places[k - 1]) / (places[k] - places[k - 1])
        parts = (np.array(sweep.amounts), sweep.similarity, sweep.changed, sweep.removed)
        amount, *numbers = (part[k - 1] + share * (part[k] - part[k - 1]) for part in parts)
        works = amount <= max((sweep, *sweeps), key=lambda other: other.end[0]).end[1] + 1e-12
        similarity, changed, removed = numbers
        known = There(similarity, sweep.similarity[0], changed, removed, bool(works))
        found.append((sweep.amounts[k] - sweep.amounts[k - 1], known))
    return min(found, key=lambda known: known[0])[1] if found else None


def seen(group: Group, setting: Setting, scale: str, at: float, fewest: int = 1) -> dict[int, There]:
    known = {seed: there(sweeps, scale, at) for seed, sweeps in sorted(group.get(setting, {}).items())}
    reached = {seed: place for seed, place in known.items() if place}
    return reached if len(reached) >= fewest else {}


def upper_share(lost: Array) -> float:
    return float(lost[len(lost) // 2 :].sum() / lost.sum())  # all depths are even


def among_layers(place: There) -> dict[str, float]:
    growth, depth = place.similarity - place.unpruned, len(place.similarity)
    pairs = [(i, j) for i, j in product(range(depth), repeat=2) if 2 * j >= depth]
    down = [j - int(np.argmax(place.similarity[:, j])) for j in range(depth // 2, depth)]
    return {
        "earlier": float(np.mean([growth[i, j] for i, j in pairs if i < j])),
        "later": float(np.mean([growth[i, j] for i, j in pairs if i > j])),
        "sunk": float(np.mean(down)),
        "sunk_last": float(down[-1]),
    }


def lost(place: There) -> Array:
    return np.asarray(1 - np.diag(place.similarity))


def measured(depth: int, group: Group) -> Iterator[tuple[Name, float, bool]]:
    """Compute everything of one checkpoint; of ratios the logarithm."""

    def means(places: Sequence[There], values: Callable[[There], dict[str, float]]) -> dict[str, float]:
        each = [values(place) for place in places]
        return {name: float(np.mean([known[name] for known in each])) for name in each[0]}

    def work(*places: There) -> bool:
        return all(place.works for place in places)

    whole = {
        (method, controls) for method, controls, scope, points in group if (scope, points) == ("encoder", "attention")
    }
    drawn = ("random", "magnitude")
    for at in CHANGES:
        places = {
            one: [*seen(group, (*one, "encoder", "attention"), "change", at, 2 if one[1] else 1).values()]
            for one in whole
        }
        shares = {
            one: means(known, lambda place: {"changed": place.changed, "removed": place.removed})
            for one, known in places.items()
            if known
        }
        for one in shares:
            other = (one[1] or "magnitude", "")
            if one != other and other in shares:
                for quantity, share in shares[one].items():
                    ratio = float(np.log(share / shares[other][quantity]))
                    yield (quantity, one[0], other[0], "change", at), ratio, work(*places[one], *places[other])
        layers = {one: means(places[one], among_layers) for one in (("magnitude", ""), drawn) if places[one]}
        for one, values in layers.items():
            for quantity, value in values.items():
                yield (quantity, one[0], "", "change", at), value, work(*places[one])
        if len(layers) == 2:
            both = work(*places["magnitude", ""], *places[drawn])
            for quantity, value in layers["magnitude", ""].items():
                yield (quantity, "magnitude", "random", "change", at), value - layers[drawn][quantity], both
    for _, place in seen(group, ("magnitude", "", "encoder", "attention"), "amount", 0.2).items():
        yield ("earlier", "magnitude", "", "amount", 0.2), among_layers(place)["earlier"], place.works
    for at in ALONE:
        for place in seen(group, ("magnitude", "", "encoder", "attention+output"), "amount", at).values():
            share = upper_share(lost(place)[1::2])
            yield ("together_outputs", "magnitude", "", "amount", at), share, place.works
    for method, controls in (("magnitude", ""), drawn):
        for at in ALONE:
            together = [
                *seen(group, (method, controls, "encoder", "attention"), "amount", at, 2 if controls else 1).values()
            ]
            if together:
                share = np.mean([upper_share(lost(place)) for place in together])
                yield ("together", method, "", "amount", at), float(share), work(*together)
            each = [seen(group, (method, controls, f"layer:{k}", "output"), "amount", at) for k in range(depth)]
            if all(each):
                shares = [
                    upper_share(np.array([lost(known[seed])[k] for k, known in enumerate(each)])) for seed in each[0]
                ]
                places_alone = [place for known in each for place in known.values()]
                yield ("alone", method, "", "amount", at), float(np.mean(shares)), work(*places_alone)
        for scale, levels in SCALES.items():
            for at in levels:
                names = f"layers:0-{depth // 2 - 1}", f"layers:{depth // 2}-{depth - 1}"
                low, high = (seen(group, (method, controls, name, "output"), scale, at) for name in names)
                seeds = sorted(low.keys() & high.keys())
                if len(seeds) < (2 if controls else 1):
                    continue
                both = work(*(half[seed] for half in (low, high) for seed in seeds))
                harms = [float(np.mean([half[seed].changed for seed in seeds])) for half in (low, high)]
                ends = [float(np.mean([lost(half[seed])[-1] for seed in seeds])) for half in (low, high)]
                values = {"harm_lower": harms[0], "harm_upper": harms[1], "harm": harms[0] - harms[1]}
                values |= {"end_lower": ends[0], "end_upper": ends[1]} if scale == "amount" else {}
                for quantity, value in values.items():
                    yield (quantity, method, "", scale, at), value, both


def test_the_shipped_file_is_what_the_stored_numbers_give() -> None:
    cells: dict[Name, dict[str, list[tuple[float, bool]]]] = defaultdict(lambda: defaultdict(list))
    for task, depth, group in groups():
        for name, value, works in measured(depth, group):
            cells[name][f"{TITLES[task]}, {depth} layers"].append((value, works))
    wanted = {name: known for name, known in cells.items() if len(known) > 1}
    rows = json.loads((SHIPPED / "meaning.json").read_text("utf-8"))
    stored = {tuple(row[field] for field in ("quantity", "method", "beside", "scale", "at")): row for row in rows}
    assert set(stored) == set(wanted)
    for name, by_cell in wanted.items():
        row, back = stored[name], np.exp if name[0] in ("changed", "removed") else np.asarray
        means = {cell: float(np.mean([value for value, _ in known])) for cell, known in by_cell.items()}
        values, every = np.array([*means.values()]), [one for known in by_cell.values() for one in known]
        half = t.ppf(0.975, len(values) - 1) * sem(values)
        numbers = back([values.mean(), values.mean() - half, values.mean() + half])
        np.testing.assert_allclose([row["value"], *row["interval"]], numbers, rtol=1e-6, atol=1e-9, err_msg=str(name))
        assert row["by_cell"].keys() == means.keys()
        given = [row["by_cell"][cell] for cell in means]
        np.testing.assert_allclose(given, back(values), rtol=1e-6, atol=1e-9, err_msg=str(name))
        even = 0.5 if name[0] in ("alone", "together", "together_outputs") else 0.0
        counts = len(every), sum(value > even for value, _ in every), sum(works for _, works in every)
        assert (row["checkpoints"], row["above"], row["working"]) == counts, name
