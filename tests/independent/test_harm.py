"""What some layers alone do to the answers, from the numbers in the result files, without any code of the project."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata, t

from tests.independent import verdicts

SHIPPED = Path(__file__).parents[2] / "cached_results"
TASKS = {"sst2": "SST-2", "cola": "CoLA", "qnli": "QNLI", "qqp": "QQP"}
NAMES = ("own", "early", "end", "beyond")
REMOVED = 0.6  # of a half: 30 % of the encoder's weights
Numbers = dict[str, list[float]]


def run(result: verdicts.Result) -> range | None:
    """The layers that are pruned alone, from 0."""
    kind, _, numbers = (result["pruning"]["scope"] or "").partition(":")
    first, _, last = numbers.partition("-")
    return range(int(first), int(last or first) + 1) if kind in ("layer", "layers") else None


def changed(frame: Any, baseline: Any) -> float:
    return float(np.mean(np.array(frame["predictions"]) != np.array(baseline["predictions"])))


def correlated(layers: Sequence[verdicts.Result], by_reading: bool) -> Numbers:
    """Pearson's correlation of ranks over the layers, at each amount but 0."""
    found: Numbers = defaultdict(list)
    for k in range(1, len(layers[0]["frames"])):
        frames = [result["frames"][k] for result in layers]
        harm = [changed(frame, result["frames"][0]) for frame, result in zip(frames, layers, strict=True)]
        own = [1 - frame["similarity"]["cka"]["mean"][layer][layer] for layer, frame in enumerate(frames)]
        end = [1 - (frame["read"] if by_reading else frame["similarity"]["cka"]["cls"][-1][-1]) for frame in frames]
        if len(set(harm)) > 1:
            ranks = [rankdata(values) for values in (own, range(len(own), 0, -1), end)]
            rhos = [float(np.corrcoef(rankdata(harm), other)[0, 1]) for other in ranks]
            for name, rho in zip(NAMES, (*rhos, rhos[2] - rhos[0]), strict=True):
                found[name].append(rho)
    return found


def halved(lower: verdicts.Result, upper: verdicts.Result) -> Numbers:
    harms = []
    for result in (lower, upper):
        (frame,) = (frame for frame in result["frames"] if frame["amount"] == REMOVED)
        assert frame["prunable_sparsity"] == pytest.approx(0.3, abs=1e-3)
        harms.append(changed(frame, result["frames"][0]))
    return {"apart": [harms[0] - harms[1]]}


def cells(results: Iterable[verdicts.Result], by_reading: bool) -> dict[tuple[str, str], dict[str, Numbers]]:
    """By method and the method controlled, by cell: one number for each checkpoint and seed."""
    groups: dict[tuple[Any, ...], dict[range, verdicts.Result]] = defaultdict(dict)
    for result in results:
        pruning, checkpoint, task = result["pruning"], result["checkpoint"], result["task"]["name"]
        place = f"{TASKS[task]}, {checkpoint['num_layers']} layers"
        how = pruning["method"], pruning.get("controls") or ""
        groups[how, place, checkpoint["num_layers"], checkpoint["id"], pruning["seed"]][run(result)] = result
    found: dict[tuple[str, str], dict[str, Numbers]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for (how, place, depth, *_), known in groups.items():
        layers = [known[range(k, k + 1)] for k in range(depth) if range(k, k + 1) in known]
        halves = [known[half] for half in (range(depth // 2), range(depth // 2, depth)) if half in known]
        numbers = correlated(layers, by_reading) if len(layers) == depth else {}
        numbers |= halved(*halves) if len(halves) == 2 else {}
        for name, values in numbers.items():
            found[how][place][name].append(float(np.mean(values)))
    return found


def test_the_shipped_table_is_what_the_stored_numbers_give() -> None:
    alone = [result for result in verdicts.read(SHIPPED / "results") if "kind" not in result and run(result)]
    assert len(alone) >= 144
    by_reading = all(frame.get("read") is not None for result in alone for frame in result["frames"])
    table = json.loads((SHIPPED / "harm.json").read_text("utf-8"))
    independent = cells(alone, by_reading)
    assert {(harm["method"], harm["controls"]) for harm in table} == set(independent)
    for harm in table:
        assert harm["is_read"] == by_reading
        known = independent[harm["method"], harm["controls"]]
        assert set(harm["cells"]) == set(known)
        assert all(cell["beyond"] > 0 for cell in harm["cells"].values() if "beyond" in cell), "as the page says"
        means = {place: {name: np.mean(values) for name, values in known[place].items()} for place in known}
        for place, values in harm["cells"].items():
            assert values == pytest.approx(means[place], abs=1e-9), place
        for name, estimate in harm["estimates"].items():
            values = np.array([cell[name] for cell in means.values() if name in cell])
            half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
            most = 2 if name == "beyond" else 1
            bounds = max(values.mean() - half, -most), min(values.mean() + half, most)
            assert (estimate["cells"], estimate["value"]) == (len(values), pytest.approx(values.mean()))
            assert estimate["interval"] == pytest.approx(bounds, abs=1e-9), name
