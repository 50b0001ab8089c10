"""The numbers of shipped verdicts, one by one and together, from those in the files."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import t

from benchmarks.verdicts import VerdictRow
from tests.independent import verdicts
from tests.independent.verdicts import SHIPPED, Place, Setting

NEAR = 1e-6


class Cell(NamedTuple):
    """A method on a task at a depth.

    Attributes:
        keys: The keys of its results, which are averaged.
        by_seed: Δ by seed of random removal.
        variance: The variance of their mean.
    """

    keys: set[str]
    by_seed: dict[int, float]
    variance: float

    @property
    def difference(self) -> float:
        return float(np.mean([*self.by_seed.values()]))


Cells = dict[Setting, dict[Place, Cell]]


def test_every_row(verdict_rows: list[VerdictRow]) -> None:
    table = verdicts.shipped()
    assert {row.result.key for row in verdict_rows} == set(table)
    for row in verdict_rows:
        verdict = row.verdict
        contrast = verdict.contrast
        expected = table[row.result.key]
        pairs = (
            (verdict.share, expected.share),
            (verdict.control_shares, expected.control_shares),
            (verdict.apart[:, 1:], expected.replicates),
            (contrast.difference, expected.difference),
            (contrast.seed_deviation, expected.deviation),
            (contrast.standard_error, expected.error),
            (contrast.mean_half_width(), expected.mean_half),
            (contrast.half_width(), expected.draw_half),
            (contrast.p_value, expected.p_value),
        )
        for stored, computed in pairs:
            np.testing.assert_allclose(stored, computed, rtol=0, atol=NEAR)
        assert ("one example decides" in verdict.flags) == expected.one_decides


def cells() -> Cells:
    """Average the seed twins of each method and place that have two seeds in common."""
    twins: dict[Setting, dict[Place, dict[str, verdicts.Row]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for key, row in verdicts.shipped().items():
        twins[row.setting][row.place][key] = row
    table: Cells = defaultdict(dict)
    for setting, places in twins.items():
        for place, rows in places.items():
            seeds = sorted(set.intersection(*(set(row.seeds) for row in rows.values())))
            if len(seeds) < 2:
                continue
            apart = []
            paired = []
            for row in rows.values():
                shared = [row.seeds.index(seed) for seed in seeds]
                apart.append(row.share - row.control_shares[shared])  # (k,)
                paired.append(row.replicates[shared])  # (k, n)
            by_seed = np.mean(apart, axis=0)  # (k,)
            without = np.mean(paired, axis=(0, 1))  # (n,)
            n = len(without)
            error = (n - 1) / n * np.sum((without - without.mean()) ** 2)
            variance = by_seed.var(ddof=1) / len(seeds) + error
            table[setting][place] = Cell(
                set(rows), dict(zip(seeds, by_seed, strict=True)), variance
            )
    return table


def pooled(group: Sequence[Cell]) -> dict[str, Any]:
    """Pool by random effects (Paule and Mandel; Hartung and Knapp), and draw by draw."""
    effects = np.array([cell.difference for cell in group])
    variances = np.array([cell.variance for cell in group])
    m = len(group)

    def mean_of(tau2: float) -> tuple[float, float]:
        weights = 1 / (variances + tau2)
        mean = np.average(effects, weights=weights)
        return float(mean), float(np.sum(weights * (effects - mean) ** 2))

    def excess(tau2: float) -> float:
        return mean_of(tau2)[1] - (m - 1)

    tau2 = brentq(excess, 0, 1e5, xtol=1e-16) if excess(0) > 0 else 0.0
    mean, rest = mean_of(tau2)
    weights = 1 / (variances + tau2)
    error = np.sqrt(rest / (m - 1) / weights.sum())
    half = t.ppf(0.975, m - 1) * error
    estimate = {
        "value": mean,
        "interval": (mean - half, mean + half),
        "deviation": np.sqrt(tau2),
        "within": None,
        "inconsistency": max(0.0, 1 - (m - 1) / mean_of(0.0)[1]),
        "predicted": None,
    }
    common = sorted(set.intersection(*(set(cell.by_seed) for cell in group)))
    k = len(common)
    if k > 1:
        draws = [
            np.average([cell.by_seed[seed] for cell in group], weights=weights) for seed in common
        ]
        half = t.ppf(0.975, k - 1) * np.std(draws, ddof=1) / np.sqrt(k)
        estimate["within"] = np.mean(draws) - half, np.mean(draws) + half
        estimate["interval"] = max(estimate["interval"], estimate["within"], key=np.ptp)
    if m >= 4:
        reach = t.ppf(0.975, m - 2) * np.hypot(error, np.sqrt(tau2))
        estimate["predicted"] = mean - reach, mean + reach
    return estimate


def test_the_shipped_table_is_what_the_stored_numbers_give() -> None:
    computed = cells()

    rows = json.loads((SHIPPED / "pooled.json").read_text("utf-8"))

    table = {(row["method"], row["scope"]): row for row in rows}
    assert set(table) == set(computed)
    for setting, places in computed.items():
        needed = 5 if setting[1] else 10
        groups: dict[str, list[Cell]] = defaultdict(list)
        for (_, depth), cell in places.items():
            groups["all"].append(cell)
            groups[f"{depth} layers"].append(cell)
            if len(cell.by_seed) >= needed:
                groups["all seeds usable"].append(cell)
        stored = table[setting]["estimates"]
        assert set(stored) == {name for name, group in groups.items() if len(group) > 1}
        for name, estimate in stored.items():
            assert estimate["cells"] == len(groups[name])
            for field, expected in pooled(groups[name]).items():
                numbers = [np.array(value, dtype=float) for value in (estimate[field], expected)]
                np.testing.assert_allclose(
                    *numbers,
                    rtol=0,
                    atol=NEAR,
                    err_msg=f"{setting}, {name}, {field}",
                )  # None is NaN

        by_keys = {frozenset(cell["keys"]): cell["by_seed"] for cell in table[setting]["cells"]}
        assert set(by_keys) == {frozenset(cell.keys) for cell in places.values()}
        for cell in places.values():
            shares = {int(seed): share for seed, share in by_keys[frozenset(cell.keys)].items()}
            assert shares == pytest.approx(cell.by_seed, abs=NEAR)
