"""Shipped verdicts, and what all checkpoints say together, from the numbers in the files without the project's code."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import t

from benchmarks.verdicts import VerdictRow
from tests.independent import verdicts
from tests.independent.verdicts import SHIPPED

Cell, Place = Mapping[str, Any], tuple[str, int]  # a task and a depth
Setting = tuple[str, str | None]  # a method and its scope


def test_every_row(verdict_rows: list[VerdictRow]) -> None:
    table = verdicts.shipped()
    assert {row.result.key for row in verdict_rows} == set(table)
    for row in verdict_rows:
        found, known, (_, expected) = row.verdict, row.verdict.contrast, table[row.result.key]
        assert found.control_shares == pytest.approx(expected.control_shares, abs=1e-6)
        numbers = found.share, known.difference, known.seed_deviation, known.standard_error
        numbers = (*numbers, known.mean_half_width(), known.half_width(), known.p_value)
        wanted = expected.share, expected.difference, expected.deviation, expected.error
        wanted = (*wanted, expected.mean_half, expected.draw_half, expected.p_value)
        assert numbers == pytest.approx(wanted, abs=1e-6)
        np.testing.assert_allclose(found.apart[1], expected.replicates, atol=1e-6)
        assert (found.state, found.reason, found.flags) == (
            expected.state,
            expected.reason,
            expected.flags,
        )


def cells() -> dict[Setting, dict[Place, Cell]]:
    """Of each method and cell: its results, Δ by seed of random removal, its mean, and the variance of that."""
    twins: dict[Setting, dict[Place, list[tuple[str, verdicts.Row]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for key, (result, row) in verdicts.shipped().items():
        place = result["task"]["name"], result["checkpoint"]["num_layers"]
        twins[result["pruning"]["method"], result["pruning"]["scope"]][place].append((key, row))
    found: dict[Setting, dict[Place, Cell]] = defaultdict(dict)
    for setting, places in twins.items():
        for place, judged in places.items():
            keys, rows = zip(*judged, strict=True)
            seeds = sorted(set.intersection(*(set(row.seeds) for row in rows)))
            if len(seeds) < 2:
                continue
            at = [[row.seeds.index(seed) for seed in seeds] for row in rows]
            both = list(zip(rows, at, strict=True))
            apart = np.mean([row.share - row.control_shares[k] for row, k in both], axis=0)  # (k,)
            paired = np.mean([row.replicates[k] for row, k in both], axis=(0, 1))  # (n,)
            n, k = len(paired), len(seeds)
            error = np.sqrt((n - 1) / n * np.sum((paired - paired.mean()) ** 2))
            variance = apart.var(ddof=1) / k + error**2
            known = {"difference": apart.mean(), "variance": variance, "keys": set(keys)}
            found[setting][place] = {**known, "by_seed": dict(zip(seeds, apart, strict=True))}
    return found


def pooled(known: Sequence[Cell]) -> dict[str, Any]:
    """Random effects after Paule and Mandel, the interval after Hartung and Knapp; and the same draw by draw."""
    effects, variances = (
        np.array([cell[name] for cell in known]) for name in ("difference", "variance")
    )
    m = len(known)

    def mean_of(tau2: float) -> tuple[float, float]:
        weights = 1 / (variances + tau2)
        mean = np.sum(weights * effects) / np.sum(weights)
        return float(mean), float(np.sum(weights * (effects - mean) ** 2))

    def excess(tau2: float) -> float:
        return mean_of(tau2)[1] - (m - 1)

    tau2 = brentq(excess, 0, 1e5, xtol=1e-16) if excess(0) > 0 else 0.0
    mean, rest = mean_of(tau2)
    weights = 1 / (variances + tau2)
    error = np.sqrt(rest / (m - 1) / weights.sum())
    common = sorted(set.intersection(*(set(cell["by_seed"]) for cell in known)))
    draws = [
        np.average([cell["by_seed"][seed] for cell in known], weights=weights) for seed in common
    ]
    k, half = len(draws), t.ppf(0.975, m - 1) * error
    found = {
        "value": mean,
        "between": (mean - half, mean + half),
        "deviation": np.sqrt(tau2),
        "within": None,
    }
    if k > 1:
        drawn = t.ppf(0.975, k - 1) * np.std(draws, ddof=1) / np.sqrt(k)
        found["within"] = (np.mean(draws) - drawn, np.mean(draws) + drawn)
    fixed = mean_of(0.0)[1]
    found["inconsistency"] = max(0.0, 1 - (m - 1) / fixed)
    reach = t.ppf(0.975, m - 2) * np.hypot(error, np.sqrt(tau2)) if m >= 4 else None
    found["predicted"] = None if reach is None else (mean - reach, mean + reach)
    return found


def test_the_shipped_table_is_what_the_stored_numbers_give() -> None:
    rows = json.loads((SHIPPED / "pooled.json").read_text("utf-8"))
    table = {(row["method"], row["scope"]): row for row in rows}
    independent = cells()
    assert set(table) == set(independent)
    for setting, places in independent.items():
        depths = sorted({layers for _, layers in places})
        groups = {"all": list(places.values())}
        groups |= {
            f"{depth} layers": [cell for (_, own), cell in places.items() if own == depth]
            for depth in depths
        }
        needed = 5 if setting[1] else 10
        groups["all seeds usable"] = [
            cell for cell in groups["all"] if len(cell["by_seed"]) >= needed
        ]
        stored = table[setting]["estimates"]
        assert set(stored) == {name for name, group in groups.items() if len(group) > 1}
        for name, estimate in stored.items():
            assert estimate["cells"] == len(groups[name])
            for field, expected in pooled(groups[name]).items():
                given, wanted = (
                    np.array(known, dtype=float) for known in (estimate[field], expected)
                )  # None is NaN
                np.testing.assert_allclose(
                    given, wanted, rtol=0, atol=1e-6, err_msg=f"{setting}, {name}, {field}"
                )
            spans = [
                bounds[1] - bounds[0]
                for bounds in (estimate["between"], estimate["within"])
                if bounds
            ]
            assert estimate["interval"][1] - estimate["interval"][0] == max(spans)
        told = {frozenset(cell["keys"]): cell["by_seed"] for cell in table[setting]["cells"]}
        assert set(told) == {frozenset(cell["keys"]) for cell in places.values()}, (
            "which count, and no others"
        )
        for cell in places.values():
            given = {int(seed): share for seed, share in told[frozenset(cell["keys"])].items()}
            assert given == pytest.approx(cell["by_seed"], abs=1e-6)
